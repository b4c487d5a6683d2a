from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model.identity import Verdict
from tests.collect.makers import NOW, Memory, a_feed, an_entry
from tests.collect.texts import ARTICLE, NEW_LEAD, OTHER_REPORT, edited

FEED = a_feed("courier")
OTHER = a_feed("saltmarsh")


@pytest.fixture
def memory() -> Memory:
    """An archive that already has one article of the courier."""
    made = Memory()
    made.poll(FEED, an_entry(text=ARTICLE))
    return made


def test_an_entry_seen_before_is_known(memory: Memory) -> None:
    (decision,) = memory.poll(FEED, an_entry(text=ARTICLE))
    assert (decision.verdict, decision.item_id) == (Verdict.KNOWN, 1)


def test_a_new_headline_under_the_same_guid_is_a_change_and_no_second_item(memory: Memory) -> None:
    entry = replace(an_entry(text=ARTICLE), headline="A dam lets go", content_hash="another")
    (decision,) = memory.poll(FEED, entry)
    assert (decision.verdict, decision.item_id) == (Verdict.CHANGED, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"guid": "http://courier.example/a-dam-learns-to-let-go"},
        {"guid": "https://new-home.example/a-dam-learns-to-let-go", "url": "https://new-home.example/other/path-1"},
        {"guid": "completely-different", "headline": "A dam learns to let go of itself"},
        {"guid": None, "url": "https://www.courier.example/2026/a-dam-learns-to-let-go/?utm_source=x#top"},
        {"guid": "new", "url": "https://moved.example/2026/a-dam-learns-to-let-go"},
        {"guid": "new", "url": "https://courier.example/archive/77", "headline": "A dam learns to let go"},
    ],
    ids=["https", "domain move", "guid follows headline", "tracking noise", "host move", "cms move"],
)
def test_the_same_piece_under_another_name_is_no_second_item(memory: Memory, change: dict[str, str]) -> None:
    fields = {
        "url": "https://courier.example/2026/a-dam-learns-to-let-go",
        "headline": "A dam learns to let go",
    } | change
    (decision,) = memory.poll(FEED, an_entry(text=ARTICLE, **fields))
    assert decision.item_id == 1


def test_a_guid_that_is_used_again_for_another_piece_loses_none(memory: Memory) -> None:
    later = an_entry(
        guid="https://courier.example/a-dam-learns-to-let-go",
        url="https://courier.example/2026/puppet-theatre-finds-dragon",
        headline="Puppet theatre finds its dragon",
        text="The dragon of Ostrand was in a barn all along, says the woman who owns the barn and feeds the owls in it.",
        published_at=NOW + timedelta(days=3),
    )
    (decision,) = memory.poll(FEED, later)
    assert decision.verdict is Verdict.NEW
    assert not any(key.strong for key in decision.keyed.keys if key.value == later.guid)
    (again,) = memory.poll(FEED, later)
    assert (again.verdict, again.item_id) == (Verdict.KNOWN, 2)


def test_one_guid_for_all_items_of_a_document_names_none_of_them() -> None:
    entries = [an_entry(guid="9999", headline=f"Story number {name}") for name in ("one", "two", "three")]
    memory = Memory()
    assert [one.verdict for one in memory.poll(FEED, *entries)] == [Verdict.NEW] * 3
    assert [one.verdict for one in memory.poll(FEED, *entries)] == [Verdict.KNOWN] * 3


def test_one_link_for_all_items_of_a_document_names_none_of_them() -> None:
    page = "https://courier.example/2026/live-from-vell"
    entries = [an_entry(guid=name, url=page, headline=f"Live: {name} has been seen") for name in ("fog", "ice", "sun")]
    memory = Memory()
    assert [one.verdict for one in memory.poll(FEED, *entries)] == [Verdict.NEW] * 3
    assert [one.item_id for one in memory.poll(FEED, *entries)] == [1, 2, 3]


def test_what_a_document_says_twice_is_one_item_with_all_names() -> None:
    twice = an_entry(guid="second", url="https://courier.example/2026/second-address-9", text=ARTICLE)
    memory = Memory()
    decisions = memory.poll(FEED, an_entry(text=ARTICLE), twice)
    assert len(decisions) == 1
    assert "second" in {key.value for key in decisions[0].keyed.keys}
    assert [one.verdict for one in memory.poll(FEED, an_entry(text=ARTICLE), twice)] == [Verdict.KNOWN]


def test_a_daily_bulletin_is_a_new_item_each_day() -> None:
    memory = Memory()
    for day in range(3):
        (decision,) = memory.poll(
            FEED,
            an_entry(
                guid=f"bulletin-{day}",
                url=f"https://courier.example/bulletin/{day}",
                headline="The news at six o'clock",
                text=ARTICLE,
                published_at=NOW + timedelta(days=day),
            ),
        )
        assert decision.verdict is Verdict.NEW
        assert decision.story_id is None


