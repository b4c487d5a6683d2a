import pytest

from newsletter.render.sheets import sheet_fault, template_fault


@pytest.mark.parametrize(
    ("css", "fault"),
    [
        ("a { color: red;\nb { margin: 0 }\n", (1, "a { that is not closed before the next one")),
        ("a { color: red }\nb { margin: 0\n", (2, "a { that is never closed")),
        ("@media print {\n  a { margin: 0 }\n", (1, "a { that is never closed")),
        ("/* } */\n@media print {\n a { margin: 0\n}\n", (2, "a { that is never closed")),
        ("a { margin: 0 }\n}\nb { margin: 0 }", (2, "a } that closes nothing")),
        ("a { margin: 0 }\n/* what follows { }", (2, "a comment that is not closed")),
        ("a { content: 'x }\nb { margin: 0 }", (1, "a text in quotes that is not closed")),
        ('a { font-family: "Noto', (1, "a text in quotes that is not closed")),
    ],
)
def test_what_is_not_in_pairs_is_told_with_its_line(css: str, fault: tuple[int, str]) -> None:
    assert sheet_fault(css) == fault


@pytest.mark.parametrize(
    "css",
    [
        "",
        "a { content: '}'; quotes: \"'\" '\\'' } /* { ' */ b > c { margin: 0 }",
        "/* why */ @media (max-width: 520px) {\n  a { margin: 0 }\n  b { margin: 0 }\n}\n",
        "@import 'x.css'; @font-face { font-family: X }\n@supports (a: b) { @media print { a { margin: 0; } } }",
    ],
)
def test_what_is_in_pairs_is_no_fault(css: str) -> None:
    assert sheet_fault(css) is None


def test_a_sheet_inside_a_template_is_told_by_the_template_s_own_line() -> None:
    page = "<html>\n{# a { #}\n<style>{{ css('style.css') }}</style>\n<style media='all'>\na { margin: 0 }\nb {\n</style>\n{ {"
    assert template_fault(page) == (6, "a { that is never closed")


def test_what_a_template_puts_into_a_sheet_counts_for_nothing() -> None:
    assert (
        template_fault("<style>a { color: {{ 'red' if {} else '}' }} }{% if b %} c { margin: 0 }{% endif %}</style>")
        is None
    )
