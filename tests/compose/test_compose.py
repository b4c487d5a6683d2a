"""The verb, against a real store: from accepted items to a frozen edition with its recipients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from newsletter.compose.compose import Composed, Render, compose
from newsletter.compose.fit import LARGEST_HTML_BYTES
from newsletter.errors import EditionError, RightsError
from newsletter.model.edition import Draft, EditionState, Piece, Rendered
from newsletter.model.feed import Feed, FeedHealth, Reuse
from newsletter.model.identity import Decision, KeyedEntry, Lookup, Verdict
from newsletter.model.item import Entry, ItemState, Key, KeyKind
from newsletter.model.publication import Approval, Digest, Full, Section, WhenFew
from newsletter.render.environment import Templates
from newsletter.render.render import render_digest
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.items import Items
from tests.compose.makers import LIST, NOW, PUBLICATION, digest, entry, feed, plain_render
from tests.made import made_store
from tests.store.samples import add_people

TEMPLATES = Path(__file__).parents[2] / "templates" / "email"
CREDIT = "Republished with permission from {partner}."
ARTICLE = "".join(
    f"<h2>Part {part}</h2>"
    + "".join(
        f"<p>Boats of part {part}, number {n}, left early. Nobody saw them go. The fog was thick.</p>"
        for n in range(12)
    )
    for part in range(3)
)


class Desk:
    """A store on disk, three readers, and the settings of a site."""

    def __init__(self, store: Store, *feeds: Feed) -> None:
        self.store = store
        self.feeds = {one.id: one for one in feeds}
        self.items, self.editions = Items(store), Editions(store)
        self.now = NOW
        self.slots = map(str, count())
        add_people(store, 3)

    def take(self, *entries: Entry, feed_id: str = "tidewatch", story: int | None = None) -> None:
        """Store entries as new, accepted items, of one story if told."""

        def decide(_: Lookup, keyed: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
            return tuple(Decision(keyed=one, verdict=Verdict.NEW, story_id=story, because="same text") for one in keyed)

        named = tuple(
            KeyedEntry(entry=one, keys=(Key(KeyKind.GUID, feed_id, one.url, strong=True),)) for one in entries
        )
        health = FeedHealth(feed_id=feed_id, url=self.feeds[feed_id].url)
        Feeds(self.store).record_items(health, named, decide, now=self.now)

    def compose(
        self, made: Digest | None = None, *, render: Render = plain_render, at: datetime | None = None, slot: str = ""
    ) -> Composed:
        return asyncio.run(self.composing(made, render=render, at=at, slot=slot))

    async def composing(
        self, made: Digest | None = None, *, render: Render = plain_render, at: datetime | None = None, slot: str = ""
    ) -> Composed:
        return await compose(
            made or digest(),
            publication=PUBLICATION,
            lists={"brief": LIST},
            feeds=self.feeds,
            items=self.items,
            editions=self.editions,
            render=render,
            clock=Stopped(self.now),
            nonce=lambda: "nlq7w3e9",
            slot=slot or next(self.slots),
            dated_at=at or self.now,
        )

    def pieces(self, edition_id: str | None) -> tuple[Piece, ...]:
        assert edition_id is not None
        return self.editions.pieces(edition_id).pieces


class Stopped:
    """A clock that stands still."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


def news(number: int, *, html: str = "", feed_id: str = "tidewatch", hours_old: float = 2, headline: str = "") -> Entry:
    return entry(
        headline or f"Piece number {number}",
        url=f"https://{feed_id}.example/{number}",
        html=html or f"<p>Boat number {number} left. Nobody saw it.</p>",
        text=f"Boat number {number} left. Nobody saw it.",
        published_at=NOW - timedelta(hours=hours_old),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with made_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store, feed("tidewatch", reuse=Reuse.FULL, credit=CREDIT), feed("statesman", original=False))


def from_templates(draft: Draft, nonce: str) -> Rendered:
    return render_digest(draft, nonce, templates=Templates([TEMPLATES]))


def test_an_edition_is_frozen_with_its_pieces_and_its_recipients(desk: Desk) -> None:
    desk.take(news(1, hours_old=1), news(2, hours_old=2))
    made = desk.compose()
    assert (made.edition_id, made.number, made.items, made.recipients) == ("daily-2026-11-23", 1, 2, 3)
    assert made.because is None
    assert [piece.headline for piece in desk.pieces(made.edition_id)] == ["Piece number 1", "Piece number 2"]
    assert desk.editions.get("daily-2026-11-23").state is EditionState.APPROVED
    assert desk.editions.report("daily-2026-11-23").queued == 3


def test_nothing_is_issued_twice(desk: Desk) -> None:
    desk.take(news(1))
    assert desk.compose().edition_id == "daily-2026-11-23"
    again = desk.compose()
    assert (again.edition_id, again.because) == (None, "nothing new to issue")


