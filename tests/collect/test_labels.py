from typing import Any

import pytest

from newsletter.collect.labels import byline, categories, section_line
from tests.collect.makers import a_feed


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (("By Nora Fenwick",), "Nora Fenwick"),
        (("By By Nora Fenwick",), "Nora Fenwick"),
        (("nora@saltmarsh.example (Nora Fenwick)",), "Nora Fenwick"),
        (("Nora Fenwick <nora@saltmarsh.example>", "Jon Sable"), "Nora Fenwick and Jon Sable"),
        (("A", "B", "C", "A"), "A, B and C"),
        (("Inés Robledo,Tomás Arce",), "Inés Robledo, Tomás Arce"),
        (("بقلم: سلمى الراوي",), "سلمى الراوي"),
        (("admin",), ""),
        (("nora@saltmarsh.example",), ""),
        (("https://spam.example/buy",), ""),
        (("Nora\r\nBcc: x",), "Nora Bcc: x"),
        (("Byron Vance",), "Byron Vance"),
        ((), ""),
    ],
)
def test_a_byline_is_names_and_nothing_else(authors: tuple[str, ...], expected: str) -> None:
    assert byline(authors) == expected


def test_housekeeping_is_no_category() -> None:
    tags = [
        (name, "")
        for name in ("homepage_regional_x", "Uncategorized", "Rivers", "rivers", "Editors' Picks", "a-b-c", "غير مصنف")
    ]
    assert categories(tags) == ("Rivers",)


@pytest.mark.parametrize(
    ("settings", "found", "line"),
    [
        ({"kind": "Analysis", "topics": ("Middle East", "Energy")}, ("News",), "Analysis | Middle East"),
        ({"kind": "Analysis"}, ("Opinion", "Rivers"), "Analysis | Rivers"),
        ({"topics": ("Rivers",)}, ("Opinion", "Lakes"), "Opinion | Rivers"),
        ({}, ("Rivers", "Interview"), "Interview | Rivers"),
        ({}, ("Holt, Mira", "Rivers"), "Rivers"),
        ({}, ("x" * 41,), ""),
        ({}, (), ""),
    ],
)
def test_a_section_line_is_made_of_settings_first_and_categories_second(
    settings: dict[str, Any], found: tuple[str, ...], line: str
) -> None:
    assert section_line(a_feed(**settings), found) == line
