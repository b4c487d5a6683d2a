"""Our own feeds, read by our own collect stage."""

from dataclasses import replace
from typing import Any

import pytest

from newsletter.model.feed import Feed
from newsletter.model.identity import Verdict
from newsletter.model.item import Direction, Entry
from newsletter.publish.publish import Form
from tests.collect.makers import Memory, a_feed, an_entry, read_bytes
from tests.publish.samples import ARABIC, DATED, HOSTILE, LEAD, an_edition, made

OURS = a_feed("ours", original=False)


def _read(form: Form, *editions: Any) -> list[Entry]:
    return [each.entry for each in read_bytes(made(form, *editions), _at(form)).entries]


def _at(form: Form) -> Feed:
    return replace(OURS, url=f"https://news.example.org/feeds/brief.{form}")


@pytest.mark.parametrize("form", Form)
def test_what_we_publish_is_read_as_what_it_was(form: Form) -> None:
    lead, arabic = _read(form)
    assert (lead.url, lead.dek, lead.byline, lead.published_at) == (LEAD.url, LEAD.dek, LEAD.byline, LEAD.published_at)
    assert lead.text.startswith("Water rose on Monday. It <has not> fallen since.\n\nUpstream")
    assert lead.text.endswith(LEAD.credit_line)
    assert lead.image is not None
    assert (lead.image.url, lead.image.caption, lead.image.credit) == (
        "https://observatory.example/river.JPG",
        "The river",
        "P. Ebble",
    )
    assert (arabic.headline, arabic.url, arabic.text) == (ARABIC.headline, ARABIC.url, ARABIC.paragraphs[0])
    assert (arabic.language, arabic.direction, arabic.byline) == ("ar", Direction.RTL, "")


@pytest.mark.parametrize("form", Form)
def test_hostile_texts_come_back_harmless(form: Form) -> None:
    entries = _read(form, an_edition(1, HOSTILE, LEAD))
    assert len(entries) == 2
    assert entries[1].url == LEAD.url


def test_who_follows_the_partner_and_us_gets_each_story_once() -> None:
    partner = a_feed("observatory")
    memory = Memory()
    (original,) = memory.poll(
        partner,
        an_entry(headline=LEAD.headline, url=LEAD.url, guid="x", text="\n\n".join(LEAD.paragraphs), published_at=DATED),
    )
    again = memory.poll(OURS, *_read(Form.ATOM))
    assert original.verdict is Verdict.NEW
    assert [each.story_id for each in again] == [memory.items_by_id[1].story_id, None]


@pytest.mark.parametrize("after", Form)
def test_who_changes_the_form_gets_nothing_twice(after: Form) -> None:
    memory = Memory()
    memory.poll(OURS, *_read(Form.ATOM))
    assert [each.verdict for each in memory.poll(OURS, *_read(after))] == [Verdict.KNOWN, Verdict.KNOWN]
