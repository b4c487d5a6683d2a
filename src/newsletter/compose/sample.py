"""One entry as a digest would show it, before there is an item or an edition: for looking at a feed."""

from __future__ import annotations

from datetime import datetime

from newsletter.compose.chrome import article_of
from newsletter.compose.pieces import Chosen, Form, piece_of
from newsletter.model.edition import Piece, Role
from newsletter.model.feed import Feed
from newsletter.model.item import Entry, Item, ItemState


def sample_teaser(entry: Entry, feed: Feed, *, now: datetime) -> Piece:
    """The teaser that an edition of now would have of this entry."""
    item = Item(id=0, feed_id=feed.id, story_id=0, state=ItemState.ACCEPTED, entry=entry, first_seen_at=now)
    chosen = Chosen(item=item, feed=feed, article=article_of(entry))
    return piece_of(chosen, role=Role.TEASER, form=Form.TEASER, feeds={feed.id: feed})


def carries_whole(entry: Entry) -> bool:
    """Whether the feed has all of the article, as far as can be told."""
    return article_of(entry).whole
