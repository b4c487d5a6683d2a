"""`newsletter items`: what was read, why it was merged, held or dropped, and the operator's own word on that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import PLAIN, JsonOption, SiteOption, answer, instant, opened, partly, table

if TYPE_CHECKING:
    from newsletter.model.item import Item, Key, Revision
    from newsletter.model.story import ItemStory, Merge

items = typer.Typer(invoke_without_command=True, **PLAIN)

ItemArgument = Annotated[int, typer.Argument(metavar="ITEM", help="An item's id, as `newsletter items` shows it.")]


@items.callback()
def list_(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    from newsletter.model.item import ItemState

    if state is not None and state not in set(ItemState):
        raise typer.BadParameter(f"expected one of {', '.join(ItemState)}, got {state!r}", param_hint="--state")
    with opened(site) as app:
        if feed is not None:
            app.settings.feed(feed)
        found = app.items.listed(feed_id=feed, state=ItemState(state) if state else None, limit=limit)
        revisions = app.items.revisions([each.id for each in found if each.changed_at])
    documents = [_document(each) | _revised(revisions.get(each.id, ())) for each in found]
    answer({"items": documents}, as_json=as_json, lines=_lines(found))


def _revised(revisions: tuple[Revision, ...]) -> dict[str, object]:
    """How often an item changed, and which editions carry a form that is no longer true."""
    issued_in = dict.fromkeys(edition for revision in revisions for edition in revision.issued_in)
    return {"revisions": len(revisions), "changed_after_issue": list(issued_in)}


def _refuse_options_before(context: typer.Context) -> None:
    """An option that stands before the subcommand is the list's, and would silently be without effect."""
    sources = ((name, context.get_parameter_source(name)) for name in context.params)
    given = [name for name, source in sources if source is not None and source.name == "COMMANDLINE"]
    if given:
        option = {"as_json": "json"}.get(given[0], given[0])
        raise typer.BadParameter(f"write it behind `{context.invoked_subcommand}`", param_hint=f"--{option}")


@items.command()
def show(item: ItemArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Tell everything about an item: its names, its story and who else tells it, each merge and its reason.

    Example: newsletter items show 4711
    """
    with opened(site) as app:
        told = app.stories.about(item)
        revisions = app.items.revisions([item]).get(item, ())
    document = _document(told.item) | {
        "categories": list(told.item.entry.categories),
        "keys": [_key(key) for key in told.keys],
        "sources": [_source(other) for other in told.sources],
        "merges": [_merge(merge) for merge in told.merges],
        "issued": [{"list": list_id, "edition": edition_id} for list_id, edition_id in told.issued],
        "revisions": [_revision(revision) for revision in revisions],
    }
    answer(document, as_json=as_json, lines=_told(told, revisions))


@items.command()
def merge(
    item: ItemArgument,
    others: Annotated[list[int], typer.Argument(metavar="ITEM…", help="Items that tell the same story.")],
    *,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that items are the same piece: they tell one story from now on, the first one's.

    It counts as issued wherever one of them was. `newsletter items split` undoes it.

    Example: newsletter items merge 4711 4720
    """
    with opened(site) as app:
        done = app.stories.merge([item, *others], because="merged by the operator", now=app.clock.now())
    because = None if done else "they tell one story already"
    moved = list(done.items) if done else []
    document = {"story": done.story_id if done else None, "moved": moved, "because": because}
    told = ", ".join(map(str, moved))
    line = f"story {done.story_id}: now told by {told} too" if done else f"nothing merged: {because}"
    answer(document, as_json=as_json, lines=[line])
    if done is None:
        partly()


@items.command()
def split(item: ItemArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Say that an item is not the same piece as the others of its story; polls will not merge them again.

    What was shown stays issued; what was only hidden by it may stand in the next edition.

    Example: newsletter items split 4720
    """
    with opened(site) as app:
        done = app.stories.split(item, because="split off by the operator", now=app.clock.now())
    because = None if done else "no other item tells its story"
    document = {"story": done.story_id if done else None, "moved": list(done.items) if done else [], "because": because}
    line = f"item {item} tells a story of its own" if done else f"nothing split: {because}"
    answer(document, as_json=as_json, lines=[line])
    if done is None:
        partly()


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


def _key(key: Key) -> dict[str, object]:
    return {"kind": key.kind, "scope": key.scope, "value": key.value, "strong": key.strong}


def _source(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "feed": item.feed_id,
        "state": item.state,
        "headline": item.entry.headline,
        "url": item.entry.url,
    }


def _merge(merge: Merge) -> dict[str, object]:
    return {
        "item": merge.item_id,
        "story": merge.story_id,
        "because": merge.because,
        "merged_at": None if merge.is_split else merge.merged_at,
        "undone_at": merge.undone_at,
    }


def _revision(revision: Revision) -> dict[str, object]:
    return {
        "changed_at": revision.changed_at,
        "because": revision.because,
        "headline": revision.headline,
        "dek": revision.dek,
        "text": revision.text,
        "issued_in": list(revision.issued_in),
    }


def _told(told: ItemStory, revisions: tuple[Revision, ...]) -> list[str]:
    item, entry = told.item, told.item.entry
    times = (instant(at) for at in (entry.published_at, item.first_seen_at, item.changed_at))
    lines = [
        f"item {item.id} of {item.feed_id}: {item.state}" + (f" ({item.because})" if item.because else ""),
        f"  {entry.headline}",
        f"  {entry.url}",
        "  published {}, first seen {}, changed {}".format(*times),
        f"story {item.story_id}",
        *(f"  also told by item {each.id} of {each.feed_id}: {each.entry.headline}" for each in told.sources),
        *(f"  issued on {name}" + (f" in {edition}" if edition else ": passed over") for name, edition in told.issued),
        *map(_merge_line, told.merges),
        "keys",
        *(f"  {'strong' if key.strong else 'weak'} {key.kind}: {key.value}" for key in told.keys),
    ]
    if revisions:
        lines += [
            "earlier forms",
            *(f"  until {instant(each.changed_at)}: {each.headline} ({each.because})" for each in revisions),
        ]
    return lines


def _merge_line(merge: Merge) -> str:
    merged_at, undone_at = instant(merge.merged_at), instant(merge.undone_at)
    if merge.is_split:
        return f"  item {merge.item_id} parted from story {merge.story_id} at {undone_at}: {merge.because}"
    undone = f", undone at {undone_at}" if merge.undone_at else ""
    return f"  item {merge.item_id} joined story {merge.story_id} at {merged_at}{undone}: {merge.because}"
