"""`newsletter feeds`: last try, last success, what is wrong, what happens next, in words and for scripts."""

import re
from datetime import datetime

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

MINUTE = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture
def harbour(program: Program, partner: Partner) -> Program:
    partner.bodies["/feed"] = feed_of(Article(headline="A ferry in winter"))
    program.configure(harbour=feed_file(f"{partner.url}/feed", partner="Harbour Review"))
    return program


def test_a_feed_never_asked_is_due(harbour: Program) -> None:
    shown = harbour.run("feeds", "show", "harbour").out
    assert "last try: never\nnext: it is due, and asked by the next poll\nitems: none\n" in shown


def test_a_healthy_feed_says_when_it_was_asked_and_will_be(harbour: Program) -> None:
    harbour.json("poll")
    shown = harbour.run("feeds", "show", "harbour").out
    assert re.search(rf"^last try: {MINUTE}, just now, its server answered 200$", shown, re.MULTILINE)
    assert re.search(rf"^last success: {MINUTE}, just now$", shown, re.MULTILINE)
    assert "\nwrong: nothing\n" in shown
    assert re.search(rf"^next: asked by the first poll after {MINUTE}$", shown, re.MULTILINE)
    assert "\nitems: 1 accepted\n" in shown
    assert "\npoll_every: 1h\n" in shown, "as it is written in the feed's file"


def test_a_feed_that_fails_says_what_is_wrong_and_that_it_is_asked_again(harbour: Program, partner: Partner) -> None:
    del partner.bodies["/feed"]
    for _ in range(2):
        harbour.run("poll", "--force")
    shown = harbour.run("feeds", "show", "harbour").out
    assert "last success: never" in shown
    assert "wrong: its server answered 404: is its url still right? (2 times in a row)" in shown
    assert re.search(rf"^next: asked by the first poll after {MINUTE}$", shown, re.MULTILINE)


def test_a_feed_switched_off_says_so(harbour: Program, partner: Partner) -> None:
    harbour.configure(harbour="enabled = false\n" + feed_file(f"{partner.url}/feed"))
    assert "next: not asked: switched off in its settings" in harbour.run("feeds", "show", "harbour").out


def test_the_list_is_to_the_minute_for_people_and_exact_for_scripts(harbour: Program) -> None:
    harbour.json("poll")
    listed = harbour.run("feeds", "list").out.splitlines()
    assert listed[0].split("  ")[0] == "FEED"
    assert re.search(rf"^harbour +active +{MINUTE} +{MINUTE} +{MINUTE} +0$", listed[1])
    (feed,) = harbour.json("feeds", "list")["feeds"]
    assert {"feed", "url", "state", "last_try_at", "last_success_at", "next_poll_at", "failures", "because"} <= set(
        feed
    )
    assert datetime.fromisoformat(feed["last_try_at"]).utcoffset() is not None
    assert feed["next"].startswith("asked by the first poll after ")
