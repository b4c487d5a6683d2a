"""Editions: frozen whole, moved by decisions, finished when everyone has an outcome."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, select, update

from newsletter.errors import ConflictError, EditionError, NotFoundError
from newsletter.model.delivery import OPEN_STATES, DeliveryState, Report
from newsletter.model.edition import EDITION_MOVES, PUBLISHED, Draft, Edition, EditionState, Rendered
from newsletter.model.variant import NOT_SENT, WHOLE, Group, Place, Readership, Variant, Variants
from newsletter.store.account import forms_of, lines_of, reasons_of, states_of
from newsletter.store.books import DELIVERIES
from newsletter.store.calling_off import begin_calling_off, call_off_some, end_calling_off, was_begun
from newsletter.store.engine import Store
from newsletter.store.freezing import check_told, insert_edition, insert_pieces
from newsletter.store.frozen import draft_from, prepare, rendered_from
from newsletter.store.missed import missed_by
from newsletter.store.placing import Places, insert_forms, places_of
from newsletter.store.readership import Shared, crowd_of, readership_of, shared_with
from newsletter.store.recipients import anybody_weekly
from newsletter.store.slices import begin_slices, is_unwritten, next_slice
from newsletter.store.tables import DeliveryRow, DocumentRow, EditionRow, FreezingRow, VariantRow

_FIRST = 2_000
"""Recipients who are written down with the edition: for a small list all, for a large one enough to begin with."""
_MORE = 5_000
_CALLED_OFF = 2_000
"""Recipients who are suppressed together, so that nobody who wants to write waits long."""


class Editions:
    """The Editions port."""

    def __init__(self, store: Store, *, first: int = _FIRST) -> None:
        self._store = store
        self._first = first

    def next_number(self, list_id: str) -> int:
        with self._store.read() as connection:
            highest = connection.scalar(select(func.max(EditionRow.number)).where(EditionRow.list_id == list_id))
        return (highest or 0) + 1

    def free_id(self, wanted: str) -> str:
        with self._store.read() as connection:
            taken, suffix = wanted, 1
            while connection.scalar(select(exists().where(EditionRow.id == taken))):
                suffix += 1
                taken = f"{wanted}-{suffix}"
        return taken

    def anybody_weekly(self, list_id: str) -> bool:
        with self._store.read() as connection:
            return anybody_weekly(connection, list_id)

    def last_frozen_at(self, digest_id: str) -> datetime | None:
        kept = EditionRow.digest_id == digest_id, EditionRow.state != EditionState.CANCELLED
        with self._store.read() as connection:
            return connection.scalar(select(func.max(EditionRow.frozen_at)).where(*kept))

    def readership(self, draft: Draft) -> Readership:
        while True:
            with self._store.read() as connection:
                crowd = crowd_of(connection, draft)
                unknown = _unwritten(connection, crowd.shared)
                if not unknown:
                    return readership_of(connection, crowd)[0]
            # Who is about to get them has them, for this one.
            for edition_id in unknown:
                self._slice_of(edition_id, most=_MORE)

    def freeze(
        self,
        draft: Draft,
        rendered: Rendered,
        *,
        slot: str,
        state: EditionState,
        now: datetime,
        variants: Variants | None = None,
    ) -> int:
        places, placed = self._places(draft, variants, now=now)
        prepare()
        try:
            with self._store.write_much() as connection:
                # Two editions with the same story must know of one another.
                self._store.freeze_alone(connection)
                check_told(connection, draft)
                if variants:
                    _check_overlap(connection, draft, variants.readership)
                insert_edition(connection, draft, rendered, slot=slot, state=state, now=now)
                insert_pieces(connection, draft)
                if variants and places:
                    insert_forms(connection, draft, variants, placed)
                begin_slices(connection, draft, places, now=now, first=self._first)
        except ConflictError as exc:
            because = "its id, its number, its slot or one of its stories was taken meanwhile: compose again"
            raise EditionError(draft.id, because) from exc
        with self._store.read() as connection:
            return connection.scalar(select(func.count()).where(DELIVERIES.table.c.edition_id == draft.id)) or 0

    def _places(
        self, draft: Draft, variants: Variants | None, *, now: datetime
    ) -> tuple[Places | None, Sequence[tuple[Group, Place]]]:
        """Who gets which form; nothing where everybody gets the whole edition. Nobody has to wait while it is read."""
        if variants is None:
            return None, ()
        with self._store.read() as connection:
            crowd = crowd_of(connection, draft)
            return places_of(connection, crowd, variants, now=now) if crowd.columns else (None, ())

    def freeze_more(self, *, most: int = _MORE) -> bool:
        first = select(FreezingRow.edition_id).order_by(FreezingRow.queued_at, FreezingRow.edition_id).limit(1)
        with self._store.read() as connection:
            edition_id = connection.scalar(first)
        if edition_id is None:
            return False
        self._slice_of(edition_id, most=most)
        return True

    def _slice_of(self, edition_id: str, *, most: int) -> bool:
        """See to so many more recipients; False if there was or is nobody left."""
        with self._store.write_much() as connection:
            edition = locked_edition(connection, edition_id)
            cancelled = edition.state is EditionState.CANCELLED
            if cancelled:
                any_left = call_off_some(connection, edition, most=min(most, _CALLED_OFF))
            else:
                any_left = _write_down(connection, edition, most=most)
        if cancelled and not any_left:
            self._end_calling_off(edition_id)
        else:
            self._store.give_way()
        return any_left

    def _end_calling_off(self, edition_id: str) -> None:
        # A million rows may have to be read for it, and nothing of the edition is begun any more: nobody waits.
        with self._store.read() as connection:
            begun = was_begun(connection, edition_id)
        with self._store.write() as connection:
            end_calling_off(connection, edition_id, free=not begun)

    def get(self, edition_id: str) -> Edition:
        with self._store.read() as connection:
            return _only(connection.execute(_SUMMARY.where(EditionRow.id == edition_id)).one_or_none(), edition_id)

    def listed(self, *, limit: int = 100) -> tuple[Edition, ...]:
        latest = _SUMMARY.order_by(EditionRow.frozen_at.desc(), EditionRow.id.desc()).limit(limit)
        with self._store.read() as connection:
            return tuple(_edition_from(row) for row in connection.execute(latest))

    def by_number(self, list_id: str, number: int) -> Edition:
        query = _SUMMARY.where(EditionRow.list_id == list_id, EditionRow.number == number)
        with self._store.read() as connection:
            return _only(connection.execute(query).one_or_none(), f"{list_id}/{number}")

    def newest_published(self, list_id: str) -> int:
        highest = select(func.max(EditionRow.number)).where(EditionRow.list_id == list_id)
        with self._store.read() as connection:
            return connection.scalar(highest.where(EditionRow.state.in_(PUBLISHED))) or 0

    def published(self, list_id: str, *, first: int, last: int) -> tuple[Edition, ...]:
        query = _SUMMARY.where(
            EditionRow.list_id == list_id, EditionRow.number.between(first, last), EditionRow.state.in_(PUBLISHED)
        ).where(EditionRow.digest_id.not_like("%.weekly"))
        with self._store.read() as connection:
            return tuple(_edition_from(row) for row in connection.execute(query.order_by(EditionRow.number.desc())))

    def for_slot(self, digest_id: str, slot: str) -> Edition | None:
        query = _SUMMARY.where(EditionRow.digest_id == digest_id, EditionRow.slot == slot)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        return _edition_from(row) if row else None

    def rendered(self, edition_id: str, variant: str = "") -> Rendered:
        query = select(DocumentRow.rendered).where(DocumentRow.edition_id == edition_id, DocumentRow.variant == variant)
        with self._store.read() as connection:
            text = connection.scalar(query)
        if text is None:
            raise NotFoundError("edition", f"{edition_id}/{variant}" if variant else edition_id)
        return rendered_from(text)

    def documents(self, edition_id: str) -> tuple[Rendered, ...]:
        query = select(DocumentRow.rendered).where(DocumentRow.edition_id == edition_id).order_by(DocumentRow.variant)
        with self._store.read() as connection:
            return tuple(map(rendered_from, connection.scalars(query)))

    def variant(self, edition_id: str, name: str) -> Variant:
        query = select(VariantRow.__table__).where(VariantRow.edition_id == edition_id, VariantRow.variant == name)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None and name:
            raise NotFoundError("edition", f"{edition_id}/{name}")
        return _variant_from(row) if row else WHOLE

    def variant_for(self, edition_id: str, subscriber_id: int) -> Place | None:
        row = DELIVERIES.table.c
        query = select(row.variant, row.because).where(row.edition_id == edition_id, row.subscriber_id == subscriber_id)
        with self._store.read() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return None
        empty = found.because in NOT_SENT
        return Place(variant=None if empty else found.variant, because=found.because or "")

    def pieces(self, edition_id: str) -> Draft:
        with self._store.read() as connection:
            text = connection.scalar(select(EditionRow.draft).where(EditionRow.id == edition_id))
        if text is None:
            raise NotFoundError("edition", edition_id)
        return draft_from(text)

    def move(self, edition_id: str, after: EditionState, *, now: datetime, because: str = "") -> Edition:
        with self._store.write() as connection:
            before = locked_edition(connection, edition_id)
            set_state(connection, before, after, now=now, because=because)
            if after is EditionState.CANCELLED:
                begin_calling_off(connection, edition_id)
            moved = locked_edition(connection, edition_id)
        while after is EditionState.CANCELLED and self._slice_of(edition_id, most=_CALLED_OFF):
            pass
        return moved

    def finish(self, *, now: datetime) -> tuple[str, ...]:
        with self._store.write() as connection:
            # Locked first and asked second: a `resend` on another machine is then either seen or still to come.
            approved = connection.execute(
                _SUMMARY.where(EditionRow.state == EditionState.APPROVED).order_by(EditionRow.id).with_for_update()
            ).all()
            editions = [_edition_from(row) for row in approved]
            done = [edition for edition in editions if not _goes_on(connection, edition.id)]
            for edition in done:
                set_state(connection, edition, EditionState.FINISHED, now=now, because="")
        return tuple(edition.id for edition in done)

    def report(self, edition_id: str) -> Report:
        with self._store.read() as connection:
            edition = _only(connection.execute(_SUMMARY.where(EditionRow.id == edition_id)).one_or_none(), edition_id)
            counted = states_of(connection, edition_id)
            many = {state.value: counted.get(state, 0) for state in DeliveryState}
            reasons = reasons_of(connection, edition_id)
            waiting = lines_of(connection, edition_id)
            forms = forms_of(connection, edition_id)
            forms["missed"] = missed_by(connection, edition) if edition.state is EditionState.CANCELLED else 0
        recipients = sum(many.values())
        return Report(edition=edition_id, recipients=recipients, reasons=reasons, waiting=waiting, **many, **forms)


_SUMMARY: Select[Any] = select(*(getattr(EditionRow, field.name) for field in fields(Edition)))


def locked_edition(connection: Connection, edition_id: str) -> Edition:
    """The edition, which nobody else can move until this transaction ends, or NotFoundError."""
    query = _SUMMARY.where(EditionRow.id == edition_id).with_for_update()
    return _only(connection.execute(query).one_or_none(), edition_id)


def set_state(connection: Connection, edition: Edition, after: EditionState, *, now: datetime, because: str) -> None:
    """Move a locked edition, or MoveError."""
    after = EDITION_MOVES.check(edition.state, after)
    connection.execute(
        update(EditionRow).where(EditionRow.id == edition.id).values(state=after, state_at=now, state_because=because)
    )


def _only(row: Row[Any] | None, name: str) -> Edition:
    if row is None:
        raise NotFoundError("edition", name)
    return _edition_from(row)


def _variant_from(row: Row[Any]) -> Variant:
    return Variant(
        name=row.variant,
        document=row.document,
        text_only=row.text_only,
        language=row.language,
        left_out=tuple(json.loads(row.left_out)),
        shortened=tuple(json.loads(row.shortened)),
    )


def _edition_from(row: Row[Any]) -> Edition:
    return Edition(**row._asdict() | {"warnings": tuple(json.loads(row.warnings))})


def _write_down(connection: Connection, edition: Edition, *, most: int) -> bool:
    """Write down so many more recipients; False if there were none left."""
    wrote = next_slice(connection, edition.id, most=most)
    if wrote and edition.state is EditionState.FINISHED:
        # By an older program, which took those that were written down for all.
        because, now = "not all of its recipients were written down yet", edition.state_at or edition.frozen_at
        set_state(connection, edition, EditionState.APPROVED, now=now, because=because)
    return wrote


def _goes_on(connection: Connection, edition_id: str) -> bool:
    # Asked first: what is written down behind this statement is seen by the next.
    if connection.scalar(select(is_unwritten(edition_id))):
        return True
    # A look-up a state: the index then answers at once, whatever the planner thinks of a million rows.
    return any(
        connection.scalar(select(exists().where(DeliveryRow.edition_id == edition_id, DeliveryRow.state == state)))
        for state in OPEN_STATES
    )


def _unwritten(connection: Connection, shared: Shared) -> list[str]:
    """Those of other editions with stories of this one that have not come to all their recipients yet."""
    return [edition_id for edition_id in dict(shared) if connection.scalar(select(is_unwritten(edition_id)))]


def _check_overlap(connection: Connection, draft: Draft, readership: Readership) -> None:
    shared, _ = shared_with(connection, draft)
    if shared != readership.overlap or _unwritten(connection, shared):
        raise EditionError(draft.id, "another edition with stories of this one was frozen meanwhile: compose again")
