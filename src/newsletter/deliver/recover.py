"""Setting right what dead workers of this machine left, by their journals, before anything is sent again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog

from newsletter.deliver.journal import dead
from newsletter.store.ports import Ledger

log = structlog.get_logger()


def settle_journals(folder: Path, ledger: Ledger, *, now: datetime) -> tuple[int, int]:
    """Take into the ledger what dead workers' journals say, and remove them. Returns (unknown, requeued).

    What the ledger has already it keeps: a journal may be settled twice.
    """
    unknown = requeued = 0
    with dead(folder) as journals:
        for said, path in journals:
            if said is None:
                log.warning("journal not readable", journal=path.name)
                path.rename(path.with_suffix(".unreadable"))
                continue
            found, doubtful, unsent = ledger.settle(
                said.owner, answered=said.answered, started=said.started, whole=said.is_whole, now=now
            )
            path.unlink()
            log.info("journal settled", answers=found, unknown=doubtful, requeued=unsent, whole=said.is_whole)
            unknown, requeued = unknown + doubtful, requeued + unsent
    return unknown, requeued
