"""Feeds written by somebody who wants into a header, a page's script or another reader's mail."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import html as lxml_html
from playwright.sync_api import Route, sync_playwright

from newsletter.app import App
from newsletter.mailbox.server import MailboxThread
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part

TEXTS = (
    "Ports\r\nBcc: all@example.net",
    "Ports\n\nBcc: all@example.net\n\nAnd a body",
    "Ports\rTo: all@example.net",
    "=?utf-8?q?Ports=0D=0ABcc:_all@example.net?=",
    "=?utf-8?b?UG9ydHMNCkJjYzogYWxsQGV4YW1wbGUubmV0?=",
    "Ports&#13;&#10;Bcc: all@example.net",
    "Ports\u2028Bcc: all@example.net",
    "Ports\u2029Bcc: all@example.net",
    "Ports\x85Bcc: all@example.net",
    "Ports\x0bBcc:\x0call@example.net",
    "Ports\x00 and straits",
    "Ports \ud800 and \udfff straits",
    "\ufffe\uffff ports",
    "\u202estrop\u202c and \u2066straits",
    "po\u200brts\ufeff\u00ad",
    "p\u0338\u0338orts" + "\u0301" * 300,
    "x" * 2000,
    "ports and straits " * 120,
    "港" * 2000,
    "🚢🚢🚢",
    "🏳️‍🌈 👩‍👩‍👧‍👦",
    "الموانئ والمضائق \u200f(١)",
    "נמלים ומצרים",
    "{{ 7 * 7 }}{{ config }}",
    "{% for a in range(99999999) %}x{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{# comment #} {list} {partner} %s %(name)s ${x}",
    "]]>",
    "<![CDATA[ports]]>",
    "<!-- ports -->",
    "--><script>window.ran = 1</script>",
    "<script>window.ran = 1</script>ports",
    "</title></style></head><script>window.ran = 1</script>",
    '"><img src=x onerror="window.ran = 1">',
    "' onmouseover='window.ran = 1",
    "<!--[if mso]><b>x</b><![endif]-->",
    "javascript:window.ran=1",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cucmFuPTE8L3NjcmlwdD4=",
    "<a href=&#106;avascript:window.ran=1>ports</a>",
    "&lt;script&gt;window.ran=1&lt;/script&gt; &amp;amp; &#0; &#xD800;",
    'ports, <other@example.net>, "quoted" (comment) ; group: a@b.example;',
    "--=_boundary--\r\nContent-Type: text/html\r\n\r\n<script>window.ran = 1</script>",
    "From ports to straits\n.\n.\r\n.\r\nQUIT",
    "nlunsubscribe nl0000000000address {{ unsubscribe_url }} @@unsubscribe@@",
    "<svg onload='window.ran = 1'><style>*{background:url(http://127.0.0.1:9/leak)}</style></svg>",
    "<iframe src='http://127.0.0.1:9/leak'></iframe><object data='x'></object><base href='http://127.0.0.1:9/'>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/leak'><link rel=stylesheet href='http://127.0.0.1:9/a'>",
    "<form action='http://127.0.0.1:9/leak'><button autofocus onfocus='window.ran = 1'>ports</button></form>",
)
LINKS = (
    "javascript:window.ran=1",
    "JaVa\tScRiPt:window.ran=1",
    "data:text/html,<script>window.ran=1</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "https://harbour.example/\r\nBcc: all@example.net",
    'https://harbour.example/" onmouseover="window.ran=1',
    "https://harbour.example/<script>window.ran=1</script>",
    "https://good.example@evil.example/",
    "https://harbour.example:99999/",
    "http://[::1",
    "https://harbour.example/" + "a" * 5000,
    "https://harbour.example/\u202egpj.exe",
    "https://harbour.example/{{ 7*7 }}/%0d%0aBcc:x",
    "",
)
COUNT = len(TEXTS) + len(LINKS)
ELEMENTS = set(
    "html head meta title style body table tbody tr td div span a img p h1 h2 h3 h4 h5 h6 strong em b i u s br hr ul ol"
    " li blockquote center sup sub code pre small figure figcaption cite del ins dl dt dd abbr q".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: one edition an item, and editions of a dozen items each."""

    program: Program
    headlines: dict[int, str]
    singles: dict[int, EmailMessage]
    dozens: tuple[EmailMessage, ...]
    plain: EmailMessage
    recipients: frozenset[tuple[str, ...]]
    partner: str