def test_a_republication_joins_the_story_and_says_why(memory: Memory) -> None:
    copy = an_entry(
        guid="https://saltmarsh.example/?p=4711",
        url="https://saltmarsh.example/the-railway-of-its-passengers/",
        headline="The railway that belongs to its passengers",
        text=NEW_LEAD + "\n\n" + edited(ARTICLE),
        published_at=NOW + timedelta(days=2),
    )
    (decision,) = memory.poll(OTHER, copy)
    assert (decision.verdict, decision.story_id) == (Verdict.NEW, 1)
    assert decision.because is not None
    assert decision.because.startswith("same text as item 1 of courier: ")
    assert decision.because.endswith(" phrases")


def test_another_report_of_the_event_stays_a_story_of_its_own(memory: Memory) -> None:
    report = an_entry(
        guid="x",
        url="https://saltmarsh.example/railway-vote-in-vell",
        headline="A dam learns to let go",
        text=OTHER_REPORT,
    )
    (decision,) = memory.poll(OTHER, report)
    assert (decision.verdict, decision.story_id) == (Verdict.NEW, None)


def test_the_same_headline_without_text_is_no_proof_between_feeds() -> None:
    memory = Memory()
    memory.poll(FEED, an_entry(headline="Morning briefing for Thursday"))
    other = an_entry(headline="Morning briefing for Thursday", url="https://saltmarsh.example/briefing-of-the-day")
    (decision,) = memory.poll(OTHER, other)
    assert decision.story_id is None


def test_the_same_link_in_another_feed_is_the_same_story(memory: Memory) -> None:
    (decision,) = memory.poll(OTHER, an_entry(guid="theirs", text="Our pick of the day."))
    assert decision.story_id == 1
    assert decision.because == "same link as item 1 of courier"


def test_the_best_of_several_sources_is_named() -> None:
    memory = Memory()
    half = ARTICLE[: len(ARTICLE) * 3 // 4] + OTHER_REPORT
    memory.poll(
        FEED, an_entry(guid="1", url="https://courier.example/first-of-two-1", headline="Part of it", text=half)
    )
    memory.poll(
        a_feed("level"),
        an_entry(guid="2", url="https://level.example/whole-of-it-2", headline="All of it", text=ARTICLE),
    )
    copy = an_entry(guid="3", url="https://salt.example/a-copy-of-it-3", headline="Copied", text=ARTICLE)
    (decision,) = memory.poll(OTHER, copy)
    assert decision.because is not None
    assert "of level: 100 %" in decision.because


def test_no_two_decisions_speak_of_one_item(memory: Memory) -> None:
    once = an_entry(text=ARTICLE)
    again = an_entry(guid="late", url="https://courier.example/archive/77", text=ARTICLE)
    memory.poll(FEED, again)
    decisions = memory.poll(FEED, once, again)
    assert [one.item_id for one in decisions] == [1]


def test_a_move_to_another_host_is_recognised_though_headline_and_date_changed_with_it(memory: Memory) -> None:
    moved = an_entry(
        guid="new",
        url="https://moved.example/2026/a-dam-learns-to-let-go",
        headline="A dam learns to let it go",
        text=edited(ARTICLE),
        published_at=NOW + timedelta(days=9),
    )
    (decision,) = memory.poll(FEED, moved)
    assert (decision.verdict, decision.because) == (Verdict.CHANGED, "item 1 under another host")


def test_the_same_path_under_another_host_is_no_proof_without_the_text(memory: Memory) -> None:
    other = an_entry(
        guid="new", url="https://moved.example/2026/a-dam-learns-to-let-go", headline="Opening hours", text=OTHER_REPORT
    )
    (decision,) = memory.poll(FEED, other)
    assert decision.verdict is Verdict.NEW


def test_a_second_posting_of_the_day_with_small_edits_is_the_same_item(memory: Memory) -> None:
    again = an_entry(
        guid="second", url="https://courier.example/archive/77", text=ARTICLE.replace("nine to four", "9 to 4")
    )
    (decision,) = memory.poll(FEED, again)
    assert (decision.item_id, decision.because) == (1, "same headline, day and text as item 1")
    both = memory.poll(FEED, an_entry(text=ARTICLE), again)
    assert [one.item_id for one in both] == [1]
    assert {"second", "https://courier.example/a-dam-learns-to-let-go"} <= {key.value for key in both[0].keyed.keys}


def test_words_that_many_stories_share_are_no_proof_of_any() -> None:
    memory = Memory()
    text = ARTICLE[:400]
    for number in range(60):
        entry = an_entry(
            guid=str(number),
            url=f"https://courier.example/item/{number}",
            headline=f"Number {number} of many",
            text=text,
        )
        memory.poll(FEED, entry)
    copy = an_entry(guid="c", url="https://salt.example/a-copy-of-it-3", headline="Copied", text=text)
    (decision,) = memory.poll(OTHER, copy)
    assert decision.story_id is None
