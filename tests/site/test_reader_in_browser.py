"""A reader's whole way, in a real browser on a small screen: joins, confirms from the mail, chooses, reads, leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, asked, feed_file, part

pytestmark = pytest.mark.browser
ANN = "ann@example.org"
BODY = "<p>The dredgers came in April.</p>"


@pytest.fixture
def reader(chromium: Path) -> Iterator[Callable[..., None]]:
    """Takes one step after the other with a page of a telephone without scripts, in a thread of its own.

    The browser's loop has the thread it runs in, and our commands want one of theirs.
    """

    def start() -> tuple[Playwright, Browser, Page]:
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        return playwright, browser, browser.new_page(viewport={"width": 375, "height": 700}, java_script_enabled=False)

    with ThreadPoolExecutor(1) as there:
        playwright, browser, page = there.submit(start).result()
        yield lambda step, *told: there.submit(step, page, *told).result()
        there.submit(browser.close).result()
        there.submit(playwright.stop).result()


def press(page: Page, name: str) -> None:
    """Go to a button with the keyboard alone and press it."""
    button = page.get_by_role("button", name=name, exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    pytest.fail(f"the keyboard does not reach {name!r}")


def follow(page: Page, mail: EmailMessage, path: str) -> None:
    """Open the mail as a mail program does and click the first link in it that leads to such a page."""
    page.goto("about:blank")
    page.set_content(part(mail, "html"))
    page.locator(f'a[href*="{path}"]').first.click()
    page.wait_for_url(f"**{path}**")


def join(page: Page, list_page: str) -> None:
    page.goto(list_page)
    page.get_by_label("Your mail address").fill(ANN)
    press(page, "Subscribe")
    if page.get_by_role("alert").count():  # this hand types faster than we believe of people
        press(page, "Subscribe")
    assert "Look into your mailbox" in page.inner_text("h1")


def confirm(page: Page, letter: EmailMessage) -> None:
    follow(page, letter, "/c/")
    press(page, "Yes, subscribe me")


def read(page: Page, edition: EmailMessage) -> None:
    follow(page, edition, "/archive/brief/1")
    assert "The dredgers came in April." in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def choose(page: Page, edition: EmailMessage) -> None:
    follow(page, edition, "/p/")
    page.get_by_label("Text only").check()
    page.get_by_label("Language of the words around the pieces").select_option("ar")
    press(page, "Save")


def leave(page: Page, link: str) -> None:
    page.goto(link)
    assert page.locator("html").get_attribute("dir") == "rtl", "the page speaks the language that was chosen"
    with page.expect_navigation():
        page.locator("main form button").first.click()


def test_a_reader_joins_confirms_reads_chooses_and_leaves(
    program: Program, partner: Partner, reader: Callable[..., None]
) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest", body=BODY))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.json("poll")
    with program.web():
        reader(join, f"{program.base_url}/lists/brief")
        program.json("send")
        reader(confirm, program.mails(ANN)[0])
        program.json("send")
        assert program.json("compose", "daily")["recipients"] == 1
        program.json("send")
        letter, welcome, edition = program.mails(ANN)
        assert len({letter["Subject"], welcome["Subject"], edition["Subject"]}) == 3
        assert edition.get_content_type() == "multipart/alternative"
        reader(read, edition)
        reader(choose, edition)

        partner.bodies["/feed"] = feed_of(Article(headline="A second piece", body=BODY))
        program.json("poll", "--force")
        program.json("compose", "daily")
        program.json("send")
        second = program.mails(ANN)[3]
        assert (second["Subject"], second.get_content_type()) == ("A second piece", "text/plain")
        assert re.search("[\u0621-\u064a]{4}", second.get_content()), "the words around the pieces are Arabic"

        (link,) = re.findall(r"<(http[^>]*/u/[^>]*)>", str(second["List-Unsubscribe"]))
        reader(leave, link)
        again = asked(link, b"List-Unsubscribe=One-Click")
        assert (again.status, again.headers["Set-Cookie"], again.headers["Location"]) == (200, None, None)

    assert [each["state"] for each in program.json("subscribers", "show", ANN)["subscriptions"]] == ["left"]
    program.json("send")
    assert len(program.mails(ANN)) == 5, "one goodbye"
