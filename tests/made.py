"""Empty databases that are up to date, as opening makes them: made once, and copied for each test that needs one."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from newsletter.store.engine import Store


def put_made(path: Path) -> str:
    """Put an empty SQLite database there; its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_made())
    return f"sqlite:///{path}"


def made_store(folder: Path) -> Store:
    """An open store in a folder, with nothing in it."""
    return Store.open(put_made(folder / "newsletter.db"), site_dir=folder)


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory(prefix="newsletter-made-") as folder:
        Store.open("sqlite:///made.db", site_dir=Path(folder)).close()
        return Path(folder, "made.db").read_bytes()