def hostile(number: int) -> bytes:
    """A feed with one article; the text is in every place that a feed can fill."""
    marked = f"<p>Marker {number:03} stands in this paragraph, and the paragraph in the article.</p>"
    if number >= len(TEXTS):
        link = LINKS[number - len(TEXTS)]
        return feed_of(Article(headline=f"Link {number}", link=link, guid=f"guid-{number}", body=marked))
    text = TEXTS[number]
    media = (
        f'<media:content medium="image" url="{escape(text)}"><media:credit>{escape(text)}</media:credit>'
        f"<media:description>{escape(text)}</media:description></media:content>"
    )
    return feed_of(
        Article(
            headline=text,
            link=f"https://harbour.example/{number}/{text}",
            guid=f"{number} {text}",
            body=f"{marked}<p>{text}</p><p onclick='{text}' title=\"{text}\">a</p><a href='{text}'>b</a>",
            dek=text,
            byline=text,
            categories=(text,),
            extra=media,
            age=timedelta(minutes=number + 1),
        ),
        title=text,
    )


def markers(mail: EmailMessage) -> set[int]:
    """Which items are in a mail."""
    return {int(found) for found in re.findall(r"Marker (\d{3})", " ".join(part(mail, "plain").split()))}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with Partner() as partner, MailboxThread() as mailbox:
        program = Program(tmp_path_factory.mktemp("hostile") / "site", mailbox, web_port=1)
        partner.bodies = {f"/{number}": hostile(number) for number in range(COUNT)}
        partner.bodies["/plain"] = feed_of(Article(headline="A plain headline"))
        feeds = {f"f{number:03}": feed_file(f"{partner.url}/{number}", partner=f"P{number}") for number in range(COUNT)}
        feeds["plain"] = feed_file(f"{partner.url}/plain")
        more = (
            f'[lists.long]\ntitle = "The Long"\n[digests.dozen]\nlist = "long"\nmax_items = 12\nalready_sent = "keep"\n'
            f'feeds = {json.dumps([*feeds][:COUNT])}\n[digests.plain]\nlist = "brief"\nfeeds = ["plain"]\n'
        )
        texts = json.dumps([*feeds][: len(TEXTS)])
        program.configure(f"max_items = 1\nfull = 'all'\nsections = [{{feeds = {texts}}}]", more=more, **feeds)
        program.json(
            *("subscribers", "add", "ann@example.org", "--list", "brief", "--list", "long"),
            *("--confirmed", "--source", "test"),
        )
        polled = program.json("poll")["feeds"]
        assert [(feed["feed"], feed["new"], feed["because"]) for feed in polled if feed["new"] != 1] == []
        program.json("compose", "plain")
        asyncio.run(compose_all(program))
        report = program.json("send")
        assert (report["sent"], report["failed"]) == (report["recipients"], 0)
        mails = program.mails()
        yield Outcome(
            program=program,
            headlines={int(item["feed"][1:]): item["headline"] for item in items(program) if item["feed"] != "plain"},
            singles={next(iter(markers(mail))): mail for mail in mails if "daily" in mail["Message-ID"]},
            dozens=tuple(mail for mail in mails if "dozen" in mail["Message-ID"]),
            plain=next(mail for mail in mails if mail["Subject"] == "A plain headline"),
            recipients=frozenset(mail.recipients for mail in mailbox.box.listed()),
            partner=urlsplit(partner.url).netloc,
        )


TOUCH_EVERYTHING = """() => {
    for (const element of document.querySelectorAll("*"))
        for (const name of ["load", "error", "mouseover", "focus", "click"])
            if (!(name === "click" && element.closest("a"))) element.dispatchEvent(new Event(name));
    return [window.ran ?? null, document.scripts.length, location.href];
}"""


def items(program: Program) -> list[dict[str, str]]:
    found: list[dict[str, str]] = program.json("items", "--limit", "1000")["items"]
    return found


async def compose_all(program: Program) -> None:
    app = App.open(open_site(program.folder))
    try:
        while (await app.compose("daily")).edition_id:
            pass
        while (await app.compose("dozen")).edition_id:
            pass
    finally:
        app.close()


