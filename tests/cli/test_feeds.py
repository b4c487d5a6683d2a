"""`newsletter feeds import` and `export`, on the starter."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.cli.feedhealth import HEADERS, document, lines, row
from newsletter.collect.hosts import all_spared
from newsletter.model.feed import Feed, FeedHealth, FeedState
from newsletter.model.hub import HubState, HubSubscription
from newsletter.model.settings import Secret
from tests.cli.conftest import Ran, Run

MINE = """\
<opml version="2.0"><body>
  <outline text="Ports">
    <outline type="rss" text="The Level Crossing" xmlUrl="https://levelcrossing.example/feeds/feed.rss"
             htmlUrl="https://levelcrossing.example/" language="en-GB"/>
    <outline type="rss" text="Arab Center" xmlUrl="http://www.arabcenterdc.org/feed"/>
  </outline>
  <outline type="rss" text="Crossing's other feed" xmlUrl="https://levelcrossing.example/feeds/rail.rss"/>
  <outline type="rss" text="Bad" xmlUrl="javascript:alert(1)"/>
</body></opml>
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.opml"
    path.write_text(MINE)
    return path


def imported(run: Run, site: Path, file: Path, *more: str) -> Ran:
    return run("feeds", "import", file, *more, "--site", site, "--json")


def test_an_import_writes_new_feeds_skips_known_ones_and_tells_the_bad(run: Run, site: Path, mine: Path) -> None:
    ran = imported(run, site, mine)
    assert ran.code == 1
    told = ran.document
    assert [one["feed"] for one in told["written"]] == ["levelcrossing", "levelcrossing-2"]
    assert [(one["title"], one["because"]) for one in told["skipped"]] == [
        ("Arab Center", "feeds/arab-center.toml has this address already")
    ]
    assert [one["url"] for one in told["refused"]] == ["javascript:alert(1)"]
    settings = tomllib.loads((site / "feeds" / "levelcrossing.toml").read_text())
    assert settings["url"] == "https://levelcrossing.example/feeds/feed.rss"
    assert (settings["partner"], settings["homepage"]) == ("The Level Crossing", "https://levelcrossing.example/")
    assert (settings["language"], settings["topics"]) == ("en-GB", ["Ports"])
    assert settings["rights"]["reuse"] == "teaser"
    assert run("check", "--site", site).code == 0


def test_the_same_file_again_writes_nothing(run: Run, site: Path, mine: Path) -> None:
    imported(run, site, mine)
    before = {path: path.read_bytes() for path in (site / "feeds").iterdir()}
    again = imported(run, site, mine).document
    assert (len(again["written"]), len(again["skipped"])) == (0, 3)
    assert {path: path.read_bytes() for path in (site / "feeds").iterdir()} == before


def test_a_dry_run_writes_nothing(run: Run, site: Path, mine: Path) -> None:
    before = sorted((site / "feeds").iterdir())
    told = imported(run, site, mine, "--dry-run").document
    assert (len(told["written"]), told["dry_run"]) == (2, True)
    assert sorted((site / "feeds").iterdir()) == before


@pytest.mark.parametrize("hostile", ["a\\", '"""', "]", "{partner}", "# x", "'''", "\u202e", "&#127;", "x" * 500])
def test_whatever_a_file_says_the_site_can_be_opened_afterwards(run: Run, site: Path, mine: Path, hostile: str) -> None:
    text = hostile.replace('"', "&quot;")
    mine.write_text(
        f'<opml><body><outline text="{text}"><outline text="{text}" language="{text}" htmlUrl="https://x.example/{text}"'
        f' xmlUrl="https://x.example/{text}"/></outline></body></opml>'
    )
    told = imported(run, site, mine).document
    assert len(told["written"]) + len(told["refused"]) == 1
    assert run("feeds", "list", "--site", site).code == 0


def test_a_name_that_is_taken_on_the_disk_is_not_written_over(run: Run, site: Path, mine: Path) -> None:
    there = site / "feeds" / "levelcrossing.toml"
    there.write_text('url = "https://elsewhere.example/"\npartner = "Somebody else"\n')
    told = imported(run, site, mine).document
    assert [one["feed"] for one in told["written"]] == ["levelcrossing-2", "levelcrossing-3"]
    assert "Somebody else" in there.read_text()


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ("[]", "digests.daily.sections: expected feeds, or sections that have feeds (got neither)"),
        ('["levelcrossing", "tides"]', "no such feed, there is arabcenterdc"),
        ('["levelcrossing"]', None),
    ],
)
def test_first_feeds_are_imported_though_the_digest_names_none_that_is_there(
    run: Run, site: Path, mine: Path, names: str, missing: str | None
) -> None:
    for path in (site / "feeds").glob("*.toml"):
        path.unlink()
    config = site / "config.toml"
    config.write_text(re.sub(r"(?m)^feeds = .*$", f"feeds = {names}", config.read_text()))
    assert run("feeds", "list", "--site", site).code == 2
    ran = imported(run, site, mine)
    assert [one["feed"] for one in ran.document["written"]] == ["levelcrossing", "arabcenterdc", "levelcrossing-2"]
    told = [fault for fault in ran.document["missing"] if "digests.daily" in fault]
    assert [missing in fault for fault in told] == ([True] if missing else [])
    assert run("check", "--site", site).code == (2 if missing else 0)


