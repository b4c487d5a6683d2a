"""Forty hostile texts in every place that a feed can fill: each edition goes out, and nothing but text comes of them."""

import re
from dataclasses import replace
from email.message import EmailMessage

import pytest
from lxml import html

from newsletter.model.edition import Part, Piece, Role, Source
from newsletter.model.item import Image
from newsletter.render.environment import Templates
from newsletter.render.faults import page_faults
from newsletter.render.mime import prepare
from newsletter.render.render import render_digest
from newsletter.render.samples import NONCE, plain_draft
from tests.render.messages import FACTS, READER, header_lines, parsed, part_of, prepared

HOSTILE = (
    "Ports\r\nBcc: all@example.net",
    "Ports\nBcc: all@example.net\n\nAnd a body",
    "Ports\rTo: all@example.net",
    "=?utf-8?q?Ports=0D=0ABcc:_all@example.net?=",
    "=?utf-8?b?UG9ydHMNCkJjYzogYWxsQGV4YW1wbGUubmV0?=",
    "=?us-ascii?q?a?= =?us-ascii?q?b?=",
    "Ports\u2028Bcc: all@example.net",
    "Ports\u2029Bcc: all@example.net",
    "Ports\x85Bcc: all@example.net",
    "Ports\x0bBcc:\x0call@example.net",
    "Ports\x00 and straits",
    "Ports \ud800 and \udfff straits",
    "\ufffe\uffff ports",
    "\u202estrop\u202c and \u2066straits\u2069",
    "po\u200brts\ufeff\u00ad",
    "p\u0338\u0338\u0338orts" + "\u0301" * 400,
    "x" * 2000,
    "ports " * 400,
    "港" * 2000,
    "{{ 7 * 7 }}",
    "{% for a in range(99999999) %}x{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{# comment #}",
    "{list} {partner} {address} %s %(name)s ${x}",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- ports -->",
    "--><script>alert(1)</script>",
    "<script>alert(1)</script>",
    "</title></style></head><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<![if mso]><b>x</b><![endif]>",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "<a href=&#106;avascript:alert(1)>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; &#0; &#xD800;",
    'ports, <other@example.net>, "quoted" (comment) ; group: a@b.example;',
    f"{NONCE}unsubscribe",
    f"{NONCE[:5]}{NONCE}{NONCE[5:]}address and &#110;{NONCE[1:]}name",
    "--=_boundary--\r\nContent-Type: text/html\r\n\r\n<script>",
    "From ports to straits\n.\n.\r\n.\r\nQUIT",
    "\t \u00a0\u3000 ",
)  # fmt: skip


def edition_of(text: str) -> Piece:
    lead = plain_draft().pieces[0]
    return replace(
        lead,
        headline=text,
        dek=text,
        byline=text,
        section_line=text,
        credit_line=text,
        partner=text,
        url=text,
        homepage=text,
        html=f"<p>{text}</p><p onclick='{text}' title=\"{text}\">a</p><a href='{text}'>b</a><img src='{text}' alt='{text}'>",
        paragraphs=(text, "## " + text, "- " + text, "> " + text),
        image=Image(url="https://harbour.example/a.jpg", caption=text, credit=text, alt=text),
        also_at=(Source(partner=text, url=text), Source(partner=text, url="https://harbour.example/" + text)),
    )


@pytest.fixture(scope="module")
def plain(templates: Templates) -> EmailMessage:
    """What an edition without any trick in it looks like."""
    return parsed(prepared(templates).message(READER))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_shown_as_text_and_does_nothing_else(
    templates: Templates, plain: EmailMessage, text: str
) -> None:
    lead = edition_of(text)
    draft = replace(
        plain_draft(),
        parts=(Part(title=text, pieces=(lead, replace(lead, role=Role.TEASER, whole=False, language=text))),),
    )
    rendered = render_digest(draft, NONCE, templates=templates)
    message = prepare(rendered, FACTS).message(READER)
    read = parsed(message)

    # The headers: those of any message, one recipient, one line a field.
    assert list(read.keys()) == list(plain.keys())
    assert [address.addr_spec for address in read["To"].addresses] == [READER.address]
    assert read["From"] == plain["From"]
    assert all(re.match(rb"[A-Z][A-Za-z-]+: | \S", line) for line in header_lines(message))
    assert message.isascii()
    assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
    assert len(list(read.iter_parts())) == 2

    # The page: nothing runs, nothing loads, no field of the reader where the feed wanted it.
    page = part_of(message, "html")
    assert page_faults(page, nonce=NONCE) == ()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]", page)
    tree = html.document_fromstring(page)
    assert [element.get("href") for element in tree.iter("a")].count(READER.unsubscribe_url) == 1
    assert NONCE not in page
    assert NONCE not in part_of(message, "plain")

    # The piece is there, twice.
    assert len(tree.findall(".//img")) == 2
    assert str(READER.unsubscribe_url) in part_of(message, "plain")


def test_what_can_be_read_of_a_hostile_headline_is_still_read(templates: Templates) -> None:
    for text, shown in (
        ("Ports\r\nBcc: all@example.net", "Ports Bcc: all@example.net"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }}"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Ports\u2028and\x00straits", "Ports and straits"),
        ("\u202estrop\u202c", "strop"),
    ):
        draft = replace(plain_draft(), parts=(Part(title="", pieces=(edition_of(text),)),))
        rendered = render_digest(draft, NONCE, templates=templates)
        assert rendered.subject == shown
        (headline,) = html.document_fromstring(rendered.html).iter("h2")
        assert shown in "".join(map(str, headline.itertext()))
        assert shown in rendered.text