def test_a_second_edition_of_a_day_has_a_name_and_a_number_of_its_own(desk: Desk) -> None:
    desk.take(news(1))
    desk.compose()
    desk.take(news(2))
    second = desk.compose()
    assert (second.edition_id, second.number) == ("daily-2026-11-23-2", 2)


def test_an_edition_that_an_editor_must_see_waits(desk: Desk) -> None:
    desk.take(news(1))
    made = desk.compose(digest(approval=Approval.EDITOR))
    assert made.state is EditionState.AWAITING
    assert desk.editions.get("daily-2026-11-23").state is EditionState.AWAITING


def test_too_few_items_wait_for_the_next_edition(desk: Desk) -> None:
    desk.take(news(1), news(2))
    few = desk.compose(digest(min_items=3))
    assert few.edition_id is None
    assert few.because == "2 items, the digest wants at least 3; they wait for the next edition"
    desk.take(news(3))
    assert desk.compose(digest(min_items=3)).items == 3


def test_too_few_items_are_passed_over_where_the_digest_says_so(desk: Desk) -> None:
    desk.take(news(1))
    skipping = digest(min_items=2, when_few=WhenFew.SKIP)
    assert desk.compose(skipping).because == "1 item, the digest wants at least 2; they are passed over"
    desk.take(news(2))
    assert desk.compose(skipping).items == 0
    assert desk.compose(digest()).because == "nothing new to issue"


def test_items_under_embargo_are_the_reason_there_is_none(desk: Desk) -> None:
    desk.feeds["tidewatch"] = feed("tidewatch", embargo=timedelta(hours=3))
    desk.take(news(1))
    assert desk.compose().because == "nothing to issue yet: 1 item under embargo"
    assert desk.compose(at=NOW + timedelta(hours=2)).items == 1


