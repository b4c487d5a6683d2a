from pathlib import Path

from newsletter.settings.reference import settings_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_settings_reference_says_what_the_models_say() -> None:
    assert PAGE.read_text("utf-8") == settings_page(), "python -m newsletter.settings.reference > docs/settings.md"


def test_every_key_is_explained() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []
