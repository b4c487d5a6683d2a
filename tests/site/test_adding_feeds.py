"""`newsletter feeds add`: a feed is found behind its page, written down and shown as its readers would see it."""

from __future__ import annotations

import tomllib

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

GENERATOR = b"<generator>https://wordpress.org/?v=6.9</generator><item>"
LONG = "".join(f"<p>Paragraph {at} of an article that goes on and on, as long reads do.</p>" for at in range(60))


def test_a_feed_is_added_and_its_newest_items_are_shown_as_teasers(program: Program, partner: Partner) -> None:
    program.configure(known=feed_file("https://known.example/feed/"))
    articles = [
        Article(headline=f"Headline {at}", body=LONG, byline="Nora Fenwick", categories=("Analysis", "Harbours"))
        for at in range(5)
    ]
    partner.bodies["/"] = b"<!doctype html><html><head><title>Home</title></head><body></body></html>"
    partner.bodies["/feed/"] = feed_of(*articles, title="Saltmarsh Review").replace(b"<item>", GENERATOR, 1)

    told = program.json("feeds", "add", f"{partner.url}/", "--name", "saltmarsh")

    assert (told["feed"], told["partner"], told["system"]) == ("saltmarsh", "Saltmarsh Review", "WordPress")
    assert (told["whole_texts"], len(told["headlines"])) == (5, 5)
    assert [item["headline"] for item in told["items"]] == ["Headline 0", "Headline 1", "Headline 2"]
    first = told["items"][0]
    assert (first["byline"], first["section_line"]) == ("Nora Fenwick", "Analysis | Harbours")
    assert first["teaser"][0] == "Paragraph 0 of an article that goes on and on, as long reads do."
    assert sum(map(len, first["teaser"])) < 1000
    settings = tomllib.loads((program.folder / "feeds" / "saltmarsh.toml").read_text())
    assert (settings["url"], settings["rights"]["reuse"]) == (f"{partner.url}/feed/", "teaser")
    assert program.run("check").code == 0


def test_a_first_feed_is_added_though_no_digest_names_one_and_that_is_told(program: Program, partner: Partner) -> None:
    program.configure()
    partner.bodies["/feed/"] = feed_of(Article(headline="A headline"))
    partner.bodies["/other/"] = feed_of(Article(headline="Another headline"))
    missing = "digests.daily.sections: expected feeds, or sections that have feeds (got neither)"

    (told,) = program.json("feeds", "add", f"{partner.url}/feed/", "--name", "saltmarsh")["missing"]
    shown = program.run("feeds", "add", f"{partner.url}/other/", "--name", "other")

    assert told.endswith(missing)
    assert shown.code == 0
    assert f"Still missing: {told}\n" in shown.out
    assert missing in program.run("check").out
    program.configure('sections = [{ feeds = ["saltmarsh", "other"] }]')
    assert program.run("check").code == 0
    partner.bodies["/third/"] = feed_of(Article(headline="A third headline"))
    assert program.json("feeds", "add", f"{partner.url}/third/", "--name", "third")["missing"] == []


def test_a_person_sees_the_teasers_and_what_is_known_about_the_system(program: Program, partner: Partner) -> None:
    program.configure(known=feed_file("https://known.example/feed/"))
    partner.bodies["/feed/"] = feed_of(Article(headline="A headline", body=LONG), title="Saltmarsh Review - ").replace(
        b"<item>", GENERATOR, 1
    )

    shown = program.run("feeds", "add", f"{partner.url}/feed/")

    assert shown.code == 0
    assert "say under [rights] what the partner allows, and name 127-0-0 in a digest" in shown.out
    assert "\nSaltmarsh Review: 1 item, 1 of them with their whole text" in shown.out
    assert "Made by WordPress: the feed of a section" in shown.out
    assert "  A headline\n" in shown.out
    assert "  Keep reading: https://partner.example/0/" in shown.out


def test_a_section_has_a_feed_of_its_own(program: Program, partner: Partner) -> None:
    program.configure(known=feed_file("https://known.example/feed/"))
    partner.bodies["/rail"] = b"<!doctype html><html><head><title>Rail</title></head><body></body></html>"
    partner.bodies["/feeds/rail.rss"] = feed_of(Article(headline="Only rails"))
    partner.bodies["/feeds/feed.rss"] = feed_of(Article(headline="Everything"))
    told = program.json("feeds", "add", f"{partner.url}/rail")
    assert told["headlines"] == ["Only rails"]


def test_a_feed_that_is_there_already_is_not_added_again(program: Program, partner: Partner) -> None:
    program.configure(known=feed_file("https://known.example/feed/"))
    partner.bodies["/feed/"] = feed_of(Article(headline="A headline"))
    assert program.run("feeds", "add", f"{partner.url}/feed/").code == 0
    again = program.run("feeds", "add", f"{partner.url}/feed/", "--name", "other")
    assert again.code == 1
    assert "it has this URL already" in again.err
