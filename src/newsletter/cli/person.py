"""One person as `newsletter subscribers show` tells about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsletter.model.subscriber import Consent
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
        "suppression": person.suppression,
        "trouble": person.trouble,
        "deliveries": [
            {"edition": edition, "state": state, "because": because} for edition, state, because in person.deliveries
        ],
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {name: getattr(consent, name) for name in ("at", "before", "after", "source", "text")}


def person_lines(document: dict[str, Any]) -> Iterator[str]:
    """The same for a person to read."""
    if "created_at" not in document:
        yield f"{document['address']}: not known, and suppressed: never mailed again"
        return
    yield f"{document['address']}{', suppressed: never mailed again' if document['suppressed'] else ''}"
    for name in ("name", "language", "created_at"):
        if document.get(name):
            yield f"  {name}: {document[name]}"
    for name, value in document.get("fields", {}).items():
        yield f"  {name}: {value}"
    if found := document["suppression"]:
        yield f"  suppressed at {found.at}: {': '.join(filter(None, (found.reason, found.evidence)))}"
    if trouble := document["trouble"]:
        yield f"  trouble with the mailbox: score {trouble.score:.1f} at {trouble.at}, since {trouble.since}"
    for each in document["subscriptions"]:
        yield f"list {each['list']}: {each['state']} since {each['since_at']}"
        for consent in each["consent"]:
            said = ": ".join(filter(None, (consent["source"], consent["text"])))
            yield f"  {consent['at']}  {consent['before'] or 'unknown'} to {consent['after']}, {said}"
    yield from (
        f"edition {each['edition']}: {each['state']} {each['because']}" for each in document.get("deliveries", [])
    )
