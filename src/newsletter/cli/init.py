from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder, or one to be made.")],
    *,
    site: SiteOption = None,  # noqa: ARG001 every command takes it; here DIR says it all
    as_json: JsonOption = False,
) -> None:
    """Write the starter site into an empty folder: settings, two feeds, and the mail templates.

    Example: newsletter init my-site
    """
    from newsletter.scaffold import write_starter

    written = write_starter(folder)
    answer(
        {"site": str(folder.absolute()), "written": [str(path) for path in written]},
        as_json=as_json,
        lines=[
            f"{folder}: a site with {len(written)} files. Next:",
            f"  edit {folder / 'config.toml'} and {folder / 'feeds'}",
            f"  newsletter check --site {folder}",
        ],
    )
