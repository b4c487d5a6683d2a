"""`newsletter feeds`: how each feed is doing, and new ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, group, opened, partly, printable, table

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.collect.discover import Candidate
    from newsletter.model.feed import Feed, FeedHealth

feeds = group("List feeds with their health; show one; add one; release what was held.")

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="A feed's name: its file in feeds/ without .toml.")]


@feeds.command("list")
def list_(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """List all feeds with their health.

    Example: newsletter feeds list --json
    """
    with opened(site) as app:
        healths = {health.feed_id: health for health in app.feeds.all_health()}
        documents = [_document(feed, healths.get(feed.id)) for feed in app.settings.feeds]
    keys = ("feed", "state", "last_success_at", "next_poll_at", "failures", "because")
    rows = [[document[key] for key in keys] for document in documents]
    headers = ("FEED", "STATE", "LAST SUCCESS", "NEXT POLL", "FAILURES", "BECAUSE")
    answer({"feeds": documents}, as_json=as_json, lines=table(headers, rows))


@feeds.command()
def show(feed: FeedArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show one feed: its settings, its health, and how many items it has in each state.

    Example: newsletter feeds show arab-center
    """
    with opened(site) as app:
        found = app.settings.feed(feed)
        document = _document(found, app.feeds.health(feed)) | _settings(found) | {"items": _counts(app, feed)}
    answer(document, as_json=as_json, lines=[f"{key}: {value}" for key, value in document.items() if value is not None])


@feeds.command()
def release(feed: FeedArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Accept the items of a feed that were held: they may stand in the next edition.

    Example: newsletter feeds release arab-center
    """
    from newsletter.model.item import ItemState

    with opened(site) as app:
        app.settings.feed(feed)
        held = [item.id for item in app.items.listed(feed_id=feed, state=ItemState.HELD, limit=100_000)]
        released = app.items.move(held, ItemState.ACCEPTED, because="released by the operator", now=app.clock.now())
    answer({"feed": feed, "released": released}, as_json=as_json, lines=[f"{feed}: {released} items released"])


@feeds.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="A feed, or a page of the partner's site.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="The file's name in feeds/; made up unless told.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the feed behind a page and write feeds/NAME.toml, with its rights to be filled in.

    Where a page has several feeds, they are listed and you choose one by its own URL.

    Example: newsletter feeds add https://partner.example/ --name partner
    """
    from newsletter.cli import loop

    with opened(site) as app:
        found, _ = loop.run(lambda _: app.discover(url))
        if len(found) != 1:
            _choose(url, [candidate.url for candidate in found], as_json=as_json)
        path = _written(app, found[0], name)
    headlines = [entry.headline for entry in found[0].entries]
    document = {"feed": path.stem, "file": str(path), "url": found[0].url, "partner": found[0].title}
    lines = [
        f"{path}: written; say under [rights] what the partner allows. Its latest:",
        *(f"  {h}" for h in headlines[:5]),
    ]
    answer(document | {"headlines": headlines}, as_json=as_json, lines=lines)


def _written(app: App, found: Candidate, name: str | None) -> Path:
    """The new file in feeds/; one that is there is never written over."""
    from newsletter.collect.discover import feed_id, feed_toml
    from newsletter.errors import FeedError

    known = next((feed for feed in app.settings.feeds if feed.url == found.url), None)
    if known is not None:
        raise FeedError(known.id, "it has this URL already")
    taken = [feed.id for feed in app.settings.feeds]
    path = app.site.folder / "feeds" / f"{name or feed_id(found.url, taken)}.toml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(feed_toml(found))
    except FileExistsError:
        raise FeedError(path.stem, f"{path} is there already: choose another --name") from None
    return path


def _choose(url: str, candidates: list[str], *, as_json: bool) -> None:
    because = "several feeds: add one of them by its own URL" if candidates else "no feed found there"
    lines = [f"{url}: {because}", *candidates]
    answer({"feed": None, "candidates": candidates, "because": because}, as_json=as_json, lines=map(printable, lines))
    partly()


def _document(feed: Feed, health: FeedHealth | None) -> dict[str, Any]:
    names = ("last_try_at", "last_success_at", "next_poll_at", "failures", "because", "last_status")
    state = "disabled" if not feed.enabled else health.state if health else "new"
    told = {name: getattr(health, name) for name in names} if health else dict.fromkeys(names) | {"failures": 0}
    return {"feed": feed.id, "url": feed.url, "state": state} | told


def _settings(feed: Feed) -> dict[str, Any]:
    return {
        "partner": feed.partner,
        "kind": feed.kind,
        "topics": list(feed.topics),
        "original": feed.original,
        "poll_every": feed.poll_every,
        "first_poll": feed.first_poll,
        "reuse": feed.rights.reuse,
        "credit": feed.rights.credit,
    }


def _counts(app: App, feed_id: str) -> dict[str, int]:
    from newsletter.model.item import ItemState

    found = app.items.counts(feed_id)
    return {state.value: found.get(state, 0) for state in ItemState}
