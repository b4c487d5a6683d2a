"""Text as people may be shown it: strange text made harmless, numbers and lengths of time in words."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

# Explicit bidi controls reorder what stands around them; the marks LRM, RLM and ALM do not, and Arabic text needs them.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u00ad\u180e\u200b\u2060\ufeff\ufffe\uffff")
_SPACES = re.compile(r"\s+")
_NO_LETTERS = re.compile(r"[\W_]+")
_DAYS_FROM_SECONDS = 7 * 86400


def one_line(text: str, *, limit: int = 500) -> str:
    """`text` as a single line of at most `limit` characters, cut at a word with an ellipsis where longer.

    Controls, line and paragraph separators, lone surrogates, bidi overrides and zero-width padding are gone, white
    space is folded, and `=?` can no longer begin an encoded word (RFC 2047).
    """
    # Most of what comes is plain, and files of subscribers are long. ASCII needs no normal form.
    if text.isascii() and text.isprintable() and len(text) <= limit and "  " not in text and "=?" not in text:
        return text.strip()
    kept = "".join(_shown(char) for char in text)
    folded = _SPACES.sub(" ", kept).strip().replace("=?", "= ?")
    folded = unicodedata.normalize("NFC", folded)
    return folded if len(folded) <= limit else _cut(folded, limit)


def _shown(char: str) -> str:
    if char in _BIDI or char in _INVISIBLE:
        return ""
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cs" else char


def _cut(text: str, limit: int) -> str:
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else head).rstrip(" ,;:-") + "…"


def counted(many: int, one: str, more: str = "") -> str:
    """A number with its noun, as people say it; `more` where an s does not do."""
    return f"{many} {one if many == 1 else more or f'{one}s'}"


def together(*reasons: str | None) -> str | None:
    """Several reasons as one, without those that are none."""
    return "; ".join(filter(None, reasons)) or None


def duration(value: timedelta) -> str:
    """A length of time as settings have it: "30s", "90m", "48h", "14d"."""
    seconds = int(value.total_seconds())
    # Hours read better up to some days: "48h".
    units = (("d", 86400),) if seconds > _DAYS_FROM_SECONDS else ()
    for unit, size in (*units, ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def spelled(text: str) -> str:
    """Letters and digits alone, case folded: what two texts are compared by."""
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())
