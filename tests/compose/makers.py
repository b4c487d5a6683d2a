"""Nouns for tests of compose, with everything a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from newsletter.model.edition import Draft, Part, Piece, Rendered, Role
from newsletter.model.feed import Feed, Reuse, Rights
from newsletter.model.item import Entry, Image, Item, ItemState
from newsletter.model.publication import (
    Approval,
    Digest,
    Full,
    Mailbox,
    MailingList,
    Publication,
    Section,
    WhenFew,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

PUBLICATION = Publication(
    name="The Harbour Brief",
    base_url="http://127.0.0.1:8080",
    sender=Mailbox(name="The Harbour Brief", address="brief@news.example.org"),
    reply_to=None,
    bounce_address="bounces@bounce.example.org",
    language="en",
    timezone="Europe/London",
    postal_address="1 Quay Street, Leith",
)
LIST = MailingList(id="brief", title="The Brief")


def feed(
    name: str = "tidewatch",
    *,
    reuse: Reuse = Reuse.TEASER,
    credit: str = "",
    embargo: timedelta = timedelta(0),
    expires: timedelta | None = None,
    original: bool = True,
    topics: tuple[str, ...] = (),
) -> Feed:
    return Feed(
        id=name,
        url=f"https://{name}.example/feed",
        partner=name.title(),
        homepage=f"https://{name}.example/",
        kind="Analysis",
        topics=topics,
        original=original,
        rights=Rights(reuse=reuse, credit=credit, embargo=embargo, expires=expires),
    )


def entry(
    headline: str = "The ferries are late again",
    *,
    url: str = "https://tidewatch.example/ferries",
    html: str = "",
    text: str = "",
    dek: str = "",
    byline: str = "",
    section_line: str = "",
    categories: tuple[str, ...] = (),
    image: Image | None = None,
    language: str | None = "en",
    published_at: datetime | None = None,
) -> Entry:
    return Entry(
        guid=None,
        url=url,
        headline=headline,
        dek=dek,
        byline=byline,
        section_line=section_line,
        categories=categories,
        html=html,
        text=text,
        image=image,
        language=language,
        published_at=published_at,
    )


def item(
    number: int = 1,
    *,
    feed_id: str = "tidewatch",
    story: int | None = None,
    hours_old: float = 2,
    state: ItemState = ItemState.ACCEPTED,
    headline: str = "",
    url: str | None = None,
    html: str = "",
    categories: tuple[str, ...] = (),
    text: str = "",
    dek: str = "",
    byline: str = "",
) -> Item:
    published_at = NOW - timedelta(hours=hours_old)
    made = entry(
        headline or f"Piece number {number}",
        url=f"https://{feed_id}.example/{number}" if url is None else url,
        html=html or f"<p>{text}</p>",
        text=text,
        dek=dek,
        byline=byline,
        categories=categories,
        published_at=published_at,
    )
    return Item(
        id=number,
        feed_id=feed_id,
        story_id=number if story is None else story,
        state=state,
        entry=made,
        first_seen_at=published_at,
    )


def digest(
    *sections: Section,
    max_items: int = 12,
    min_items: int = 1,
    full: Full = Full.LEAD,
    when_few: WhenFew = WhenFew.KEEP,
    approval: Approval = Approval.AUTO,
) -> Digest:
    return Digest(
        id="daily",
        list_id="brief",
        schedule="0 7 * * *",
        subject="{{ lead.headline }}",
        timezone="Europe/London",
        max_items=max_items,
        min_items=min_items,
        full=full,
        when_few=when_few,
        approval=approval,
        sections=sections or (Section(title=""),),
    )


def draft(*pieces: Piece, dated_at: datetime = NOW) -> Draft:
    return Draft(
        id="daily-2026-11-23",
        number=1,
        digest=digest(),
        mailing_list=LIST,
        publication=PUBLICATION,
        dated_at=dated_at,
        parts=(Part(title="", pieces=pieces),),
    )


def piece(
    number: int = 1,
    *,
    headline: str = "The ferries are late again",
    url: str = "https://tidewatch.example/1",
    credit_line: str = "",
    html: str = "",
    paragraphs: tuple[str, ...] = (),
    whole: bool = False,
    feed_id: str = "tidewatch",
    dek: str = "",
) -> Piece:
    return Piece(
        item_id=number,
        story_id=number,
        feed_id=feed_id,
        role=Role.LEAD,
        headline=headline,
        url=url,
        partner=feed_id.title(),
        credit_line=credit_line,
        html=html,
        paragraphs=paragraphs,
        whole=whole,
        dek=dek,
    )


def plain_render(draft: Draft, nonce: str) -> Rendered:
    """The barest templates that keep every promise to partners."""
    html = "".join(
        f'<h2><a href="{piece.url}">{piece.headline}</a></h2>{piece.html}<p>{piece.credit_line}</p>'
        for piece in draft.pieces
    )
    text = "\n\n".join(
        "\n\n".join((piece.headline, *piece.paragraphs, piece.url, piece.credit_line)) for piece in draft.pieces
    )
    page = f'<html><body>{html}<a href="{nonce}unsubscribe">leave</a></body></html>'
    return Rendered(
        subject=draft.pieces[0].headline,
        html=page,
        text=f"{text}\n\n{nonce}unsubscribe",
        preheader="",
        nonce=nonce,
        fields=("unsubscribe",),
        html_bytes=len(page.encode()),
        template_hash="plain",
    )
