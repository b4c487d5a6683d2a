"""What the sample feeds, each in the shape of a publishing system, are read as."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.collect.entry import content_hash
from newsletter.model.feed import Feed
from newsletter.model.item import Direction, Entry, Image
from tests.collect.makers import NOW, a_feed, item, read_bytes, read_file, rss


def _entries(name: str, feed: Feed | None = None) -> list[Entry]:
    return [keyed.entry for keyed in read_file(name, feed).entries]


def test_a_wordpress_article_is_read_whole() -> None:
    entry = _entries("wordpress.xml", a_feed(kind="Essay"))[0]
    assert entry.guid == "https://saltmarsh.example/?p=4711"
    assert entry.headline == "The tide clock that nobody winds – and why it still runs"
    assert entry.dek == "Old machines keep time by the moon, and the moon does not ask for maintenance…"
    assert entry.byline == "Nora Fenwick"
    assert entry.categories == ("Analysis", "Harbours & Ports")
    assert entry.section_line == "Essay | Harbours & Ports"
    assert entry.published_at == datetime(2026, 3, 4, 7, 30, tzinfo=UTC)
    assert (entry.language, entry.direction) == ("en-GB", Direction.LTR)
    assert entry.image == Image(
        url="https://saltmarsh.example/wp-content/uploads/2026/03/tide-clock-1024x683.jpg",
        caption="The dial on the old customs house",
        credit="Ada Quill via Flickr",
        alt="A brass dial",
        width=1024,
        height=683,
    )
    clock, subhead, float_ = entry.text.split("\n\n")
    assert clock.endswith("in the customs house of Vell jumps by one notch. Nobody winds it.")
    assert subhead == "A float, a chain and a debt"
    assert float_.startswith("A float rises with the water")
    assert '<a href="https://saltmarsh.example/about/vell">Nobody winds it</a>' in entry.html


def test_a_summary_that_is_the_whole_text_is_no_dek_and_an_enclosure_is_the_picture() -> None:
    entry = _entries("wordpress.xml")[1]
    assert (entry.dek, entry.byline, entry.section_line) == ("", "", "Interview")
    assert entry.text == "She rows between them, weather permitting, and sleeps in the driest."
    assert entry.image is not None
    assert entry.image.url.endswith("rowing.jpg")


def test_rebelmouse_captions_and_buttons_leave_the_text() -> None:
    (entry,) = _entries("rebelmouse.xml")
    assert entry.text == (
        "The carriages belong to a bank, the locomotive to a canton and the timetable to nobody in particular."
        "\n\nPassengers have noticed."
    )
    assert entry.image is not None
    assert entry.image.url == "https://levelcrossing.example/media-library/sleeping-car.jpg?id=5150&width=1200"
    assert entry.image.caption == "A sleeping car at Ostrand, ready to leave."
    assert entry.image.credit == "Lena Ibsen/Crossing Pool"
    assert entry.published_at == datetime(2026, 3, 6, 3, 10, tzinfo=UTC)


def test_a_caption_beside_the_picture_is_not_taken_for_the_text_even_where_it_comes_first() -> None:
    dam, plain = _entries("media-siblings.xml")
    assert dam.text == "Engineers opened the gates a hand’s breadth at a time, and the valley listened."
    assert dam.image == Image(
        url="https://img.courier.example/2026/dam-square.jpg",
        caption="The spillway at Karst, opened for the first time in nine years.",
        credit="Oskar Venn for The Courier",
        width=1600,
        height=900,
    )
    assert dam.byline == "Mira Holt and Jon Sable"
    assert dam.section_line == "Karst"
    assert plain.image is None


def test_a_caption_inside_the_picture_goes_with_it_and_all_its_credits() -> None:
    mules, film = _entries("media-nested.xml")
    assert mules.image is not None
    assert mules.image.caption == "Two mules on the terrace path above Alcor."
    assert mules.image.credit == "Paz Lorente / Agencia Cumbre"
    assert mules.dek == "Growers in the valley have carried 4,000 almond trees two hundred metres higher, by mule"
    assert mules.text == "It took nineteen days and cost one bell, lost in a stream. The trees did not mind."
    assert film.image is not None
    assert (film.image.url, film.image.credit) == ("https://img.mirador.example/pass-still.jpg", "CUMBRE")


def test_an_atom_entry_is_read_with_its_base_and_language() -> None:
    (entry,) = _entries("atom.xml")
    assert entry.headline == "Das Wehr & die Fische"
    assert entry.url == "https://fluss.example/texte/das-wehr-und-die-fische"
    assert entry.guid == "tag:fluss.example,2026:/texte/wehr"
    assert '<a href="https://fluss.example/karte">' in entry.html
    assert (entry.byline, entry.dek, entry.language) == ("Jutta Brand", "Seit gestern steht das Wehr offen.", "de")
    assert entry.published_at == datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 3, 4, 8, tzinfo=UTC)
    assert entry.image is not None
    assert entry.image.url == "https://fluss.example/bilder/wehr.png"


def test_an_arabic_entry_runs_from_right_to_left_whatever_the_channel_says() -> None:
    (entry,) = _entries("arabic.xml")
    assert (entry.language, entry.direction) == ("ar", Direction.RTL)
    assert (entry.byline, entry.section_line) == ("سلمى الراوي", "تحليل | المياه")
    assert entry.text == "فتح أهل القرية القناة بعد ثلاثين عاماً، فعاد الماء كأنه لم يغب…"
    assert entry.url.isascii()


def test_an_old_code_page_is_read_by_its_label() -> None:
    (entry,) = _entries("windows-1256.xml")
    assert entry.headline == "رافعة جديدة في الميناء"
    assert entry.direction is Direction.RTL


@pytest.mark.parametrize(
    ("date", "believed"),
    [
        ("Mon, 02 Mar 2026 08:00:00 GMT", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ((NOW + timedelta(days=3)).strftime("%a, %d %b %Y %H:%M:%S GMT"), None),
        ((NOW + timedelta(hours=20)).strftime("%a, %d %b %Y %H:%M:%S GMT"), NOW + timedelta(hours=20)),
        ("yesterday", None),
    ],
)
def test_only_a_date_that_can_be_is_believed(date: str, believed: datetime | None) -> None:
    (keyed,) = read_bytes(rss(item(more=f"<pubDate>{date}</pubDate>"))).entries
    assert keyed.entry.published_at == believed


def test_an_entry_without_headline_gets_the_beginning_of_its_text() -> None:
    (keyed,) = read_bytes(rss(item("", body="<p>The gates were opened at dawn.</p>"))).entries
    assert keyed.entry.headline == "The gates were opened at dawn."


def test_an_entry_that_says_nothing_is_none() -> None:
    assert read_bytes(rss("<item><link>https://x.example/1</link></item>")).entries == ()


@pytest.mark.parametrize("link", ["javascript:alert(1)", "", "ftp://x.example/"])
def test_an_entry_without_a_usable_link_leads_to_the_partner(link: str) -> None:
    document = rss(f"<item><title>A headline</title><link>{link}</link></item>")
    (keyed,) = read_bytes(document, a_feed(homepage="https://courier.example/")).entries
    assert keyed.entry.url == "https://courier.example/"


def test_a_guid_that_is_an_address_stands_in_for_a_missing_link() -> None:
    (keyed,) = read_bytes(rss("<item><title>A headline</title><guid>https://x.example/1</guid></item>")).entries
    assert keyed.entry.url == "https://x.example/1"


def test_only_words_make_a_content_hash() -> None:
    assert content_hash("A “dam”", "", "Let go.") == content_hash('A "Dam"', "", "let go")
    assert content_hash("A dam", "", "Let go.") != content_hash("A dam", "", "Let it go.")
    assert content_hash("A dam", "b", "") != content_hash("A dam", "", "b")


def test_a_settings_change_makes_known_entries_be_read_again() -> None:
    plain, labelled = (_entries("atom.xml", feed)[0] for feed in (a_feed(), a_feed(kind="Notes")))
    assert plain.source_digest != labelled.source_digest
    assert plain.content_hash == labelled.content_hash
