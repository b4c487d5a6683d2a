"""What a cancelled edition was to bring, and another had left out for that reason: nobody brings it now."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, and_, func, or_, select

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Edition, EditionState
from newsletter.model.variant import HAD_IT_ALL
from newsletter.store.tables import DeliveryRow, EditionItemRow, EditionRow, VariantRow
from newsletter.store.tables.base import aliased


def missed_by(connection: Connection, cancelled: Edition) -> int:
    """How many readers of a cancelled edition are without something that another one had left out, or not sent them.

    Who had the same from a third edition is counted too.
    """
    relied = _relied_on(connection, cancelled)
    if not relied:
        return 0
    ours, theirs = aliased(DeliveryRow), aliased(DeliveryRow)
    without = or_(
        *(and_(theirs.edition_id == edition, theirs.variant.in_(forms)) for edition, forms in relied.items()),
        and_(theirs.edition_id.in_(relied), theirs.because == HAD_IT_ALL),
    )
    both = select(func.count(ours.subscriber_id.distinct())).join(theirs, theirs.subscriber_id == ours.subscriber_id)
    unsent = (
        ours.edition_id == cancelled.id,
        ours.state == DeliveryState.SUPPRESSED,
        ours.settled_at >= cancelled.state_at,
    )
    return connection.scalar(both.where(*unsent, without)) or 0


def _relied_on(connection: Connection, cancelled: Edition) -> Mapping[str, list[str]]:
    """Editions frozen while this one was still to be sent, with those of their forms that leave out stories of it."""
    shown = select(EditionItemRow.story_id).where(EditionItemRow.edition_id == cancelled.id)
    sharing = select(EditionItemRow.edition_id).where(EditionItemRow.story_id.in_(shown))
    later = (
        EditionRow.frozen_at.between(cancelled.frozen_at, cancelled.state_at),
        EditionRow.id != cancelled.id,
        EditionRow.state != EditionState.CANCELLED,
    )
    editions = connection.scalars(select(EditionRow.id).where(EditionRow.id.in_(sharing), *later)).all()
    stories = set(connection.scalars(shown))
    relied: dict[str, list[str]] = {edition: [] for edition in editions}
    forms = select(VariantRow.edition_id, VariantRow.variant, VariantRow.left_out)
    for row in connection.execute(forms.where(VariantRow.edition_id.in_(editions), VariantRow.spared > 0)):
        if stories & set(json.loads(row.left_out)):
            relied[row.edition_id].append(row.variant)
    return relied
