"""A segment finds the same readers on both databases, whatever they are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from newsletter.model.segment import parsed
from newsletter.model.subscriber import Newcomer, Preferences, Taste
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import DeliveryRow
from tests.store.samples import NOW, add_items, claim_all, deliver, draft_of, freeze, open_ledger

HARD = 'Cork", "x'
FIELDS = {
    "ann": (("town", "Cork"),),
    "bob": (("town", "cork"), ("age", "7")),
    "eve": (("town", HARD), ("Cork", "town")),
}


@pytest.fixture
def people(store: Store) -> Subscribers:
    """Ann, Bob and Eve on the brief; Dan on another list. Ann's last edition is two days old, Bob's ten, Eve had none."""
    people = Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))
    for day, (name, fields) in enumerate(FIELDS.items()):
        domain = {"ann": "example.org", "bob": "Sub.Example.org", "eve": "BÜCHER.example"}[name]
        newcomer = Newcomer(
            address=f"{name}@{domain}", lists=("brief",), fields=fields, language={"ann": "de-AT"}.get(name)
        )
        people.add([newcomer], confirmed=True, source="test", text="", now=NOW - timedelta(days=20 * day))
    people.add([Newcomer(address="dan@example.org", lists=("other",))], confirmed=True, source="t", text="", now=NOW)
    wants = Preferences(text_only=True, language="de", tastes={"brief": Taste(weekly=True, topics=("Seas", 'A "b"'))})
    people.prefer(people.person("bob@sub.example.org").subscriber.id, wants)
    _deliver(store, {"ann": 2, "bob": 10})
    return people


def _deliver(store: Store, days_ago: dict[str, int]) -> None:
    freeze(store, draft_of(add_items(store, 1), edition_id="earlier"))
    with open_ledger(store) as ledger:
        deliver(ledger, [one for one in claim_all(ledger) if one.address.partition("@")[0] in days_ago])
    with store.write() as connection:
        for number, days in enumerate(days_ago.values(), start=1):
            of_reader = update(DeliveryRow).where(DeliveryRow.subscriber_id == number)
            connection.execute(of_reader.values(settled_at=NOW - timedelta(days=days)))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("field.town = Cork", "ann"),
        ("field.town in (Cork, cork)", "ann bob"),
        ("field.town != Cork", "bob eve"),
        (f"field.town = '{HARD}'", "eve"),
        ('field.age = ""', "ann eve"),
        ("field.age != ''", "bob"),
        ("language = de", "ann bob"),
        ("language = de-AT", "ann"),
        ("domain = EXAMPLE.org", "ann"),
        ("domain = xn--bcher-kva.example", "eve"),
        ("format = text", "bob"),
        ("rhythm = each", "ann eve"),
        ("topic = Seas", "bob"),
        ("topic = 'A \"b\"'", "bob"),
        ("topic = Sea", ""),
        ("joined after 15d ago", "ann"),
        ("joined before 2026-10-30", "eve"),
        ("delivered after 5d ago", "ann"),
        ("delivered before 5d ago", "bob"),
        ("delivered never", "eve"),
        ("not (delivered never or format = text)", "ann"),
    ],
)
def test_a_segment_finds_who_it_says(people: Subscribers, line: str, found: str) -> None:
    exported = people.exported("brief", segment=parsed(line), now=NOW)
    assert " ".join(subscriber.address.partition("@")[0] for subscriber, _ in exported) == found
    counted = people.in_segment("brief", parsed(line), now=NOW)
    assert counted == ({"brief": len(found.split())} if found else {})


def test_a_digest_for_a_segment_goes_to_nobody_else(people: Subscribers, store: Store) -> None:
    draft = draft_of(add_items(store, 1), number=2)
    draft = replace(draft, digest=replace(draft.digest, segment="field.town in (Cork, cork)"))
    assert freeze(store, draft) == 2
    groups = Editions(store).readership(replace(draft, id="another")).groups
    assert sum(group.readers for group in groups) == 2
    assert people.in_segment(None, None, now=NOW) == {"brief": 3, "other": 1}
