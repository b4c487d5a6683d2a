"""The root of this repository is a working site, with the values that the documentation promises."""

from datetime import timedelta
from pathlib import Path

from newsletter.config import load_settings

ROOT = Path(__file__).parents[2]


def test_the_root_is_a_site_without_faults() -> None:
    settings = load_settings(ROOT, environment={})
    assert [feed.id for feed in settings.feeds] == ["arab-center", "responsible-statecraft"]
    assert (settings.relays[0].host, settings.relays[0].port) == ("127.0.0.1", 2525)
    (digest,) = settings.digests
    assert (digest.id, digest.list_id, digest.schedule) == ("daily", "brief", "0 7 * * mon-fri")
    assert digest.feeds == ("arab-center", "responsible-statecraft")
    assert (digest.timezone, digest.catch_up) == ("Europe/London", timedelta(hours=6))


def test_a_digest_in_sections_takes_from_its_feeds_where_a_section_names_none(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / "feeds" / f"{name}.toml").write_text(f'url = "https://{name}.example.org"\npartner = "{name}"\n')
    head = (ROOT / "config.toml").read_text("utf-8").partition("feeds = [")[0]
    sections = """
    feeds = ["one", "two"]
    [[digests.daily.sections]]
    title = "Seas"
    topics = ["Sea"]
    [[digests.daily.sections]]
    feeds = ["three"]
    max_items = 2
    """
    (tmp_path / "config.toml").write_text(head + sections, encoding="utf-8")
    (digest,) = load_settings(tmp_path, environment={}).digests
    assert [(each.title, each.feeds, each.topics, each.max_items) for each in digest.sections] == [
        ("Seas", ("one", "two"), ("Sea",), None),
        ("", ("three",), (), 2),
    ]
