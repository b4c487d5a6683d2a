"""An article of one partner that another one republishes: under its own headline, with its own lead, with permission."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part

BODY = (
    "<p>The port of Karrow handles a third of the coast's grain, and since the spring it has had two harbour masters. "
    "The first was appointed by the province, which owns the quays; the second by the ministry in the capital, which "
    "owns the water in between. Both have uniforms, and both have keys to the crane.</p>"
    "<h2>Two seals for one ship</h2>"
    "<p>Captains have learned to ask for two stamps. A pilot who spoke on the condition that his boat not be named said "
    "that the quickest way in is to arrive on a Friday afternoon, when neither office is staffed and the watchman, who "
    "has worked there for thirty-one years, waves everybody through.</p>"
    "<p>It would be comic if the silos were not full. Millers inland have paid nine per cent more since May, and the "
    "bakers' guild has begun to print the price of a loaf on its door each morning, like a weather report.</p>"
    "<h2>What the province wants</h2>"
    "<p>The province says that it wants only what the old charter gives it: half the dues, a seat on the board and a "
    "say in who may dredge. The ministry answers that the charter was written for sailing ships. Lawyers on both sides "
    "have been seen at the same table in the harbour café, which has raised its prices too.</p>"
    "<p>Mediation begins in November. Until then the two harbour masters greet each other every morning, at eight, "
    "across forty metres of water.</p>"
)
OWN_LEAD = "<p>Who runs the port of Karrow? Since the spring there are two answers, and ships wait for both.</p>"
THEIR_LEAD = (
    "<p>Editor's note: quarrels over who may collect a harbour's dues are older than steam. This one is a good place to "
    "begin if you want to understand the whole coast.</p>"
)


def original(*newer: Article, age: int) -> bytes:
    article = Article(
        headline="Karrow, the port with two masters",
        link="https://harbour.example/2026/karrow-port-with-two-masters/",
        body=OWN_LEAD + BODY,
        dek="Province and ministry quarrel over a harbour, and bread gets dearer.",
        byline="Ilse Okonedo",
        age=timedelta(hours=age),
    )
    return feed_of(*newer, article)


def republished(*, age: int) -> bytes:
    return feed_of(
        Article(
            headline="Why bread on the coast costs more each morning",
            link="https://review.example/bread-on-the-coast-costs-more",
            body=THEIR_LEAD + BODY + "<p>Republished with permission of the Harbour Institute.</p>",
            byline="Ilse Okonedo",
            age=timedelta(hours=age),
        )
    )


@pytest.fixture
def two(program: Program, partner: Partner) -> Program:
    program.configure(
        'full = "all"',
        harbour=feed_file(f"{partner.url}/harbour", partner="The Harbour Institute"),
        review=feed_file(f"{partner.url}/review", partner="The Overland Review", more="original = false"),
    )
    program.subscribe("ann@example.org")
    return program


@pytest.fixture(params=["original first", "republication first", "both at once"])
def read(request: pytest.FixtureRequest, two: Program, partner: Partner) -> Program:
    """Both feeds were read, in this order of arrival; the original's feed even gives it a later date."""
    bodies = {"/harbour": original(age=2), "/review": republished(age=3)}
    first = {"original first": "/harbour", "republication first": "/review"}.get(request.param)
    if first:
        partner.bodies = {**dict.fromkeys(bodies, feed_of()), first: bodies[first]}
        two.json("poll")
    partner.bodies = bodies
    two.json("poll", "--force")
    return two


def test_the_same_piece_from_two_partners_is_one_story_and_the_merge_is_explained(read: Program) -> None:
    items = read.json("items")["items"]

    assert {item["feed"] for item in items} == {"harbour", "review"}
    assert len({item["story"] for item in items}) == 1
    assert [item["state"] for item in items] == ["accepted", "accepted"]
    second = max(items, key=lambda item: item["id"])
    other = min(items, key=lambda item: item["id"])
    assert f"same text as item {other['id']} of {other['feed']}" in second["because"]


