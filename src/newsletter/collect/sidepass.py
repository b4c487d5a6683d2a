"""A second reader of the XML, for what feedparser loses: raw guids, pictures with caption and credit, entries' bytes.

Entries are told apart by a digest of their XML, so that known ones are cut out before feedparser sees them. It also
takes out everything of Media RSS, whose descriptions feedparser mistakes for the article's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from lxml import etree

from newsletter.collect.clean import visible
from newsletter.collect.credits import caption_and_credit
from newsletter.collect.source import HUB_LINKS, SideEntry
from newsletter.collect.urls import absolute
from newsletter.model.item import Image

_MEDIA = ("{http://search.yahoo.com/mrss/}", "{http://search.yahoo.com/mrss}")
# Counters of comments change with every reader; the entry does not.
_VOLATILE = (
    "{http://purl.org/rss/1.0/modules/slash/}comments",
    "{http://purl.org/syndication/thread/1.0}total",
)
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif")
_WIDE_ENOUGH = 600
_DAY_HOURS = 24
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SY = "{http://purl.org/rss/1.0/modules/syndication/}"
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """A document as a tree. `without` changes it."""

    entries: tuple[SideEntry, ...]
    skip_hours: frozenset[int]
    skip_days: frozenset[int]
    lasts: timedelta | None
    """How long the document says that it stays as it is."""
    links: tuple[tuple[str, str], ...]
    """What it links to as its hub and as itself: (rel, URL), in its order."""
    _root: etree._Element
    _elements: tuple[etree._Element, ...]

    def without(self, known: frozenset[str]) -> bytes:
        """The document without known entries, comments and Media RSS."""
        for element, entry in zip(self._elements, self.entries, strict=True):
            parent = element.getparent()
            if entry.digest in known and parent is not None:
                parent.remove(element)
        etree.strip_elements(self._root, *(name + "*" for name in _MEDIA), with_tail=False)
        return etree.tostring(self._root, encoding="utf-8", xml_declaration=True)


def scan(document: bytes, *, base: str, salt: str) -> Scan | None:
    """Read a document, or None if it is not well-formed or exceeds libxml2's limits.

    Nothing is fetched and no entity resolved. `salt` goes into every digest: what else an entry's reading depends on.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        # As text it would be written out in entities, and feedparser gets its text in pieces, one for each of them.
        strip_cdata=False,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(document, parser, base_url=base)
    except etree.XMLSyntaxError:
        return None
    elements = tuple(_entries(root))
    return Scan(
        entries=tuple(_side_entry(element, base=base, salt=salt) for element in elements),
        skip_hours=frozenset(_skip_hours(root)),
        skip_days=frozenset(_skip_days(root)),
        lasts=_lasts(root),
        links=tuple(_links(root, base)),
        _root=root,
        _elements=elements,
    )


def _links(root: etree._Element, base: str) -> Iterator[tuple[str, str]]:
    channel = root.find("./{*}channel")
    for link in (root if channel is None else channel).iterchildren("{*}link"):
        url = absolute(link.get("href", ""), link.base or base) if link.get("href") else None
        for rel in link.get("rel", "").lower().split():
            if url and rel in HUB_LINKS:
                yield rel, url


def _entries(root: etree._Element) -> Iterator[etree._Element]:
    """The items of a channel, those beside it (RSS 1.0), or the entries of an Atom feed."""
    for element in root.iter("{*}item", "{*}entry"):
        parent = element.getparent()
        if parent is not None and (parent is root or parent.getparent() is root):
            yield element


def _side_entry(element: etree._Element, *, base: str, salt: str) -> SideEntry:
    for counter in list(element.iterchildren(*_VOLATILE)):
        element.remove(counter)
    source = etree.tostring(element, with_tail=False)
    guid = _text(element, "{*}guid") or _text(element, "{*}id")
    return SideEntry(
        digest=hashlib.sha256(salt.encode() + source).hexdigest(),
        guid=guid or None,
        images=_best_first(tuple(_images(element, base))),
    )


def _text(element: etree._Element, name: str) -> str:
    found = element.find(name)
    return _all_text(found) if found is not None else ""


def _all_text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()


def _skip_hours(root: etree._Element) -> Iterator[int]:
    for hour in root.iterfind("./{*}channel/{*}skipHours/{*}hour"):
        digits = (hour.text or "").strip()
        if digits.isdecimal():
            yield int(digits[:4]) % _DAY_HOURS


