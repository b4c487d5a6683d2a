"""`newsletter items`: what was read, and why it was merged, held or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, table

if TYPE_CHECKING:
    from newsletter.model.item import Item


def items(
    *,
    feed: Annotated[str | None, typer.Option("--feed", metavar="FEED", help="Only this feed's.")] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only accepted, known, held, dropped or retracted ones."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, newest first.")] = 500,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was read, newest first, with the reason for each state and merge.

    Example: newsletter items --feed arab-center --state held
    """
    from newsletter.model.item import ItemState

    if state is not None and state not in set(ItemState):
        raise typer.BadParameter(f"expected one of {', '.join(ItemState)}, got {state!r}", param_hint="--state")
    with opened(site) as app:
        if feed is not None:
            app.settings.feed(feed)
        found = app.items.listed(feed_id=feed, state=ItemState(state) if state else None, limit=limit)
    answer({"items": [_document(each) for each in found]}, as_json=as_json, lines=_lines(found))


def _document(item: Item) -> dict[str, object]:
    entry = item.entry
    image = entry.image
    return {
        "id": item.id,
        "story": item.story_id,
        "feed": item.feed_id,
        "headline": entry.headline,
        "url": entry.url,
        "state": item.state,
        "published_at": entry.published_at,
        "section_line": entry.section_line,
        "byline": entry.byline,
        "image": {"url": image.url, "caption": image.caption, "credit": image.credit} if image else None,
        "because": item.because,
        "dek": entry.dek,
        "language": entry.language,
        "first_seen_at": item.first_seen_at,
        "changed_at": item.changed_at,
    }


def _lines(found: tuple[Item, ...]) -> list[str]:
    rows = [
        (each.id, each.story_id, each.feed_id, each.state, each.entry.headline[:70], each.because or "")
        for each in found
    ]
    return list(table(("ID", "STORY", "FEED", "STATE", "HEADLINE", "BECAUSE"), rows))
