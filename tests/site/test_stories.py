"""`newsletter items show`, `merge` and `split`: an operator's word on what is the same piece."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

TEXT = "<p>The council of Vell voted to hand the harbour railway to its passengers, nine to four.</p>"


@pytest.fixture
def two(program: Program, partner: Partner) -> Program:
    """Two feeds with a piece each, which no poll would take for the same."""
    partner.bodies["/one"] = feed_of(Article(headline="A railway of its passengers", body=TEXT))
    partner.bodies["/two"] = feed_of(
        Article(headline="Whose railway is it?", body="<p>Ours.</p>", link="https://two.example/whose-railway-is-it")
    )
    program.configure(
        one=feed_file(f"{partner.url}/one", partner="One"), two=feed_file(f"{partner.url}/two", partner="Two")
    )
    program.subscribe("ann@example.org")
    program.json("poll")
    return program


def ids(program: Program) -> tuple[int, int]:
    found = {item["feed"]: item["id"] for item in program.json("items")["items"]}
    return found["one"], found["two"]


def told(program: Program, item: int) -> Any:
    return program.json("items", "show", str(item))


def test_the_list_works_as_before_with_its_options_alone(two: Program) -> None:
    assert len(two.json("items")["items"]) == 2
    (only,) = two.json("items", "--feed", "one", "--state", "accepted")["items"]
    assert only["feed"] == "one"
    assert two.run("items", "--state", "odd").code == 2
    assert "A railway of its passengers" in two.run("items", "--limit", "5").out


def test_an_option_before_the_subcommand_is_refused_rather_than_lost(two: Program) -> None:
    one, _ = ids(two)
    for option in (["--feed", "one"], ["--json"]):
        refused = two.run("items", *option, "show", str(one))
        assert refused.code == 2
        assert "write it behind `show`" in refused.err


def test_merged_items_go_out_once_and_name_both_partners(two: Program) -> None:
    one, other = ids(two)
    done = two.json("items", "merge", str(one), str(other))
    assert (done["moved"], done["because"]) == ([other], None)
    assert told(two, one)["story"] == told(two, other)["story"] == done["story"]
    assert two.json("compose", "daily")["items"] == 1


def test_an_item_tells_its_names_its_sources_and_each_merge(two: Program) -> None:
    one, other = ids(two)
    two.json("items", "merge", str(one), str(other))
    document = told(two, other)
    assert [source["id"] for source in document["sources"]] == [one]
    (merge,) = document["merges"]
    assert (merge["item"], merge["because"], merge["undone_at"]) == (other, "merged by the operator", None)
    assert merge["merged_at"]
    assert {"guid", "link", "link-path"} <= {key["kind"] for key in document["keys"]}
    assert document["because"] == "merged by the operator"
    shown = two.run("items", "show", str(other)).out
    assert f"also told by item {one} of one: A railway of its passengers" in shown
    assert "merged by the operator" in shown


def test_what_a_merge_hid_goes_out_after_a_split_and_what_was_sent_does_not(two: Program, partner: Partner) -> None:
    one, other = ids(two)
    two.json("items", "merge", str(one), str(other))
    edition = two.json("compose", "daily")
    assert edition["items"] == 1
    assert two.json("compose", "daily", code=1)["edition"] is None
    split = two.json("items", "split", str(other))
    assert split["because"] is None
    assert told(two, one)["story"] != told(two, other)["story"]
    again = two.json("compose", "daily")
    assert again["items"] == 1
    issued = [each["edition"] for item in (one, other) for each in told(two, item)["issued"]]
    assert sorted(issued) == sorted([edition["edition"], again["edition"]])
    assert two.json("compose", "daily", code=1)["edition"] is None


def test_a_poll_after_a_split_does_not_merge_again(two: Program, partner: Partner) -> None:
    one, other = ids(two)
    two.json("items", "merge", str(one), str(other))
    two.json("items", "split", str(other))
    partner.bodies["/two"] = partner.bodies["/two"].replace(b"Ours.", b"Ours, we think.")
    two.json("poll", "--force")
    assert told(two, one)["story"] != told(two, other)["story"]
    assert len(two.json("items")["items"]) == 2


def test_what_changes_nothing_is_refused_with_the_reason(two: Program) -> None:
    one, other = ids(two)
    assert two.json("items", "split", str(one), code=1)["because"] == "no other item tells its story"
    two.json("items", "merge", str(one), str(other))
    assert two.json("items", "merge", str(other), str(one), code=1)["because"] == "they tell one story already"


def test_an_item_that_is_not_there_is_wrong_usage(two: Program) -> None:
    one, _ = ids(two)
    for words in (["show", "999"], ["split", "999"], ["merge", str(one), "999"]):
        refused = two.run("items", *words)
        assert (refused.code, "no item named '999'" in refused.err) == (2, True)
    assert two.run("items", "merge", str(one)).code == 2
    assert two.run("items", "merge", "x", "y").code == 2
