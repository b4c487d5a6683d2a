"""OPML: lists of feeds as other readers write them, and ours for other readers. The one door to listparser.

listparser reads anything, in an encoding it guesses. So it gets the document only after libxml2 has read it, under
limits and without entities, and has spelt it in ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html.entities import html5
from typing import Any

import listparser
from lxml import etree

from newsletter.collect.document import utf8_of
from newsletter.collect.language import tidy_tag
from newsletter.collect.urls import absolute
from newsletter.errors import ImportFileError
from newsletter.model.feed import Feed
from newsletter.model.text import one_line

# Ten thousand feeds take two megabytes.
_MOST_BYTES = 10 * 1024 * 1024
_DEEPEST = 40
_LONGEST_TITLE = 120
_LONGEST_TOPIC = 80
_MOST_TOPICS = 20
_START = re.compile(rb"<(?:\w+:)?opml[\s>/]", re.IGNORECASE)
# How far into a file its first element may stand.
_MOST_PROLOG = 16_384
_FEED_SCHEME = re.compile(r"^feed:(?://)?(?=https?:)|^feed:(?=//)")
_AMPERSAND = re.compile(rb"&(?!#\d+;|#x[0-9a-fA-F]+;)(?:(\w+);)?")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_UNSPELLABLE = re.compile("[,/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A feed that a file names, or something else that is none: then `because` says what it is."""

    title: str
    url: str
    homepage: str = ""
    language: str | None = None
    topics: tuple[str, ...] = ()
    """The folders it lies in, the innermost first, and its categories."""
    because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """What a file names, each address once. `broken` says where it is no XML and could be read only in part."""

    found: tuple[Outline, ...]
    broken: str | None = None


def read_opml(content: bytes, *, file: str) -> Outlines:
    """The feeds in an OPML file, of any version. ImportFileError if it is none, or is made to do harm."""
    root, broken = _tree(_document(content, file), file)
    found = listparser.parse(etree.tostring(root, encoding="us-ascii"))
    attributes = {named["xmlurl"]: named for named in map(_lowered, root.iter("{*}outline")) if named.get("xmlurl")}
    outlines = (*_feeds(found.feeds, attributes), *_others(found.lists, root))
    return Outlines(found=tuple(outlines), broken=broken)


def _document(content: bytes, file: str) -> bytes:
    """The file from its first element on, in UTF-8."""
    if len(content) > _MOST_BYTES:
        raise ImportFileError(file, f"it is larger than {_MOST_BYTES} bytes, no list of feeds is")
    text = utf8_of(content)
    start = _START.search(text, 0, _MOST_PROLOG)
    if b"<!ENTITY" in text[: start.start() if start else _MOST_PROLOG].upper():
        raise ImportFileError(file, "it declares entities of its own, as entity bombs do: it is not read")
    if start is None:
        begins = one_line(text[:200].decode("utf-8", "replace"), limit=60)
        raise ImportFileError(file, f"it is no OPML file; it begins with “{begins}”")
    return text[start.start() :]


def _tree(document: bytes, file: str) -> tuple[etree._Element, str | None]:
    """The document as a tree, mended where it is not well-formed, and what was wrong with it."""
    mended = _AMPERSAND.sub(_escaped, document)
    try:
        root, broken = etree.fromstring(mended, _parser(recover=False)), None
    except etree.XMLSyntaxError as exc:
        broken = f"it is no proper XML (line {exc.lineno or 0}), so feeds may be missing"
        root = etree.fromstring(mended, _parser(recover=True))
    if root is None:
        raise ImportFileError(file, "it is no OPML file: the XML has no element")
    if _depth(root) > _DEEPEST:
        raise ImportFileError(file, f"its outlines are nested deeper than {_DEEPEST} levels")
    return root, broken


def _escaped(found: re.Match[bytes]) -> bytes:
    """An ampersand as XML wants it: many programs write addresses as they are, and HTML's names for letters."""
    name = found[1].decode() if found[1] else ""
    if name in _XML_NAMES:
        return found[0]
    letter = html5.get(f"{name};")
    return letter.encode("ascii", "xmlcharrefreplace") if letter else b"&amp;" + found[0][1:]


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding="utf-8"
    )


