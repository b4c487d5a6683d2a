"""From the bytes a server sent to an XML document that can be parsed: UTF-8, without prolog, junk or controls."""

from __future__ import annotations

import codecs
import re

from newsletter.errors import ParseError
from newsletter.model.text import one_line

_ROOT = re.compile(rb"<(?:rss|feed|rdf:RDF|(?:\w+:)?feed)[\s>]|<\?xml\b", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# XML 1.0 has no place for these, whatever the encoding.
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What is called one of these on the web is really Microsoft's code page.
_REALLY = {"iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}
_UTF8 = frozenset({"utf-8", "utf8"})
# Half of a character outside the first plane, coded by itself: no valid UTF-8, and no character.
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]+)|([0-9]+));?", re.IGNORECASE)
_LONGEST_NUMBER = 10
_NO_CHARACTER = "\ufffd".encode()
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_CHANNEL = re.compile(rb"<((?:[\w.-]+:)?channel)[\s>]", re.IGNORECASE)
_ROOT_NAME = re.compile(rb"<([^\s<>/]+)")
# What an article quotes is no end of it.
_ENTRY_END = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|(?P<entry></(?:[\w.-]+:)?(?:item|entry)\s*>)",
    re.IGNORECASE | re.DOTALL,
)
# How far into a body a document may begin: behind a server's warnings, but not behind a page.
_MOST_JUNK = 16_384


def document_of(body: bytes, *, feed: str, content_type: str = "", encoding: str | None = None) -> bytes:
    """The feed document in `body` as UTF-8 XML that begins with its root element.

    `encoding` is the editor's word and beats all others. ParseError names what came instead of a feed, and refuses a
    document that declares entities.
    """
    if not body.strip():
        raise ParseError(feed, "the body is empty")
    text = utf8_of(body, content_type=content_type, encoding=encoding).translate(None, _CONTROLS)
    return _DECLARATION + _root_on(_from_start(_REFERENCE.sub(_possible, text), feed), feed)


def until_break(document: bytes) -> tuple[bytes, int] | None:
    """A document that breaks off, closed after its last whole entry, and how many those are.

    None for one whose root element is closed. For documents that `document_of` made and that are not well-formed.
    """
    root = _ROOT_NAME.match(document, len(_DECLARATION))
    if root and re.search(rb"</" + re.escape(root[1]) + rb"\s*>", document, re.IGNORECASE):
        return None
    ends = [found.end() for found in _ENTRY_END.finditer(document) if found["entry"]]
    head = document[: ends[-1] if ends else 0]
    channel = _CHANNEL.search(head)
    open_ones = [one[1] for one in (channel, root) if one and b"</" + one[1] not in head]
    return head + b"".join(b"</" + name + b">" for name in open_ones), len(ends)


def _possible(reference: re.Match[bytes]) -> bytes:
    """The reference, if XML 1.0 has such a character. feedparser dies of half a character, or of one beyond Unicode."""
    digits = reference[1] or reference[2]
    number = int(digits, 16 if reference[1] else 10) if len(digits) <= _LONGEST_NUMBER else -1
    known = number in {9, 10, 13} or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000  # noqa: PLR2004
    return reference[0] if known else _NO_CHARACTER


def utf8_of(body: bytes, *, content_type: str = "", encoding: str | None = None) -> bytes:
    """The body in UTF-8. Valid UTF-8 is believed before any label: hardly any other text is valid by chance."""
    if encoding:
        return _decoded(body, encoding)
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _decoded(body, name)
    if b"\x00" in body[:4]:
        return _decoded(body, "utf-16-be" if body[:1] == b"\x00" else "utf-16-le")
    if b"\x1b" not in body and _is_utf8(body):
        return body
    return _decoded(body, _label(body, content_type))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _label(body: bytes, content_type: str) -> str:
    declared = _DECLARED.search(body[:2000])
    charset = _CHARSET.search(content_type)
    labels = [charset[1] if charset else "", declared[1].decode("ascii") if declared else ""]
    for label in labels:
        if label and label.lower() not in _UTF8 and _known(label):
            return label
    return "utf-8"


def _known(label: str) -> bool:
    try:
        return codecs.lookup(label)._is_text_encoding  # noqa: SLF001 base64 is a codec too
    except LookupError:
        return False


def _decoded(body: bytes, encoding: str) -> bytes:
    name = _REALLY.get(encoding.lower(), encoding.lower())
    try:
        text = body.decode(name, errors="newsletter-mixed" if name in _UTF8 else "replace")
    except (LookupError, UnicodeError):
        text = body.decode("utf-8", errors="newsletter-mixed")
    return text.removeprefix("\ufeff").encode("utf-8", errors="replace")


def _mixed(error: UnicodeError) -> tuple[str, int]:
    """What is not UTF-8 in a text that says it is: an older text pasted into it, in Microsoft's code page."""
    assert isinstance(error, UnicodeDecodeError)
    rest = error.object[error.start : error.start + 3]
    if _SURROGATE.match(rest):
        return "", error.start + 3
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", errors="replace"), error.end


codecs.register_error("newsletter-mixed", _mixed)


def _from_start(text: bytes, feed: str) -> bytes:
    """The text from its XML on: servers put warnings, blank lines and worse before it."""
    head = text[:_MOST_JUNK]
    page, root = _HTML.search(head), _ROOT.search(head)
    if page and (root is None or page.start() < root.start()):
        raise ParseError(feed, _a_page(text))
    if root is None:
        raise ParseError(feed, _no_feed(head))
    return text[root.start() :]


def _a_page(text: bytes) -> str:
    found = _TITLE.search(text[:100_000])
    title = one_line(found[1].decode("utf-8", "replace"), limit=80) if found else ""
    return "got an HTML page instead of a feed" + (f": “{title}”" if title else "")


def _no_feed(head: bytes) -> str:
    start = one_line(head[:200].decode("utf-8", "replace"), limit=60)
    return f"got something that is no feed; it begins with “{start}”"


def _root_on(text: bytes, feed: str) -> bytes:
    """The document from its root element on, past declarations, comments and a document type."""
    at = 0
    while True:
        start = text.find(b"<", at)
        if start < 0:
            raise ParseError(feed, "the XML has no element")
        if text.startswith(b"<?", start):
            at = _behind(text, b"?>", start, feed)
        elif text.startswith(b"<!--", start):
            at = _behind(text, b"-->", start + 4, feed)
        elif text.startswith(b"<!", start):
            at = _behind_doctype(text, start, feed)
        elif _HTML.match(text, start):
            raise ParseError(feed, _a_page(text))
        else:
            return text[start:]


def _behind(text: bytes, ending: bytes, start: int, feed: str) -> int:
    end = text.find(ending, start)
    if end < 0:
        raise ParseError(feed, "the XML ends before its first element")
    return end + len(ending)


def _behind_doctype(text: bytes, start: int, feed: str) -> int:
    """The end of a document type declaration, which may have a part in brackets."""
    end = _behind(text, b">", start, feed)
    bracket = text.find(b"[", start, end)
    if bracket >= 0:
        end = _behind(text, b">", _behind(text, b"]", bracket, feed), feed)
    if b"<!ENTITY" in text[start:end]:
        raise ParseError(feed, "the document declares entities of its own, as entity bombs do: it is not read")
    if re.match(rb"<!doctype\s+html", text[start:end], re.IGNORECASE):
        raise ParseError(feed, _a_page(text))
    return end
