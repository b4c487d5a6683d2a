"""A site with thousands of feeds is read by another process, and nobody can tell."""

import os
from pathlib import Path

import pytest

from newsletter.errors import ProcessError, SettingsError
from newsletter.site import open_site
from tests.config.samples import CONFIG, FEED, WriteSite

# What a process needs to start, and nothing that the settings are taken from.
_BARE = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}


def test_the_settings_are_the_same_whoever_reads_them(write_site: WriteSite) -> None:
    folder = write_site(CONFIG, harbour=FEED, strait=FEED.replace("harbour", "strait"))
    environment = _BARE | {"NEWSLETTER_SITE_KEY": "0123456789abcdef" * 4}
    here = open_site(folder, environment=environment)
    assert open_site(folder, environment=environment, many=2) == here
    assert here.settings.site_key is not None


@pytest.mark.parametrize(
    ("ending", "told"),
    [("os.kill(os.getpid(), 9)", "was killed, as the system does"), ("os._exit(3)", "ended with code 3: see what")],
)
def test_a_reader_that_dies_is_an_error_of_ours(write_site: WriteSite, tmp_path: Path, ending: str, told: str) -> None:
    folder = write_site(CONFIG, harbour=FEED)
    (tmp_path / "sitecustomize.py").write_text(f"import os\n{ending}\n")
    with pytest.raises(ProcessError, match=f"the process that reads the settings {told}"):
        open_site(folder, environment=_BARE | {"PYTHONPATH": str(tmp_path)}, many=1)


@pytest.mark.parametrize("many", [1, 2])
def test_whoever_reads_them_feeds_may_be_still_to_come(write_site: WriteSite, many: int) -> None:
    folder = write_site(CONFIG.replace("harbour", "lighthouse"), harbour=FEED)
    with pytest.raises(SettingsError, match="no such feed"):
        open_site(folder, environment=_BARE, many=many)
    assert len(open_site(folder, environment=_BARE, many=many, feeds_to_come=True).settings.feeds) == 1


def test_faults_are_the_same_whoever_finds_them(write_site: WriteSite) -> None:
    folder = write_site(CONFIG.replace("harbour", "harbor"), harbour=FEED + "langauge = 'en'\n")
    told = []
    for many in (1, 2):
        with pytest.raises(SettingsError) as found:
            open_site(folder, environment=_BARE, many=many)
        told.append(found.value.faults)
    assert told[0] == told[1]
    assert len(told[0]) == 2
