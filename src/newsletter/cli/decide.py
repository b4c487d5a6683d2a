"""`newsletter approve`, `cancel`, `pause`, `resume`: what an editor decides about an edition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened

EditionArgument = Annotated[str, typer.Argument(metavar="EDITION", help="An edition's id, such as daily-2026-11-23.")]


def approve(edition: EditionArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Let an edition that awaits approval go.

    Example: newsletter approve daily-2026-11-23
    """
    _decide(edition, "approved", site=site, as_json=as_json, only_from="awaiting-approval")


def cancel(edition: EditionArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Stop an edition for good. What was not begun is not sent; if nothing was, its items are free again.

    Example: newsletter cancel daily-2026-11-23
    """
    _decide(edition, "cancelled", site=site, as_json=as_json)


def pause(edition: EditionArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Hold an edition back for now; a sender at work stops within a moment.

    Example: newsletter pause daily-2026-11-23
    """
    _decide(edition, "paused", site=site, as_json=as_json)


def resume(
    edition: Annotated[str | None, typer.Argument(metavar="[EDITION]", help="The id of a paused edition.")] = None,
    *,
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="A receiving provider that was paused or slowed instead.")
    ] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a paused edition go on, or mail to a provider that was paused because it refused us.

    Example: newsletter resume daily-2026-11-23
    """
    if (edition is None) == (provider is None):
        raise typer.BadParameter("expected an edition, or --provider NAME")
    if edition is not None:
        _decide(edition, "approved", site=site, as_json=as_json, only_from="paused")
        return
    with opened(site) as app:
        was_held = app.pacing.resume(str(provider))
    line = f"{provider}: {'as fast as before' if was_held else 'was not held back'}"
    answer({"provider": provider, "resumed": was_held}, as_json=as_json, lines=[line])


def _decide(edition_id: str, after: str, *, site: Path | None, as_json: bool, only_from: str | None = None) -> None:
    from newsletter.model.edition import EditionState

    with opened(site) as app:
        edition = app.decide(edition_id, EditionState(after), only_from=EditionState(only_from) if only_from else None)
    answer({"edition": edition.id, "state": edition.state}, as_json=as_json, lines=[f"{edition.id}: {edition.state}"])
