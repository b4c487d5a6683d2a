"""What a reader sees, measured in a real browser: sizes, sides, colours, and what axe-core finds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, Page, Route

from newsletter.model.edition import Part
from newsletter.model.message import LetterKind
from newsletter.render.archive import personal, web_version
from newsletter.render.environment import Templates
from newsletter.render.render import render_digest, render_letter
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION, arabic_draft, plain_draft
from tests.render.messages import READER

pytestmark = pytest.mark.browser

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="675"><rect width="1200" height="675"/></svg>'
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def pages(templates: Templates) -> dict[str, str]:
    """The mails as one reader gets them."""
    plain = plain_draft()
    long = replace(
        plain.pieces[0], headline="x" * 200, byline="https://harbour.example/" + "y" * 200, html="<p>" + "z" * 500
    )
    wordy = replace(plain.pieces[0], partner="Harbour Institute for the Study of Tides, Silt and Sandbanks")
    drafts = {
        "plain": plain,
        "arabic": arabic_draft(),
        "long": replace(plain, parts=(Part(title="w" * 90, pieces=(long,)),)),
        "partner": replace(plain, parts=(Part(title="", pieces=(wordy,)),)),
    }  # fmt: skip
    mails = {name: render_digest(draft, NONCE, templates=templates) for name, draft in drafts.items()}
    mails |= {
        kind.value: render_letter(kind, PUBLICATION, MAILING_LIST, NONCE, templates=templates) for kind in LetterKind
    }
    reader = replace(READER, confirm_url="https://news.example.org/c/ccc")
    shown = {name: personal(mail, reader)[0] for name, mail in mails.items()}
    return shown | {"web": web_version(mails["plain"], list_url="https://news.example.org/lists/brief")}


@pytest.fixture
def show(browser: Browser, pages: dict[str, str]) -> Iterator[Show]:
    """Opens a mail; nothing is fetched but the pictures, which are made up."""
    contexts = []

    def open_page(name: str, *, width: int = 800, dark: bool = False, pictures: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()

        def answer(route: Route) -> None:
            if pictures and route.request.resource_type == "image":
                route.fulfill(body=PICTURE, content_type="image/svg+xml")
            else:
                route.abort()

        page.route("**/*", answer)
        page.set_content(pages[name])
        return page

    yield open_page
    for context in contexts:
        context.close()


def box(page: Page, selector: str) -> FloatRect:
    found = page.locator(selector).first.bounding_box()
    assert found is not None
    return found


def style(page: Page, selector: str, name: str) -> Any:
    return page.locator(selector).first.evaluate(f"element => getComputedStyle(element)['{name}']")


@pytest.mark.parametrize("name", ["plain", "arabic", "long", "confirmation", "welcome", "goodbye", "web"])
@pytest.mark.parametrize("width", [320, 375, 800])
def test_nothing_is_wider_than_the_screen(show: Show, name: str, width: int) -> None:
    assert show(name, width=width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["plain", "arabic", "confirmation", "welcome", "goodbye", "web"])
def test_axe_finds_nothing_serious(show: Show, name: str, dark: bool) -> None:
    found = Axe().run(show(name, dark=dark)).response["violations"]
    serious = [
        (fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_the_sheet_is_600_wide_where_there_is_room_and_the_screen_where_not(show: Show) -> None:
    assert box(show("plain", width=800), ".sheet")["width"] == 600
    assert box(show("plain", width=375), ".sheet")["width"] == 375


def test_the_leads_picture_runs_from_edge_to_edge_and_keeps_its_shape(show: Show) -> None:
    for width in (800, 375):
        page = show("plain", width=width)
        picture, sheet = box(page, "img"), box(page, ".sheet")
        assert (picture["x"], picture["width"]) == (sheet["x"], sheet["width"])
        assert abs(picture["height"] - picture["width"] * 675 / 1200) < 1.5


def test_without_pictures_their_place_is_kept_and_their_description_readable(show: Show) -> None:
    page = show("plain", pictures=False)
    assert box(page, "img")["width"] == 600
    assert box(page, "img")["height"] > 100
    assert style(page, "img", "color") == "rgb(55, 68, 77)"
    assert style(page, "img", "backgroundColor") == "rgb(219, 226, 229)"
    assert style(page, "a:has(img)", "textDecorationLine") == "none"


def test_arabic_begins_at_the_right_edge_and_english_in_it_at_the_left(show: Show) -> None:
    page = show("arabic")
    column = box(page, "h1")
    assert box(page, "h1 a")["x"] + box(page, "h1 a")["width"] == pytest.approx(column["x"] + column["width"], abs=1)
    english = page.locator("table[lang=en] h3 a").bounding_box()
    assert english is not None
    assert english["x"] == pytest.approx(column["x"], abs=1)
    date, near = page.locator(".dateline").nth(1), page.locator(".dateline").nth(0)
    far_box, near_box = date.bounding_box(), near.bounding_box()
    assert far_box is not None
    assert near_box is not None
    assert far_box["x"] < near_box["x"]


def test_an_arabic_piece_in_an_english_edition_begins_at_the_right(show: Show) -> None:
    page = show("plain")
    headline = box(page, "table[lang=ar] h3 a")
    assert headline["x"] + headline["width"] == pytest.approx(668, abs=1)


def test_at_night_the_sheet_is_dark_and_the_text_light(show: Show) -> None:
    page = show("plain", dark=True)
    assert style(page, ".sheet", "backgroundColor") == "rgb(21, 28, 33)"
    assert style(page, "h1 a", "color") == "rgb(233, 238, 241)"
    assert style(page, ".body p", "color") == "rgb(233, 238, 241)"


def test_outlooks_own_darkening_gets_the_same_colours(show: Show) -> None:
    page, night = show("plain"), show("plain", dark=True)
    page.evaluate("document.body.setAttribute('data-ogsc', ''); document.body.setAttribute('data-ogsb', '')")
    for selector, name in (
        (".sheet", "backgroundColor"),
        (".bar-on", "backgroundColor"),
        ("h1 a", "color"),
        (".soft", "color"),
        (".accent", "color"),
        (".body a", "color"),
        (".onward a", "color"),
        (".footer a", "color"),
    ):
        assert style(page, selector, name) == style(night, selector, name), selector


def test_links_to_act_upon_are_tall_enough_for_a_thumb(show: Show) -> None:
    page = show("plain", width=375)
    for selector in (".onward a", ".acts a", ".top a"):
        for link in page.locator(selector).all():
            found = link.bounding_box()
            assert found is not None
            assert found["height"] >= 44


def test_the_arrow_of_a_link_that_leads_on_stands_behind_its_last_word(show: Show) -> None:
    for name, width in (("plain", 800), ("plain", 320), ("arabic", 320), ("partner", 320)):
        page = show(name, width=width)
        rows = page.locator(".onward").evaluate_all(
            "all => all.map(p => [[...p.querySelector('a').getClientRects()].at(-1).bottom,"
            " p.querySelector('span').getBoundingClientRect().bottom])"
        )
        assert rows
        for link, arrow in rows:
            assert 0 < link - arrow < 22, (name, width)


def test_the_preheader_is_not_seen_in_the_mail_itself(show: Show) -> None:
    assert not show("plain").get_by_text("Surveyors from both shores").first.is_visible()


def test_links_say_where_they_lead(show: Show) -> None:
    texts = [link.inner_text().strip() for link in show("plain").locator("a:not(:has(img))").all()]
    assert all(texts)
    assert not {"here", "click here", "keep reading", "read more"} & {text.lower() for text in texts}
