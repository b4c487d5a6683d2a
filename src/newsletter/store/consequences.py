"""What follows for people when deliveries fail: a dead address is never mailed again, trouble with a mailbox adds up.

Nothing is written when a mail arrives. Whether one did since the trouble began is asked only when there is more of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, delete, exists, func, or_, select, true

from newsletter.model.blame import Blame
from newsletter.model.delivery import DeliveryState, LedgerKind, Tried
from newsletter.model.subscriber import SuppressionKind
from newsletter.model.trouble import REPORTED_WITHIN, Patience, Trouble, enough, more_trouble
from newsletter.store.books import BOOKS
from newsletter.store.consents import Said
from newsletter.store.given import as_given, given
from newsletter.store.nameless import nameless
from newsletter.store.outcomes import told
from newsletter.store.personal import of_person
from newsletter.store.statements import insert_into
from newsletter.store.suppressing import call_off, never_again
from newsletter.store.tables import AddressChangeRow, DeliveryRow, SubscriberRow, SubscriptionRow, TroubleRow

SOURCE = "bounce"
"""Who says so, in the record of consent."""
_BLAMED = frozenset({Blame.ADDRESS_DEAD, Blame.MAILBOX_TROUBLE})
_HALF_LIVES_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How addresses are hashed, and how much trouble is enough."""

    hashes_of: Callable[[str], Sequence[str]]
    patience: Patience


def follow(connection: Connection, failures: Sequence[Tried], *, terms: Terms, now: datetime) -> int:
    """Draw the consequences of deliveries that failed; returns how many addresses were suppressed.

    What is nobody's fault, or ours, is passed over. In the transaction that records the failures, or after it.
    """
    blamed = {(one.ledger, one.id): one for one in failures if is_blamed(one)}
    if not blamed:
        return 0
    # Everybody takes people in the same order, so that nobody waits in a circle.
    people = sorted(_people(connection, blamed), key=lambda found: found[1].subscriber_id)
    return sum(_followed(connection, blamed[key], row, terms=terms, now=now) for key, row in people)


def is_blamed(tried: Tried) -> bool:
    """Whether a delivery failed for a reason that lies with the address."""
    return tried.state is DeliveryState.FAILED and tried.blame in _BLAMED


def trouble_of(connection: Connection, subscriber_id: int, *, lock: bool = False) -> Trouble | None:
    """How much trouble a mailbox was at the last failure."""
    query = select(TroubleRow.score, TroubleRow.since, TroubleRow.at).where(TroubleRow.subscriber_id == subscriber_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Trouble(score=row.score, since=row.since, at=row.at)


def forget_old(connection: Connection, *, patience: Patience, now: datetime) -> int:
    """Drop scores of which nothing is left to speak of; returns how many."""
    before = now - _HALF_LIVES_KEPT * patience.half_life
    return connection.execute(delete(TroubleRow).where(TroubleRow.at < before)).rowcount


def _people(
    connection: Connection, blamed: dict[tuple[LedgerKind, int], Tried]
) -> Iterator[tuple[tuple[LedgerKind, int], Row[Any]]]:
    """Whom the deliveries were for. Nobody, for one whose person was erased meanwhile."""
    ids: defaultdict[LedgerKind, list[int]] = defaultdict(list)
    for ledger, id_ in blamed:
        ids[ledger].append(id_)
    for ledger, some in ids.items():
        rows = connection.execute(_whose(ledger, connection.dialect.name), {"given": as_given(some)})
        yield from (((ledger, row.id), row) for row in rows)


@cache
def _whose(ledger: LedgerKind, dialect: str) -> Select[Any]:
    table, asked = BOOKS[ledger].table, given(dialect, id=BigInteger())
    # A letter about a change of address may have gone to the one that somebody only wants.
    theirs = table.c.change_id.is_(None) if ledger is LedgerKind.LETTER else true()
    confirmed = AddressChangeRow.old_confirmed_at, AddressChangeRow.new_confirmed_at
    # What was begun before they had another address is no fault of that one.
    moved = exists().where(
        AddressChangeRow.subscriber_id == SubscriptionRow.subscriber_id,
        *(each.is_not(None) for each in confirmed),
        or_(*(each >= table.c.begun_at for each in confirmed)),
    )
    return (
        select(table.c.id, SubscriptionRow.subscriber_id, SubscriberRow.address)
        .select_from(asked)
        .join(table, table.c.id == asked.c.id)
        .join(SubscriptionRow, SubscriptionRow.id == table.c.subscription_id)
        .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
        .where(SubscriberRow.address.is_not(None), theirs, ~moved)
    )


def _followed(connection: Connection, tried: Tried, row: Row[Any], *, terms: Terms, now: datetime) -> bool:
    """Whether the address was suppressed over this."""
    why = tried.because
    if tried.blame is Blame.MAILBOX_TROUBLE:
        trouble = _added(connection, row.subscriber_id, patience=terms.patience, now=now)
        if not enough(trouble, now=now, patience=terms.patience):
            return False
        why = f"{why}, again and again for {(trouble.at - trouble.since).days} days"
    said = Said(source=SOURCE, remark=nameless(told(why), row.address), now=now)
    evidence = nameless(_evidence(tried), row.address)
    address_hash = terms.hashes_of(row.address)[0]
    never_again(connection, address_hash, kind=SuppressionKind.BOUNCE, said=said, evidence=evidence)
    call_off(connection, row.subscriber_id, said=said)
    return True


def _added(connection: Connection, subscriber_id: int, *, patience: Patience, now: datetime) -> Trouble:
    """The mailbox's score with one more failure."""
    before = trouble_of(connection, subscriber_id, lock=True)
    if before is not None and _got_mail(connection, subscriber_id, since=before.since, now=now):
        before = None
    trouble = more_trouble(before, at=now, patience=patience)
    values = {"score": trouble.score, "since": trouble.since, "at": trouble.at}
    keep = insert_into(connection, TroubleRow).values(subscriber_id=subscriber_id, **values)
    connection.execute(keep.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))
    return trouble


def _got_mail(connection: Connection, subscriber_id: int, *, since: datetime, now: datetime) -> bool:
    """Whether something arrived since then. What a relay took only lately may yet come back as a report."""
    arrived = exists().where(
        of_person(subscriber_id),
        func.lower(DeliveryRow.state) == DeliveryState.SENT,  # see Book.moving_by_id
        DeliveryRow.settled_at > since,
        DeliveryRow.settled_at < now - REPORTED_WITHIN,
    )
    return bool(connection.scalar(select(arrived)))


def _evidence(tried: Tried) -> str:
    reply = tried.reply
    said = f"{reply.code} {reply.enhanced} {told(reply.text)}" if reply else "no reply"
    return " ".join(f"{said} ({tried.ledger} {tried.id}, relay {tried.relay or 'none'})".split())
