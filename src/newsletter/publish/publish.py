"""Publish: a list's editions become a feed that anybody can follow without mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from newsletter.model.edition import Draft, Edition
from newsletter.model.publication import MailingList, Publication
from newsletter.publish.atom import atom
from newsletter.publish.channel import Channel, channel_of
from newsletter.publish.jsonfeed import json_feed
from newsletter.publish.paging import Page
from newsletter.publish.rss import rss


class Form(StrEnum):
    """The forms of a feed, as their addresses end."""

    ATOM = "atom"
    RSS = "rss"
    JSON = "json"


CONTENT_TYPES = {
    Form.ATOM: "application/atom+xml",
    Form.RSS: "application/rss+xml",
    Form.JSON: "application/feed+json",
}
_WRITERS: dict[Form, Callable[[Channel], bytes]] = {Form.ATOM: atom, Form.RSS: rss, Form.JSON: json_feed}


def feed_of(
    editions: Iterable[tuple[Edition, Draft]],
    *,
    publication: Publication,
    mailing_list: MailingList,
    page: Page,
    form: Form,
) -> bytes:
    """One document of a list's feed: the pieces of these editions, which are the page's, latest first.

    It shows of each piece what the mail showed and no more. The same editions and settings give the same bytes.
    """
    channel = channel_of(editions, publication=publication, mailing_list=mailing_list, page=page, form=form)
    return _WRITERS[form](channel)
