"""RSS 2.0, with the modules its readers know: content, Dublin Core, Media RSS and Atom's links."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from lxml import etree

from newsletter.publish.atom import media, stamp
from newsletter.publish.channel import Channel, Shown
from newsletter.publish.xml import ATOM, CONTENT, DC, HISTORY, MEDIA, add, written

_A = f"{{{ATOM}}}"
_PREFIXES = {"atom": ATOM, "content": CONTENT, "dc": DC, "fh": HISTORY, "media": MEDIA}


def rss(channel: Channel) -> bytes:
    root = etree.Element("rss", {"version": "2.0"}, nsmap=_PREFIXES)
    head = add(root, "channel")
    add(head, "title", channel.title)
    add(head, "link", channel.home_url)
    add(head, "description", channel.description)
    add(head, "language", channel.language)
    add(head, "lastBuildDate", _date(channel.updated_at))
    for relation, url in (("self", channel.url), *channel.urls):
        add(head, f"{_A}link", rel=relation, href=url, type="application/rss+xml")
    if channel.hub:
        add(head, f"{_A}link", rel="hub", href=channel.hub)
    if channel.archived:
        add(head, f"{{{HISTORY}}}archive")
    for shown in channel.shown:
        _item(add(head, "item"), shown, channel.language)
    return written(root)


def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _item(item: etree._Element, shown: Shown, language: str) -> None:
    add(item, "title", shown.headline)
    add(item, "link", shown.url)
    add(item, "guid", shown.id, isPermaLink="false")
    add(item, "pubDate", _date(shown.published_at))
    add(item, f"{_A}updated", stamp(shown.updated_at))
    if shown.language != language:
        add(item, f"{{{DC}}}language", shown.language)
    if shown.byline:
        # RSS's own author has to be a mail address.
        add(item, f"{{{DC}}}creator", shown.byline)
    add(item, f"{_A}link", rel="canonical", href=shown.url, type="text/html")
    add(item, f"{_A}link", rel="collection", href=shown.edition_url, type="text/html", title=shown.edition_title)
    for partner, url in shown.also_at:
        add(item, f"{_A}link", rel="related", href=url, type="text/html", title=partner)
    for label in shown.labels:
        add(item, "category", label)
    add(item, "source", shown.partner, url=shown.source_url)
    if shown.dek or shown.html:
        add(item, "description", shown.dek or shown.html)
    if shown.dek and shown.html:
        add(item, f"{{{CONTENT}}}encoded", shown.html)
    if shown.picture:
        if shown.picture.type:
            # A length is required; 0 is what the format's own advice has for one that nobody knows.
            add(item, "enclosure", url=shown.picture.url, length="0", type=shown.picture.type)
        media(item, shown.picture)
