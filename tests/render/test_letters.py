from dataclasses import replace

import pytest

from newsletter.errors import TemplateError
from newsletter.model.message import LetterKind
from newsletter.render.environment import Templates
from newsletter.render.render import render_letter
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION
from tests.render.messages import SiteTemplates


@pytest.mark.parametrize(
    ("kind", "subject", "fields"),
    [
        (LetterKind.CONFIRMATION, "Please confirm: The Brief", ("confirm",)),
        (LetterKind.WELCOME, "Welcome to The Brief", ("address", "unsubscribe", "preferences")),
        (LetterKind.GOODBYE, "You have left The Brief", ("address",)),
    ],
)
def test_each_letter_has_its_subject_and_just_the_fields_it_needs(
    templates: Templates, kind: LetterKind, subject: str, fields: tuple[str, ...]
) -> None:
    rendered = render_letter(kind, PUBLICATION, MAILING_LIST, NONCE, templates=templates)
    assert rendered.subject == subject
    assert rendered.fields == fields
    assert "1 Example Street, London" in rendered.text
    assert "1 Example Street, London" in rendered.html


def test_a_confirmation_carries_no_word_of_who_typed_the_address_in(templates: Templates) -> None:
    rendered = render_letter(LetterKind.CONFIRMATION, PUBLICATION, MAILING_LIST, NONCE, templates=templates)
    for document in (rendered.html, rendered.text):
        assert NONCE + "name" not in document
        assert NONCE + "address" not in document


def test_letters_speak_the_publications_language(templates: Templates) -> None:
    german = replace(PUBLICATION, language="de")
    rendered = render_letter(LetterKind.WELCOME, german, MAILING_LIST, NONCE, templates=templates)
    assert rendered.subject == "Willkommen bei The Brief"
    assert '<html lang="de" dir="ltr"' in rendered.html


def test_all_phrases_are_there_in_every_language_of_the_starter(templates: Templates) -> None:
    english = set(templates.words("en"))
    for language in ("de", "fr", "ar"):
        own = {key for key, phrase in templates.words(language).items() if phrase != templates.words("en").get(key)}
        assert english == own, language


def test_a_confirmation_without_its_link_is_refused(with_files: SiteTemplates) -> None:
    templates = with_files({"confirmation/body.txt": "please confirm"})
    with pytest.raises(TemplateError, match=r"lacks \{\{ fields\.confirm"):
        render_letter(LetterKind.CONFIRMATION, PUBLICATION, MAILING_LIST, NONCE, templates=templates)
