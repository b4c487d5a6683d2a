"""The import contracts: not only are they kept, they would notice."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tools.places import ROOT, VENV_BIN

LINTER = VENV_BIN / "lint-imports"
STAGES = ("collect", "compose", "render", "deliver", "feedback", "readers", "publish")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
# Module by module, one sin each, and the contract that has to see it. The command line is nobody's door.
SINS = {
    "model.sin": ("import newsletter.store", "Imports point inward"),
    "compose.sin": ("from newsletter.store import tables", "Stages know the store by its ports"),
    "store.ports.sin": ("import sqlalchemy", "Ports are about nouns, not about rows"),
    "model.other": ("import pydantic", "Nouns and errors need nothing but the standard library"),
} | {
    f"cli.{library}": (f"import {library}", contract["name"])
    for contract in CONTRACTS
    if contract["id"].startswith("door-")
    for library in contract["forbidden_modules"]
}

pytestmark = pytest.mark.skipif(not LINTER.exists(), reason="import-linter is not installed in .venv/")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each contract says of a package full of sins."""
    root = tmp_path_factory.mktemp("sinful")
    modules = {"errors": "", "store.seam": "", "store.tables": ""}
    modules |= {name: f"{statement}\n" for name, (statement, _) in SINS.items()}
    packages = {*STAGES, "model", "store", "store/ports", *(name.split(".")[0] for name in SINS if "." in name)}
    _write(root, modules=modules, packages=packages)
    return _lint(root)


@pytest.mark.parametrize("module", SINS)
def test_a_wrong_import_breaks_the_contract_that_forbids_it(module: str, verdicts: dict[str, str]) -> None:
    assert verdicts[SINS[module][1]] == "BROKEN"


def test_every_contract_is_tried_here(verdicts: dict[str, str]) -> None:
    assert verdicts.keys() == {contract["name"] for contract in CONTRACTS}


def test_a_stage_may_use_the_ports_and_a_door_its_library(tmp_path: Path) -> None:
    modules = {
        "errors": "",
        "store.ports.__init__": "import newsletter.store.ports.feeds\n",
        "store.ports.feeds": "import newsletter.model\n",
        "store.seam": "import newsletter.store.tables\n",
        "store.tables": "import sqlalchemy\n",
        "compose.compose": "from newsletter.store import ports, seam\n",
        "collect.parse": "import feedparser\n",
        "app": "import newsletter.collect.parse, newsletter.store.tables\n",
    }
    _write(tmp_path, modules=modules, packages={*STAGES, "model", "store", "store/ports"})
    assert set(_lint(tmp_path).values()) == {"KEPT"}


def _write(root: Path, *, modules: dict[str, str], packages: set[str]) -> None:
    home = root / "newsletter"
    for package in ("", *packages):
        (home / package).mkdir(parents=True, exist_ok=True)
        (home / package / "__init__.py").touch()
    for name, text in modules.items():
        (home / name.replace(".", "/")).with_suffix(".py").write_text(text)


def _lint(root: Path) -> dict[str, str]:
    """KEPT or BROKEN by the name of the contract."""
    command = [str(LINTER), "--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return dict(re.findall(r"^(\S.*?) (KEPT|BROKEN)\b", done.stdout, flags=re.MULTILINE))
