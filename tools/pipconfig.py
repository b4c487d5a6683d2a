"""Hands the machine's pip settings to uv, which does not read them.

A machine behind a mirror or a company's certificate is set up for pip, in files and PIP_* variables. `pip
config list` knows all of them; uv wants its own variables. Nothing of this is written down anywhere.
"""

import ast
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tools.places import outer_python

_SAME_MEANING = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
_COMMA_SEPARATED = {"UV_FIND_LINKS"}


def uv_environment() -> dict[str, str]:
    """This process's environment, with uv told what pip knows. What is set for uv already stays."""
    settings = uv_settings(parse_pip_config(_pip_config_list()), exists=lambda path: Path(path).exists())
    # An interpreter of its own would be a download, and not the one dev.py was called with.
    return {"UV_PYTHON_DOWNLOADS": "never", **settings, **os.environ}


def parse_pip_config(lines: Iterable[str]) -> dict[str, str]:
    """The settings by their bare name; of several, the last wins, as `pip config list` prints them so.

    A line reads `global.index-url='…'`, `install.find-links='…'` or `:env:.cert='…'`.
    """
    found: dict[str, str] = {}
    for line in lines:
        name, separator, value = line.partition("=")
        scope, _, key = name.strip().rpartition(".")
        if separator and scope in {"global", "install", ":env:"}:
            found[key] = str(ast.literal_eval(value.strip()))
    return found


def uv_settings(pip: Mapping[str, str], *, exists: Callable[[str], bool]) -> dict[str, str]:
    """The variables that make uv look where pip looks."""
    settings: dict[str, str] = {}
    for key, variable in _SAME_MEANING.items():
        values = pip.get(key, "").split()
        if variable == "UV_FIND_LINKS":
            # pip shrugs at a folder that is not there, uv stops.
            values = [value for value in values if "://" in value or exists(value)]
        if values:
            settings[variable] = ("," if variable in _COMMA_SEPARATED else " ").join(values)
    if "UV_INDEX" in settings:
        # pip looks through all its indexes; the hashes in the lock files make that harmless.
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return settings


def _pip_config_list() -> list[str]:
    command = [outer_python(), "-m", "pip", "config", "list"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.splitlines()
