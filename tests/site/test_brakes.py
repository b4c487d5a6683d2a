"""What an operator sees and does when a feed brings too much, corrects or withdraws: through the commands."""

from __future__ import annotations

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

FLOOD = 20


@pytest.fixture
def flooded(program: Program, partner: Partner) -> Program:
    """A feed that had one item and brings twenty more at the next poll; two may come in."""
    program.configure(one=f"first_poll = 2\n{feed_file(f'{partner.url}/one', partner='One')}")
    partner.bodies["/one"] = feed_of(_article(0))
    program.json("poll")
    partner.bodies["/one"] = feed_of(*(_article(number) for number in range(FLOOD, -1, -1)))
    program.json("poll", "--force")
    return program


def _article(number: int) -> Article:
    return Article(headline=f"Report number {number} of the count", body=f"<p>What happened in hour {number}.</p>")


def _states(program: Program) -> list[str]:
    return sorted(item["state"] for item in program.json("items")["items"])


def test_a_held_feed_is_shown_as_held_with_what_to_do(flooded: Program) -> None:
    (feed,) = flooded.json("feeds", "list")["feeds"]
    assert feed["state"] == "held"
    assert "newsletter feeds release one" in feed["because"]
    assert _states(flooded) == ["accepted"] * 3 + ["held"] * 18


@pytest.mark.parametrize(("options", "state"), [((), "accepted"), (("--known",), "known")])
def test_a_release_lets_them_in_or_keeps_them_as_no_news(
    flooded: Program, options: tuple[str, ...], state: str
) -> None:
    told = flooded.json("feeds", "release", "one", *options)
    assert (told["released"], told["state"]) == (18, state)
    assert _states(flooded) == sorted(["accepted"] * 3 + [state] * 18)
    (feed,) = flooded.json("feeds", "list")["feeds"]
    assert (feed["state"], feed["because"]) == ("active", None)


def test_a_correction_after_issue_names_the_edition_that_carries_the_error(program: Program, partner: Partner) -> None:
    program.configure(one=feed_file(f"{partner.url}/one", partner="One"))
    program.subscribe("ann@example.org")
    article = Article(headline="The gauge at Vell", body="<p>It stood at 212 centimetres on Monday, and fell.</p>")
    partner.bodies["/one"] = feed_of(article)
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]
    (before,) = program.json("items")["items"]
    partner.bodies["/one"] = feed_of(article).replace(b"212", b"221")
    (report,) = program.json("poll", "--force")["feeds"]
    assert report["changed"] == 1
    (after,) = program.json("items")["items"]
    assert (before["revisions"], before["changed_after_issue"]) == (0, [])
    assert (after["revisions"], after["changed_after_issue"]) == (1, [edition])
    (revision,) = program.json("items", "show", str(after["id"]))["revisions"]
    assert "212" in revision["text"]
