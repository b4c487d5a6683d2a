"""What a feed of ours says, whatever its form: one entry a piece, by edition, latest first, in reading order.

An entry is a piece, not an edition: what people follow, keep and link to is an article, each has its own author, source
and rights, and only so can another program (ours too) tell which stories we published. The edition is linked from
each of its entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from newsletter.model.edition import Draft, Edition, Piece
from newsletter.model.item import Direction
from newsletter.model.links import safe_url
from newsletter.model.publication import MailingList, Publication
from newsletter.model.text import one_line
from newsletter.publish.content import Picture, content_of, picture_of
from newsletter.publish.paging import Page

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed changed that has nothing in it yet."""
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One piece. `url` is the original article's; `html` says no more than the mail did, credits included."""

    id: str
    headline: str
    url: str
    dek: str
    html: str
    byline: str
    labels: tuple[str, ...]
    partner: str
    source_url: str
    edition_title: str
    edition_url: str
    picture: Picture | None
    also_at: tuple[tuple[str, str], ...]
    language: str
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One document of a list's feed. `urls` are those of other documents by their relation in RFC 5005."""

    title: str
    description: str
    publisher: str
    language: str
    home_url: str
    id: str
    url: str
    urls: tuple[tuple[str, str], ...]
    archived: bool
    hub: str | None
    """Who tells followers of a new document (WebSub); none for a document that never changes."""
    updated_at: datetime
    shown: tuple[Shown, ...]


def channel_of(
    editions: Iterable[tuple[Edition, Draft]],
    *,
    publication: Publication,
    mailing_list: MailingList,
    page: Page,
    form: str,
) -> Channel:
    """The document of a page in a form (the end of its address: atom, rss, json)."""
    url = feed_url(publication, mailing_list.id, form)
    shown = tuple(each for edition, draft in editions for each in _shown(edition, draft))
    title = one_line(mailing_list.title) or mailing_list.id
    return Channel(
        title=title,
        description=one_line(mailing_list.description) or title,
        publisher=one_line(publication.name),
        language=publication.language,
        home_url=f"{publication.base_url}/lists/{quote(mailing_list.id)}",
        # The same in every document: they are parts of one feed.
        id=feed_url(publication, mailing_list.id, "atom"),
        url=_page_url(url, page.number),
        urls=tuple(_others(url, page)),
        archived=page.number is not None,
        hub=publication.hub if page.number is None else None,
        updated_at=max((each.updated_at for each in shown), default=_NEVER),
        shown=shown,
    )


def feed_url(publication: Publication, list_id: str, form: str) -> str:
    """Where the newest document of a list's feed is."""
    return f"{publication.base_url}/feeds/{quote(list_id)}.{form}"


def _others(url: str, page: Page) -> Iterator[tuple[str, str]]:
    if page.number is not None:
        yield "current", url
    if page.previous is not None:
        yield "prev-archive", _page_url(url, page.previous)
    if page.following is not None:
        yield "next-archive", _page_url(url, page.following)


def _page_url(url: str, number: int | None) -> str:
    return url if number is None else f"{url}?page={number}"


def _shown(edition: Edition, draft: Draft) -> Iterator[Shown]:
    for part in draft.parts:
        title = one_line(part.title)
        for piece in part.pieces:
            yield _one(piece, edition, draft, section=title)


def _one(piece: Piece, edition: Edition, draft: Draft, *, section: str) -> Shown:
    # As it was when the edition was frozen: an address or a language that changed later changes no entry.
    publication = draft.publication
    edition_url = f"{publication.base_url}/archive/{quote(draft.mailing_list.id)}/{draft.number}"
    url = safe_url(piece.url)
    partner = one_line(piece.partner, limit=120) or piece.feed_id
    language = piece.language if _TAG.fullmatch(piece.language or "") else None
    foreign = piece.direction is Direction.RTL or (language or publication.language) != publication.language
    picture = picture_of(piece.image)
    return Shown(
        id=_name_of(draft, piece.item_id),
        headline=one_line(piece.headline, limit=300) or partner,
        url=url or edition_url,
        dek=one_line(piece.dek, limit=600),
        html=content_of(piece, picture, language=(language or publication.language) if foreign else None),
        byline=one_line(piece.byline, limit=300),
        labels=tuple(dict.fromkeys(filter(None, (section, *_labels(piece.section_line))))),
        partner=partner,
        source_url=safe_url(piece.homepage) or _site_of(url) or edition_url,
        edition_title=one_line(edition.subject) or edition.id,
        edition_url=edition_url,
        picture=picture,
        also_at=tuple(_also_at(piece)),
        language=language or publication.language,
        published_at=piece.published_at or draft.dated_at,
        updated_at=draft.dated_at,
    )


def _labels(section_line: str) -> Sequence[str]:
    return [one_line(label, limit=120) for label in section_line.split("|")]


def _also_at(piece: Piece) -> Iterator[tuple[str, str]]:
    for source in piece.also_at:
        partner, url = one_line(source.partner, limit=120), safe_url(source.url)
        if partner and url:
            yield partner, url


def _site_of(url: str) -> str:
    # The partner's feed would be the better source, but its address may have a password or a key in it.
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/" if url else ""


def _name_of(draft: Draft, item_id: int) -> str:
    """A tag URI (RFC 4151) made of what the edition was frozen with: the same for ever, and in all forms."""
    host = (urlsplit(draft.publication.base_url).hostname or "").lower()
    owner = host if _NAME.fullmatch(host) else draft.publication.sender.domain.lower()
    return f"tag:{owner},{draft.dated_at:%Y-%m-%d}:{quote(draft.mailing_list.id)}/{draft.number}/{item_id}"
