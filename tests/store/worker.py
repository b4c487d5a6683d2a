"""A sender without a network, to be killed: claims, begins, says on its output who was mailed, and records.

    python worker.py URL OWNER BATCH NOW

It ends when nothing is due; its clock stands still. A line is written where a real sender would have the server's
answer in hand. Before each it takes a byte from its input, so that whoever gave it no more finds it in the midst of
its work; once the input has ended it runs freely.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from newsletter.model.delivery import DeliveryState, Reply, Tried
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger


def main(url: str, owner: str, batch: str, now: str) -> None:
    with Store.open(url, site_dir=Path("/")) as store, Ledger(store, hashes_of=list) as ledger:
        while _deliver_batch(ledger, owner, limit=int(batch), now=datetime.fromisoformat(now)):
            pass


def _deliver_batch(ledger: Ledger, owner: str, *, limit: int, now: datetime) -> bool:
    claimed = ledger.claim(owner=owner, limit=limit, now=now, lease=timedelta(minutes=5))
    begun = [(one, ledger.begin(one, now=now)) for one in claimed]
    answered = []
    for one, ours in begun:
        if ours.result():
            os.read(0, 1)
            os.write(1, f"{one.id}\n".encode())
            tried = Tried(
                ledger=one.ledger,
                id=one.id,
                fence=one.fence,
                state=DeliveryState.SENT,
                reply=Reply(code=250),
                because="",
                relay="main",
            )
            answered.append(ledger.record(tried, now=now))
    return all(each.result() for each in answered) and bool(claimed)


if __name__ == "__main__":
    main(*sys.argv[1:])
