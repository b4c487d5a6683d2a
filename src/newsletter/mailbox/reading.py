"""Taking a mail apart for looking at it. Pure, and never in vain: of odd mail it shows what can be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
# Links of a mail open beside the page, not inside the frame, where nothing may run.
_BASE = '<base target="_blank">'


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A mail taken apart. `html` and `text` are None where it has no such part."""

    headers: tuple[tuple[str, str], ...]
    html: str | None
    text: str | None
    source: str


def opened(content: bytes) -> Opened:
    """The mail with its headers decoded and its first HTML and text parts."""
    message = BytesParser(policy=policy.default).parsebytes(content)
    return Opened(
        headers=_headers(content),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        source=content.decode("utf-8", "replace"),
    )


def framed(html: str) -> str:
    """The HTML part, with its links opening in a tab of their own."""
    found = _HEAD.search(html)
    return html[: found.end()] + _BASE + html[found.end() :] if found else _BASE + html


def _part(message: EmailMessage, kind: str) -> str | None:
    try:
        part = message.get_body(preferencelist=(kind,))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (AttributeError, LookupError, TypeError, ValueError):
        # An unknown charset, or bytes that are not in the one that is named.
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _headers(content: bytes) -> tuple[tuple[str, str], ...]:
    """Every header in its order, unfolded, as it is in the mail: what was encoded stays so."""
    # Senders are not supposed to leave bare line feeds in a mail; the ones that do are what one looks for here.
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0].decode("utf-8", "replace")
    lines = re.split(r"\r?\n(?![ \t])", head)
    pairs = (re.sub(r"\r?\n", "", line).partition(":") for line in lines if line)
    return tuple((name, value.strip()) for name, _, value in pairs)
