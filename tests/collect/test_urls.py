import pytest

from newsletter.collect.urls import absolute, address_of, without_tracking

BASE = "https://courier.example/abroad/"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("karst.html", "https://courier.example/abroad/karst.html"),
        ("//img.example/a.jpg", "https://img.example/a.jpg"),
        ("https://x.example/a b\u2028c", "https://x.example/a%20b%E2%80%A8c"),
        ("https://x.example/ü?q=ä", "https://x.example/%C3%BC?q=%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https://x.example/\r\nSet-Cookie: a", "https://x.example/Set-Cookie:%20a"),
        ('https://x.example/"><script>', "https://x.example/%22%3E%3Cscript%3E"),
        ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
    ],
)
def test_a_link_becomes_an_absolute_address_that_is_safe_in_mail(url: str, expected: str) -> None:
    assert absolute(url, BASE) == expected


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[bad",
     "https://x.example:99999/", "https://a b.example/", "https://x.example/" + "a" * 3000,
     f"https://{'a.' * 130}example/"],
)  # fmt: skip
def test_what_is_no_web_address_is_none(url: str) -> None:
    assert absolute(url, BASE) is None


def test_one_address_is_recognised_in_all_its_disguises() -> None:
    disguises = [
        "https://www.courier.example/2026/karst-dam-opens/?utm_source=rss&utm_medium=rss",
        "http://courier.example/2026/karst-dam-opens",
        "https://courier.example:443/2026/karst-dam-opens/#comments",
        "https://COURIER.example/2026/x/../karst-dam-opens?traffic_source=rss",
        "https://courier.example/2026/karst-dam-opens?fbclid=abc&partner=rss",
    ]
    found = [address_of(url) for url in disguises]
    assert {address.link for address in found if address} == {"courier.example/2026/karst-dam-opens"}


def test_a_parameter_that_names_the_piece_stays_and_its_place_does_not_matter() -> None:
    one, other = address_of("https://x.example/read?id=5&lang=en"), address_of("https://x.example/read?lang=en&id=5")
    assert one is not None
    assert one == other
    assert one.query == "id=5&lang=en"


@pytest.mark.parametrize("url", ["https://x.example/", "https://x.example/news", "https://x.example/news/live"])
def test_a_home_or_section_page_names_no_piece(url: str) -> None:
    address = address_of(url)
    assert address is not None
    assert not address.names_a_piece


@pytest.mark.parametrize(
    "url", ["https://x.example/?p=12", "https://x.example/a/b/1204", "https://x.example/who-owns-the-train"]
)
def test_an_article_address_names_a_piece(url: str) -> None:
    address = address_of(url)
    assert address is not None
    assert address.names_a_piece


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/a/?utm_source=rss&utm_medium=rss", "https://x.example/a/"),
        ("https://x.example/a?traffic_source=rss", "https://x.example/a"),
        ("https://x.example/read?lang=en&utm_campaign=z&id=5%2B1#part-2", "https://x.example/read?lang=en&id=5%2B1#part-2"),
        ("https://x.example/read?print&fbclid=q", "https://x.example/read?print"),
        ("https://x.example/a#xtor=RSS-1", "https://x.example/a"),
        ("https://x.example/?p=12", "https://x.example/?p=12"),
        ("https://x.example/a/b.html", "https://x.example/a/b.html"),
    ],
)  # fmt: skip
def test_a_link_loses_what_tracks_its_reader_and_nothing_else(url: str, expected: str) -> None:
    assert without_tracking(url) == expected
