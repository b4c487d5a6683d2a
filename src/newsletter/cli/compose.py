"""`newsletter compose`: freeze the next edition of a digest."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly

if TYPE_CHECKING:
    import asyncio

    from newsletter.app import App
    from newsletter.compose.compose import Composed


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
        composed, interrupted = loop.run(partial(_composed, app, digest))
    document = {
        "edition": composed.edition_id,
        "number": composed.number,
        "items": composed.items,
        "recipients": composed.recipients,
        "because": composed.because,
        "warnings": list(composed.warnings),
    }
    answer(document, as_json=as_json, lines=[composed.edition_id or f"no edition: {composed.because}"])
    loop.leave_if(interrupted)
    if composed.edition_id is None:
        partly()


async def _composed(app: App, digest: str, stop: asyncio.Event) -> Composed:
    composed = await app.compose(digest)
    if await app.freeze_rest(stop) and composed.edition_id:
        return replace(composed, recipients=app.editions.report(composed.edition_id).recipients)
    return composed