@pytest.mark.parametrize("content", [b"", b"<html>", b'<!DOCTYPE opml [<!ENTITY a "b">]><opml/>'])
def test_what_is_no_opml_is_wrong_usage_and_says_so(run: Run, site: Path, mine: Path, content: bytes) -> None:
    mine.write_bytes(content)
    ran = imported(run, site, mine)
    assert ran.code == 2
    assert str(mine) in ran.err


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, site: Path) -> None:
    ran = imported(run, site, Path("nowhere.opml"))
    assert (ran.code, "cannot be read" in ran.err) == (2, True)


def test_an_export_of_one_site_makes_the_feeds_of_another(run: Run, site: Path, mine: Path, tmp_path: Path) -> None:
    imported(run, site, mine)
    out = tmp_path / "out.opml"
    told = run("feeds", "export", "--out", out, "--site", site, "--json").document
    feeds = run("feeds", "list", "--site", site, "--json").document["feeds"]
    assert told == {"feeds": len(feeds), "file": str(out), "opml": None}

    other = tmp_path / "other"
    assert run("init", other).code == 0
    for path in (other / "feeds").glob("*.toml"):
        path.unlink()
    config = other / "config.toml"
    config.write_text(config.read_text().split("[digests")[0])
    assert len(imported(run, other, out).document["written"]) == len(feeds)
    assert {one["url"] for one in run("feeds", "list", "--site", other, "--json").document["feeds"]} == {
        one["url"] for one in feeds
    }


def test_an_export_without_a_file_is_printed(run: Run, site: Path) -> None:
    ran = run("feeds", "export", "--site", site)
    assert ran.code == 0
    assert ran.out.startswith("<?xml")
    assert 'xmlUrl="https://arabcenterdc.org/feed/"' in ran.out


URL = "https://harbour.example/feed"
HARBOUR = Feed(id="harbour", url=URL, partner="Harbour")
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_a_feed_that_was_passed_over_before_it_was_ever_asked_is_due() -> None:
    cells = row(HARBOUR, FeedHealth(feed_id="harbour", url=URL), now=NOW)
    assert dict(zip(HEADERS, cells, strict=True))["NEXT POLL"] == "due"


def test_a_held_feed_tells_that_and_what_else_is_wrong() -> None:
    health = FeedHealth(feed_id="harbour", url=URL, state=FeedState.HELD, failures=2, because="its server answered 500")
    (wrong,) = [line for line in lines(HARBOUR, health, None, now=NOW) if line.startswith("wrong: ")]
    assert wrong.startswith("wrong: items that came at once are held: see `newsletter items --feed harbour")
    assert wrong.endswith("`newsletter feeds release harbour`; its server answered 500 (2 times in a row)")
    assert f"wrong: {document(HARBOUR, health, None, now=NOW)['because']} (2 times in a row)" == wrong
    assert row(HARBOUR, health, now=NOW)[-1] == document(HARBOUR, health, None, now=NOW)["because"]


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_feed_whose_host_wants_to_be_left_alone_is_not_said_to_be_due(asked_before: bool) -> None:
    until = NOW + timedelta(minutes=30)
    other = FeedHealth(
        feed_id="tides",
        url="https://harbour.example/tides",
        last_status=429,
        last_try_at=NOW - timedelta(minutes=1),
        not_before_at=until,
    )
    health = FeedHealth(
        feed_id="harbour", url=URL, last_try_at=NOW - timedelta(hours=9), next_poll_at=NOW + timedelta(minutes=2)
    )
    known, spared = health if asked_before else None, all_spared([other])
    why = "harbour.example said of another feed that it is asked too often: not before 2026-11-23 07:30 UTC"
    assert list(lines(HARBOUR, known, None, now=NOW, spared=spared))[-1] == f"next: not asked: {why}"
    assert document(HARBOUR, known, None, now=NOW, spared=spared)["next"] == f"not asked: {why}"
    cells = row(HARBOUR, known, now=NOW, spared=spared)
    assert dict(zip(HEADERS, cells, strict=True))["NEXT POLL"] == "2026-11-23 07:30 UTC"
    told = document(HARBOUR, known, None, now=until, spared=spared)["next"]
    assert told == "it is due, and asked by the next poll"


def test_a_hub_whose_only_push_broke_off_is_not_said_to_have_pushed_nothing() -> None:
    hub = HubSubscription(
        token=Secret("t"),
        feed_id="harbour",
        hub="https://hub.example/",
        topic=URL,
        secret=Secret("s"),
        state=HubState.ACTIVE,
        next_at=NOW,
        leased_until=NOW + timedelta(days=1),
        because="what its hub pushed breaks off after 1 item",
    )
    (told,) = [line for line in lines(HARBOUR, None, hub, now=NOW) if line.startswith("hub: ")]
    assert told.endswith("2026-11-24 07:00 UTC; what its hub pushed breaks off after 1 item")
