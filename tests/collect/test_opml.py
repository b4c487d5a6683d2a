"""OPML: read as other readers write it, written so that they and we can read it."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from lxml import etree

from newsletter.collect.opml import Outline, read_opml, write_opml
from newsletter.errors import ImportFileError
from tests.collect.makers import a_feed

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def opml(*outlines: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>', version: str = "2.0") -> bytes:
    return f'{head}<opml version="{version}"><head><title>Mine</title></head><body>{"".join(outlines)}</body></opml>'.encode()


def feed(name: str = "courier", more: str = "", **attributes: str) -> str:
    told = {"type": "rss", "text": name.title(), "xmlUrl": f"https://{name}.example/feed/"} | attributes
    return "<outline " + " ".join(f'{key}="{value}"' for key, value in told.items()) + f" {more}/>"


def folder(name: str, *inside: str) -> str:
    return f'<outline text="{name}">{"".join(inside)}</outline>'


def found(*outlines: str) -> tuple[Outline, ...]:
    return read_opml(opml(*outlines), file="mine.opml").found


def test_a_feed_has_its_title_address_page_and_language() -> None:
    (one,) = found(feed(text="Le Courrier &amp; Co", htmlUrl="https://courier.example/", language="fr_CH"))
    assert one == Outline(
        title="Le Courrier & Co",
        url="https://courier.example/feed/",
        homepage="https://courier.example/",
        language="fr-CH",
    )


def test_folders_become_topics_and_the_innermost_comes_first() -> None:
    one, other = found(folder("News", folder("Middle East", feed("one")), feed("other", category="Energy,/A/Water")))
    assert one.topics == ("Middle East", "News")
    assert other.topics == ("Energy", "Water", "A", "News")


def test_a_feed_in_two_folders_is_one_feed_with_both_topics() -> None:
    (one,) = found(folder("Ports", feed()), folder("Seas", feed()), folder("PORTS", feed()))
    assert one.topics == ("Ports", "Seas")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("feed:https://x.example/f", "https://x.example/f"),
        ("feed://x.example/f", "http://x.example/f"),
        ("feed://https://x.example/f", "https://x.example/f"),
        (" https://x.example/f?a=1&amp;copy=2 ", "https://x.example/f?a=1&copy=2"),
        ("https://x.example/f?a=1&b=2", "https://x.example/f?a=1&b=2"),
        ("https://bücher.example/f", "https://xn--bcher-kva.example/f"),
    ],
)
def test_addresses_are_understood_as_programs_write_them(given: str, url: str) -> None:
    (one,) = found(feed(xmlUrl=given))
    assert (one.url, one.because) == (url, None)


@pytest.mark.parametrize(
    "given", ["javascript:alert(1)", "file:///etc/passwd", "https://", "/feed", "x y", "ftp://x/y"]
)
def test_what_is_no_web_address_is_told(given: str) -> None:
    (one,) = found(feed(xmlUrl=given))
    assert one.because is not None
    assert "no address" in one.because


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    (one,) = found(feed(xmlUrl="https://ann:hunter2@x.example/f"))
    assert "password" in (one.because or "")
    assert "hunter2" not in repr(one)


def test_what_is_no_feed_is_told_and_empty_folders_are_not() -> None:
    outlines = found(
        '<outline type="include" text="More" url="https://x.example/more.opml"/>',
        '<outline text="A page" htmlUrl="https://x.example/"/>',
        '<outline type="rss" text="Nothing"/>',
        '<outline text="Empty"/>',
    )
    assert [(one.title, (one.because or "").split(":")[0]) for one in outlines] == [
        ("More", "it is another list of feeds"),
        ("A page", "it has a page but no feed"),
        ("Nothing", "it is called a feed but has no xmlUrl"),
    ]


def test_letters_that_are_written_as_html_are_letters() -> None:
    (one,) = found(feed(text="R&eacute;flexions & &#1605;&hellip; &unknown;"))
    assert one.title == "Réflexions & م… &unknown;"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_a_program_may_use_is_read(encoding: str) -> None:
    content = opml(feed(text="Übersee"), head=f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>')
    (one,) = read_opml(content.decode().encode(encoding), file="x").found
    assert one.title == "Übersee"


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes_and_that_is_told() -> None:
    read = read_opml(opml(feed("one"), feed("two"))[:-60], file="x")
    assert read.found[0].url == "https://one.example/feed/"
    assert "no proper XML" in (read.broken or "")


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (b"", "no OPML file"),
        (b"<!doctype html><html><title>x</title></html>", "no OPML file; it begins with “<!doctype html>"),
        (b"address,name\nann@example.org,Ann\n", "no OPML file"),
        (b'<?xml version="1.0"?><rss version="2.0"/>', "no OPML file"),
        (b'<!DOCTYPE opml [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><opml><body>&b;</body></opml>', "entities of its own"),
        (b'<!DOCTYPE opml [<!entity x SYSTEM "file:///etc/passwd">]><opml>&x;</opml>', "entities of its own"),
        (opml('<outline text="a">' * 100 + feed() + "</outline>" * 100), "nested deeper than 40"),
        (opml('<outline text="a">' * 200_000), "nested deeper than 40"),
        (opml(" " * 11_000_000), "larger than"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_of_feeds_or_means_harm_is_refused(content: bytes, because: str) -> None:
    with pytest.raises(ImportFileError, match=because):
        read_opml(content, file="mine.opml")


def test_titles_are_harmless_lines_of_bounded_length() -> None:
    (one,) = found(feed(text="a&#10;b&#x202e;c" + "x" * 1000))
    assert one.title.startswith("a bc")
    assert len(one.title) <= 120


def test_ten_thousand_feeds_are_read() -> None:
    assert len(found(*(feed(f"partner-{at}") for at in range(10_000)))) == 10_000


FEEDS = (
    a_feed("saltmarsh", partner='Salt & "Marsh"', homepage="https://saltmarsh.example/", topics=("Seas", "Ports")),
    a_feed("oasis", partner="مرصد الواحة", language="ar", topics=("Ports",)),
    a_feed("mirador", url="https://mirador.example/f?a=1&b=2"),
    a_feed("courier", topics=("Food, Drink", "Seas")),
)


def test_what_is_written_can_be_read_again() -> None:
    read = read_opml(write_opml(FEEDS, title="The Example Brief", now=NOW), file="x")
    assert read.broken is None
    told = {one.url: one for one in read.found}
    assert told.keys() == {one.url for one in FEEDS}
    for one in FEEDS:
        again = told[one.url]
        assert (again.title, again.homepage, again.language) == (one.partner, one.homepage, one.language)
        assert set(again.topics) == set(one.topics)
    assert told[FEEDS[0].url].topics == FEEDS[0].topics


def test_what_is_written_is_opml_2_0() -> None:
    root = etree.fromstring(write_opml(FEEDS, title="The Example Brief", now=NOW))
    assert (root.tag, root.get("version"), [child.tag for child in root]) == ("opml", "2.0", ["head", "body"])
    assert root.findtext("head/title") == "The Example Brief"
    assert parsedate_to_datetime(root.findtext("head/dateCreated") or "") == NOW
    assert all(outline.get("text") for outline in root.iter("outline"))
    assert all(one.get("type") == "rss" for one in root.iter("outline") if one.get("xmlUrl"))
    assert [one.get("text") for one in root.iterfind("body/outline") if not one.get("xmlUrl")] == [
        "Seas",
        "Ports",
        "Food, Drink",
    ]
