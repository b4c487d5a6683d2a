from dataclasses import fields
from pathlib import Path

import pytest

from newsletter.render import views
from newsletter.render.environment import Templates
from newsletter.render.filters import FILTERS
from newsletter.render.render import render_digest
from newsletter.render.samples import NONCE, plain_draft
from tests.render.conftest import STARTER
from tests.render.messages import SiteTemplates

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "view",
    [views.Fields, views.PublicationView, views.ListView, views.EditionView, views.SectionView, views.PieceView, views.PictureView],
)  # fmt: skip
def test_everything_a_template_can_use_is_explained_to_editors(view: type) -> None:
    missing = [field.name for field in fields(view) if f"`.{field.name}`" not in PAGE]
    assert missing == []


def test_every_filter_and_every_file_is_explained_to_editors() -> None:
    assert [name for name in FILTERS if f"| `{name}` |" not in PAGE] == []
    names = {path.name for path in STARTER.rglob("*.*")} | {
        path.name + "/" for path in STARTER.iterdir() if path.is_dir()
    }
    assert [name for name in names if name not in PAGE] == []


def test_a_site_that_changes_one_phrase_keeps_all_others(with_files: SiteTemplates, templates: Templates) -> None:
    own = with_files({"words.toml": '[en]\nkeep_reading = "On to {partner}"\n'})
    text = render_digest(plain_draft(), NONCE, templates=own).text
    assert "On to The Meridian Review" in text
    assert own.words("en")["unsubscribe"] == templates.words("en")["unsubscribe"]
