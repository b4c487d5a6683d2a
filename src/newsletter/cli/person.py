"""One person as `newsletter subscribers show` tells about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsletter.cli.output import instant


def person_lines(document: dict[str, Any]) -> Iterator[str]:
    """The same for a person to read."""
    why = document["suppression"]
    suppressed = _suppressed(why) if why else ""
    if "created_at" not in document:
        yield f"{document['address']}: not known, and {suppressed}"
        return
    yield f"{document['address']}{suppressed and ', '}{suppressed}"
    yield from _about(document)
    for each in document["subscriptions"]:
        yield f"list {each['list']}: {each['state']} since {instant(each['since_at'])}{_taste(each)}"
        yield from _record(each)
    for each in document["deliveries"]:
        yield f"edition {each['edition']}: {each['state']} {each['because']}"
    for each in document["letters"]:
        yield f"letter {each['kind']}: {each['state']}, {instant(each['queued_at'])}"


def _suppressed(why: dict[str, Any]) -> str:
    because = ": ".join(filter(None, (why["kind"], why["reason"], why["evidence"])))
    return f"suppressed since {instant(why['at'])} ({because})"


def _about(document: dict[str, Any]) -> Iterator[str]:
    if wanted := document["wanted_address"]:
        yield f"  wants their mail at {wanted}, which both addresses have not confirmed yet"
    for name in ("name", "language", "format", "tracking"):
        if document[name] not in {None, "", True}:
            yield f"  {name}: {document[name]}"
    yield f"  created_at: {instant(document['created_at'])}"
    for name, value in document["fields"].items():
        yield f"  {name}: {value}"
    if trouble := document["trouble"]:
        times = f"at {instant(trouble.at)}, since {instant(trouble.since)}"
        yield f"  trouble with the mailbox: score {trouble.score:.1f} {times}"


def _record(subscription: dict[str, Any]) -> Iterator[str]:
    for consent in subscription["consent"]:
        said = ": ".join(filter(None, (consent["source"], consent["remark"])))
        yield f"  {instant(consent['at'])}  {consent['before'] or 'unknown'} to {consent['after']}, {said}"
        if consent["token"]:
            yield f"    by the link {consent['token']}"
        if consent["text"]:
            yield f"    was shown ({consent['version'][:12]}): {consent['text']}"


def _taste(subscription: dict[str, Any]) -> str:
    """What somebody wants of a list besides all of it each time."""
    weekly = ", once a week" if subscription["rhythm"] == "weekly" else ""
    return weekly + (f", only {', '.join(subscription['topics'])}" if subscription["topics"] else "")
