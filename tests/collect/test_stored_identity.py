"""Feeds that play tricks with names, read from bytes into a real store, poll after poll: no item twice, none lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest

from newsletter.collect.body import Body
from newsletter.collect.identity import decide
from newsletter.collect.read import read
from newsletter.model.feed import Feed, FeedHealth
from newsletter.model.item import Item, PollReport
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.items import Items
from tests.collect.makers import NOW, a_feed, rss
from tests.collect.mutations import pieces

PIECES = pieces()[:8]
FEED = a_feed("courier")


def an_item(number: int, **fields: str) -> str:
    """A piece as WordPress tells it."""
    piece = PIECES[number]
    site, slug = fields.get("site", "https://courier.example"), fields.get("slug", f"piece-of-the-day-{number}")
    body = "".join(f"<p>{part}</p>" for part in fields.get("text", piece.text).split("\n\n"))
    dated = format_datetime(NOW - timedelta(days=number))
    return (
        f"<item><title>{fields.get('title', piece.headline)}</title><link>{fields.get('link', f'{site}/2026/{slug}/')}"
        f"</link><guid isPermaLink='false'>{fields.get('guid', f'{site}/?p={number + 40}')}</guid>"
        f"<pubDate>{fields.get('dated', dated)}</pubDate>"
        f"<description><![CDATA[{fields.get('picture', '')}{body}]]></description></item>"
    )


@dataclass
class Reader:
    """Polls of one feed, as `poll` does them, without the network."""

    store: Store
    feed: Feed = FEED
    now: datetime = NOW
    reports: list[PollReport] = field(default_factory=list)

    def poll(self, *items: str) -> PollReport:
        self.now += timedelta(hours=1)
        feeds = Feeds(self.store)
        body = Body(feed=self.feed, content=rss(*items), url=self.feed.url)
        parsed = read(body, partial(feeds.known_digests, self.feed.id), now=self.now)
        health = FeedHealth(feed_id=self.feed.id, url=self.feed.url)
        deciding = partial(decide, feed=self.feed, first=False)
        self.reports.append(feeds.record_items(health, parsed.entries, deciding, now=self.now, listed=parsed.listed))
        return self.reports[-1]

    @property
    def items(self) -> Sequence[Item]:
        return Items(self.store).listed()


@pytest.fixture
def reader(store: Store) -> Reader:
    return Reader(store)


Write = Callable[[int, int], str]
"""A piece in a document, by its number and the number of the document."""

TRICKS: dict[str, Write] = {
    "guids change with the headline": lambda at, poll: an_item(
        at, guid=f"{PIECES[at].headline} {poll}", title=f"{PIECES[at].headline} {'again ' * poll}"
    ),
    "https comes and goes": lambda at, poll: an_item(at, site=f"http{'s' * (poll % 2)}://courier.example"),
    "www comes and goes": lambda at, poll: an_item(at, site=f"https://{'www.' * (poll % 2)}courier.example"),
    "the domain moves": lambda at, poll: an_item(at, site=f"https://courier-{poll}.example"),
    "the system changes": lambda at, poll: an_item(
        at, guid=f"s{poll}-{at}", link=f"https://courier.example/{poll}/node/{at}7"
    ),
    "pictures rotate": lambda at, poll: an_item(
        at, picture=f"<img src='https://cdn-{poll}.example/{at}.jpg?sig={poll}'/>"
    ),
    "links carry other tracking each time": lambda at, poll: an_item(
        at, guid="", link=f"https://courier.example/2026/piece-{at}-of-8/?utm_source=rss&amp;fbclid={poll}{at}"
    ),
    "guids are random": lambda at, poll: an_item(at, guid=f"{hash((at, poll)):x}"),
    "dates are those of the poll": lambda at, poll: an_item(at, dated=format_datetime(NOW + timedelta(minutes=poll))),
    "each comes twice": lambda at, poll: an_item(at) + an_item(at, title=f"{PIECES[at].headline}, update {poll}"),
    "each comes twice under two guids": lambda at, poll: an_item(at) + an_item(at, guid=f"copy-{poll}-{at}"),
    "two texts take turns": lambda at, poll: an_item(
        at, text=PIECES[at].text if poll % 2 else f"{PIECES[at].text}\n\nCorrection: it was a Tuesday, not a Monday."
    ),
    "paragraphs are cut and come back": lambda at, poll: an_item(
        at, text=PIECES[at].text if poll % 2 else PIECES[at].text.split("\n\n", maxsplit=1)[0]
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_makes_a_second_item_or_loses_one(trick: str, reader: Reader) -> None:
    for poll in range(4):
        reader.poll(*(TRICKS[trick](at, poll) for at in range(len(PIECES))))
    assert len(reader.items) == len(PIECES)
    assert [report.new for report in reader.reports] == [len(PIECES), 0, 0, 0]
    assert sum(report.retracted for report in reader.reports) == 0


def test_tracking_and_pictures_change_nothing_that_a_reader_was_told(reader: Reader) -> None:
    for trick in ("https comes and goes", "pictures rotate", "guids are random"):
        for poll in range(3):
            reader.poll(*(TRICKS[trick](at, poll) for at in range(len(PIECES))))
    assert sum(report.changed for report in reader.reports) == 0


def test_one_guid_for_all_loses_none(reader: Reader) -> None:
    for _ in range(3):
        reader.poll(*(an_item(at, guid="https://courier.example/") for at in range(len(PIECES))))
    assert len(reader.items) == len(PIECES)


def test_a_guid_that_is_used_again_for_new_content_loses_none(reader: Reader) -> None:
    for at in range(len(PIECES)):
        later = format_datetime(NOW + timedelta(days=3 * at))
        reader.now = NOW + timedelta(days=3 * at)
        reader.poll(an_item(at, guid="latest", dated=later))
        reader.poll(an_item(at, guid="latest", dated=later))
    assert len(reader.items) == len(PIECES)


def test_a_day_with_all_tricks_at_once_leaves_one_item_a_piece(reader: Reader) -> None:
    for poll, trick in enumerate(TRICKS):
        reader.poll(*(TRICKS[trick](at, poll) for at in range(len(PIECES))))
    assert len(reader.items) == len(PIECES)
    titles = {item.entry.headline.split(",")[0].replace(" again", "").strip() for item in reader.items}
    assert len(titles) == len(PIECES)


def test_a_piece_withdrawn_from_the_document_is_retracted_and_the_rest_stays(reader: Reader) -> None:
    window = [an_item(at) for at in range(len(PIECES))]
    reader.poll(*window)
    for _ in range(2):
        reader.poll(*window[:3], *window[4:])
    assert [report.retracted for report in reader.reports] == [0, 0, 1]
    (gone,) = (item for item in reader.items if item.state == "retracted")
    assert gone.entry.headline == PIECES[3].headline
