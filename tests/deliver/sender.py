"""A sender in a process of its own, to be killed: recovers what a dead one left, then sends all that is due.

    python -m tests.deliver.sender URL PORT CONNECTIONS

SIGTERM drains it. On its output it says how many it sent, and why it ended early if it did.
"""

import asyncio
import signal
import sys
from pathlib import Path

from newsletter.model.settings import Relay, Tls
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.deliver.press import Press
from tests.store.samples import open_ledger


async def _send(store: Store, ledger: Ledger, relay: Relay) -> None:
    press = Press(store=store, ledger=ledger, relays=(relay,))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, press.stop.set)
    ledger.recover(now=press.clock.now(), alone=True)
    counts = await press.send()
    sys.stdout.write(f"{counts.sent} {counts.because}\n")


def main(url: str, port: str, connections: str) -> None:
    relay = Relay(name="main", host="127.0.0.1", port=int(port), tls=Tls.NONE, connections=int(connections))
    with Store.open(url, site_dir=Path("/")) as store, open_ledger(store) as ledger:
        asyncio.run(_send(store, ledger, relay))


if __name__ == "__main__":
    main(*sys.argv[1:])
