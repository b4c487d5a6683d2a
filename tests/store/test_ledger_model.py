"""The ledger against a model of it: whatever comes in whatever order, both say the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from newsletter.model.delivery import DELIVERY_MOVES, Claimed, DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.outcomes import ANSWER_WITHIN
from newsletter.store.tables import DeliveryRow
from tests.store.samples import (
    LEASE,
    NOW,
    add_items,
    add_people,
    begin,
    draft_of,
    freeze,
    open_ledger,
    outcome,
    record,
    set_subscription,
)

_PEOPLE = 4
_WAIT = timedelta(minutes=20)
_OUTCOMES = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.QUEUED,
)
_WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
_numbers = count(1)


@dataclass(slots=True)
class _Row:
    """What must be true of one delivery."""

    state: DeliveryState = DeliveryState.QUEUED
    due_at: datetime = NOW
    queued_at: datetime = NOW
    fence: int = 0
    owner: str | None = None
    leased_until: datetime = NOW
    active: bool = True

    def held_by(self, claimed: Claimed) -> bool:
        return self.owner is not None and self.fence == claimed.fence

    def give_back(self) -> None:
        self.owner, self.due_at = None, self.queued_at

    def queue_again(self, now: datetime) -> None:
        self.state, self.due_at, self.fence = DeliveryState.QUEUED, now, self.fence + 1


class _Workers(RuleBasedStateMachine):
    """Two workers, an operator and readers who leave, on an edition of their own."""

    store: ClassVar[Store]
    ledger: ClassVar[Ledger]

    def __init__(self) -> None:
        super().__init__()
        self.editions, self.now = Editions(self.store), NOW
        name = f"list-{next(_numbers)}"
        people = add_people(self.store, _PEOPLE, list_id=name)
        self.edition = f"{name}-edition"
        freeze(self.store, draft_of(add_items(self.store, 1), edition_id=self.edition, list_id=name))
        self.rows = {subscription: _Row() for subscription in people}
        self.approved = True
        self.held: list[Claimed] = []

    def _of(self, claimed: Claimed) -> _Row:
        return self.rows[claimed.subscription_id]

    @rule(owner=st.sampled_from(["one", "two"]), limit=st.integers(1, _PEOPLE))
    def claim(self, owner: str, limit: int) -> None:
        due = [row for row in self.rows.values() if self.approved and row.state in _WAITING and row.due_at <= self.now]
        claimed = self.ledger.claim(owner=owner, limit=limit, now=self.now, lease=LEASE, edition_id=self.edition)
        wanted = min(limit, sum(row.active for row in due))
        assert all(self._of(each) in due and self._of(each).active for each in claimed)
        # Who left takes a place in the batch, but never all of it.
        assert min(wanted, 1) <= len(claimed) <= wanted
        self._turn_away([row for row in due if not row.active], all_of_them=limit >= len(due))
        for each in claimed:
            row = self._of(each)
            row.owner, row.fence = owner, row.fence + 1
            row.leased_until = row.due_at = self.now + LEASE
            assert (each.fence, each.queued_at) == (row.fence, row.queued_at)
        self.held += claimed

    def _turn_away(self, gone: list[_Row], *, all_of_them: bool) -> None:
        expected = sum(row.state is DeliveryState.SUPPRESSED for row in self.rows.values())
        many = self.editions.report(self.edition).suppressed - expected
        assert many == len(gone) if all_of_them else many <= len(gone)
        states = self._states()
        for row, subscription in [(row, key) for key, row in self.rows.items() if row in gone]:
            if states[subscription] is DeliveryState.SUPPRESSED:
                row.state, row.owner = DeliveryState.SUPPRESSED, None

    def _states(self) -> dict[int, DeliveryState]:
        query = select(DeliveryRow.subscription_id, DeliveryRow.state).where(DeliveryRow.edition_id == self.edition)
        with self.store.read() as connection:
            return {row.subscription_id: row.state for row in connection.execute(query)}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        claimed = data.draw(st.sampled_from(self.held))
        row = self._of(claimed)
        mine = row.held_by(claimed) and row.state in _WAITING
        expected = mine and self.approved and row.active and row.leased_until > self.now
        assert begin(self.ledger, [claimed], now=self.now) == [expected]
        if expected:
            row.state, row.leased_until = DeliveryState.SENDING, self.now + ANSWER_WITHIN
        elif mine:
            row.give_back()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), after=st.sampled_from(_OUTCOMES))
    def record(self, data: st.DataObject, after: DeliveryState) -> None:
        claimed = data.draw(st.sampled_from(self.held))
        row = self._of(claimed)
        open_to_it = row.held_by(claimed) or (row.fence == claimed.fence and row.state is DeliveryState.UNKNOWN)
        expected = open_to_it and row.state in DELIVERY_MOVES.before(after)
        counts = after is not DeliveryState.QUEUED
        tried = outcome(claimed, after, due_at=self.now + _WAIT, counts=counts)
        assert record(self.ledger, [tried], now=self.now) == [expected]
        if expected:
            row.state, row.owner, row.due_at = after, None, self.now + _WAIT

    @rule(alone=st.booleans())
    def recover(self, *, alone: bool) -> None:
        self.ledger.recover(now=self.now, alone=alone)
        for row in self.rows.values():
            if row.owner is not None and (alone or row.leased_until < self.now):
                if row.state is DeliveryState.SENDING:
                    row.state, row.owner = DeliveryState.UNKNOWN, None
                else:
                    row.give_back()

    @rule(owner=st.sampled_from(["one", "two"]))
    def release(self, owner: str) -> None:
        mine = [row for row in self.rows.values() if row.owner == owner and row.state in _WAITING]
        assert self.ledger.release(owner) == len(mine)
        for row in mine:
            row.give_back()

    @rule()
    def pause_or_resume(self) -> None:
        self.approved = not self.approved
        after = EditionState.APPROVED if self.approved else EditionState.PAUSED
        self.editions.move(self.edition, after, now=self.now)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        subscription = data.draw(st.sampled_from(sorted(self.rows)))
        set_subscription(self.store, subscription, SubscriptionState.LEFT)
        self.rows[subscription].active = False

    @rule(states=st.sets(st.sampled_from([DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN])))
    def resend(self, states: set[DeliveryState]) -> None:
        again = [row for row in self.rows.values() if row.state in states and row.owner is None]
        assert self.ledger.resend(self.edition, states, now=self.now) == len(again)
        for row in again:
            row.queue_again(self.now)
            row.queued_at = self.now

    @rule()
    def requeue_unknown(self) -> None:
        again = [row for row in self.rows.values() if row.state is DeliveryState.UNKNOWN]
        assert self.ledger.requeue_unknown(now=self.now) == len(again)
        for row in again:
            row.queue_again(self.now)

    @rule(minutes=st.sampled_from([1, 6, 30]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_account_is_right(self) -> None:
        assert self._states() == {key: row.state for key, row in self.rows.items()}

    def teardown(self) -> None:
        """Nothing of this example may be seen by the next, which shares the store."""
        self.ledger.recover(now=self.now, alone=True)
        if not self.approved:
            self.editions.move(self.edition, EditionState.APPROVED, now=self.now)
        self.editions.move(self.edition, EditionState.CANCELLED, now=self.now)


@pytest.mark.slow
def test_the_ledger_does_what_its_model_does(store: Store) -> None:
    with open_ledger(store) as ledger:
        workers = type("Workers", (_Workers,), {"store": store, "ledger": ledger})
        run_state_machine_as_test(
            workers,
            settings=settings(
                max_examples=40,
                stateful_step_count=40,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
