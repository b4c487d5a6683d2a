"""Atom (RFC 4287), in archived documents (RFC 5005)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lxml import etree

from newsletter.publish.channel import Channel, Shown
from newsletter.publish.content import Picture
from newsletter.publish.xml import ATOM, HISTORY, LANG, MEDIA, add, written

_A = f"{{{ATOM}}}"
_M = f"{{{MEDIA}}}"
_PREFIXES: Any = {None: ATOM, "fh": HISTORY, "media": MEDIA}  # the stubs know of no default namespace


def atom(channel: Channel) -> bytes:
    root = etree.Element(f"{_A}feed", {LANG: channel.language}, nsmap=_PREFIXES)
    add(root, f"{_A}id", channel.id)
    add(root, f"{_A}title", channel.title)
    add(root, f"{_A}subtitle", channel.description)
    add(root, f"{_A}updated", stamp(channel.updated_at))
    add(add(root, f"{_A}author"), f"{_A}name", channel.publisher)
    add(root, f"{_A}link", rel="self", href=channel.url, type="application/atom+xml")
    add(root, f"{_A}link", rel="alternate", href=channel.home_url, type="text/html")
    for relation, url in channel.urls:
        add(root, f"{_A}link", rel=relation, href=url, type="application/atom+xml")
    if channel.hub:
        add(root, f"{_A}link", rel="hub", href=channel.hub)
    if channel.archived:
        add(root, f"{{{HISTORY}}}archive")
    for shown in channel.shown:
        _entry(add(root, f"{_A}entry"), shown, channel.language)
    return written(root)


def stamp(moment: datetime) -> str:
    """RFC 3339, to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _entry(entry: etree._Element, shown: Shown, language: str) -> None:
    if shown.language != language:
        entry.set(LANG, shown.language)
    add(entry, f"{_A}id", shown.id)
    add(entry, f"{_A}title", shown.headline)
    add(entry, f"{_A}published", stamp(shown.published_at))
    add(entry, f"{_A}updated", stamp(shown.updated_at))
    if shown.byline:
        add(add(entry, f"{_A}author"), f"{_A}name", shown.byline)
    for relation in ("alternate", "canonical", "via"):
        add(entry, f"{_A}link", rel=relation, href=shown.url, type="text/html")
    add(entry, f"{_A}link", rel="collection", href=shown.edition_url, type="text/html", title=shown.edition_title)
    for partner, url in shown.also_at:
        add(entry, f"{_A}link", rel="related", href=url, type="text/html", title=partner)
    for label in shown.labels:
        add(entry, f"{_A}category", term=label)
    _source(add(entry, f"{_A}source"), shown)
    if shown.dek:
        add(entry, f"{_A}summary", shown.dek)
    if shown.html:
        add(entry, f"{_A}content", shown.html, type="html")
    if shown.picture:
        if shown.picture.type:
            add(entry, f"{_A}link", rel="enclosure", href=shown.picture.url, type=shown.picture.type)
        media(entry, shown.picture)


def _source(source: etree._Element, shown: Shown) -> None:
    """Who wrote a piece without byline is its partner: without this it would be us, by the feed's author."""
    add(source, f"{_A}title", shown.partner)
    add(source, f"{_A}link", rel="alternate", href=shown.source_url, type="text/html")
    add(add(source, f"{_A}author"), f"{_A}name", shown.partner)


def media(parent: etree._Element, picture: Picture) -> None:
    """Media RSS: the one place in Atom and RSS where a photographer can be named."""
    content = add(parent, f"{_M}content", url=picture.url, medium="image", type=picture.type)
    if picture.caption:
        add(content, f"{_M}description", picture.caption, type="plain")
    if picture.credit:
        add(content, f"{_M}credit", picture.credit, role="photographer")
