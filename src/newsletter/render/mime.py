"""A message, prepared once for all and finished for each reader: multipart/alternative, the text first (RFC 2046).

For readers who want text alone it has no other part, and is no multipart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from newsletter.model.edition import Rendered
from newsletter.render.headers import MessageFacts, personal_headers, shared_headers, written_instant
from newsletter.render.merge import Merge, merge_of
from newsletter.render.recipient import Recipient, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All of a message but the reader's own values. Make one per edition and process; share it between threads."""

    facts: MessageFacts
    date: str
    opening: bytes
    text: Merge
    between: bytes = b""
    html: Merge | None = None
    """None in a message of text alone."""
    closing: bytes = b""
    fields: frozenset[str]
    """Which of the reader's values its documents show."""

    def message(self, recipient: Recipient) -> bytes:
        """The message for one reader: CRLF line ends, ASCII unless the address is not. Same values, same bytes."""
        return b"".join(self.pieces(recipient))

    def pieces(self, recipient: Recipient) -> tuple[bytes, ...]:
        """The same in pieces, most of which all readers share."""
        values = values_of(recipient)
        date = self.date if recipient.dated_at is None else written_instant(recipient.dated_at)
        personal = personal_headers(self.facts, recipient, date=date)
        pieces = [personal.encode(), self.opening, *self.text.filled(values), self.between]
        if self.html is not None:
            pieces += self.html.filled(values)
        return (*pieces, self.closing)


def prepare(rendered: Rendered, facts: MessageFacts, *, text_only: bool = False) -> Prepared:
    """Encode a mail's documents, once for all who get it."""
    text = merge_of(rendered.text, rendered, markup=False)
    if text_only:
        opening = shared_headers(facts, rendered.subject) + "MIME-Version: 1.0\r\n" + _part_fields("plain", text)
        return Prepared(
            facts=facts,
            date=written_instant(facts.dated_at),
            opening=opening.encode(),
            text=text,
            fields=frozenset(text.fields),
        )
    page = merge_of(rendered.html, rendered, markup=True)
    boundary = _boundary(rendered)
    multipart = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'
    opening = shared_headers(facts, rendered.subject) + multipart + _part_head(boundary, "plain", text)
    return Prepared(
        facts=facts,
        date=written_instant(facts.dated_at),
        opening=opening.encode(),
        text=text,
        between=_part_head(boundary, "html", page).encode(),
        html=page,
        closing=f"--{boundary}--\r\n".encode(),
        fields=frozenset((*text.fields, *page.fields)),
    )


def _boundary(rendered: Rendered) -> str:
    """The same for the same documents. "=_" occurs neither in quoted-printable nor in base64 (RFC 2045 section 6.7)."""
    seen = hashlib.sha256(f"{rendered.nonce}\0{rendered.text}\0{rendered.html}".encode())
    return f"=_{seen.hexdigest()[:24]}"


def _part_head(boundary: str, subtype: str, part: Merge) -> str:
    return f"--{boundary}\r\n{_part_fields(subtype, part)}"


def _part_fields(subtype: str, part: Merge) -> str:
    return f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {part.encoding}\r\n\r\n"
