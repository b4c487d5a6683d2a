"""The public pages in a real browser, with the headers they really have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route
from starlette.responses import Response

from newsletter.app import App
from newsletter.listening import listening
from newsletter.mailbox.server import MailboxServer
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.tokens import Purpose
from newsletter.serving import serve
from newsletter.site import open_site
from newsletter.web.public import public_app
from newsletter.web.views import AS_SENT, Views
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
EVIL = """<!DOCTYPE html><html lang="en"><head><title>evil</title>
<meta http-equiv="refresh" content="0;url=/refreshed"><link rel="stylesheet" href="/sheet.css"><base href="http://other.test/">
<style>p { color: rgb(1, 2, 3) }</style><script>new Image().src = "/script"</script></head><body>
<p style="background-color: rgb(4, 5, 6)" onclick="new Image().src='/click'">text</p>
<img src="/picture.png" alt="" onerror="new Image().src='/onerror'">
<iframe src="/frame"></iframe><object data="/object"></object><embed src="/embed"><video src="/video"></video>
<svg onload="new Image().src='/svg'"></svg><form action="/form" method="post"><button>send</button></form>
<a id="js" href="javascript:new Image().src='/link'">run</a> <a id="good" href="http://pages.test/good">go</a></body></html>"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A site with an edition and a subscriber, its pages served by a thread."""
    with (
        listening("127.0.0.1", 0) as sock,
        Partner(bodies={"/feed": feed_of(Article(headline="The quiet contest"))}) as partner,
    ):
        port = sock.getsockname()[1]
        program = Program(tmp_path_factory.mktemp("pages") / "site", MailboxServer(port=1), web_port=port)
        program.configure(harbour=feed_file(f"{partner.url}/feed"))
        app = App.open(open_site(program.folder))
        app.subscribers.add(
            [Newcomer(address="ann@example.org", lists=("brief",))],
            confirmed=True,
            source="t",
            text="",
            now=app.clock.now(),
        )
        asyncio.run(app.poll())
        edition = asyncio.run(app.compose("daily")).edition_id
        assert edition is not None
        assert app.editions.get(edition).state is EditionState.APPROVED
        stop, loop = asyncio.Event(), asyncio.new_event_loop()
        pages = public_app(app, Views(app.settings.publication))
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve(pages, sock, stop=stop)))
        thread.start()
        yield app
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        app.close()


@pytest.fixture
def open_page(browser: Browser, site: App) -> Iterator[Open]:
    contexts = []

    def opened(path: str, *, width: int = 375, dark: bool = False, script: bool = False) -> Page:
        contexts.append(
            browser.new_context(
                viewport={"width": width, "height": 700},
                color_scheme="dark" if dark else "light",
                # axe is a script, which our policy would not let in.
                java_script_enabled=script,
                bypass_csp=script,
            )
        )
        page = contexts[-1].new_page()
        page.goto(site.settings.publication.base_url + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def paths(site: App) -> list[str]:
    (subscription,) = site.subscribers.person("ann@example.org").subscriptions
    tokens = {purpose: site.tokens.make(purpose, subscription.id) for purpose in Purpose}
    return [
        "/lists/brief", "/archive", "/archive/brief", f"/u/{tokens[Purpose.UNSUBSCRIBE]}", f"/c/{tokens[Purpose.CONFIRM]}",
        f"/p/{tokens[Purpose.PREFERENCES]}", "/nowhere",
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "dark"), [("en", False), ("ar", True)])
def test_axe_finds_nothing_on_any_page(site: App, open_page: Open, language: str, dark: bool) -> None:
    page = open_page("/archive", dark=dark, script=True)
    # In the second language and in the dark, a page of each kind of content.
    for path in paths(site)[:: 1 if language == "en" else 3]:
        page.goto(f"{site.settings.publication.base_url}{path}?lang={language}")
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(path, fault["id"], fault["nodes"][0]["html"]) for fault in found] == []


@pytest.mark.parametrize("language", ["de", "ar"])
def test_no_page_is_wider_than_a_small_screen(site: App, open_page: Open, language: str) -> None:
    page = open_page("/archive", width=320, script=True)
    for path in paths(site):
        page.goto(f"{site.settings.publication.base_url}{path}?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_the_style_sheet_is_let_in_by_its_hash(open_page: Open) -> None:
    page = open_page("/lists/brief")
    assert page.locator("button").evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(10, 83, 101)"


def test_somebody_signs_up_with_the_keyboard_alone_and_without_scripts(site: App, open_page: Open) -> None:
    page = open_page("/lists/brief?lang=ar")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    field = page.locator("#address")
    assert field.evaluate(
        "element => [element === document.activeElement, getComputedStyle(element).outlineWidth]"
    ) == [True, "3px"]
    page.keyboard.type("keys@example.org")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/subscribe?lang=ar")

    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator("h1").inner_text() == "تفقّد صندوق بريدك"
    (subscription,) = site.subscribers.person("keys@example.org").subscriptions
    assert subscription.state is SubscriptionState.PENDING


def test_what_is_pressed_is_large_enough_for_a_thumb(open_page: Open) -> None:
    page = open_page("/lists/brief")
    for element in page.locator("button, input[type=email], nav a").all():
        box = element.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 44


def test_arabic_pages_begin_at_the_right(open_page: Open) -> None:
    page = open_page("/lists/brief?lang=ar", width=800)
    button, field = page.locator("button").bounding_box(), page.locator("#address").bounding_box()
    assert button is not None
    assert field is not None
    assert button["x"] + button["width"] == pytest.approx(field["x"] + field["width"], abs=1)
    assert page.locator("h1").evaluate("element => getComputedStyle(element).textAlign") == "right"


def test_nothing_in_an_edition_can_run_load_or_send_even_if_it_got_through_all_else(
    browser: Browser, site: App
) -> None:
    answer = Response(EVIL, headers=AS_SENT)
    asked: list[str] = []

    def respond(route: Route) -> None:
        asked.append(route.request.url)
        evil = route.request.url.endswith("/evil")
        route.fulfill(
            status=200, headers=dict(answer.headers) if evil else {}, body=bytes(answer.body) if evil else b"good"
        )

    page = browser.new_page()
    page.route("**/*", respond)
    page.goto("http://pages.test/evil")
    page.locator("p").click()
    page.locator("#js").click()
    page.locator("button").click()
    styled = page.locator("p").evaluate(
        "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
    )
    page.locator("#good").click()
    page.wait_for_url("**/good")
    page.close()

    assert styled == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"], "a mail's own look is kept"
    assert asked[0] == "http://pages.test/evil"
    assert set(asked[1:]) == {"http://pages.test/picture.png", "http://pages.test/good"}
