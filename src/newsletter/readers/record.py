"""Everything known about one person, as they and the operator may have it."""

from __future__ import annotations

from typing import Any

from newsletter.model.subscriber import Consent, Suppression
from newsletter.store.ports import Person


def person_document(person: Person) -> dict[str, Any]:
    """All that is known, as JSON has it: each subscription with its own record of consent."""
    consents = [(each.subscription_id, _consent(each)) for each in person.consents]
    return {
        "wanted_address": person.wanted_address,
        "name": person.subscriber.name,
        "language": person.subscriber.language,
        "fields": dict(person.subscriber.fields),
        "created_at": person.subscriber.created_at,
        "format": "text" if person.subscriber.text_only else "html",
        "tracking": person.subscriber.tracking,
        "subscriptions": [
            {
                "id": each.id,
                "list": each.list_id,
                "state": each.state,
                "since_at": each.since_at,
                "rhythm": "weekly" if each.weekly else "each",
                "topics": each.topics,
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