def test_the_edition_has_it_once_from_its_original_publisher_with_credit_and_says_where_else_it_is(
    read: Program,
) -> None:
    assert read.json("compose", "daily")["items"] == 1
    read.json("send")
    (mail,) = read.mails()

    assert mail["Subject"] == "Karrow, the port with two masters"
    for subtype in ("html", "plain"):
        text = " ".join(part(mail, subtype).split())
        assert text.count("Karrow, the port with two masters") >= 1
        assert "Why bread on the coast" not in text
        assert "Editor's note" not in text
        assert "Two seals for one ship" in text
        assert "Republished with permission from The Harbour Institute." in text
        assert "https://harbour.example/2026/karrow-port-with-two-masters/" in text
        assert "Also at" in text
        assert "The Overland Review" in text
        assert "https://review.example/bread-on-the-coast-costs-more" in text
        assert text.count("across forty metres of water") == 1


@pytest.mark.parametrize("issued", ["/harbour", "/review"])
def test_a_story_is_issued_once_even_if_its_other_source_comes_after_the_edition(
    two: Program, partner: Partner, issued: str
) -> None:
    bodies = {"/harbour": original(age=30), "/review": republished(age=1)}
    partner.bodies = {**dict.fromkeys(bodies, feed_of()), issued: bodies[issued]}
    two.json("poll")
    two.json("compose", "daily")
    partner.bodies = bodies
    assert sum(feed["new"] for feed in two.json("poll", "--force")["feeds"]) == 1

    again = two.json("compose", "daily", code=1)

    assert (again["edition"], again["because"]) == (None, "nothing new to issue")


def test_a_piece_that_was_no_news_goes_out_with_its_originals_credit_when_somebody_republishes_it(
    two: Program, partner: Partner
) -> None:
    latest = Article(headline="Ice on the river", link="https://harbour.example/2026/ice-on-the-river/")
    harbour = feed_file(f"{partner.url}/harbour", partner="The Harbour Institute", more="first_poll = 1")
    (two.folder / "feeds" / "harbour.toml").write_text(harbour, encoding="utf-8")
    partner.bodies = {"/harbour": original(latest, age=200), "/review": feed_of()}
    two.json("poll")
    assert sorted(item["state"] for item in two.json("items")["items"]) == ["accepted", "known"]
    partner.bodies["/review"] = republished(age=1)
    two.json("poll", "--force")

    assert two.json("compose", "daily")["items"] == 2
    two.json("send")

    text = " ".join(part(two.mails()[0], "plain").split())
    assert "Karrow, the port with two masters" in text
    assert "https://harbour.example/2026/karrow-port-with-two-masters/" in text
    assert "Why bread on the coast" not in text
    assert "Republished with permission from The Harbour Institute." in text
    assert "Republished with permission from The Overland Review." not in text
    assert "Also at" in text
    assert "https://review.example/bread-on-the-coast-costs-more" in text
    assert two.json("compose", "daily", code=1)["because"] == "nothing new to issue"


def test_a_republisher_alone_is_shown_with_its_own_credit(two: Program, partner: Partner) -> None:
    partner.bodies = {"/harbour": feed_of(), "/review": republished(age=1)}
    two.json("poll")
    two.json("compose", "daily")
    two.json("send")

    text = part(two.mails()[0], "plain")

    assert "Why bread on the coast costs more each morning" in text
    assert "Republished with permission from The Overland Review." in text
    assert "Also at" not in text


def test_another_article_on_the_same_matter_is_a_story_of_its_own(two: Program, partner: Partner) -> None:
    partner.bodies = {
        "/harbour": original(age=30),
        "/review": feed_of(
            Article(
                headline="Karrow's two harbour masters meet a mediator",
                body="<p>A mediator has come to Karrow. The port has had two harbour masters since the spring, one of "
                "the province and one of the ministry, and grain has piled up behind the quarrel.</p><p>She will stay "
                "until December and sleep on a boat, so as to lodge with neither side.</p>",
            )
        ),
    }
    two.json("poll")

    assert len({item["story"] for item in two.json("items")["items"]}) == 2
    assert two.json("compose", "daily")["items"] == 2
