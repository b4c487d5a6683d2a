"""The parts of dev.py that can be tried without building anything."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import environment
from tools.checks import Outcome, summary
from tools.commands import split_at_dashes
from tools.machine import missing_packages
from tools.pipconfig import parse_pip_config, uv_settings
from tools.places import ROOT


def test_an_old_python_can_read_dev_py() -> None:
    ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 4))


def test_an_old_python_is_told_what_it_lacks() -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path('dev.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer, not 3.9" in done.stderr


def test_dev_py_needs_nothing_but_the_standard_library() -> None:
    reached, imported = [ROOT / "dev.py"], set[str]()
    for file in reached:
        imported |= (found := set(_imports(file)))
        ours = {ROOT / "tools" / f"{name.split('.')[1]}.py" for name in found if name.startswith("tools.")}
        reached += sorted({module for module in ours if module.exists()}.difference(reached))
    assert ROOT / "tools" / "environment.py" in reached
    assert {name.split(".")[0] for name in imported} - {"tools"} <= set(sys.stdlib_module_names)


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_follows_the_dashes_is_handed_through() -> None:
    assert split_at_dashes(["test", "--", "-k", "name", "--", "x"]) == (["test"], ["-k", "name", "--", "x"])
    assert split_at_dashes(["test", "--only", "mypy"]) == (["test", "--only", "mypy"], [])


@pytest.mark.parametrize(
    ("built", "wanted", "enough"),
    [
        ({"key": "a", "group": "dev"}, {"key": "a", "group": "run"}, True),
        ({"key": "a", "group": "dev"}, {"key": "a", "group": "dev"}, True),
        ({"key": "a", "group": "run"}, {"key": "a", "group": "dev"}, False),
        ({"key": "a", "group": "dev"}, {"key": "b", "group": "run"}, False),
        ({}, {"key": "a", "group": "run"}, False),
    ],
)
def test_an_environment_serves_when_it_holds_at_least_what_is_wanted(
    built: dict[str, str], wanted: dict[str, str], *, enough: bool
) -> None:
    assert environment.is_enough(built, wanted) is enough


def test_a_lint_rule_does_not_rebuild_the_environment_but_a_dependency_does(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    settings = tmp_path / "pyproject.toml"
    before = _fingerprint_with(settings, '[project]\nname = "x"\n[tool.ruff]\nline-length = 1\n')
    assert _fingerprint_with(settings, '[project]\nname = "x"\n[tool.ruff]\nline-length = 2\n') == before
    assert _fingerprint_with(settings, '[project]\nname = "y"\n[tool.ruff]\nline-length = 1\n') != before


def test_a_new_lock_file_rebuilds_the_environment(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    before = _fingerprint_with(tmp_path / "pyproject.toml", "")
    (tmp_path / "requirements" / "run.txt").write_text("idna==3.20\n")
    assert environment.fingerprint(tmp_path) != before


def _fingerprint_with(settings: Path, text: str) -> str:
    settings.write_text(text)
    return environment.fingerprint(settings.parent)


def test_pip_settings_are_read_from_all_their_places() -> None:
    lines = [
        "global.index-url='https://mirror.example/simple'",
        "install.find-links='/wheels /more'",
        ":env:.cert='/etc/ca.pem'",
        "download.timeout='1'",
        "",
    ]
    assert parse_pip_config(lines) == {
        "index-url": "https://mirror.example/simple",
        "find-links": "/wheels /more",
        "cert": "/etc/ca.pem",
    }


def test_uv_is_told_to_look_where_pip_looks() -> None:
    pip = {"index-url": "https://a.example", "extra-index-url": "https://b.example https://c.example"}
    assert uv_settings(pip, exists=lambda _: True) == {
        "UV_DEFAULT_INDEX": "https://a.example",
        "UV_INDEX": "https://b.example https://c.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_uv_is_not_sent_to_a_folder_that_is_not_there() -> None:
    pip = {"find-links": "/gone /here https://links.example"}
    settings = uv_settings(pip, exists=lambda path: path == "/here")
    assert settings == {"UV_FIND_LINKS": "/here,https://links.example"}


def test_a_machine_lacks_the_packages_whose_sign_is_not_there(tmp_path: Path) -> None:
    signs = {"here": str(tmp_path), "gone": str(tmp_path / "gone")}
    assert missing_packages(signs) == ["gone"]


def test_the_summary_names_every_step_and_all_that_failed() -> None:
    outcomes = [Outcome(name=name, passed=name == "b", seconds=1.0) for name in "abc"]
    *lines, verdict = summary(outcomes).splitlines()
    assert [line.split()[:2] for line in lines] == [["FAILED", "a"], ["ok", "b"], ["FAILED", "c"]]
    assert verdict == "failed: a, c (3.0 s)"
