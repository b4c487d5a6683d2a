"""What was written down about people, without their addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from newsletter.store.consents import keep_wording
from newsletter.store.tables import ConsentRow, WordingRow


def nameless(text: str, address: str) -> str:
    """`text` without the address: whoever wrote down where a consent came from may have named it."""
    return re.sub(re.escape(address), "[address]", text, flags=re.IGNORECASE)


def forget_address(connection: Connection, subscription_ids: Sequence[int], address: str) -> None:
    """Take an address out of what the record of consent for these subscriptions says."""
    of_person = (
        select(ConsentRow.id, ConsentRow.source, ConsentRow.text, ConsentRow.wording, WordingRow.text.label("shown"))
        .outerjoin(WordingRow, WordingRow.hash == ConsentRow.wording)
        .where(ConsentRow.subscription_id.in_(subscription_ids))
    )
    for row in connection.execute(of_person).all():
        source, text, shown = nameless(row.source, address), nameless(row.text, address), row.shown or ""
        if (source, text, nameless(shown, address)) == (row.source, row.text, shown):
            continue
        wording = keep_wording(connection, nameless(shown, address))
        values = {"source": source, "text": text, "wording": wording}
        connection.execute(update(ConsentRow).where(ConsentRow.id == row.id).values(values))
        if wording != row.wording:
            _drop_unused(connection, row.wording)


def _drop_unused(connection: Connection, wording: str) -> None:
    used = select(ConsentRow.id).where(ConsentRow.wording == wording).exists()
    connection.execute(delete(WordingRow).where(WordingRow.hash == wording, ~used))
