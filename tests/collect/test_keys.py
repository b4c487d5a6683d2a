from typing import Any

from newsletter.collect.keys import keys_of
from newsletter.model.item import KeyKind
from tests.collect.makers import a_feed, an_entry

FEED = a_feed()


def _values(kind: KeyKind, **fields: Any) -> list[str]:
    return [key.value for key in keys_of(an_entry(**fields), FEED) if key.kind is kind]


def test_strong_keys_come_first_and_hold_within_the_feed() -> None:
    keys = keys_of(an_entry(text="one two three four five six seven eight nine ten eleven twelve thirteen"), FEED)
    strong = [key.strong for key in keys]
    assert strong == sorted(strong, reverse=True)
    assert {key.scope for key in keys if key.strong} == {"courier"}
    assert {key.scope for key in keys if not key.strong} == {""}


def test_a_guid_is_known_with_and_without_its_host() -> None:
    assert _values(KeyKind.GUID, guid="https://x.example/?p=4711") == ["https://x.example/?p=4711"]
    assert _values(KeyKind.BARE_GUID, guid="http://other.example/?p=4711") == ["?p=4711"]
    assert _values(KeyKind.POST_ID, guid="https://x.example/?p=4711") == ["4711"]


def test_a_guid_that_is_no_address_has_no_bare_form() -> None:
    assert _values(KeyKind.BARE_GUID, guid="tag:x.example,2026:1") == []


def test_a_link_to_the_home_page_is_no_key() -> None:
    assert _values(KeyKind.LINK, url="https://courier.example/") == []


def test_a_title_needs_a_day_and_some_words_to_be_a_key() -> None:
    assert _values(KeyKind.TITLE_DAY, headline="A dam learns") == ["2026-03-05 a dam learns"]
    assert _values(KeyKind.TITLE_DAY, headline="Live") == []
    assert _values(KeyKind.TITLE_DAY, headline="A dam learns", published_at=None) == []


def test_a_long_value_is_hashed() -> None:
    (value,) = _values(KeyKind.GUID, guid="g" * 1000)
    assert len(value) <= 200
    assert value != _values(KeyKind.GUID, guid="g" * 1001)[0]


def test_a_short_text_has_no_sketch() -> None:
    assert _values(KeyKind.SKETCH, text="Ten words are few and twelve are hardly any more") == []
