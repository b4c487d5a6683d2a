"""Counted links as they are followed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import pytest

from newsletter.app import App
from newsletter.model.visit import Agent
from newsletter.render.counted import links_of
from tests.web.pages import Pages


@dataclass(frozen=True)
class StoppedClock:
    """A moment that lasts."""

    at: datetime

    def now(self) -> datetime:
        return self.at


FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def edition(app: App) -> str:
    found = asyncio.run(app.compose("daily")).edition_id
    assert found is not None
    return found


def links(app: App, edition: str) -> tuple[str, ...]:
    return links_of(app.editions.rendered(edition), base_url=app.settings.publication.base_url)


def counts(app: App, edition: str) -> dict[tuple[str, Agent], int]:
    """What was counted, when that is over."""
    app.visits.close()
    return counts_now(app, edition)


def counts_now(app: App, edition: str) -> dict[tuple[str, Agent], int]:
    return {(each.url, each.agent): each.count for each in app.visits.tallies(edition)}


def test_a_counted_link_leads_to_the_article_and_says_nothing_of_who_followed_it(
    app: App, pages: Pages, edition: str
) -> None:
    url = links(app, edition)[0]

    answer = pages.get(f"/l/{edition}/{app.marks.link(edition, url)}", headers=FIREFOX)

    assert (answer.status_code, answer.headers["location"]) == (302, url)
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert counts(app, edition) == {(url, Agent.PERSON): 1}


def test_who_asks_for_an_edition_before_it_is_there_breaks_no_link_of_it(app: App, pages: Pages) -> None:
    tomorrows = f"daily-{app.clock.now():%Y-%m-%d}"
    assert pages.get(f"/l/{tomorrows}/x", headers=FIREFOX).status_code == 404

    edition = asyncio.run(app.compose("daily")).edition_id

    assert edition == tomorrows
    url = links(app, edition)[0]
    assert pages.get(f"/l/{edition}/{app.marks.link(edition, url)}", headers=FIREFOX).headers["location"] == url


@pytest.mark.parametrize("mark", ["x", "a" * 26, "https:%2F%2Fevil.example", "%00", "٣"])
def test_no_address_can_be_made_up_that_leads_elsewhere(app: App, pages: Pages, edition: str, mark: str) -> None:
    elsewhere = app.marks.link(edition, "https://evil.example/")
    for path in (f"/l/{edition}/{mark}", f"/l/{edition}/{elsewhere}", f"/l/none/{mark}", f"/o/{edition}/{mark}"):
        assert pages.get(path, headers=FIREFOX).status_code == 404
    assert counts(app, edition) == {}


def test_the_picture_of_opening_is_counted_by_who_fetches_it(app: App, pages: Pages, edition: str) -> None:
    where = f"/o/{edition}/{app.marks.opened(edition)}"

    for said in (FIREFOX["user-agent"], "Mozilla/5.0", "curl/8"):
        answer = pages.get(where, headers={"user-agent": said})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")

    assert counts(app, edition) == {("", agent): 1 for agent in Agent}


def test_who_follows_more_links_than_a_person_can_in_a_moment_is_a_program(
    app: App, pages: Pages, edition: str
) -> None:
    app.clock = StoppedClock(app.clock.now())
    where = f"/l/{edition}/{app.marks.link(edition, links(app, edition)[0])}"

    for _ in range(8):
        assert pages.get(where, headers=FIREFOX).status_code == 302

    assert sorted(counts(app, edition).values()) == [3, 5]


def test_who_follows_a_link_waits_for_nobody_who_writes(app: App, pages: Pages, edition: str) -> None:
    where = f"/l/{edition}/{app.marks.link(edition, links(app, edition)[0])}"
    with app._store.write():
        assert pages.get(where, headers=FIREFOX).status_code == 302
        assert counts_now(app, edition) == {}
    assert list(counts(app, edition).values()) == [1]
