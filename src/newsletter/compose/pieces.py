"""One item → one piece of an edition: how much is shown, under which headline, with whose credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from newsletter.compose.blocks import Blocks, blocks_length
from newsletter.compose.chrome import Article
from newsletter.compose.rights import credit_line
from newsletter.compose.teaser import EXCERPT, TEASER, Budget, cut
from newsletter.compose.writing import html_of, paragraphs_of
from newsletter.model.edition import Piece, Role, Source
from newsletter.model.feed import Feed, Reuse
from newsletter.model.item import Item, ItemState
from newsletter.model.publication import Full

_SHORTEST = 280
"""A teaser of a short article may be this long, though it is more than half of it: less would say nothing."""


class Form(IntEnum):
    """How much of an item is shown, from least to most."""

    TEASER = 1
    EXCERPT = 2
    WHOLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An item that goes into an edition, with its feed, its text and the other items of its story."""

    item: Item
    feed: Feed
    article: Article
    others: tuple[Item, ...] = ()


def form_of(chosen: Chosen, *, role: Role, full: Full) -> Form:
    """The form the digest wants, as far as the feed's rights and its text allow."""
    reuse = chosen.feed.rights.reuse
    wanted_whole = full is Full.ALL or (full is Full.LEAD and role is Role.LEAD)
    if wanted_whole and reuse is Reuse.FULL and chosen.article.whole:
        return Form.WHOLE
    excerpt = role is Role.LEAD and reuse in {Reuse.FULL, Reuse.EXCERPT}
    return Form.EXCERPT if excerpt else Form.TEASER


def piece_of(chosen: Chosen, *, role: Role, form: Form, scale: float = 1, feeds: Mapping[str, Feed]) -> Piece:
    """The piece; `scale` shrinks the budget of teasers and excerpts."""
    entry, feed = chosen.item.entry, chosen.feed
    article = chosen.article
    blocks = article.blocks if form is Form.WHOLE else _beginning(article, form, scale, entry.language)
    return Piece(
        item_id=chosen.item.id,
        story_id=chosen.item.story_id,
        feed_id=feed.id,
        role=role,
        headline=entry.headline,
        url=entry.url,
        partner=feed.partner,
        homepage=feed.homepage,
        dek=article.dek,
        byline=entry.byline,
        section_line=entry.section_line or " | ".join(filter(None, (feed.kind, *feed.topics[:1]))),
        credit_line=credit_line(feed),
        html=html_of(blocks),
        paragraphs=paragraphs_of(blocks, with_links=form is Form.WHOLE),
        whole=form is Form.WHOLE,
        image=entry.image,
        language=entry.language or feed.language,
        direction=entry.direction,
        published_at=entry.published_at,
        also_at=_also_at(chosen, feeds),
    )


def _beginning(article: Article, form: Form, scale: float, language: str | None) -> Blocks:
    budget = _scaled(EXCERPT if form is Form.EXCERPT else TEASER, scale)
    if article.whole:
        # What a feed carries whole is never shown as good as whole under the name of a teaser.
        half = blocks_length(article.blocks) // 2
        budget = budget.at_most(max(half, _SHORTEST))
    return cut(article.blocks, budget, language=language)


def _scaled(budget: Budget, scale: float) -> Budget:
    return replace(budget, target=max(1, int(budget.target * scale)), limit=max(1, int(budget.limit * scale)))


def _also_at(chosen: Chosen, feeds: Mapping[str, Feed]) -> tuple[Source, ...]:
    """Who else has the story: each partner once, never the one that is credited already."""
    named = {
        feeds[item.feed_id].partner: item.entry.url
        for item in reversed(chosen.others)
        if item.feed_id in feeds and item.state in {ItemState.ACCEPTED, ItemState.KNOWN}
    }
    named.pop(chosen.feed.partner, None)
    return tuple(Source(partner=partner, url=url) for partner, url in reversed(named.items()))
