from dataclasses import replace

from newsletter.render.archive import personal, web_text, web_version
from newsletter.render.environment import Templates
from newsletter.render.render import render_digest
from newsletter.render.samples import NONCE, plain_draft
from tests.render.messages import READER, SiteTemplates

LIST_URL = "https://news.example.org/lists/brief"


def test_the_web_version_shows_the_edition_and_nobodys_links(templates: Templates) -> None:
    rendered = render_digest(plain_draft(), NONCE, templates=templates)
    page = web_version(rendered, list_url=LIST_URL)
    assert page.startswith("<!DOCTYPE html>")
    assert "Two ports, one strait" in page
    assert NONCE not in page
    for for_readers_only in ("Unsubscribe", "Change your preferences", "was sent to", "on the web"):
        assert for_readers_only not in page
    assert "Past editions" in page


def test_a_readers_link_elsewhere_leads_to_the_list(with_files: SiteTemplates) -> None:
    templates = with_files(
        {"digest/body.html": "<html><body><a href='{{ fields.unsubscribe }}'>x</a>{{ fields.name }}</body></html>"}
    )
    page = web_version(render_digest(plain_draft(), NONCE, templates=templates), list_url=LIST_URL + "?a&b")
    assert f'href="{LIST_URL}?a&amp;b"' in page
    assert NONCE not in page


def test_the_text_of_the_web_version_has_no_placeholder_either(templates: Templates) -> None:
    text = web_text(render_digest(plain_draft(), NONCE, templates=templates), list_url=LIST_URL)
    assert NONCE not in text
    assert LIST_URL in text


def test_a_preview_shows_both_parts_as_one_reader_gets_them(templates: Templates) -> None:
    rendered = render_digest(plain_draft(), NONCE, templates=templates)
    page, text = personal(rendered, replace(READER, address="a&b@example.net"))
    assert "a&amp;b@example.net" in page
    assert "a&b@example.net" in text
    assert READER.unsubscribe_url in page
    assert NONCE not in page + text
