"""The catalogues: complete, up to date, and true to what they translate."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from newsletter.language.catalogue import LANGUAGES, nearest, translations
from tools.translations import phrases, read, texts_of

TRANSLATED = LANGUAGES[1:]
HOLES = re.compile(r"%\([a-z_]+\)s|\{[a-z]+\}")


def sources(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def test_the_languages_of_the_start_are_there() -> None:
    assert set(LANGUAGES) == {"en", "de", "fr", "ar"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_just_the_phrases_that_are_used(language: str) -> None:
    used = {(each.context, sources(each)) for each in phrases() if each.id}
    kept = {(each.context, sources(each)) for each in read(language) if each.id}
    assert {"missing": used - kept, "no longer used": kept - used} == {"missing": set(), "no longer used": set()}, (
        "run: python3 dev.py translate"
    )


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_phrase_is_translated_with_the_same_names_in_it(language: str) -> None:
    for message in read(language):
        if message.id:
            assert all(texts_of(message)), message.id
            assert not message.fuzzy, message.id
            names = {name for source in sources(message) for name in HOLES.findall(source)}
            for text in texts_of(message):
                assert set(HOLES.findall(text)) <= names, message.id
            assert {name for text in texts_of(message) for name in HOLES.findall(text)} == names, message.id


def test_phrases_are_read_from_the_files_as_they_are() -> None:
    assert translations("de").gettext("Subscribe") == "Anmelden"
    assert translations("ar").gettext("Subscribe") == "اشترك"
    assert translations("en").gettext("Subscribe") == "Subscribe"
    assert translations("xx").gettext("Subscribe") == "Subscribe"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("de-AT", "de"), ("DE_at", "de"), ("ar-LB", "ar"), ("en-GB", "en"), ("xx", None), ("", None), ("../de", None)],
)  # fmt: skip
def test_a_reader_of_a_dialect_reads_its_language(tag: str, language: str | None) -> None:
    assert nearest(tag) == language
