"""Five feeds, each in the shape of another publishing system, asked again and again."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part, until
from tests.site.shapes import CAPTION, CREDIT, OPENING, SHAPES, document

ITEMS = dict(zip(SHAPES, (25, 31, 12, 7, 14), strict=True))
KEPT = 10


@pytest.fixture
def five(program: Program, partner: Partner) -> Program:
    partner.bodies.update({f"/{shape}": document(shape, count) for shape, count in ITEMS.items()})
    program.configure(
        "max_items = 50",
        **{shape: feed_file(f"{partner.url}/{shape}", partner=shape.title(), reuse="teaser") for shape in SHAPES},
    )
    program.subscribe("ann@example.org")
    return program


def test_a_first_poll_accepts_the_newest_and_knows_the_rest(five: Program) -> None:
    reports = five.json("poll")["feeds"]

    for report in reports:
        there = ITEMS[report["feed"]]
        assert report == {
            "feed": report["feed"],
            "status": 200,
            "new": min(KEPT, there),
            "changed": 0,
            "known": max(0, there - KEPT),
            "held": 0,
            "retracted": 0,
            "because": None,
        }
    assert [report["feed"] for report in reports] == sorted(SHAPES)
    for shape, there in ITEMS.items():
        accepted = five.json("items", "--feed", shape, "--state", "accepted")["items"]
        known = five.json("items", "--feed", shape, "--state", "known")["items"]
        assert (len(accepted), len(known)) == (min(KEPT, there), max(0, there - KEPT))
        assert all(int(item["headline"].split()[1]) <= KEPT for item in accepted)
        assert all("first read" in item["because"] for item in known)


def test_an_unchanged_feed_is_not_sent_again_by_its_server_and_brings_nothing(five: Program, partner: Partner) -> None:
    five.json("poll")
    partner.asked.clear()

    reports = five.json("poll", "--force")["feeds"]

    assert [(each["status"], each["new"], each["changed"], each["known"]) for each in reports] == [(304, 0, 0, 0)] * 5
    assert all(asked.headers["if-none-match"].startswith('"') and asked.status == 304 for asked in partner.asked)
    assert len(partner.asked) == 5
    assert len(five.json("items", "--limit", "1000")["items"]) == sum(ITEMS.values())


def test_one_headline_that_changed_is_one_changed_item(five: Program, partner: Partner) -> None:
    five.json("poll")
    partner.bodies["/beside"] = partner.bodies["/beside"].replace(b"Headline 3 of", b"Corrected headline 3 of")

    reports = {each["feed"]: each for each in five.json("poll", "--force")["feeds"]}

    assert (reports["beside"]["new"], reports["beside"]["changed"], reports["beside"]["known"]) == (0, 1, 30)
    assert all(each["status"] == 304 for name, each in reports.items() if name != "beside")
    (changed,) = [item for item in five.json("items", "--feed", "beside")["items"] if item["changed_at"]]
    assert changed["headline"].startswith("Corrected headline 3")
    assert changed["state"] == "accepted"


def test_feeds_are_not_asked_before_they_are_due(five: Program, partner: Partner) -> None:
    five.json("poll")
    partner.asked.clear()

    reports = five.json("poll")["feeds"]

    assert partner.asked == []
    assert all(each["status"] is None and each["because"].startswith("not due before") for each in reports)


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_come_with_caption_and_credit_and_neither_gets_into_a_text(five: Program, shape: str) -> None:
    five.json("poll", shape)

    items = five.json("items", "--feed", shape)["items"]

    assert len(items) == ITEMS[shape]
    for item in items:
        number = int(item["headline"].split()[1])
        assert item["image"] == {
            "url": f"https://{shape}.example/pictures/{number}.jpg",
            "caption": CAPTION.format(number=number),
            "credit": CREDIT.format(number=number),
        }
        assert item["url"] == f"https://{shape}.example/2026/the-quay-is-{number}-metres-long/"
        assert "Caption" not in item["dek"]
    five.json("compose", "daily")
    five.json("send")
    (mail,) = five.mails()
    text = part(mail, "plain")
    for item in items:
        if item["state"] == "accepted":
            number = int(item["headline"].split()[1])
            teaser = text[text.index(item["headline"]) :].partition("Keep reading")[0]
            flat = " ".join(teaser.split())
            assert OPENING.format(number=number) in flat
            # Once, in brackets: as what it is.
            assert flat.count("Caption number") == 1
            assert f"[{CAPTION.format(number=number)} ({CREDIT.format(number=number)})]" in flat
            assert "Show less" not in flat


def test_a_feed_that_is_down_stops_no_other_and_the_command_says_so(five: Program, partner: Partner) -> None:
    del partner.bodies["/nested"]

    answer = five.run("poll", "--json")

    reports = {each["feed"]: each for each in answer.json["feeds"]}
    assert answer.code == 1
    assert (reports["nested"]["status"], reports["nested"]["new"]) == (404, 0)
    assert "404" in reports["nested"]["because"]
    assert all(each["new"] for name, each in reports.items() if name != "nested")
    health = {each["feed"]: each for each in five.json("feeds", "list")["feeds"]}
    assert (health["nested"]["failures"], health["nested"]["last_success_at"]) == (1, None)
    assert (health["atom"]["failures"], health["atom"]["because"]) == (0, None)


@pytest.mark.slow
def test_who_is_told_to_stop_gives_slow_feeds_up_and_keeps_what_was_done(five: Program, partner: Partner) -> None:
    with Partner(bodies={"/feed": feed_of(Article(headline="At last"))}) as slow:
        slow.slow.add("/feed")
        (five.folder / "feeds" / "slow.toml").write_text(feed_file(f"{slow.url}/feed"), encoding="utf-8")
        with five.process("poll", "--json") as polling:
            until(lambda: len(slow.asked) == 1 and successes(five) == set(SHAPES))
            started = time.monotonic()
            polling.terminate()
            out, _ = polling.communicate(timeout=30)
        slow.hurry.set()
        later = five.json("poll", "slow")["feeds"]

    assert time.monotonic() - started < 10
    assert polling.returncode == 130
    assert {feed["feed"] for feed in json.loads(out)["feeds"]} == set(SHAPES)
    assert [(feed["status"], feed["new"]) for feed in later] == [(200, 1)]


def successes(program: Program) -> set[str]:
    return {feed["feed"] for feed in program.json("feeds", "list")["feeds"] if feed["last_success_at"]}


def test_what_is_sorted_out_by_an_editor_is_dropped_with_a_reason(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(
        Article(headline="A sponsored winter cruise", age=age(1)),
        Article(headline="A ferry in winter", age=age(2)),
        Article(headline="A winter menu", age=age(3), categories=("Recipes",)),
    )
    chosen = '\n[filter]\ninclude = ["winter"]\nexclude = ["sponsored", "/recipes?/"]\n'
    program.configure(harbour=feed_file(f"{partner.url}/feed") + chosen)
    program.subscribe("ann@example.org")
    program.json("poll")

    states = {item["headline"]: (item["state"], item["because"]) for item in program.json("items")["items"]}

    assert states["A ferry in winter"] == ("accepted", None)
    assert [states[name][0] for name in ("A sponsored winter cruise", "A winter menu")] == ["dropped", "dropped"]
    assert "sponsored" in states["A sponsored winter cruise"][1]
    assert "recipes" in states["A winter menu"][1]
    assert program.json("compose", "daily")["items"] == 1


def age(hours: int) -> timedelta:
    return timedelta(hours=hours)
