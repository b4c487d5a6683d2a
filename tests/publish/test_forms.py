"""What we publish, read as others read it: by lxml, by feedparser and by json."""

import json
import re
from io import BytesIO
from typing import Any

import feedparser
import pytest
from lxml import etree

from newsletter.model.edition import Draft, Edition
from newsletter.publish.paging import newest_page, past_page
from newsletter.publish.publish import Form, feed_of
from tests.publish.samples import ARABIC, BRIEF, HOSTILE, LEAD, PUBLICATION, an_edition, made, moved

A = "{http://www.w3.org/2005/Atom}"
XML = [Form.ATOM, Form.RSS]


def _parsed(form: Form, *editions: tuple[Edition, Draft]) -> Any:
    return feedparser.parse(BytesIO(made(form, *editions)), response_headers={"content-type": "application/xml"})


def _items(*editions: tuple[Edition, Draft]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(made(Form.JSON, *editions))["items"]
    return items


def _ids(form: Form, *editions: tuple[Edition, Draft]) -> list[str]:
    if form is Form.JSON:
        return [item["id"] for item in _items(*editions)]
    return [entry.id for entry in _parsed(form, *editions).entries]


@pytest.mark.parametrize("form", XML)
def test_another_reader_finds_each_piece_with_its_original_its_author_and_its_picture(form: Form) -> None:
    found = _parsed(form)
    assert not found.bozo
    assert (found.version, found.feed.title) == ({Form.ATOM: "atom10", Form.RSS: "rss20"}[form], "The Brief")
    lead, arabic = found.entries
    assert (lead.link, lead.author, lead.summary) == (LEAD.url, "Nora Weir", "What the gauges say.")
    assert lead.source.title == "River Observatory"
    assert [tag.term for tag in lead.tags] == ["World", "Analysis", "Rivers"]
    assert lead.published_parsed[:5] == (2026, 3, 3, 22, 0)
    assert [each.href for each in lead.enclosures] == ["https://observatory.example/river.JPG"]
    assert lead.media_credit[0]["content"] == "P. Ebble"
    assert "It &lt;has not&gt; fallen" in lead.content[0].value
    assert (arabic.title, arabic.link) == ("النهر يرتفع", ARABIC.url)
    assert arabic.get("author", "مرصد الأنهار") == "مرصد الأنهار", "never us"


@pytest.mark.parametrize("form", Form)
def test_the_original_is_named_in_every_form(form: Form) -> None:
    document = made(form).decode()
    assert "https://magazine.example/1" in document
    if form is Form.JSON:
        first = json.loads(document)["items"][0]
        assert (first["external_url"], first["_newsletter"]["source"]["name"]) == (LEAD.url, LEAD.partner)
        return
    root = etree.fromstring(document.encode())
    entry = next(root.iter(f"{A}entry", "item"))
    links = {link.get("rel"): link.get("href") for link in entry.iter(f"{A}link")}
    assert links["canonical"] == LEAD.url
    assert links["collection"] == "https://news.example.org/archive/brief/1"
    if form is Form.ATOM:
        assert links["via"] == LEAD.url
        assert entry.findtext(f"{A}source/{A}title") == LEAD.partner
    else:
        source = entry.find("source")
        assert source is not None
        assert (source.text, source.get("url")) == (LEAD.partner, LEAD.homepage)


@pytest.mark.parametrize("form", Form)
def test_a_feed_says_what_the_mail_said_with_the_credit_line_and_no_more(form: Form) -> None:
    document = made(form).decode()
    assert LEAD.credit_line in document
    assert re.search(r"The river <small class=.+?P\. Ebble", document.replace("&lt;", "<"))
    shown = json.loads(document)["items"][1]["content_html"] if form is Form.JSON else document
    assert f'<div lang="ar" dir="rtl">{ARABIC.html}</div>' in shown.replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize("form", Form)
def test_no_address_stands_in_a_feed(form: Form) -> None:
    assert "@" not in made(form).decode()


@pytest.mark.parametrize("form", Form)
def test_ids_are_the_same_in_all_forms_and_stay_when_the_site_moves(form: Form) -> None:
    ids = _ids(form)
    assert ids == ["tag:news.example.org,2026-03-04:brief/1/11", "tag:news.example.org,2026-03-04:brief/1/12"]
    after = made(form, publication=moved()).decode()
    assert all(each in after for each in ids)


@pytest.mark.parametrize("form", Form)
def test_pieces_come_by_edition_in_reading_order(form: Form) -> None:
    later = an_edition(2, ARABIC)
    assert [each.split("brief/")[1] for each in _ids(form, later, an_edition(1))] == ["2/12", "1/11", "1/12"]


@pytest.mark.parametrize("form", Form)
def test_hostile_texts_break_no_document_and_bring_in_nothing(form: Form) -> None:
    document = made(form, an_edition(1, HOSTILE, LEAD))
    text = document.decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e\ufffe]", text)
    if form is Form.JSON:
        first = json.loads(document)["items"][0]
        markup = first["content_html"]
        assert len(json.loads(document)["items"]) == 2
    else:
        root = etree.fromstring(document)
        assert len(list(root.iter(f"{A}entry", "item"))) == 2
        assert not [element for element in root.iter() if element.tag in {"x", "script"}]
        entry = next(root.iter(f"{A}entry", "item"))
        markup = (
            entry.findtext(f"{A}content") or entry.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or ""
        )
    assert "]]&gt;" in markup
    assert not re.search(r"<script|onclick|javascript:|<img|data:", markup)
    assert "javascript:" not in text.replace("alert", "")
    assert "file:" not in text


@pytest.mark.parametrize("form", Form)
def test_a_list_without_editions_has_a_feed_to_follow_already(form: Form) -> None:
    document = feed_of((), publication=PUBLICATION, mailing_list=BRIEF, page=newest_page(0), form=form)
    assert b"The Brief" in document
    assert b"tag:" not in document


@pytest.mark.parametrize("form", XML)
def test_documents_of_the_past_say_so_and_lead_on(form: Form) -> None:
    base = f"https://news.example.org/feeds/brief.{form}"
    newest = etree.fromstring(made(form, an_edition(31), page=newest_page(31)))
    past = etree.fromstring(made(form, an_edition(12), page=past_page(2, newest=31)))

    assert _pages(newest) == {"self": base, "prev-archive": f"{base}?page=3"}
    assert _pages(past) == {
        "self": f"{base}?page=2",
        "current": base,
        "prev-archive": f"{base}?page=1",
        "next-archive": f"{base}?page=3",
    }
    archive = "{http://purl.org/syndication/history/1.0}archive"
    assert [next(root.iter(archive), None) is not None for root in (newest, past)] == [False, True]


def _pages(root: etree._Element) -> dict[str, str]:
    head = root if root.tag == f"{A}feed" else root[0]
    links = {str(link.get("rel")): str(link.get("href")) for link in head.findall(f"{A}link")}
    return {relation: href for relation, href in links.items() if relation != "alternate"}


def test_a_json_feed_leads_on_to_what_is_older() -> None:
    newest = json.loads(made(Form.JSON, an_edition(31), page=newest_page(31)))
    first = json.loads(made(Form.JSON, an_edition(2), page=past_page(1, newest=31)))
    assert newest["next_url"] == "https://news.example.org/feeds/brief.json?page=3"
    assert "next_url" not in first
    assert first["feed_url"] == "https://news.example.org/feeds/brief.json?page=1"
