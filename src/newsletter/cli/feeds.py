"""`newsletter feeds`: how each feed is doing, and new ones."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli import feedhealth, opml
from newsletter.cli.feedfile import still_missing
from newsletter.cli.output import JsonOption, SiteOption, answer, group, opened, partly, printable, table
from newsletter.model.text import counted, duration

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.collect.discover import Candidate
    from newsletter.model.edition import Piece
    from newsletter.model.feed import Feed

feeds = group("List feeds with their health; show one; add, import and export; release what was held.")
feeds.command("import")(opml.import_)
feeds.command("export")(opml.export)

_SHOWN = 3
_WIDTH = 88

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="A feed's name: its file in feeds/ without .toml.")]


@feeds.command("list")
def list_(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """List all feeds with their health.

    Example: newsletter feeds list --json
    """
    from newsletter.collect.hosts import all_spared

    with opened(site) as app:
        now = app.clock.now()
        healths = {health.feed_id: health for health in app.feeds.each_health()}
        spared = all_spared(healths.values())
        known = [(feed, healths.get(feed.id)) for feed in app.settings.feeds]
        hubs = feedhealth.by_feed(app.hubs.listed())
    documents = [feedhealth.document(feed, health, hubs.get(feed.id), now=now, spared=spared) for feed, health in known]
    rows = [feedhealth.row(feed, health, now=now, spared=spared) for feed, health in known]
    answer({"feeds": documents}, as_json=as_json, lines=table(feedhealth.HEADERS, rows))


@feeds.command()
def show(feed: FeedArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show one feed: when it was asked, what is wrong, what happens next; its settings and how many items it has.

    Example: newsletter feeds show arab-center
    """
    from newsletter.collect.hosts import all_spared

    with opened(site) as app:
        found = app.settings.feed(feed)
        health, now = app.feeds.health(feed), app.clock.now()
        spared = all_spared(app.feeds.each_health())
        hub = feedhealth.by_feed(app.hubs.listed()).get(feed)
        settings, items = _settings(found), _counts(app, feed)
    document = feedhealth.document(found, health, hub, now=now, spared=spared) | settings | {"items": items}
    lines = [
        *feedhealth.lines(found, health, hub, now=now, spared=spared),
        f"items: {', '.join(f'{many} {state}' for state, many in items.items() if many) or 'none'}",
        *(f"{name}: {_in_words(value)}" for name, value in settings.items() if value not in ("", None)),
    ]
    answer(document, as_json=as_json, lines=map(printable, lines))


