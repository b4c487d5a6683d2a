import asyncio
from email.message import EmailMessage

import httpx
import pytest

from newsletter.mailbox.box import MemoryBox
from newsletter.mailbox.page import mailbox_app

EVIL = (
    "<!DOCTYPE html><html><head><title>x</title></head><body><script>alert(1)</script>"
    '<a href="https://news.example/u/1">leave</a></body></html>'
)


@pytest.fixture
def box() -> MemoryBox:
    return MemoryBox()


class Browser:
    """Asks the page as a browser on this machine would."""

    def __init__(self, box: MemoryBox) -> None:
        self._app = mailbox_app(box)

    def get(
        self, path: str, *, params: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as client:
                return await client.get(path, params=params, headers=headers)

        return asyncio.run(asked())


@pytest.fixture
def page(box: MemoryBox) -> Browser:
    return Browser(box)


def put(box: MemoryBox, *, subject: str = "Rivers", html: str | None = EVIL, to: str = "anna@example.org") -> str:
    message = EmailMessage()
    message["From"] = "The Brief <brief@news.example>"
    message["Subject"] = subject
    message.set_content("Rivers rise.\n<b>not bold</b>\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    content = message.as_bytes().replace(b"\n", b"\r\n")
    return box.keep(sender="bounces@bounce.example", recipients=(to,), content=content).id


def test_an_empty_mailbox_says_so(page: Browser) -> None:
    assert "No mail yet" in page.get("/").text


def test_the_list_shows_each_mail_with_a_link_to_it(page: Browser, box: MemoryBox) -> None:
    first, second = put(box), put(box, subject="Lakes", to="bert@example.org")
    text = page.get("/").text
    assert text.index("Lakes") < text.index("Rivers")
    assert f'href="/mail/{first}"' in text
    assert f'href="/mail/{second}"' in text
    assert "bert@example.org" in text


def test_a_word_finds_mails_by_subject_sender_and_recipient(page: Browser, box: MemoryBox) -> None:
    put(box)
    put(box, subject="Lakes", to="bert@example.org")
    assert "Rivers" not in page.get("/", params={"q": "LAKES"}).text
    assert "Lakes" in page.get("/", params={"q": "bert@"}).text
    assert "Rivers" in page.get("/", params={"q": "the brief"}).text


def test_what_a_subject_says_stays_text(page: Browser, box: MemoryBox) -> None:
    mail = put(box, subject="<script>alert(1)</script>{{ 7*7 }}")
    for path in ("/", f"/mail/{mail}", "/?q=<script>alert(1)</script>"):
        text = page.get(path).text
        assert "<script>" not in text
        assert ">49<" not in text


def test_the_html_part_is_in_a_frame_where_nothing_runs(page: Browser, box: MemoryBox) -> None:
    mail = put(box)
    shell = page.get(f"/mail/{mail}").text
    assert "alert(1)" not in shell
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shell
    framed = page.get(f"/mail/{mail}/html")
    policy = framed.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert '<head><base target="_blank"><title>' in framed.text


def test_our_own_pages_run_nothing_and_may_not_be_framed(page: Browser, box: MemoryBox) -> None:
    mail = put(box)
    for path in ("/", f"/mail/{mail}", f"/mail/{mail}?view=source"):
        policy = page.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy


def test_text_headers_and_source_have_views_of_their_own(page: Browser, box: MemoryBox) -> None:
    mail = put(box)
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page.get(f"/mail/{mail}?view=text").text
    assert "multipart/alternative" in page.get(f"/mail/{mail}?view=headers").text
    assert "&lt;script&gt;alert(1)" in page.get(f"/mail/{mail}?view=source").text


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_headers_are_shown_one_by_one_and_unfolded(page: Browser, box: MemoryBox, line_end: bytes) -> None:
    content = b"Subject: one\r\n two\r\nX-Empty:\r\n\r\nX-Body: no\r\n".replace(b"\r\n", line_end)
    mail = box.keep(sender="a@b.example", recipients=("c@d.example",), content=content)
    text = page.get(f"/mail/{mail.id}?view=headers").text
    assert '<th scope="row">Subject</th><td>one two</td>' in text
    assert '<th scope="row">X-Empty</th><td></td>' in text
    assert "X-Body" not in text


def test_a_mail_without_html_opens_as_text(page: Browser, box: MemoryBox) -> None:
    mail = put(box, html=None)
    assert "Rivers rise." in page.get(f"/mail/{mail}").text
    assert page.get(f"/mail/{mail}/html").status_code == 404


def test_the_file_is_the_mail_byte_for_byte(page: Browser, box: MemoryBox) -> None:
    mail = put(box)
    answer = page.get(f"/mail/{mail}/message.eml")
    assert answer.content == box.content(mail)
    assert answer.headers["content-type"] == "message/rfc822"


@pytest.mark.parametrize("path", ["/mail/nothing", "/mail/nothing/html", "/mail/..%2F..%2Fetc%2Fpasswd", "/mail/1/x"])
def test_what_is_not_there_is_not_found(page: Browser, path: str) -> None:
    assert page.get(path).status_code == 404


def test_another_site_cannot_read_it_under_a_name_of_its_own(page: Browser, box: MemoryBox) -> None:
    put(box)
    answer = page.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "Rivers" not in answer.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"Content-Type: text/html; charset=no-such\r\n\r\n<p>\xe4</p>",
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\nhalf",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Subject: \x00\r\n\r\n\x00",
    ],
)
@pytest.mark.parametrize("view", ["html", "text", "headers", "source", "odd"])
def test_odd_mail_can_be_looked_at(page: Browser, box: MemoryBox, content: bytes, view: str) -> None:
    mail = box.keep(sender="", recipients=(), content=content)
    assert page.get(f"/mail/{mail.id}", params={"view": view}).status_code == 200
    assert page.get("/").status_code == 200
