"""One person as `newsletter subscribers show` tells about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def person_lines(document: dict[str, Any]) -> Iterator[str]:
    """The same for a person to read."""
    why = document["suppression"]
    suppressed = (
        f"suppressed since {why['at']} ({': '.join(filter(None, (why['kind'], why['reason'], why['evidence'])))})"
        if why
        else ""
    )
    if "created_at" not in document:
        yield f"{document['address']}: not known, and {suppressed}"
        return
    yield f"{document['address']}{suppressed and ', '}{suppressed}"
    for name in ("wanted_address", "name", "language", "format", "tracking", "created_at"):
        if document.get(name) not in {None, "", True}:
            yield f"  {name}: {document[name]}"
    for name, value in document.get("fields", {}).items():
        yield f"  {name}: {value}"
    if trouble := document.get("trouble"):
        yield f"  trouble with the mailbox: score {trouble.score:.1f} at {trouble.at}, since {trouble.since}"
    for each in document["subscriptions"]:
        yield f"list {each['list']}: {each['state']} since {each['since_at']}{_taste(each)}"
        for consent in each["consent"]:
            said = ": ".join(filter(None, (consent["source"], consent["remark"])))
            yield f"  {consent['at']}  {consent['before'] or 'unknown'} to {consent['after']}, {said}"
            if consent["token"]:
                yield f"    by the link {consent['token']}"
            if consent["text"]:
                yield f"    was shown ({consent['version'][:12]}): {consent['text']}"
    yield from (
        f"edition {each['edition']}: {each['state']} {each['because']}" for each in document.get("deliveries", [])
    )
    yield from (f"letter {each['kind']}: {each['state']}, {each['queued_at']}" for each in document.get("letters", []))


def _taste(subscription: dict[str, Any]) -> str:
    """What somebody wants of a list besides all of it each time."""
    weekly = ", once a week" if subscription["rhythm"] == "weekly" else ""
    return weekly + (f", only {', '.join(subscription['topics'])}" if subscription["topics"] else "")