@feeds.command()
def release(
    feed: FeedArgument,
    *,
    known: Annotated[bool, typer.Option("--known", help="They are no news: keep them, mail none.")] = False,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept the items of a feed that were held, so that they may stand in the next edition, and hold it no more.

    Example: newsletter feeds release arab-center --known
    """
    from newsletter.model.item import ItemState

    with opened(site) as app:
        app.settings.feed(feed)
        after = ItemState.KNOWN if known else ItemState.ACCEPTED
        because = "released by the operator" + (" as no news" if known else "")
        released = app.feeds.release(feed, after, because=because)
    lines = [f"{feed}: {counted(released, 'item')} released{' as no news' if known else ''}"]
    answer({"feed": feed, "released": released, "state": after}, as_json=as_json, lines=lines)


@feeds.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="A feed, or a page of the partner's site.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="The file's name in feeds/; made up unless told.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the feed behind a page, write feeds/NAME.toml with its rights to be filled in, and show its items.

    Where a page has several feeds, they are listed and you choose one by its own URL.

    Example: newsletter feeds add https://partner.example/ --name partner
    """
    from newsletter.cli import loop

    with opened(site, feeds_to_come=True) as app:
        found, _ = loop.run(lambda _: app.discover(url))
        if len(found) != 1:
            _choose(url, [candidate.url for candidate in found], as_json=as_json)
        path, missing = _written(app, found[0], name)
        teasers = _teasers(app, found[0], path.stem)
    whole = _whole(found[0])
    document = {
        "feed": path.stem,
        "file": str(path),
        "url": found[0].url,
        "partner": found[0].title,
        "system": found[0].system,
        "headlines": [entry.headline for entry in found[0].entries],
        "whole_texts": whole,
        "items": [_teaser_document(piece) for piece in teasers],
        "missing": missing,
    }
    lines = _added(path, found[0], teasers, whole)
    answer(document, as_json=as_json, lines=[*lines, *map(still_missing, missing)])


def _written(app: App, found: Candidate, name: str | None) -> tuple[Path, tuple[str, ...]]:
    """The new file in feeds/, and what the settings lack still.

    One that is there is never written over, nor a feed added twice.
    """
    from newsletter.cli.feedfile import names_taken, same_address, take_back_unusable, write_feed
    from newsletter.collect.discover import feed_id
    from newsletter.errors import FeedError

    known = next((feed for feed in app.settings.feeds if same_address(feed.url) == same_address(found.url)), None)
    if known is not None:
        raise FeedError(known.id, "it has this URL already")
    folder = app.site.folder
    path = write_feed(folder, found, name=name or feed_id(found.url, names_taken(folder)))
    refused, missing = take_back_unusable(folder, [path])
    if because := refused.get(path):
        raise FeedError(path.stem, f"it cannot be a feed of this site: {because}")
    return path, missing


def _teasers(app: App, found: Candidate, name: str) -> list[Piece]:
    """The newest items as a digest would show them."""
    from newsletter.compose.sample import sample_teaser
    from newsletter.model.feed import Feed

    feed = Feed(id=name, url=found.url, partner=found.title, language=found.language)
    return [sample_teaser(entry, feed, now=app.clock.now()) for entry in found.entries[:_SHOWN]]


def _whole(found: Candidate) -> int:
    from newsletter.compose.sample import carries_whole

    return sum(map(carries_whole, found.entries))


def _teaser_document(piece: Piece) -> dict[str, Any]:
    image = piece.image
    return {
        "headline": piece.headline,
        "url": piece.url,
        "published_at": piece.published_at,
        "section_line": piece.section_line,
        "byline": piece.byline,
        "dek": piece.dek,
        "image": {"url": image.url, "caption": image.caption, "credit": image.credit} if image else None,
        "teaser": list(piece.paragraphs),
    }


def _added(path: Path, found: Candidate, teasers: list[Piece], whole: int) -> list[str]:
    many = len(found.entries)
    lines = [
        f"{path}: written; say under [rights] what the partner allows, and name {path.stem} in a digest.",
        f"{found.title or found.url}: {counted(many, 'item')}, {whole} of them with their whole text.",
    ]
    if found.system:
        lines.append(f"Made by {found.system}: {found.hint}.")
    if many > _SHOWN:
        lines.append(f"The newest {_SHOWN} as teasers:")
    for piece in teasers:
        lines += ["", *_teaser_lines(piece)]
    return lines


def _teaser_lines(piece: Piece) -> list[str]:
    image = piece.image
    picture = f"[Picture: {image.credit or image.caption or 'without caption and credit'}]" if image else ""
    head = (piece.section_line, piece.headline, piece.dek, piece.byline, picture)
    lines = [line for text in head if text for line in _wrapped(text)]
    for paragraph in piece.paragraphs:
        lines += ["", *_wrapped(paragraph)]
    return [*lines, "", f"  Keep reading: {piece.url}"]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def _choose(url: str, candidates: list[str], *, as_json: bool) -> None:
    because = "several feeds: add one of them by its own URL" if candidates else "no feed found there"
    lines = [f"{url}: {because}", *candidates]
    answer({"feed": None, "candidates": candidates, "because": because}, as_json=as_json, lines=map(printable, lines))
    partly()


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


def _in_words(value: object) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value) or "none"
        case timedelta():
            return duration(value)
    return value


def _counts(app: App, feed_id: str) -> dict[str, int]:
    from newsletter.model.item import ItemState

    found = app.items.counts(feed_id)
    return {state.value: found.get(state, 0) for state in ItemState}
