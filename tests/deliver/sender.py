"""A sender in a process of its own, to be killed: recovers what a dead one left, then sends all that is due, while it
writes down the recipients who are still to come.

    python -m tests.deliver.sender URL PORT CONNECTIONS JOURNALS [LEASE_SECONDS [PATIENCE_SECONDS [AHEAD_SECONDS]]]

With a lease (not empty) it shares the store with others that may live: it takes over only what ran out, and goes on until all is
done. SIGTERM drains it. On its output it says how many it sent, and why it ended early if it did; if the store cannot
be used, it says so and ends with 1. Its patience is for locks of other programs. Its clock begins anew, so a
later one is started ahead of what an earlier one wrote down.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from newsletter.deliver.send import Limits
from newsletter.errors import StoreError
from newsletter.model.settings import Relay, Tls
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.outcomes import ANSWER_WITHIN
from newsletter.store.seam import in_thread
from tests.deliver.press import LateClock, Press
from tests.store.samples import hashes_of

_FEW = 5


async def _send(press: Press, *, shared: bool) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, press.stop.set)
    press.recover(alone=not shared)
    writing_down = asyncio.create_task(_freeze_rest(Editions(press.store), press.stop))
    counts = await press.send(owner=f"pid {os.getpid()}")
    if await writing_down:
        counts = await press.send(owner=f"pid {os.getpid()}")
    while shared and counts.because is None and press.ledger.in_flight():
        await asyncio.sleep(0.05)
        press.recover(alone=False)
        counts = await press.send(owner=f"pid {os.getpid()}")
    sys.stdout.write(f"{counts.sent} {counts.because}\n")


async def _freeze_rest(editions: Editions, stop: asyncio.Event) -> bool:
    """Write down who is still to come, so few at a time that it takes as long as to send; whether there were any."""
    any_left = False
    while not stop.is_set() and await in_thread(editions.freeze_more, most=_FEW):
        any_left = True
    return any_left


def main(url: str, port: str, connections: str, journals: str, *more: str) -> None:
    lease, patience, ahead = (*more, "", "", "")[:3]
    relay = Relay(name="main", host="127.0.0.1", port=int(port), tls=Tls.NONE, connections=int(connections))
    span = timedelta(seconds=float(lease)) if lease else ANSWER_WITHIN
    with (
        Store.open(url, site_dir=Path("/"), patience=timedelta(seconds=float(patience or 30))) as store,
        Ledger(store, hashes_of=hashes_of, answer_within=span) as ledger,
    ):
        press = Press(
            store=store,
            ledger=ledger,
            relays=(relay,),
            journals=Path(journals),
            limits=Limits(lease=span, batch=100),
            clock=LateClock(timedelta(seconds=float(ahead or 0))),
        )
        asyncio.run(_send(press, shared=bool(lease)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except StoreError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(1)
