"""`newsletter tick` as cron runs it: what is due, once, whatever the clock did meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.mailbox.script import Script
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, until

SEVEN = 'schedule = "0 7 * * *"\ncatch_up = "6h"\n'


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def article(headline: str, published: str) -> Article:
    return Article(headline=headline, published_at=at(published), guid=headline)


@pytest.fixture
def site(program: Program, partner: Partner) -> Program:
    """A feed with one article of 5 March 2026, 05:00, and a digest each morning at seven."""
    partner.bodies["/feed"] = feed_of(article("The quiet contest", "2026-03-05T05:00"))
    program.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    return program


def tick(program: Program, moment: str, *, code: int = 0) -> dict[str, Any]:
    program.now = at(moment)
    answer: dict[str, Any] = program.json("tick", code=code)
    return answer


def nothing_yet(program: Program, partner: Partner, moment: str) -> None:
    """A tick before there was anything to read."""
    later = partner.bodies["/feed"]
    partner.bodies["/feed"] = feed_of()
    assert tick(program, moment)["composed"][0]["edition"] is None
    partner.bodies["/feed"] = later


def composed(answer: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(each["slot"], each["edition"], each["because"]) for each in answer["composed"]]


def test_a_slot_is_composed_and_sent_once(site: Program) -> None:
    early, due, again = (tick(site, f"2026-03-05T{clock}") for clock in ("06:50", "07:05", "07:15"))

    assert (early["feeds"][0]["new"], early["composed"], early["sent"]["sent"]) == (1, [], 0)
    assert composed(due) == [("2026-03-05T07:00", "daily-2026-03-05", None)]
    assert due["sent"] | {"tried": None} == due["sent"] | {"tried": None, "edition": "daily-2026-03-05", "sent": 1}
    assert due["composed"][0]["digest"] == "daily"
    assert (again["composed"], again["sent"]["sent"]) == ([], 0)
    assert site.mailbox.counts == {"ann@example.org": 1}


def test_two_ticks_do_not_overlap(site: Program) -> None:
    site.json("poll")
    site.json("compose", "daily")
    site.mailbox.script = Script(delay=3600)
    lock = site.folder / "var" / "newsletter.lock"
    with site.process("tick") as first:
        until(lambda: "tick" in lock.read_text() if lock.exists() else False)
        second = site.run("tick", "--json")
        sending = site.run("send", "--json")
        first.kill()
        first.wait()
    site.mailbox.script = Script()

    assert (second.code, second.json["error"]["kind"]) == (3, "locked")
    assert f"pid {first.pid}: tick" in second.json["error"]["message"]
    assert sending.code == 3
    assert site.run("tick").code == 0, "a lock dies with its holder"


def test_of_missed_slots_only_the_last_is_composed_and_it_is_said_why(site: Program, partner: Partner) -> None:
    nothing_yet(site, partner, "2026-03-03T07:01")

    late = tick(site, "2026-03-05T12:00")

    assert composed(late) == [
        ("2026-03-04T07:00", None, "the edition of 2026-03-05T07:00 takes its place"),
        ("2026-03-05T07:00", "daily-2026-03-05", None),
    ]


def test_a_slot_later_than_catch_up_is_skipped_and_it_is_said_why(site: Program, partner: Partner) -> None:
    nothing_yet(site, partner, "2026-03-04T07:01")

    late = tick(site, "2026-03-05T20:00")

    assert composed(late) == [("2026-03-05T07:00", None, "13h late; catch_up is 6h")]
    assert composed(tick(site, "2026-03-05T20:10")) == []
    assert site.mailbox.counts.total() == 0
    assert composed(tick(site, "2026-03-06T07:00")) == [("2026-03-06T07:00", "daily-2026-03-06", None)], "nothing lost"


@pytest.mark.parametrize(
    ("day", "clocks"),
    [
        # Clocks go from 01:00 to 02:00: there is no half past one.
        ("2026-03-29", ("00:59", "01:01", "01:31")),
        # Clocks go from 02:00 back to 01:00: half past one comes twice.
        ("2026-10-25", ("00:29", "00:31", "01:31")),
    ],
)
def test_a_digest_comes_once_on_a_day_when_the_clock_is_changed(
    program: Program, partner: Partner, day: str, clocks: tuple[str, ...]
) -> None:
    program.configure('schedule = "30 1 * * *"\ncatch_up = "1h"', harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    partner.bodies["/feed"] = feed_of(article("One", f"{day}T00:00"), article("Two", f"{day}T00:01"))

    answers = [composed(tick(program, f"{day}T{clock}")) for clock in clocks]

    assert answers == [[], [(f"{day}T01:30", f"daily-{day}", None)], []]


def test_an_edition_waits_for_its_editor_and_leaves_with_the_next_tick(site: Program, partner: Partner) -> None:
    site.configure(SEVEN + 'approval = "editor"', harbour=feed_file(f"{partner.url}/feed"))
    waiting = tick(site, "2026-03-05T07:05")
    assert (composed(waiting)[0][1], waiting["sent"]["sent"]) == ("daily-2026-03-05", 0)
    refused = site.run("send", "daily-2026-03-05", "--json")
    assert (refused.code, "awaiting-approval" in refused.json["error"]["message"]) == (1, True)

    assert site.json("approve", "daily-2026-03-05") == {"edition": "daily-2026-03-05", "state": "approved"}

    assert tick(site, "2026-03-05T07:30")["sent"]["sent"] == 1


def test_a_paused_edition_goes_on_when_resumed_and_a_cancelled_one_never(site: Program) -> None:
    site.now = at("2026-03-05T07:05")
    site.json("poll")
    edition = site.json("compose", "daily")["edition"]
    site.json("pause", edition)
    assert site.json("send")["sent"] == 0
    site.json("resume", edition)
    site.json("cancel", edition)

    assert site.json("send")["sent"] == 0
    assert site.run("resume", edition).code == 1
    assert site.json("report", edition)["suppressed"] == 1


def test_an_embargo_is_kept_to_the_hour(site: Program, partner: Partner) -> None:
    site.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed", rights='embargo = "24h"'))

    first, second = tick(site, "2026-03-05T07:05"), tick(site, "2026-03-06T07:05")

    assert composed(first) == [("2026-03-05T07:00", None, "nothing to issue yet: 1 item under embargo")]
    assert composed(second) == [("2026-03-06T07:00", "daily-2026-03-06", None)]


def test_what_expired_is_not_shown_any_more(site: Program, partner: Partner) -> None:
    site.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed", rights='expires = "24h"'))
    site.now = at("2026-03-05T08:00")
    site.json("poll")

    assert composed(tick(site, "2026-03-06T07:05")) == [("2026-03-06T07:00", None, "nothing new to issue")]


def test_what_may_not_be_reused_is_read_and_never_issued(site: Program, partner: Partner) -> None:
    site.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed", reuse="none"))

    answer = tick(site, "2026-03-05T07:05")

    assert answer["feeds"][0]["new"] == 1
    assert composed(answer) == [("2026-03-05T07:00", None, "nothing new to issue")]


@pytest.mark.parametrize(("when_few", "items"), [("keep", 2), ("skip", None)])
def test_too_few_items_wait_or_are_passed_over(
    site: Program, partner: Partner, when_few: str, items: int | None
) -> None:
    site.configure(
        SEVEN + f'min_items = 2\nwhen_few = "{when_few}"',
        harbour=feed_file(f"{partner.url}/feed", more='poll_every = "5m"'),
    )
    first = tick(site, "2026-03-05T07:05")
    partner.bodies["/feed"] = feed_of(
        article("A second piece", "2026-03-05T09:00"), article("The quiet contest", "2026-03-05T05:00")
    )

    second = tick(site, "2026-03-06T07:05")

    assert composed(first)[0][1] is None
    assert "the digest wants at least 2" in (composed(first)[0][2] or "")
    if items:
        assert composed(second)[0][1] == "daily-2026-03-06"
        assert site.mails()[0]["Subject"] == "A second piece"
    else:
        assert composed(second)[0][1] is None


def test_a_feed_that_is_down_keeps_no_edition_back_and_the_exit_code_says_so(site: Program, partner: Partner) -> None:
    site.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed"), gone=feed_file(f"{partner.url}/gone"))

    answer = tick(site, "2026-03-05T07:05", code=1)

    assert {feed["feed"]: feed["status"] for feed in answer["feeds"]} == {"gone": 404, "harbour": 200}
    assert next(feed["because"] for feed in answer["feeds"] if feed["feed"] == "gone")
    assert answer["sent"]["sent"] == 1


def test_a_digest_that_fails_keeps_no_other_back_and_comes_when_it_is_mended(site: Program, partner: Partner) -> None:
    broken = '[digests.broken]\nlist = "brief"\nsubject = "{{ nothing }}"\nfeeds = ["harbour"]\n' + SEVEN
    partner.bodies["/feed"] = feed_of(article("One", "2026-03-05T05:00"), article("Two", "2026-03-05T05:01"))
    site.configure(SEVEN + "max_items = 1", more=broken, harbour=feed_file(f"{partner.url}/feed"))

    answer = tick(site, "2026-03-05T07:05", code=1)

    failed, other = sorted(answer["composed"], key=lambda each: str(each["digest"]))
    assert (failed["edition"], "nothing" in failed["because"]) == (None, True)
    assert other["edition"] == "daily-2026-03-05"
    assert answer["sent"]["sent"] == 1
    site.configure(SEVEN, more=broken.replace("nothing", "lead.headline"), harbour=feed_file(f"{partner.url}/feed"))
    assert composed(tick(site, "2026-03-05T08:00")) == [("2026-03-05T07:00", "broken-2026-03-05", None)]


def test_a_clock_that_jumps_back_makes_no_second_edition(site: Program, partner: Partner) -> None:
    tick(site, "2026-03-05T07:05")
    partner.bodies["/feed"] = feed_of(article("Another", "2026-03-04T05:00"))
    site.now = at("2026-03-05T07:06")
    site.json("poll", "--force")

    assert composed(tick(site, "2026-03-05T06:59")) == []
    assert composed(tick(site, "2026-03-05T07:10")) == []
    assert site.mailbox.counts.total() == 1


def test_an_item_is_dated_by_its_first_sight_where_its_feed_gives_no_date(site: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(article("From another age", "1970-01-01T00:00"))
    site.configure(SEVEN, harbour=feed_file(f"{partner.url}/feed", rights='embargo = "2h"'))
    site.now = at("2026-03-05T05:30")
    site.json("poll")

    assert composed(tick(site, "2026-03-05T07:05"))[0][1] is None
    assert composed(tick(site, "2026-03-06T07:05"))[0][1] == "daily-2026-03-06"
    assert site.json("items")["items"][0]["published_at"] is None
    assert (
        at("2026-03-05T05:30")
        <= datetime.fromisoformat(site.json("items")["items"][0]["first_seen_at"])
        < at("2026-03-05T05:30") + timedelta(minutes=1)
    )