def _skip_days(root: etree._Element) -> Iterator[int]:
    for day in root.iterfind("./{*}channel/{*}skipDays/{*}day"):
        name = (day.text or "").strip().lower()
        if name in _DAYS:
            yield _DAYS.index(name)


def _lasts(root: etree._Element) -> timedelta | None:
    """RSS' ttl in minutes, and the syndication module's period divided by its frequency: the longer of them."""
    channel = root.find("./{*}channel")
    head = root if channel is None else channel
    ttl = _digits(head.findtext("ttl"))
    period = _PERIODS.get((head.findtext(_SY + "updatePeriod") or "").strip().lower())
    told = [timedelta(minutes=ttl)] if ttl else []
    if period:
        told.append(period / (_digits(head.findtext(_SY + "updateFrequency")) or 1))
    return max(told, default=None)


def _digits(text: str | None) -> int:
    digits = (text or "").strip()
    return int(digits[:6]) if digits.isdecimal() and digits.isascii() else 0


def _images(entry: etree._Element, base: str) -> Iterator[Image]:
    """Pictures of an entry: those of Media RSS, what stands for its films, thumbnails, and enclosures."""
    yield from _each(entry, "content", _is_picture, base)
    yield from _each(entry, "content", _is_film, base)
    yield from _each(entry, "thumbnail", lambda _: True, base)
    for enclosure in entry.iterchildren("{*}enclosure", "{*}link"):
        is_link = not str(enclosure.tag).endswith("enclosure")
        if _is_picture(enclosure) and (not is_link or enclosure.get("rel") == "enclosure"):
            yield from _image(enclosure, enclosure.get("href") or enclosure.get("url") or "", base)


def _each(entry: etree._Element, name: str, wanted: Callable[[etree._Element], bool], base: str) -> Iterator[Image]:
    for element in entry.iter(*(media + name for media in _MEDIA)):
        if wanted(element):
            still = element if name == "thumbnail" or wanted is _is_picture else _child(element, "thumbnail")
            if still is not None:
                yield from _image(still, still.get("url", ""), base)


def _is_picture(element: etree._Element) -> bool:
    kind, medium = element.get("type", "").lower(), element.get("medium", "").lower()
    if kind or medium:
        return medium == "image" or kind.startswith("image/")
    address = (element.get("url") or "").lower().split("?")[0]
    return address.endswith(_PICTURE_ENDINGS)


def _is_film(element: etree._Element) -> bool:
    return not _is_picture(element)


def _image(element: etree._Element, address: str, base: str) -> Iterator[Image]:
    url = absolute(address, element.base or base)
    if url is None:
        return
    caption, credit = caption_and_credit(_nearest(element, "description"), _credits(element))
    yield Image(
        url=url,
        caption=caption,
        credit=credit,
        width=_number(element.get("width")),
        height=_number(element.get("height")),
    )


def _nearest(element: etree._Element, name: str) -> str:
    """The text of a Media RSS element inside this one, or beside it, or in what it stands in."""
    for place in (element, *element.iterancestors()):
        found = _child(place, name)
        if found is not None and (text := visible(_all_text(found)).strip()):
            return text
        if str(place.tag).endswith(("}item", "}entry")) or place.tag == "item":
            break
    return ""


def _credits(element: etree._Element) -> str:
    """All credits at the nearest place that has any."""
    for place in (element, *element.iterancestors()):
        found = [visible(_all_text(credit)).strip() for credit in _children(place, "credit")]
        if any(found):
            return " / ".join(dict.fromkeys(filter(None, found)))
        if str(place.tag).endswith(("}item", "}entry")) or place.tag == "item":
            break
    return ""


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next(_children(element, name), None)


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return element.iterchildren(*(media + name for media in _MEDIA))


def _number(value: str | None) -> int | None:
    digits = (value or "").strip()
    return int(digits) if digits.isdecimal() and 0 < len(digits) <= 5 else None  # noqa: PLR2004 no picture is wider


def _best_first(images: tuple[Image, ...]) -> tuple[Image, ...]:
    """The images with the first, where it is small and also there in larger, replaced by its largest form."""
    if not images or not images[0].width or images[0].width >= _WIDE_ENOUGH:
        return images
    first = images[0]
    same = [image for image in images if image.width and image.caption == first.caption]
    largest = max(same, key=lambda image: image.width or 0)
    return (replace(largest, credit=largest.credit or first.credit), *images)