def _depth(root: etree._Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _lowered(element: etree._Element) -> dict[str, str]:
    return {str(name).lower(): str(value).strip() for name, value in element.attrib.items()}


def _feeds(feeds: Iterable[Any], attributes: Mapping[str, Mapping[str, str]]) -> Iterator[Outline]:
    for feed in feeds:
        named = attributes.get(feed.url, {})
        url, because = _address(feed.url)
        yield Outline(
            title=one_line(feed.title, limit=_LONGEST_TITLE),
            url=url,
            homepage=absolute(named.get("htmlurl", ""), "") or "",
            language=tidy_tag(named.get("language")),
            topics=_topics(feed.categories),
            because=because,
        )


def _address(given: str) -> tuple[str, str | None]:
    """The address of a feed, and why it cannot be one. Some programs write `feed:` before it, or instead of http."""
    plain = _FEED_SCHEME.sub("", given)
    url = absolute(f"http:{plain}" if plain.startswith("//") else plain, "")
    if url is None:
        return one_line(given), "its xmlUrl is no address that begins with https:// or http://"
    if "@" in plain.partition("//")[2].partition("/")[0]:
        # What is not shown: the user name and the password.
        return url, "its xmlUrl has a user name or a password in it, which a feed's file may not have"
    return url, None


def _topics(categories: Iterable[list[str]]) -> tuple[str, ...]:
    """The names in paths of folders, the innermost first, each once however it is spelt."""
    names = (one_line(name, limit=_LONGEST_TOPIC) for path in categories for name in reversed(path))
    kept: dict[str, str] = {}
    for name in names:
        if name:
            kept.setdefault(name.casefold(), name)
    return tuple(kept.values())[:_MOST_TOPICS]


def _others(lists: Iterable[Any], root: etree._Element) -> Iterator[Outline]:
    """What is named and is no feed, so that nobody has to wonder where it is."""
    for one in lists:
        because = "it is another list of feeds: import that file by itself"
        yield Outline(title=one_line(one.title, limit=_LONGEST_TITLE), url=one_line(one.url), because=because)
    for element in root.iter("{*}outline"):
        named = _lowered(element)
        if len(element) or named.get("xmlurl") or named.get("url"):
            continue
        title = one_line(named.get("text") or named.get("title") or "", limit=_LONGEST_TITLE)
        if page := named.get("htmlurl"):
            because = "it has a page but no feed: try `newsletter feeds add` with its address"
            yield Outline(title=title, url=one_line(page), because=because)
        elif named.get("type", "").lower() == "rss":
            yield Outline(title=title, url="", because="it is called a feed but has no xmlUrl")


def write_opml(feeds: Iterable[Feed], *, title: str, now: datetime) -> bytes:
    """The feeds as OPML 2.0, in a folder for the first topic of each; all its topics are its category.

    A category cannot hold a comma or a slash (http://opml.org/spec2.opml), so a topic that does is only a folder.
    """
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = one_line(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(now, usegmt=True)
    etree.SubElement(head, "docs").text = "http://opml.org/spec2.opml"
    folders: dict[str, etree._Element] = {}
    for feed in feeds:
        folder = body
        if feed.topics:
            name = one_line(feed.topics[0])
            if name not in folders:
                folders[name] = etree.SubElement(body, "outline", text=name)
            folder = folders[name]
        etree.SubElement(folder, "outline", _attributes(feed))
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _attributes(feed: Feed) -> dict[str, str]:
    name = one_line(feed.partner)
    told = {
        "type": "rss",
        "text": name,
        "title": name,
        "xmlUrl": feed.url,
        "htmlUrl": feed.homepage,
        "language": feed.language or "",
        "category": ",".join(one_line(topic) for topic in feed.topics if not _UNSPELLABLE.search(topic)),
    }
    return {key: value for key, value in told.items() if value}