def test_every_item_goes_out_in_both_forms(outcome: Outcome) -> None:
    assert sorted(outcome.singles) == list(range(len(TEXTS)))
    assert sorted(number for mail in outcome.dozens for number in markers(mail)) == list(range(COUNT))
    for number, mail in outcome.singles.items():
        for shown in (seen(part(mail, "html")), part(mail, "plain")):
            assert squeezed(f"Marker {number:03}") in squeezed(shown), number
            # Long ones are cut, and may break anywhere.
            assert squeezed(outcome.headlines[number])[:120] in squeezed(shown), number


def seen(page: str) -> str:
    body = lxml_html.document_fromstring(page).find("body")
    assert body is not None
    return "".join(map(str, body.itertext()))


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b\u00ad\u200c\u034f]", "", text)


def test_no_text_makes_a_header_or_a_recipient(outcome: Outcome) -> None:
    assert outcome.recipients == {("ann@example.org",)}
    for number, mail in outcome.singles.items():
        assert list(mail.keys()) == list(outcome.plain.keys()), number
        assert [address.addr_spec for address in mail["To"].addresses] == ["ann@example.org"]
        assert mail["From"] == outcome.plain["From"]
        assert mail["Subject"].rstrip("…") == outcome.headlines[number][: len(mail["Subject"].rstrip("…"))], number
        assert not re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", mail["Subject"])
        assert [one.get_content_type() for one in mail.iter_parts()] == ["text/plain", "text/html"]


def test_nothing_that_runs_or_loads_is_in_a_page(outcome: Outcome) -> None:
    for mail in (*outcome.singles.values(), *outcome.dozens):
        tree = lxml_html.document_fromstring(part(mail, "html"))
        elements = list(tree.iter("*"))
        assert {element.tag for element in elements} <= ELEMENTS
        for element in elements:
            for name, value in element.items():
                assert not str(name).startswith("on"), (element.tag, name, value)
                if name in {"href", "src", "background", "action"}:
                    assert re.match(r"https?://[\w.\[\]:-]+(/|$|\?)", str(value)), (element.tag, name, value)
        assert "127.0.0.1:9/" not in "".join(str(element.text) for element in elements if element.tag == "style")


def test_no_template_of_a_feed_is_filled_in(outcome: Outcome) -> None:
    number = TEXTS.index("{{ 7 * 7 }}{{ config }}")
    assert outcome.singles[number]["Subject"] == "{{ 7 * 7 }}{{ config }}"
    for mail in outcome.singles.values():
        leaving = re.findall(r"http://127\.0\.0\.1:1/u/\w+", part(mail, "plain"))
        assert len(leaving) == 1


def test_no_terminal_obeys_an_items_text(outcome: Outcome) -> None:
    for command in (["items", "--limit", "1000"], ["feeds", "list"]):
        printed = outcome.program.run(*command).out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)


@pytest.mark.browser
def test_nothing_runs_and_nothing_leaves_in_a_browser(outcome: Outcome, chromium: Path) -> None:
    pages = [part(mail, "html") for mail in (*outcome.singles.values(), *outcome.dozens)]
    asked: list[tuple[str, str]] = []
    dialogs: list[str] = []

    def refuse(route: Route) -> None:
        asked.append((route.request.resource_type, urlsplit(route.request.url).netloc))
        route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", refuse)
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        # What is between the documents' heads and ends, all on one page.
        bodies = [re.sub(r"(?is)^.*?<body[^>]*>|</body>.*$", "", text) for text in pages]
        page.set_content("<!DOCTYPE html><title>all</title>" + "".join(f"<div>{body}</div>" for body in bodies))
        ran = page.evaluate(TOUCH_EVERYTHING)
        found = page.evaluate("() => (document.body.innerText.match(/Marker \\d{3}/g) ?? []).length")
        browser.close()

    assert ran == [None, 0, "about:blank"]
    assert found >= len(TEXTS) + COUNT
    assert dialogs == []
    # Pictures that a feed gives as such are shown; nothing else is asked for, and nobody but their server.
    assert {kind for kind, _ in asked} == {"image"}
    assert {host for _, host in asked} == {outcome.partner}
