import pytest

from newsletter.collect.language import direction_of, language_of
from newsletter.model.item import Direction

ARABIC, HEBREW, ENGLISH = "عاد الماء إلى القناة", "המים חזרו לתעלה", "The water is back"


@pytest.mark.parametrize(
    ("text", "label", "direction"),
    [
        (ARABIC, "en-US", Direction.RTL),
        (HEBREW, None, Direction.RTL),
        (ENGLISH, "ar", Direction.LTR),
        (ARABIC + " NASA", "ar", Direction.RTL),
        (ENGLISH + " الماء", "en", Direction.LTR),
        ("2026!", "fa", Direction.RTL),
        ("2026!", None, Direction.LTR),
    ],
)
def test_the_letters_say_in_which_direction_they_run(text: str, label: str | None, direction: Direction) -> None:
    assert direction_of(text, label) is direction


@pytest.mark.parametrize(
    ("text", "labels", "language"),
    [
        (ENGLISH, (None, "en-us"), "en-US"),
        (ENGLISH, ("zh_hant_TW",), "zh-Hant-TW"),
        (ENGLISH, ("English please", "de"), "de"),
        (ARABIC, ("en-US",), "ar"),
        (ARABIC, ("en-US", "fa"), "fa"),
        (HEBREW, ("en",), "he"),
        (ENGLISH, ("ar",), None),
    ],
)
def test_a_label_is_believed_where_it_fits_the_letters(
    text: str, labels: tuple[str | None, ...], language: str | None
) -> None:
    assert language_of(text, direction_of(text, None), *labels) == language
