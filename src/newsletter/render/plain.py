"""Text from outside made fit for a mail: no control, no bidi override, nothing that looks like a placeholder."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from newsletter.model.text import one_line

_LONGEST_PARAGRAPH = 50_000
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Cleans what feeds say. Collect has done so too; a page this far from the feed trusts nobody.

    `nonce` begins every placeholder of the mail. A text that repeats it would be filled in with somebody's address.
    """

    nonce: str

    def line(self, text: str, *, limit: int = 500) -> str:
        """`text` on one line of at most `limit` characters."""
        return self.without_nonce(one_line(text, limit=limit))

    def paragraph(self, text: str) -> str:
        """A paragraph of an article, on one line, however long."""
        return self.line(text, limit=_LONGEST_PARAGRAPH)

    def without_nonce(self, text: str) -> str:
        """`text` without the nonce, also where taking it out would put it together anew."""
        while self.nonce in text:
            text = text.replace(self.nonce, "")
        return text


_UNWANTED = re.compile("[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_controls(html: str) -> str:
    """Markup without controls, lone surrogates and bidi overrides, on which parsers choke and readers err."""
    kept = _UNWANTED.sub("", html.replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n"))
    return unicodedata.normalize("NFC", "".join(char for char in kept if char not in _BIDI))
