import pytest

from newsletter.collect.credits import caption_and_credit, tidy_credit


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("The council at work (town hall photo via Flickr)", ("The council at work", "town hall photo via Flickr")),
        ("At the institute in Vell, July 28. A. B. Venn/Pool via REUTERS", ("At the institute in Vell, July 28.", "A. B. Venn/Pool via REUTERS")),
        ("The dam. Photo: Ada Quill", ("The dam.", "Ada Quill")),
        ("The dam | Foto: Ada Quill", ("The dam", "Ada Quill")),
        ("Photo by Ada Quill", ("", "Ada Quill")),
        ("The dam (AP)", ("The dam", "AP")),
        ("The dam. (Photo by ADA / AFP) (Photo by ADA/AFP via Getty Images)", ("The dam.", "ADA/AFP via Getty Images")),
        ("سد كارست. الصورة: عادل", ("سد كارست.", "عادل")),
        ("The mayor (left) and the pilot (right)", ("The mayor (left) and the pilot (right)", "")),
        ("Seen from the tower, via the northern road.", ("Seen from the tower, via the northern road.", "")),
        ("", ("", "")),
    ],
)  # fmt: skip
def test_a_credit_is_told_from_the_caption_it_stands_in(caption: str, expected: tuple[str, str]) -> None:
    assert caption_and_credit(caption) == expected


@pytest.mark.parametrize(
    "caption",
    ["The dam. (Ada Quill)", "The dam. Ada Quill", "The dam. Photo: Ada Quill", "The dam. (Photo by A. Quill / AFP)"],
)
def test_a_credit_given_apart_is_not_said_twice(caption: str) -> None:
    assert caption_and_credit(caption, "Ada Quill") == ("The dam.", "Ada Quill")


@pytest.mark.parametrize(
    ("given", "credit"),
    [
        ("CUMBRE (CUMBRE)", "CUMBRE"),
        ("Credit: Ada Quill", "Ada Quill"),
        ("Photograph by Ada Quill", "Ada Quill"),
        ("Ada Quill (AP)", "Ada Quill (AP)"),
        ("© Ada Quill", "© Ada Quill"),
        ("Ada\r\nBcc: x@y.example", "Ada Bcc: x@y.example"),
    ],
)
def test_a_credit_is_a_tidy_line(given: str, credit: str) -> None:
    assert tidy_credit(given) == credit
