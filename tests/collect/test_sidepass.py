from dataclasses import replace

import pytest

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.document import document_of
from newsletter.collect.parse import parse
from newsletter.collect.read import read
from newsletter.collect.sidepass import scan
from tests.collect.makers import DATA, NOW, a_feed, item, read_bytes, rss

MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'


def _again(content: bytes, known: frozenset[str]) -> ParsedFeed:
    feed = a_feed()
    return read(Body(feed=feed, content=content, url=feed.url), lambda digests: known & frozenset(digests), now=NOW)


def test_known_entries_are_cut_and_the_others_come_out_as_before() -> None:
    content = (DATA / "wordpress.xml").read_bytes()
    first, second = read_bytes(content).entries
    found = _again(content, frozenset({first.entry.source_digest}))
    assert found.known == 1
    assert found.entries == (second,)


_PIECES = tuple(
    item(
        f"Number {at}",
        name=f"number-{at}",
        body=f"<p>A &amp; B &lt;{at}&gt; <em>é</em></p>]]]]><![CDATA[>",
        more="<content:encoded><![CDATA[<p>Whole <a href='/x?a=1&amp;b=2'>text</a></p>]]></content:encoded>"
        f"<dc:creator>Ilse &#214;konedo</dc:creator><category>Ports &amp; ships</category>{' ' * at}",
    )
    for at in range(4)
)
_NAMES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xml:base="https://courier.example/base/"'
)
_DOCUMENTS = {
    "windows-1256": (DATA / "windows-1256.xml").read_bytes(),
    "atom": (DATA / "atom.xml").read_bytes(),
    "arabic": (DATA / "arabic.xml").read_bytes(),
    "wordpress": (DATA / "wordpress.xml").read_bytes(),
    "CDATA and entities": rss(*_PIECES).replace(b"<rss ", f"<rss {_NAMES} ".encode()),
}


@pytest.mark.parametrize("content", _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_what_is_left_of_a_document_reads_as_it_did_in_the_whole(content: bytes) -> None:
    base = a_feed().url
    document = document_of(content, feed="courier")
    whole = parse(document, base=base)
    for keep in range(len(whole.entries)):
        tree = scan(document, base=base, salt="")
        assert tree is not None
        others = frozenset(side.digest for at, side in enumerate(tree.entries) if at != keep)
        left = parse(tree.without(others), base=base)
        assert left.entries == (replace(whole.entries[keep], images=left.entries[0].images),)
        assert (left.title, left.language) == (whole.title, whole.language)


def test_what_libxml2_refuses_is_read_whole_though_it_is_known() -> None:
    content = rss(item("A & B"), item("Another headline", name="two-two-two"))
    first, second = read_bytes(content).entries
    known = frozenset({first.entry.source_digest, second.entry.source_digest})
    assert _again(content, known) == ParsedFeed(entries=(first, second), title="Sample")


def test_a_document_of_known_entries_is_not_parsed_at_all() -> None:
    content = (DATA / "media-nested.xml").read_bytes()
    listed = read_bytes(content).listed
    assert _again(content, frozenset(listed)) == ParsedFeed(known=2, listed=listed)


def test_a_digest_changes_with_the_text_and_not_with_the_number_of_comments() -> None:
    content = (DATA / "wordpress.xml").read_bytes()
    plain, commented, edited = (
        read_bytes(each).entries[0].entry.source_digest
        for each in (
            content,
            content.replace(b"comments>3<", b"comments>4<"),
            content.replace(b"two barrels", b"three barrels"),
        )
    )
    assert plain == commented
    assert plain != edited


def test_a_raw_guid_is_kept_as_it_was_written() -> None:
    document = rss("<item><title>A headline</title><guid> ?p=7 </guid><link>https://x.example/a-b-c</link></item>")
    assert read_bytes(document).entries[0].entry.guid == "?p=7"


def test_a_small_picture_gives_way_to_its_larger_form() -> None:
    sizes = "".join(
        f'<media:content {MEDIA} url="https://x.example/{width}.jpg" medium="image" width="{width}"/>'
        for width in (150, 1200, 600)
    )
    (keyed,) = read_bytes(rss(item(more=f"{sizes}<media:credit {MEDIA}>Ada Quill</media:credit>"))).entries
    image = keyed.entry.image
    assert image is not None
    assert (image.url, image.credit) == ("https://x.example/1200.jpg", "Ada Quill")


def test_the_hours_a_feed_asks_to_be_spared_are_read() -> None:
    channel = "<skipHours><hour>2</hour><hour>24</hour><hour>x</hour></skipHours>"
    assert read_bytes(rss(item(), channel=channel)).skip_hours == frozenset({0, 2})


def test_what_is_not_well_formed_is_left_to_feedparser() -> None:
    broken = rss(item("A & B"), item("Another headline", name="two-two-two"))[: -len("</channel></rss>")]
    assert scan(broken, base="https://x.example/", salt="") is None
    assert [keyed.entry.headline for keyed in read_bytes(broken).entries] == ["A & B", "Another headline"]


def test_a_picture_is_found_where_only_feedparser_can_read() -> None:
    media = f'<media:content {MEDIA} url="/a.jpg" medium="image"/><media:credit {MEDIA}>Ada Quill</media:credit>'
    (keyed,) = read_bytes(rss(item("A & B", more=media))).entries
    image = keyed.entry.image
    assert image is not None
    assert (image.url, image.credit) == ("https://courier.example/a.jpg", "Ada Quill")


def test_deep_nesting_is_not_taken_on() -> None:
    assert scan(b"<rss>" + b"<d>" * 5000 + b"</d>" * 5000 + b"</rss>", base="https://x.example/", salt="") is None
