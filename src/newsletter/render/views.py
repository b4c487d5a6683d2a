"""What templates see: the draft's texts cleaned, its addresses checked, its pictures measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from newsletter.language.tags import direction_of
from newsletter.model.edition import Draft, Part, Piece, Role, Source
from newsletter.model.item import Direction, Image
from newsletter.model.links import safe_url
from newsletter.model.publication import MailingList, Publication
from newsletter.render.article import fitted, mail_html
from newsletter.render.plain import Cleaner
from newsletter.render.recipient import FIELDS

SHEET_WIDTH = 600
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}")
"""A language tag (BCP 47): feeds may say anything."""

COLUMN_WIDTH = 536
"""The sheet without its margins of 32 pixels on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The reader's own values, as placeholders: they are filled in after everything else is finished."""

    address: str
    name: str
    unsubscribe: str
    preferences: str
    confirm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationView:
    name: str
    url: str
    language: str
    direction: str
    postal_address: str
    sender: str
    links: tuple[tuple[str, str], ...]
    """(label, address), those with a web address only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    id: str
    title: str
    description: str
    url: str
    archive_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    id: str
    number: int
    date: datetime
    """In the digest's own time zone."""
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureView:
    """`width` and `height` are pixels as shown; `height` is None where the feed does not give both sides."""

    url: str
    alt: str
    caption: str
    credit: str
    width: int
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceView:
    """One piece. `level` is the depth of its headline's heading; `start` and `end` are its sides, `left` or `right`."""

    lead: bool
    whole: bool
    headline: str
    url: str
    dek: str
    byline: str
    section_line: str
    partner: str
    homepage: str
    credit_line: str
    body: Markup
    paragraphs: tuple[str, ...]
    picture: PictureView | None
    also_at: tuple[tuple[str, str], ...]
    published_at: datetime | None
    language: str
    direction: str
    level: int
    words: Mapping[str, str]
    """The templates' phrases in the piece's own language."""

    @property
    def start(self) -> str:
        """The side where its lines begin."""
        return "right" if self.direction == Direction.RTL else "left"

    @property
    def end(self) -> str:
        """The side where its lines end."""
        return "left" if self.direction == Direction.RTL else "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    title: str
    pieces: tuple[PieceView, ...]


def fields_of(nonce: str) -> Fields:
    """The placeholders of a mail."""
    return Fields(**{field: nonce + field for field in FIELDS})


def publication_view(publication: Publication, clean: Cleaner) -> PublicationView:
    links = ((clean.line(label), safe_url(url)) for label, url in publication.links)
    return PublicationView(
        name=clean.line(publication.name),
        url=publication.base_url,
        language=publication.language,
        direction=direction_of(publication.language).value,
        postal_address=clean.line(publication.postal_address),
        sender=publication.sender.address,
        links=tuple(link for link in links if link[1]),
    )


def list_view(mailing_list: MailingList, publication: Publication, clean: Cleaner) -> ListView:
    return ListView(
        id=mailing_list.id,
        title=clean.line(mailing_list.title),
        description=clean.line(mailing_list.description),
        url=f"{publication.base_url}/lists/{mailing_list.id}",
        archive_url=f"{publication.base_url}/archive/{mailing_list.id}",
    )


def edition_view(draft: Draft) -> EditionView:
    return EditionView(
        id=draft.id,
        number=draft.number,
        date=draft.dated_at.astimezone(ZoneInfo(draft.digest.timezone)),
        url=f"{draft.publication.base_url}/archive/{draft.mailing_list.id}/{draft.number}",
    )


def section_views(
    draft: Draft, clean: Cleaner, *, words: Callable[[str], Mapping[str, str]]
) -> tuple[SectionView, ...]:
    """The parts of a draft that have pieces. `words` gives the phrases of a language."""
    shown = _Showing(clean=clean, language=draft.publication.language, words=words)
    return tuple(shown.section(part) for part in draft.parts if part.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Showing:
    """Turns pieces into views with what they all share."""

    clean: Cleaner
    language: str
    words: Callable[[str], Mapping[str, str]]

    def section(self, part: Part) -> SectionView:
        title = self.clean.line(part.title)
        # The publication's name is the h1 and a section's title an h2: a headline comes right under what is above it.
        level = 3 if title else 2
        return SectionView(title=title, pieces=tuple(self.piece(piece, level) for piece in part.pieces))

    def piece(self, piece: Piece, level: int) -> PieceView:
        line = self.clean.line
        headline = line(piece.headline, limit=300) or line(piece.partner) or piece.feed_id
        said = piece.language or ""
        language = said if _TAG.fullmatch(said) else self.language
        words = self.words(language)
        return PieceView(
            lead=piece.role is Role.LEAD,
            whole=piece.whole,
            headline=headline,
            url=self._link(piece.url),
            dek=line(piece.dek, limit=600),
            byline=line(piece.byline, limit=300),
            section_line=line(piece.section_line, limit=120),
            partner=line(piece.partner, limit=120),
            homepage=self._link(piece.homepage),
            credit_line=line(piece.credit_line),
            body=self._body(piece, level),
            paragraphs=tuple(filter(None, map(self.clean.paragraph, piece.paragraphs))),
            picture=self._picture(piece, words["picture"].replace("{headline}", headline)),
            also_at=tuple(self._also_at(piece.also_at)),
            published_at=piece.published_at,
            language=language,
            direction=piece.direction.value,
            level=level,
            words=words,
        )

    def _body(self, piece: Piece, level: int) -> Markup:
        # nh3 has cleaned it: this is the one text from outside that may carry markup.
        markup = mail_html(
            piece.html, cleaner=self.clean, level=level + 1, width=COLUMN_WIDTH, direction=piece.direction
        )
        return Markup(markup)  # noqa: S704

    def _link(self, url: str) -> str:
        return self.clean.without_nonce(safe_url(url))

    def _also_at(self, sources: tuple[Source, ...]) -> Iterator[tuple[str, str]]:
        for source in sources:
            partner, url = self.clean.line(source.partner, limit=120), self._link(source.url)
            if partner and url:
                yield partner, url

    def _picture(self, piece: Piece, description: str) -> PictureView | None:
        image = piece.image
        url = self._link(image.url) if image else ""
        if image is None or not url:
            return None
        width, height = _shown_size(image, SHEET_WIDTH if piece.role is Role.LEAD else COLUMN_WIDTH)
        line = self.clean.line
        return PictureView(
            url=url,
            alt=line(image.alt, limit=300) or description,
            caption=line(image.caption, limit=600),
            credit=line(image.credit, limit=200),
            width=width,
            height=height,
        )


def _shown_size(image: Image, width: int) -> tuple[int, int | None]:
    """A picture fills its column; one that is much smaller would only be blown up, so it keeps its own size."""
    shown, height = fitted(image.width, image.height, width=width)
    if image.width and image.height and image.width * 2 >= width:
        return width, max(1, round(image.height * width / image.width))
    return shown, height
