"""Who must not be mailed: addresses by their keyed hash, and whole domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, String, select

from newsletter.model.subscriber import Suppression, SuppressionKind, address_key, domain_patterns
from newsletter.store.given import as_given, given
from newsletter.store.tables import SuppressedDomainRow, SuppressionRow

K = TypeVar("K")
_DOMAINS = select(SuppressedDomainRow.__table__)


def barred(
    connection: Connection, addresses: Mapping[K, str], *, hashes: Mapping[K, Sequence[str]]
) -> dict[K, Suppression]:
    """Those of the addresses that are suppressed, each with why: itself first, else its domain.

    `hashes` are those under which each of them may be kept.
    """
    domains = {row.pattern: suppression_from(row) for row in connection.execute(_DOMAINS)}
    found = {
        key: domains[pattern]
        for key, address in addresses.items()
        if domains
        for pattern in domain_patterns(address_key(address).rpartition("@")[2])
        if pattern in domains
    }
    asked = {hashed for its_hashes in hashes.values() for hashed in its_hashes}
    rows = connection.execute(_asked(connection.dialect.name), {"given": as_given(asked)})
    kept = {row.address_hash: suppression_from(row) for row in rows}
    if not kept:
        return found
    owned = ((key, hashed) for key, its_hashes in hashes.items() for hashed in its_hashes if hashed in kept)
    return found | {key: kept[hashed] for key, hashed in owned}


@cache
def _asked(dialect: str) -> Select[Any]:
    asked = given(dialect, address_hash=String(64))
    return select(SuppressionRow.__table__).join(asked, asked.c.address_hash == SuppressionRow.address_hash)


def suppression_from(row: Row[Any]) -> Suppression:
    """A row of either table. An address that a program from before the kinds put there has objected."""
    told: dict[str, Any] = row._asdict()
    if "pattern" in told:
        return Suppression(key=told.pop("pattern"), kind=None, **told)
    kind = told.pop("kind") or SuppressionKind.OBJECTION
    return Suppression(key=told.pop("address_hash"), kind=kind, **told)
