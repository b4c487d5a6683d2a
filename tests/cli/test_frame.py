"""What all commands have in common."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter import __version__, errors
from newsletter.cli.main import COMMANDS, load, options_last
from newsletter.cli.output import ExitCode, exit_code, guarded, printable, table, to_json
from newsletter.model.settings import Secret
from tests.cli.conftest import Run

NAMES = {name: line for section in COMMANDS.values() for name, line in section.items()}
CLI = Path(__file__).parents[2] / "src" / "newsletter" / "cli"


def paths(name: str) -> list[list[str]]:
    """The words that lead to a command, or to each of its subcommands."""
    inner = getattr(load(name, NAMES[name][0]), "commands", None)
    return [[name, each] for each in inner] if inner else [[name]]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_site_and_json_and_shows_an_example(run: Run, name: str) -> None:
    for words in paths(name):
        shown = run(*words, "--help")
        assert shown.code == 0
        assert "--site" in shown.out
        assert "--json" in shown.out
        assert re.search(rf"Example: newsletter [^\n]*{words[-1]}", shown.out)


def test_help_names_every_command_and_the_exit_codes(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    assert {line.split()[0] for line in shown.out.splitlines() if line.startswith("  ")} >= set(NAMES)
    assert "3 another run holds the lock" in " ".join(shown.out.split())


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys, newsletter.cli.main as m\ntry: m.main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'([\w.]+)'", ran.stdout.splitlines()[-1]))
    assert {"newsletter.cli.main", "newsletter.cli.output", "typer"} <= loaded
    heavy = {"asyncio", "rich", "pydantic", "structlog", "sqlalchemy", "jinja2", "lxml", "aiohttp", "newsletter.model"}
    assert loaded & heavy == set()
    assert {each for each in loaded if each.startswith("newsletter.cli.")} == {
        "newsletter.cli.main",
        "newsletter.cli.output",
    }


def test_commands_that_are_not_run_cost_nothing() -> None:
    modules = ", ".join(sorted({f"newsletter.cli.{module}" for module, _ in NAMES.values()}))
    code = f"import sys, {modules}; print(sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'([\w.]+)'", ran.stdout))
    assert loaded & {"asyncio", "rich", "pydantic", "structlog", "sqlalchemy", "jinja2", "lxml", "aiohttp"} == set()


def test_an_unknown_command_is_wrong_usage_and_a_near_one_is_named(run: Run) -> None:
    ran = run("chek")
    assert ran.code == 2
    assert "Did you mean 'check'?" in ran.err


def test_the_version_is_shown(run: Run) -> None:
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"newsletter {__version__}\n")


def test_site_and_json_may_stand_before_the_command() -> None:
    assert options_last(["--site", "x", "--json", "poll", "a", "--", "-b"]) == [
        "poll",
        "a",
        "--site",
        "x",
        "--json",
        "--",
        "-b",
    ]
    assert options_last(["--log-level", "debug", "--site=x", "check"]) == ["--log-level", "debug", "check", "--site=x"]
    assert options_last(["poll", "--force"]) == ["poll", "--force"]
    assert options_last(["--help"]) == ["--help"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsError(("config.toml:1:1: x",)), 2),
        (errors.SiteError("x", because="y"), 2),
        (errors.NotFoundError("feed", "x"), 2),
        (errors.AddressError("no @"), 2),
        (errors.LockedError("var/newsletter.lock", holder="pid 1"), 3),
        (errors.RightsError("daily", "teaser only"), 1),
        (errors.StoreError("gone"), 1),
        (errors.FetchError("x", "503"), 1),
    ],
)
def test_errors_become_the_exit_codes_of_the_contract(error: errors.NewsletterError, code: int) -> None:
    assert exit_code(error) == code


def test_an_error_is_told_on_standard_error_and_as_a_document_where_json_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing() -> None:
        raise errors.NotFoundError("feed", "x\x1b[2J")

    assert guarded(failing, as_json=True) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.err == "error: no feed named 'x\\x1b[2J'\n"
    assert '"kind": "notfound"' in captured.out


def test_an_interrupted_command_says_so_by_its_exit_code() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert guarded(interrupted, as_json=False) == 130


def test_a_full_disk_is_a_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device", "var/x")

    def full_somewhere() -> None:
        raise OSError(28, "No space left on device")

    told = "the disk is full: make room, then run the command again (No space left on device)\n"
    assert guarded(full, as_json=False) == 1
    assert capsys.readouterr().err == f"error: var/x: {told}"
    assert guarded(full_somewhere, as_json=False) == 1
    assert capsys.readouterr().err == f"error: {told}"


def test_a_reader_who_has_seen_enough_gets_no_traceback() -> None:
    talk = "from newsletter.cli.output import guarded; guarded(lambda: print('x\\n' * 200_000), as_json=False)"
    ran = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{talk}" | head -1'], capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("x\n", "")


def test_the_package_runs_as_the_command() -> None:
    ran = subprocess.run([sys.executable, "-m", "newsletter", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"newsletter {__version__}\n"


def test_what_strangers_wrote_cannot_command_the_terminal() -> None:
    assert printable("a\x1b[31mb\x07\u202ec\u200fd\te") == "a\ufffd[31mb\ufffd\ufffdc\u200fd\te"


def test_a_table_has_straight_columns_and_dashes_where_nothing_is() -> None:
    assert list(table(("FEED", "NEW"), [("harbour", 3), ("quay", None)])) == [
        "FEED     NEW",
        "harbour  3",
        "quay     -",
    ]


def test_json_never_shows_a_secret() -> None:
    assert to_json({"password": Secret("hunter2")}) == '{\n  "password": "…"\n}'