def test_a_retracted_item_is_not_issued_and_a_corrected_one_has_its_new_words(desk: Desk) -> None:
    desk.take(news(1), news(2))
    first, second = sorted(desk.items.listed(), key=lambda item: item.id)
    desk.items.move([first.id], ItemState.RETRACTED, because="gone from the feed", now=NOW)

    def correct(_: Lookup, keyed: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        return tuple(Decision(keyed=one, verdict=Verdict.CHANGED, item_id=second.id) for one in keyed)

    corrected = news(2, headline="Piece number two, corrected")
    keyed = KeyedEntry(entry=corrected, keys=(Key(KeyKind.GUID, "tidewatch", corrected.url, strong=True),))
    Feeds(desk.store).record_items(FeedHealth(feed_id="tidewatch", url=""), (keyed,), correct, now=NOW)
    assert [piece.headline for piece in desk.pieces(desk.compose().edition_id)] == ["Piece number two, corrected"]


def test_a_republished_article_is_one_piece_from_its_original_publisher(desk: Desk) -> None:
    original = news(1, html=ARTICLE, hours_old=30, headline="The harbour at dawn")
    desk.take(original)
    (stored,) = desk.items.listed()
    copy = news(
        9,
        feed_id="statesman",
        hours_old=2,
        headline="What we know of the harbour",
        html=f"<p>Another lead.</p>{ARTICLE}",
    )
    desk.take(copy, feed_id="statesman", story=stored.story_id)
    made = desk.compose(render=from_templates)
    (piece,) = desk.pieces(made.edition_id)
    assert piece.headline == "The harbour at dawn"
    assert piece.whole
    assert [(source.partner, source.url) for source in piece.also_at] == [("Statesman", copy.url)]
    documents = desk.editions.rendered("daily-2026-11-23")
    for part in (documents.html, documents.text):
        assert "Republished with permission from Tidewatch." in part
        assert original.url in part
        assert copy.url in part
    because = {choice.item.feed_id: choice.because for choice in made.choices}
    assert (
        because["statesman"]
        == f"the same story as item {stored.id}, which is preferred: Tidewatch is the original publisher"
    )


def test_a_full_republication_carries_the_article_in_both_parts(desk: Desk) -> None:
    desk.take(news(1, html=ARTICLE))
    desk.compose(render=from_templates)
    documents = desk.editions.rendered("daily-2026-11-23")
    for part in (documents.html, " ".join(documents.text.split())):
        assert "Part 2" in part
        assert "Boats of part 2, number 11, left early." in part


def test_an_edition_that_would_break_rights_is_refused_and_nothing_is_issued(desk: Desk) -> None:
    def careless(draft: Draft, nonce: str) -> Rendered:
        rendered = plain_render(draft, nonce)
        return replace(rendered, html=rendered.html.replace("Republished with permission", ""))

    desk.take(news(1))
    with pytest.raises(
        RightsError, match=r"its credit line “Republished with permission from Tidewatch[.]” is missing"
    ):
        desk.compose(render=careless)
    assert desk.editions.listed() == ()
    assert desk.compose().items == 1


def padded(draft: Draft, nonce: str) -> Rendered:
    """Templates with so much of their own that little room is left."""
    rendered = plain_render(draft, nonce)
    return replace(
        rendered, html=rendered.html.replace("</body>", f"<!--{'x' * (LARGEST_HTML_BYTES - 4_000)}--></body>")
    )


def test_a_whole_lead_becomes_an_excerpt_before_anything_is_left_out(desk: Desk) -> None:
    desk.take(news(1, html=ARTICLE * 2, hours_old=1), news(2))
    made = desk.compose(render=padded)
    assert [piece.whole for piece in desk.pieces(made.edition_id)] == [False, False]
    assert any("carried as excerpts instead of whole" in warning for warning in made.warnings)
    assert desk.editions.get("daily-2026-11-23").warnings == made.warnings


def test_pieces_there_is_no_room_for_are_named_and_come_in_the_next_edition(desk: Desk) -> None:
    desk.take(*(news(number, hours_old=number) for number in range(1, 41)))
    made = desk.compose(digest(max_items=40, full=Full.NONE), render=padded)
    assert 0 < made.items < 40
    assert any(
        "waiting for the next edition" in warning and "“Piece number 40”" in warning for warning in made.warnings
    )
    rest = desk.compose(digest(max_items=40))
    assert made.items + rest.items == 40


def test_templates_too_large_for_a_single_piece_are_refused(desk: Desk) -> None:
    def huge(draft: Draft, nonce: str) -> Rendered:
        rendered = plain_render(draft, nonce)
        return replace(rendered, html=rendered.html + "x" * LARGEST_HTML_BYTES)

    desk.take(news(1), news(2))
    with pytest.raises(EditionError, match="mail readers clip at 102 KB"):
        desk.compose(render=huge)


def test_two_composers_at_once_issue_each_story_once(desk: Desk) -> None:
    desk.take(news(1), news(2))
    both_have_rendered = threading.Barrier(2)

    def together(draft: Draft, nonce: str) -> Rendered:
        both_have_rendered.wait(timeout=20)
        return plain_render(draft, nonce)

    async def both() -> list[Composed]:
        return list(await asyncio.gather(desk.composing(render=together), desk.composing(render=together)))

    made = asyncio.run(both())
    assert sorted(one.items for one in made) == [0, 2]
    assert len(desk.editions.listed()) == 1


def test_who_is_overtaken_each_time_gives_up_and_says_so(desk: Desk) -> None:
    tries: list[str] = []

    def overtaken(draft: Draft, nonce: str) -> Rendered:
        tries.append(draft.id)
        rendered = plain_render(draft, nonce)
        other = replace(draft, id=f"other-{len(tries)}", parts=())
        desk.editions.freeze(other, rendered, slot=other.id, state=EditionState.APPROVED, now=NOW)
        return rendered

    desk.take(news(1))
    with pytest.raises(EditionError, match="compose again"):
        desk.compose(render=overtaken)
    assert len(tries) == 3


def test_a_slot_that_was_composed_before_has_the_edition_it_had(desk: Desk) -> None:
    desk.take(news(1))
    first = desk.compose(slot="2026-11-23T07:00")
    desk.take(news(2))
    again = desk.compose(slot="2026-11-23T07:00")
    assert replace(again, choices=()) == replace(first, choices=(), earlier=True)
    assert len(desk.editions.listed()) == 1


def test_hostile_words_do_not_keep_an_edition_from_going_out(desk: Desk) -> None:
    titles = [
        "{{ lead }}",
        "{% raise %}",
        "]]>",
        "<b>bold</b>",
        "nlq7w3e9unsubscribe",
        "x" * 500,
        "\u200fعنوان",
        "=?utf-8?q?x?=",
    ]
    desk.take(*(news(number, headline=title, html=ARTICLE) for number, title in enumerate(titles, start=1)))
    made = desk.compose(digest(Section(title="{{ x }}")), render=from_templates)
    assert made.items == len(titles)


@pytest.mark.parametrize(
    ("hour", "name"),
    [
        (datetime(2026, 7, 23, 23, 30, tzinfo=UTC), "daily-2026-07-24"),
        (datetime(2026, 7, 23, 5, tzinfo=UTC), "daily-2026-07-23"),
    ],
)
def test_an_edition_has_the_date_of_its_slot_where_the_digest_is_at_home(desk: Desk, hour: datetime, name: str) -> None:
    desk.take(news(1))
    assert desk.compose(at=hour).edition_id == name
