"""`newsletter compose`: freeze the next edition of a digest."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly


def compose(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The digest's name in config.toml.")],
    *,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the next edition: its items, texts and recipients. Prints its id, or why there is none.

    Example: newsletter compose daily
    """
    from newsletter.cli import loop

    with opened(site) as app:
        composed, _ = loop.run(lambda _: app.compose(digest))
    document = {
        "edition": composed.edition_id,
        "number": composed.number,
        "items": composed.items,
        "recipients": composed.recipients,
        "because": composed.because,
        "warnings": list(composed.warnings),
    }
    answer(document, as_json=as_json, lines=[composed.edition_id or f"no edition: {composed.because}"])
    if composed.edition_id is None:
        partly()
