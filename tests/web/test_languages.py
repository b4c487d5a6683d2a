"""Public pages in their readers' languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.app import App
from newsletter.model.publication import MailingList
from newsletter.model.subscriber import Newcomer
from newsletter.readers.tokens import Purpose
from tests.web.pages import Pages


@pytest.mark.parametrize(
    ("query", "accepted", "language", "phrase"),
    [
        ("", "", "en", "Your mail address"),
        ("", "de-AT,de;q=0.9", "de", "Ihre Mailadresse"),
        ("", "tlh", "en", "Your mail address"),
        ("?lang=fr", "de", "fr", "Votre adresse e-mail"),
        ("?lang=ar", "de", "ar", "عنوان بريدك الإلكتروني"),
        ("?lang=../../etc", "de", "de", "Ihre Mailadresse"),
    ],
)
def test_a_page_speaks_the_language_of_its_address_then_of_the_browser(
    pages: Pages, query: str, accepted: str, language: str, phrase: str
) -> None:
    answer = pages.get(f"/lists/brief{query}", headers={"accept-language": accepted})

    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    assert phrase in answer.text
    assert answer.headers["content-language"] == language
    assert "accept-language" in answer.headers["vary"]


def test_what_editors_wrote_keeps_its_own_language_and_says_so(pages: Pages) -> None:
    arabic, english = (pages.get(f"/lists/brief?lang={language}").text for language in ("ar", "en"))

    assert '<h1 lang="en" dir="ltr">The Brief</h1>' in arabic
    assert "<h1>The Brief</h1>" in english


def test_a_language_once_chosen_goes_along_with_the_links(pages: Pages) -> None:
    chosen = pages.get("/archive?lang=de").text

    assert 'href="http://127.0.0.1:8080/archive/brief?lang=de"' in chosen
    assert 'href="?lang=fr" hreflang="fr" lang="fr" dir="ltr">français</a>' in chosen
    assert 'href="http://127.0.0.1:8080/archive/brief"' in pages.get("/archive").text


def test_who_has_chosen_a_language_is_answered_in_it_whatever_the_browser_says(app: App, pages: Pages) -> None:
    newcomer = Newcomer(address="ann@example.org", lists=("brief",), language="fr")
    app.subscribers.add([newcomer], confirmed=True, source="test", text="", now=app.clock.now())
    (subscription,) = app.subscribers.person("ann@example.org").subscriptions
    where = f"/u/{app.tokens.make(Purpose.UNSUBSCRIBE, subscription.id)}"

    assert 'lang="fr"' in pages.get(where, headers={"accept-language": "de"}).text
    assert 'lang="ar"' in pages.get(f"{where}?lang=ar").text
    assert "Vous ne recevrez plus" in pages.post(where, data={"by": "page"}, headers={"accept-language": "de"}).text


def test_a_page_that_is_not_there_says_so_in_the_browsers_language(pages: Pages) -> None:
    assert "Diese Seite gibt es nicht." in pages.get("/nowhere", headers={"accept-language": "de"}).text


def test_a_list_may_have_a_language_of_its_own(app: App) -> None:
    arabic = MailingList(id="waha", title="الواحة", language="ar")
    app.settings = replace(app.settings, lists=(*app.settings.lists, arabic))
    pages = Pages(app)

    own = pages.get("/lists/waha", headers={"accept-language": ""})
    english = pages.get("/lists/waha", headers={"accept-language": "en"})

    assert '<html lang="ar" dir="rtl">' in own.text
    assert "<h1>الواحة</h1>" in own.text
    assert '<h1 lang="ar" dir="rtl">الواحة</h1>' in english.text
    assert '"language":"ar"' in pages.get("/feeds/waha.json").text
    assert '<html lang="en"' in pages.get("/lists/brief", headers={"accept-language": ""}).text
