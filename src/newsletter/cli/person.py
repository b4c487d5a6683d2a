"""One person as `newsletter subscribers show` tells about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsletter.model.subscriber import Consent, Suppression
    from newsletter.store.ports import Person


def person_document(person: Person) -> dict[str, Any]:
    """All that is known, as JSON has it: each subscription with its own record of consent."""
    consents = [(each.subscription_id, _consent(each)) for each in person.consents]
    return {
        "name": person.subscriber.name,
        "language": person.subscriber.language,
        "fields": dict(person.subscriber.fields),
        "created_at": person.subscriber.created_at,
        "subscriptions": [
            {
                "id": each.id,
                "list": each.list_id,
                "state": each.state,
                "since_at": each.since_at,
                "consent": [consent for owner, consent in consents if owner == each.id],
            }
            for each in person.subscriptions
        ],
        "trouble": person.trouble,
        "deliveries": [
            {"edition": edition, "state": state, "because": because} for edition, state, because in person.deliveries
        ],
        "letters": [{"kind": kind, "state": state, "queued_at": at} for kind, state, at in person.letters],
    }


def suppression_document(why: Suppression) -> dict[str, Any]:
    """Why an address or its domain is not mailed."""
    return {"kind": why.kind or "domain", "reason": why.reason, "evidence": why.evidence, "at": why.at}


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        name: getattr(consent, name)
        for name in ("at", "before", "after", "source", "text", "version", "token", "remark")
    }


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
    for name in ("name", "language", "created_at"):
        if document.get(name):
            yield f"  {name}: {document[name]}"
    for name, value in document.get("fields", {}).items():
        yield f"  {name}: {value}"
    if trouble := document.get("trouble"):
        yield f"  trouble with the mailbox: score {trouble.score:.1f} at {trouble.at}, since {trouble.since}"
    for each in document["subscriptions"]:
        yield f"list {each['list']}: {each['state']} since {each['since_at']}"
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
