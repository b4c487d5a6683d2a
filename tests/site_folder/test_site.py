"""A site folder: found, opened, locked, and with a key of its own."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.errors import LockedError, SettingsError, SiteError
from newsletter.scaffold import starter_folder, write_starter
from newsletter.site import Site, open_site

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from newsletter.site import open_site
with open_site(Path(sys.argv[1])).locked("send"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def site(folder: Path) -> Site:
    return open_site(folder, environment={})


def test_the_site_is_the_one_asked_for_else_the_variables_else_the_current_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_starter(tmp_path / "other")
    environment = {"NEWSLETTER_SITE": str(tmp_path / "other")}
    assert open_site(folder, environment=environment).folder == folder
    assert open_site(environment=environment).folder == tmp_path / "other"
    monkeypatch.chdir(folder)
    assert open_site(environment={}).folder == folder


def test_a_folder_without_settings_is_no_site(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="newsletter init"):
        open_site(tmp_path, environment={})


def test_faulty_settings_stop_a_site_from_opening(folder: Path) -> None:
    (folder / "config.toml").write_text("x = 1")
    with pytest.raises(SettingsError):
        open_site(folder, environment={})


def test_templates_are_the_sites_own_and_the_starters_where_it_lacks_one(site: Site) -> None:
    assert site.template_folders == (site.folder / "templates/email", starter_folder() / "templates/email")


def test_the_state_is_for_its_owner_alone(site: Site) -> None:
    assert site.var().stat().st_mode & 0o077 == 0


def test_the_site_makes_a_key_once_and_keeps_it_to_itself(site: Site) -> None:
    (key,) = site.keys()
    assert len(key) == 64
    assert site.keys() == (key,)
    assert (site.var() / "site.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in site.var().iterdir()] == ["site.key"]


def test_all_who_ask_for_the_first_key_at_once_get_the_same(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: site.keys(), range(32)))) == 1


def test_a_new_key_goes_on_top_and_the_old_ones_stay_good(site: Site) -> None:
    (old,) = site.keys()
    path = site.var() / "site.key"
    path.write_text(f"{'n' * 32}\n{path.read_text()}")
    assert site.keys() == (b"n" * 32, old)


def test_a_key_can_come_from_the_environment_or_a_file(folder: Path) -> None:
    environment = {"NEWSLETTER_SITE_KEY": "e" * 32}
    assert open_site(folder, environment=environment).keys() == (b"e" * 32,)
    (folder / "keys").mkdir()
    (folder / "keys/site").write_text("f" * 32)
    environment = {"NEWSLETTER_PUBLICATION_KEY_FILE": "keys/site"}
    assert open_site(folder, environment=environment).keys() == (b"f" * 32,)


def test_a_key_that_could_be_guessed_is_refused_without_being_shown(folder: Path) -> None:
    with pytest.raises(SiteError, match="at least 16 characters") as caught:
        open_site(folder, environment={"NEWSLETTER_SITE_KEY": "hunter2"}).keys()
    assert "hunter2" not in str(caught.value)


def test_a_second_run_is_told_who_holds_the_lock(site: Site) -> None:
    with site.locked("send"), pytest.raises(LockedError, match=rf"pid {os.getpid()}: send"), site.locked("tick"):
        pass


def test_a_lock_can_be_taken_again_after_it_was_given_back(site: Site) -> None:
    for command in ("send", "tick"):
        with site.locked(command):
            assert command in (site.var() / "newsletter.lock").read_text()


def test_a_run_that_was_killed_leaves_no_lock_behind(site: Site) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(site.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"pid {holder.pid}: send"), site.locked("tick"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with site.locked("tick"):
        pass
