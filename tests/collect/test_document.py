import pytest

from newsletter.collect.document import document_of
from newsletter.errors import ParseError
from tests.collect.makers import item, read_bytes, rss


def _headline(content: bytes, content_type: str = "", encoding: str | None = None) -> str:
    text = document_of(content, feed="f", content_type=content_type, encoding=encoding).decode()
    return text.split("<title>")[1].split("</title>")[0]


def _labelled(label: str, coding: str, title: str = "Café à côté") -> bytes:
    return f'<?xml version="1.0" encoding="{label}"?><rss><title>{title}</title></rss>'.encode(coding)


@pytest.mark.parametrize(
    ("content", "content_type", "encoding"),
    [
        (_labelled("utf-8", "utf-8"), "text/xml", None),
        (_labelled("iso-8859-1", "utf-8"), "text/xml; charset=iso-8859-1", None),
        (_labelled("utf-8", "latin-1"), "text/xml; charset=utf-8", None),
        (_labelled("iso-8859-1", "latin-1"), "", None),
        (_labelled("x", "latin-1"), 'application/xml; charset="iso-8859-15"', None),
        (_labelled("utf-16", "utf-16"), "", None),
        (_labelled("utf-16", "utf-16-le"), "", None),
        (_labelled("utf-8", "utf-8-sig"), "", None),
        (_labelled("koi8-r", "latin-1"), "", "latin-1"),
        (_labelled("base64", "utf-8"), "", None),
    ],
)
def test_the_letters_are_right_whatever_the_labels_say(content: bytes, content_type: str, encoding: str | None) -> None:
    assert _headline(content, content_type, encoding) == "Café à côté"


def test_an_older_text_pasted_into_utf8_is_read_too() -> None:
    assert _headline(b"<rss><title>\xc3\xa9t\xe9 \x93so\x94 \xed\xa0\x80x</title></rss>") == "été “so” x"


def test_controls_that_xml_cannot_hold_are_gone() -> None:
    assert _headline(b"<rss><title>a\x00b\x0bc\x1bd</title></rss>") == "abcd"


@pytest.mark.parametrize(
    "junk", ["\n\n", "<br />\n<b>Warning</b>: include() in <b>/srv/x.php</b> on line <b>3</b><br />\n", "\ufeff \n"]
)
def test_what_stands_before_the_document_does_not_matter(junk: str) -> None:
    assert [keyed.entry.headline for keyed in read_bytes(junk.encode() + rss(item("A dam"))).entries] == ["A dam"]


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (b"", "the body is empty"),
        (b" \n ", "the body is empty"),
        (b"<!DOCTYPE html><title>Just a moment...</title>", "got an HTML page instead of a feed: “Just a moment...”"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html><title>Hi</title></html>', "got an HTML page instead"),
        (b'<?xml version="1.0"?><html xmlns="x"><title>Hi</title></html>', "got an HTML page instead"),
        (b'{"version": "https://jsonfeed.example/1"}', "the JSON is no JSON Feed"),
        (b"Service unavailable", "got something that is no feed; it begins with “Service unavailable”"),
        (b'<?xml version="1.0"?><!-- never closed <rss>', "the XML ends before its first element"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "the XML is neither RSS nor Atom"),
        (b'<?xml version="1.0"?>', "the XML has no element"),
    ],
)
def test_what_is_no_feed_is_called_by_its_name(content: bytes, because: str) -> None:
    with pytest.raises(ParseError) as refused:
        read_bytes(content)
    assert because in refused.value.because


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>',
    ],
)
def test_a_document_that_declares_entities_is_refused(head: str) -> None:
    with pytest.raises(ParseError, match="entities of its own"):
        read_bytes(rss(item("&a;&b;&x;"), head=head))


def test_an_old_document_type_is_passed_over() -> None:
    head = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.example/rss.dtd">'
    assert len(read_bytes(rss(item(), head=head)).entries) == 1


@pytest.mark.parametrize("reference", ["&#0;", "&#x0", "&#xD800;", "&#57343;", "&#x110000;", "&#" + "9" * 5000 + ";"])
def test_a_reference_to_no_character_spoils_nothing_else(reference: str) -> None:
    # The ampersand alone makes it no XML, so that the lenient parser has to read it.
    (keyed,) = read_bytes(rss(item(f"Fish &amp;{reference} chips & more &#233;"))).entries
    assert keyed.entry.headline.startswith("Fish &")
    assert keyed.entry.headline.endswith(" chips & more é")
