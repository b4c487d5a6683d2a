"""`newsletter check` and `newsletter init`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_the_starter_has_no_faults(run: Run, site: Path) -> None:
    ran = run("check", "--site", site)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("no faults: 2 feeds, 1 list, 1 digest, 1 relay")


def test_the_starter_brings_its_templates_and_keeps_state_out_of_git(site: Path) -> None:
    assert (site / "templates/email/digest/body.html").is_file()
    assert "/var/" in (site / ".gitignore").read_text()


def test_init_refuses_a_folder_with_anything_in_it_and_names_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ran = run("init", tmp_path)
    assert ran.code == 2
    assert "not empty, there is notes.txt" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_init_takes_a_folder_with_a_fresh_repository(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert run("init", tmp_path).code == 0


def test_every_fault_is_a_line_whatever_it_is_in(run: Run, site: Path) -> None:
    config = site / "config.toml"
    config.write_text(
        config.read_text().replace("min_items = 1", "min_itmes = 1").replace('list = "brief"', 'list = "x"')
    )
    (site / "feeds" / "arab-center.toml").write_text("url = \n")
    (site / "templates/email/welcome/body.html").write_text("{% if %}")
    ran = run("check", "--site", site)
    assert ran.code == 2
    assert len(ran.out.splitlines()) == 4
    for start in ("config.toml:", "feeds/arab-center.toml:1:7: TOML: ", "templates/email/welcome/body.html:1: "):
        assert any(line.startswith(start) for line in ran.out.splitlines())


def test_whole_texts_without_the_extra_are_a_fault_that_says_what_to_install(site: Path) -> None:
    feed = site / "feeds" / "arab-center.toml"
    feed.write_text("full_text = true\n" + feed.read_text())
    # A program in which trafilatura cannot be found, as where the extra is not installed.
    program = "import sys; sys.modules['trafilatura'] = None; from newsletter.cli.main import main; sys.exit(main(sys.argv[1:]))"
    check = [sys.executable, "-c", program, "check", "--site", str(site)]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "feeds/arab-center.toml:1:" in ran.stdout
    assert "full_text: expected false unless the extra is installed: pip install 'newsletter[fulltext]'" in ran.stdout


def test_a_template_that_cannot_be_rendered_is_a_fault(run: Run, site: Path) -> None:
    (site / "templates/email/welcome/subject.txt").write_text("{{ nobody_knows_this }}")
    ran = run("check", "--site", site)
    assert ran.code == 2
    assert "templates/email/welcome/subject.txt:1: " in ran.out


def test_a_database_that_this_program_cannot_use_is_a_fault(run: Run, site: Path) -> None:
    (site / "var" / "newsletter.db").write_text("this is no database, however long one looks at it")
    ran = run("check", "--site", site)
    assert ran.code == 2
    assert "store: " in ran.out


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("sqlite:///feeds/arab-center.toml/newsletter.db", id="where a file stands"),
        pytest.param("sqlite:////proc/newsletter/newsletter.db", id="where nobody may make any"),
        pytest.param("sqlite:///nowhere/newsletter.db", id="behind a link that leads nowhere"),
    ],
)
def test_a_folder_for_the_store_that_cannot_be_made_is_a_fault(run: Run, site: Path, url: str) -> None:
    (site / "nowhere").symlink_to(site / "gone" / "away")
    config = site / "config.toml"
    config.write_text(config.read_text().replace("sqlite:///var/newsletter.db", url))
    ran = run("check", "--site", site)
    assert ran.code == 2
    (fault,) = ran.out.splitlines()
    assert fault.startswith("store: ")
    assert "newsletter.db: cannot be created or opened: " in fault


def test_a_folder_for_a_site_s_state_that_cannot_be_made_is_a_fault(run: Run, site: Path) -> None:
    config = site / "config.toml"
    config.write_text(config.read_text().replace("sqlite:///var/newsletter.db", "sqlite:///newsletter.db"))
    shutil.rmtree(site / "var")
    (site / "var").write_text("no folder")
    ran = run("check", "--site", site)
    assert (ran.code, ran.out.split(":")[0]) == (2, "var")


def test_a_store_that_is_still_to_be_made_is_no_fault_and_is_not_made(run: Run, site: Path) -> None:
    config = site / "config.toml"
    config.write_text(config.read_text().replace("sqlite:///var/newsletter.db", "sqlite:///later/newsletter.db"))
    before = sorted(site.rglob("*"))
    assert run("check", "--site", site).code == 0
    assert [path for path in sorted(site.rglob("*")) if path not in before] == []


def test_a_style_sheet_with_a_brace_too_few_is_a_fault(run: Run, site: Path) -> None:
    sheet = site / "templates/email/style.css"
    sheet.write_text(sheet.read_text() + "\n.mine { color: #123456;\n.ours { margin: 0 }\n")
    line = sheet.read_text().count("\n") - 1
    ran = run("check", "--site", site)
    assert ran.code == 2
    assert ran.out == f"templates/email/style.css:{line}: a {{ that is not closed before the next one\n"


def test_as_json_the_settings_are_shown_without_their_secrets(run: Run, site: Path) -> None:
    config = site / "config.toml"
    config.write_text(config.read_text().replace("smtp://127.0.0.1:2525", "smtp://user:hunter2@127.0.0.1:2525"))
    ran = run("--site", site, "check", "--json")
    assert ran.code == 0
    assert ran.document["faults"] == []
    assert ran.document["settings"]["relays"][0]["username"] == "user"
    assert ran.document["settings"]["relays"][0]["password"] == "…"
    assert "hunter2" not in ran.out


def test_a_folder_that_is_no_site_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    ran = run("check", "--site", tmp_path)
    assert ran.code == 2
    assert "no config.toml here; `newsletter init DIR` makes a site" in ran.err
