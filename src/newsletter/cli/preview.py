"""`newsletter preview` and `test-send`: see an edition before anybody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.decide import EditionArgument
from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly


def preview(
    edition: EditionArgument,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; the current folder unless told.")
    ] = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="ADDRESS", help="As this subscriber would get it.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an edition as edition.html, edition.txt and edition.eml.

    Example: newsletter preview daily-2026-11-23 --out /tmp/look --as ada@example.org
    """
    with opened(site) as app:
        parts = app.proofs.preview(edition, address=as_)
    folder = out or Path()
    folder.mkdir(parents=True, exist_ok=True)
    files = {"html": parts.html.encode(), "txt": parts.text.encode(), "eml": parts.content}
    for suffix, content in files.items():
        (folder / f"edition.{suffix}").write_bytes(content)
    paths = {suffix: str(folder / f"edition.{suffix}") for suffix in files}
    answer(
        {"edition": edition, "subject": parts.subject, "files": paths, "warnings": list(parts.warnings)},
        as_json=as_json,
        lines=list(paths.values()),
    )


def test_send(
    edition: EditionArgument,
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Who gets the test.")],
    *,
    site: SiteOption = None,  # noqa: PT028 a command, not a test
    as_json: JsonOption = False,  # noqa: PT028
) -> None:
    """Send an edition to these addresses alone, marked as a test. It stands in no ledger.

    Example: newsletter test-send daily-2026-11-23 editor@example.org
    """
    from newsletter.cli import loop

    with opened(site) as app:
        outcomes, _ = loop.run(lambda _: app.proofs.test_send(edition, tuple(addresses)))
    document = {
        "edition": edition,
        "sent": sum(each.sent for each in outcomes),
        "outcomes": [{"address": each.address, "sent": each.sent, "because": each.because} for each in outcomes],
    }
    answer(document, as_json=as_json, lines=[f"{each.address}: {each.because}" for each in outcomes])
    if not all(each.sent for each in outcomes):
        partly()
