"""People joining lists: what becomes of many newcomers, in a few statements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Connection, String, Text, and_, case, literal, or_, select

from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, SubscriptionState, SuppressionKind
from newsletter.store.asking import due_dates
from newsletter.store.barred import barred
from newsletter.store.consents import Said, change, put_on_record
from newsletter.store.given import as_given, given
from newsletter.store.keys import AddressKeys
from newsletter.store.letters import queue_letters
from newsletter.store.mapping import NO_FIELDS, fields_text, language_tag, storable
from newsletter.store.ports import Added
from newsletter.store.statements import insert_into
from newsletter.store.tables import ConsentRow, LetterRow, SubscriberRow, SubscriptionRow
from newsletter.store.types import UtcDateTime

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert

_PENDING, _ACTIVE, _LEFT, _SUPPRESSED = (
    SubscriptionState.PENDING,
    SubscriptionState.ACTIVE,
    SubscriptionState.LEFT,
    SubscriptionState.SUPPRESSED,
)
_ASK_AGAIN_AFTER = timedelta(hours=1)

_Wish = tuple[str, str]
"""An address key and a list's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms people join: see the port's `add`."""

    confirmed: bool
    by_person: bool
    said: Said

    @property
    def state(self) -> SubscriptionState:
        return _ACTIVE if self.confirmed else _PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """Subscription ids by what became of them."""

    new: Sequence[int]
    back: Sequence[int]
    """Had left, and wait for confirmation again."""
    activated: Sequence[int]
    """Had been waiting for confirmation, which now was given elsewhere."""
    waiting: Sequence[int]
    """Were waiting already, and asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Newcomers by address key, and every wish as often as it was said."""

    people: dict[str, Newcomer]
    wishes: Sequence[_Wish]


def add_newcomers(connection: Connection, newcomers: Sequence[Newcomer], *, terms: Terms, keys: AddressKeys) -> Added:
    """Add some thousand people at most; the caller adds the counts up."""
    asked = _asked(newcomers, keys)
    shut_out = _shut_out(connection, asked.people, keys, terms)
    wanted = tuple(dict.fromkeys(wish for wish in asked.wishes if wish[0] not in shut_out))
    # First, for it locks who signs up: nobody forgets them before they are asked to confirm.
    _insert_people(connection, [(key, asked.people[key]) for key in dict.fromkeys(key for key, _ in wanted)], terms)
    standing = _standing(connection, wanted)
    if not terms.by_person:
        standing = _as_left(connection, standing)
    joined = _join(connection, [wish for wish in wanted if wish not in standing], standing.values(), terms)
    _write_to(connection, joined, terms)
    stood = Counter(state for _, state in standing.values())
    stood[_SUPPRESSED] += sum(wish[0] in shut_out for wish in asked.wishes)
    return _counted(joined, stood, terms, said=len(asked.wishes))


def _asked(newcomers: Sequence[Newcomer], keys: AddressKeys) -> _Asked:
    keyed = [(keys.key_of(newcomer.address), newcomer) for newcomer in newcomers]
    return _Asked(
        people=dict(reversed(keyed)),  # of one said twice, the first stays
        # Sorted, so that two sign-ups of a person at the same time lock their rows in the same order.
        wishes=[(key, list_id) for key, newcomer in keyed for list_id in sorted(newcomer.lists)],
    )


def _shut_out(connection: Connection, people: Mapping[str, Newcomer], keys: AddressKeys, terms: Terms) -> set[str]:
    """Those of the address keys that must not be mailed. Erasure keeps imports out, not who asks to be asked."""
    addresses = {key: each.address for key, each in people.items()}
    hashes = {key: keys.hashes_of_key(key, address) for key, address in addresses.items()}
    found = barred(connection, addresses, hashes=hashes)
    may_ask = terms.by_person and not terms.confirmed
    return {key for key, why in found.items() if not (may_ask and why.kind is SuppressionKind.ERASED)}


def _standing(connection: Connection, wanted: Sequence[_Wish]) -> dict[_Wish, tuple[int, SubscriptionState]]:
    """The subscription that each wish is about, where there is one."""
    asked = given(connection.dialect.name, key=String(320), list_id=String(100))
    query = (
        select(asked.c.key, asked.c.list_id, SubscriptionRow.id, SubscriptionRow.state)
        .join(SubscriberRow, SubscriberRow.address_key == asked.c.key)
        .join(
            SubscriptionRow,
            and_(SubscriptionRow.subscriber_id == SubscriberRow.id, SubscriptionRow.list_id == asked.c.list_id),
        )
    )
    rows = connection.execute(query, {"given": as_given(wanted)})
    return {(row.key, row.list_id): (row.id, row.state) for row in rows}


def _as_left(
    connection: Connection, standing: Mapping[_Wish, tuple[int, SubscriptionState]]
) -> dict[_Wish, tuple[int, SubscriptionState]]:
    """As an import finds them: who had left, and was asked whether they come back, has left until they say so."""
    waiting = [subscription_id for subscription_id, state in standing.values() if state is _PENDING]
    asked = given(connection.dialect.name, id=BigInteger())
    query = select(ConsentRow.subscription_id).join(asked, asked.c.id == ConsentRow.subscription_id)
    values = {"given": as_given(waiting)}
    left = set(connection.scalars(query.where(ConsentRow.after == _LEFT), values)) if waiting else set()
    return {wish: (each, _LEFT if each in left else state) for wish, (each, state) in standing.items()}


def _insert_people(connection: Connection, people: Sequence[tuple[str, Newcomer]], terms: Terms) -> None:
    """Add who is not there. An import fills in what is empty; a sign-up changes nothing about a person."""
    asked = given(
        connection.dialect.name,
        address=Text(),
        address_key=String(320),
        name=Text(),
        language=String(35),
        fields=Text(),
    )
    columns = [*asked.c, literal(terms.said.now, UtcDateTime()).label("created_at")]
    found = select(*columns).where(asked.c.address_key.is_not(None))  # SQLite needs a WHERE before ON CONFLICT
    statement = insert_into(connection, SubscriberRow).from_select(
        [column.name for column in columns], found, include_defaults=False
    )
    statement = _locking(statement) if terms.by_person else _filling_in(statement)
    connection.execute(statement, {"given": as_given(_person(key, newcomer) for key, newcomer in people)})


def _locking(statement: Insert) -> Insert:
    """Change nothing about who is there, and keep others from doing so."""
    return statement.on_conflict_do_update(index_elements=["address_key"], set_={"name": SubscriberRow.name})


def _filling_in(statement: Insert) -> Insert:
    new, nothing = statement.excluded, {"name": "", "fields": NO_FIELDS}
    empty = {name: getattr(SubscriberRow, name) == value for name, value in nothing.items()}
    return statement.on_conflict_do_update(
        index_elements=["address_key"],
        set_={
            name: case((is_empty, new[name]), else_=getattr(SubscriberRow, name)) for name, is_empty in empty.items()
        },
        where=or_(*(and_(is_empty, new[name] != nothing[name]) for name, is_empty in empty.items())),
    )


def _person(key: str, newcomer: Newcomer) -> tuple[str | None, ...]:
    return (
        storable(newcomer.address),
        storable(key),
        storable(newcomer.name),
        language_tag(newcomer.language),
        fields_text(newcomer.fields),
    )


def _join(
    connection: Connection,
    wishes: Sequence[_Wish],
    standing: Iterable[tuple[int, SubscriptionState]],
    terms: Terms,
) -> _Joined:
    ids: defaultdict[SubscriptionState, list[int]] = defaultdict(list)
    for subscription_id, state in standing:
        ids[state].append(subscription_id)
    left = ids[_LEFT] if terms.by_person else []
    waiting = [] if terms.confirmed else ids[_PENDING]
    confirmed = ids[_PENDING] if terms.confirmed else []
    return _Joined(
        new=_subscribe(connection, wishes, terms),
        back=change(connection, left, before=_LEFT, after=_PENDING, said=terms.said),
        activated=change(connection, confirmed, before=_PENDING, after=_ACTIVE, said=terms.said),
        waiting=waiting if terms.by_person else [],
    )


def _subscribe(connection: Connection, wishes: Sequence[_Wish], terms: Terms) -> list[int]:
    asked = given(connection.dialect.name, key=String(320), list_id=String(100))
    row = SubscriptionRow.__table__.c
    found = select(
        SubscriberRow.id,
        asked.c.list_id,
        literal(terms.state, row.state.type),
        literal(terms.said.now, UtcDateTime()),
    ).join_from(asked, SubscriberRow, SubscriberRow.address_key == asked.c.key)
    statement = (
        insert_into(connection, SubscriptionRow)
        .from_select(
            [row.subscriber_id, row.list_id, row.state, row.since_at],
            # In one order, whatever the planner thinks of it: which list is asked about first hangs on it.
            found.where(asked.c.key.is_not(None)).order_by(asked.c.key, asked.c.list_id),
            include_defaults=False,
        )
        .on_conflict_do_nothing()
        .returning(SubscriptionRow.id)
    )
    new = list(connection.scalars(statement, {"given": as_given(wishes)}))
    put_on_record(connection, new, before=None, after=terms.state, said=terms.said)
    return new


def _write_to(connection: Connection, joined: _Joined, terms: Terms) -> None:
    """Ask who is pending to confirm; welcome who joined by themselves. An import welcomes nobody."""
    now = terms.said.now
    pending = [*joined.back, *joined.waiting, *(() if terms.confirmed else joined.new)]
    asked = set(pending) - _asked_lately(connection, [*joined.back, *joined.waiting], now=now)
    hour = f"{now:%Y-%m-%dT%H}"
    due = due_dates(connection, sorted(asked), now=now)
    letters = [(each, f"confirmation/{each}/{hour}", at) for each, at in due.items()]
    queue_letters(connection, LetterKind.CONFIRMATION, letters, now=now)
    if terms.confirmed and terms.by_person:
        welcome = [(each, f"welcome/{each}/{now.isoformat()}", now) for each in (*joined.new, *joined.activated)]
        queue_letters(connection, LetterKind.WELCOME, welcome, now=now)


def _asked_lately(connection: Connection, ids: Sequence[int], *, now: datetime) -> set[int]:
    """Who was asked to confirm within the hour."""
    if not ids:
        return set()
    asked = given(connection.dialect.name, id=BigInteger())
    query = (
        select(LetterRow.subscription_id)
        .join(asked, asked.c.id == LetterRow.subscription_id)
        .where(LetterRow.kind == LetterKind.CONFIRMATION, LetterRow.queued_at > now - _ASK_AGAIN_AFTER)
    )
    return set(connection.scalars(query, {"given": as_given(ids)}))


def _counted(joined: _Joined, stood: Counter[SubscriptionState], terms: Terms, *, said: int) -> Added:
    """Every wish is counted once, so that the counts add up to what was asked."""
    added = len(joined.new) + len(joined.back) + len(joined.activated)
    left = stood[_LEFT] - len(joined.back)
    return Added(
        added=added,
        pending=len(joined.back) + (0 if terms.confirmed else len(joined.new)),
        known=said - added - left - stood[_SUPPRESSED],
        left=left,
        suppressed=stood[_SUPPRESSED],
    )
