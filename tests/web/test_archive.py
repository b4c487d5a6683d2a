"""The archive as browsers and search engines ask for it."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.app import App
from newsletter.model.edition import EditionState
from tests.store.samples import add_items, draft_of, freeze
from tests.web.pages import Pages


@pytest.fixture
def edition(app: App) -> str:
    found = asyncio.run(app.compose("daily")).edition_id
    assert found is not None
    app.decide(found, EditionState.APPROVED)
    return found


def test_an_edition_is_sent_once_and_packed_to_who_can_unpack_it(pages: Pages, edition: str) -> None:
    plain = pages.get("/archive/brief/1", headers={"accept-encoding": "identity"})
    packed = pages.get("/archive/brief/1", headers={"accept-encoding": "gzip"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert packed.headers["etag"] != plain.headers["etag"]
    for known in (
        {"if-none-match": plain.headers["etag"]},
        {"if-none-match": f'W/"x", {packed.headers["etag"]}'},
        {"if-modified-since": plain.headers["last-modified"]},
    ):
        again = pages.get("/archive/brief/1", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == plain.headers["content-security-policy"]
    assert pages.get("/archive/brief/1", headers={"if-none-match": '"other"'}).status_code == 200


def test_an_edition_says_which_address_counts(pages: Pages, edition: str) -> None:
    assert pages.get("/archive/brief/1").links["canonical"]["url"] == "http://127.0.0.1:8080/archive/brief/1"


def test_an_edition_called_off_is_gone_at_once(app: App, pages: Pages, edition: str) -> None:
    known = pages.get("/archive/brief/1").headers["etag"]

    app.decide(edition, EditionState.CANCELLED)

    assert pages.get("/archive/brief/1", headers={"if-none-match": known}).status_code == 404


def test_all_editions_of_a_list_can_be_reached_page_by_page(app: App, pages: Pages) -> None:
    for number in range(1, 53):
        draft = draft_of(add_items(app._store, 1), edition_id=f"brief-{number}", number=number, list_id="brief")
        freeze(app._store, draft, state=EditionState.APPROVED)

    newest, older = (pages.get(f"/archive/brief{query}").text for query in ("", "?before=3&lang=de"))

    assert "/archive/brief/52" in newest
    assert newest.count("/archive/brief/") == 50
    assert 'href="http://127.0.0.1:8080/archive/brief?before=3"' in newest
    assert older.count("/archive/brief/") == 2
    assert "before=" not in older
    for odd in ("0", "-1", "x", "٣", "9" * 40):
        assert pages.get(f"/archive/brief?before={odd}").status_code == 200
