"""What readers call a partner, out of what feeds call themselves."""

import pytest

from newsletter.collect.partner import partner_name


def name(title: str, *, url: str = "https://x.example/feed/", homepage: str = "", is_wordpress: bool = False) -> str:
    return partner_name(title, url=url, homepage=homepage, is_wordpress=is_wordpress)


@pytest.mark.parametrize(
    ("title", "called"),
    [
        ("Saltmarsh Review » Feed of all news", "Saltmarsh Review"),
        ("Saltmarsh Review » Feed", "Saltmarsh Review"),
        ("Saltmarsh Review - RSS Feed", "Saltmarsh Review"),
        ("Saltmarsh Review RSS", "Saltmarsh Review"),
        ("Saltmarsh Review's RSS feed", "Saltmarsh Review"),
        ("Saltmarsh Review | Latest articles", "Saltmarsh Review"),
        ("Saltmarsh Review: Atom 1.0", "Saltmarsh Review"),
        ("Saltmarsh Review > World News", "Saltmarsh Review"),
        ("Saltmarsh Review -", "Saltmarsh Review"),
        ("  Saltmarsh\n Review – ", "Saltmarsh Review"),
    ],
)
def test_what_is_said_of_the_feed_is_no_part_of_the_name(title: str, called: str) -> None:
    assert name(title) == called


@pytest.mark.parametrize(
    "title",
    [
        "Saltmarsh Review",
        "The Feed",
        "Feed",
        "Foreign-Policy",
        "Tides: A Quarterly",
        "North – South",
        "Ports | Ships",
        "Opinion – The Institute for the Study of Tides",
        "RSS - Ports",
        "مرصد الواحة",
        "",
    ],
)
def test_a_title_that_does_not_show_which_part_is_the_name_stays_whole(title: str) -> None:
    assert name(title, is_wordpress=True, url="https://x.example/category/opinion/feed/") == title


@pytest.mark.parametrize("title", ["World – The Salt-Marsh Review", "The Salt-Marsh Review – Tides, Ports | Ships"])
@pytest.mark.parametrize(
    ("url", "homepage"),
    [
        ("https://www.saltmarsh-review.example/world/feed/", ""),
        ("https://feeds.x.example/1", "https://saltmarshreview.example/"),
    ],
)
def test_of_several_parts_the_one_is_the_name_that_the_host_has_too(title: str, url: str, homepage: str) -> None:
    assert name(title, url=url, homepage=homepage) == "The Salt-Marsh Review"


def test_behind_a_wordpress_sites_own_name_stands_its_tagline() -> None:
    title = "Bay News – What happens between the tides, told daily"
    assert name(title, is_wordpress=True) == "Bay News"
    assert name(title) == title
    assert name(title, is_wordpress=True, url="https://x.example/category/bay-news/feed/") == title
