"""Where things are in this repository."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_BIN = VENV / "bin"
VENV_PYTHON = VENV_BIN / "python"
TOOLBOX = ROOT / ".dev"
CACHE = ROOT / ".cache"
LOCKS = ROOT / "requirements"


def outer_python() -> str:
    """The interpreter that virtual environments are made from, also when we run inside one of them."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}"))
