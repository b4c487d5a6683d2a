"""Readers who want one edition a week get the week's pieces in one mail, and none of them twice."""

from __future__ import annotations

from datetime import UTC, datetime

from newsletter.app import App
from newsletter.model.subscriber import Preferences, Taste
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part

THURSDAY = datetime(2026, 3, 5, 6, tzinfo=UTC)
PIECES = ("The quiet contest", "A field of stones", "Clouds over Karrow")
SCHEDULE = 'schedule = "0 7 * * *"\nweekly = "0 8 * * sat"'


def prefer_weekly(program: Program, *addresses: str, weekly: bool = True) -> None:
    app = App.open(open_site(program.folder))
    try:
        for address in addresses:
            person = app.subscribers.person(address).subscriber
            app.subscribers.prefer(person.id, Preferences(tastes={"brief": Taste(weekly=weekly)}))
    finally:
        app.close()


def publish(program: Program, partner: Partner, *, day: int) -> None:
    """The partner publishes the day's piece besides the earlier ones, and the morning passes."""
    articles = (
        Article(headline=headline, guid=headline, published_at=THURSDAY.replace(day=5 + number))
        for number, headline in enumerate(PIECES[: day - 4])
    )
    partner.bodies["/feed"] = feed_of(*articles)
    program.now = THURSDAY.replace(day=day, hour=6, minute=30)
    program.json("poll", "--force")
    program.now = THURSDAY.replace(day=day, hour=7, minute=1)
    program.json("tick")


def shown(program: Program, address: str) -> list[set[str]]:
    """Which of the pieces each mail to somebody shows."""
    texts = [part(mail, "plain") for mail in program.mails(address)]
    return [{piece for piece in PIECES if piece in text} for text in texts]


def test_a_week_comes_in_one_mail_without_what_somebody_had_before_they_chose_it(
    program: Program, partner: Partner
) -> None:
    program.now = THURSDAY
    program.configure(SCHEDULE, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org", "bob@example.org", "eve@example.org")
    prefer_weekly(program, "bob@example.org")
    publish(program, partner, day=5)
    prefer_weekly(program, "eve@example.org")
    publish(program, partner, day=6)
    publish(program, partner, day=7)
    program.now = THURSDAY.replace(day=7, hour=8, minute=1)
    program.json("tick")

    assert shown(program, "ann@example.org") == [{piece} for piece in PIECES]
    assert shown(program, "bob@example.org") == [set(PIECES)]
    assert shown(program, "eve@example.org") == [{PIECES[0]}, set(PIECES[1:])]
    report = program.json("report", "daily.weekly-2026-03-07")
    assert (report["recipients"], report["sent"], report["left_out"]) == (2, 2, 1)

    program.now = THURSDAY.replace(day=14, hour=8, minute=1)
    program.json("tick")
    assert len(shown(program, "bob@example.org")) == 1, "nothing new in the second week"
    because = program.json("compose", "daily.weekly", code=1)["because"]
    assert because == "nothing new to issue"


def test_a_week_that_was_missed_or_called_off_is_told_with_the_next_one(program: Program, partner: Partner) -> None:
    program.now = THURSDAY
    program.configure(SCHEDULE, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("bob@example.org")
    prefer_weekly(program, "bob@example.org")
    publish(program, partner, day=5)
    program.now = THURSDAY.replace(day=7, hour=8, minute=1)
    program.json("tick")
    publish(program, partner, day=8)
    program.now = THURSDAY.replace(day=14, hour=20)
    program.json("tick")
    assert shown(program, "bob@example.org") == [{PIECES[0]}], "the machine was off when it was time"
    program.now = THURSDAY.replace(day=21, hour=8)
    program.json("cancel", program.json("compose", "daily.weekly")["edition"])
    program.now = THURSDAY.replace(day=21, hour=8, minute=1)
    program.json("compose", "daily.weekly")
    program.json("send")
    assert shown(program, "bob@example.org") == [{PIECES[0]}, set(PIECES[1:])]


def test_without_readers_who_want_it_there_is_no_edition_for_the_week(program: Program, partner: Partner) -> None:
    program.now = THURSDAY
    program.configure(SCHEDULE, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    publish(program, partner, day=5)
    composed = program.json("compose", "daily.weekly", code=1)
    assert (composed["edition"], composed["because"]) == (None, "nobody on the list wants one edition a week")


def test_where_weekly_is_no_longer_offered_everybody_gets_each_edition(program: Program, partner: Partner) -> None:
    program.now = THURSDAY
    program.configure(SCHEDULE, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("bob@example.org")
    prefer_weekly(program, "bob@example.org")
    program.configure('schedule = "0 7 * * *"', harbour=feed_file(f"{partner.url}/feed"))
    publish(program, partner, day=5)
    assert shown(program, "bob@example.org") == [{PIECES[0]}]
