"""How many messages a second leave, with the full durable ledger, beside postfix's own load generator.

Run: `python bench/send.py [--messages N] [--rounds N] [--bytes N…] [--sign KEY] [--processes N] [--away SECONDS…]
[--dir DIR]`.
Needs postfix's smtp-sink and smtp-source (Debian: apt-get install postfix; nothing of it has to run). Both send
messages of the same size over eight connections to one sink, in turns: ours personal, each begun and recorded on disk
before and after; theirs one and the same, in C; and aiosmtplib's `sendmail` one and the same, without any ledger. The
ratio is of the medians. Several `--processes` of ours share the eight connections. Where the sink is `--away`, a
connection carries one message in a round trip at best, and the ratio is to that.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import aiosmtplib
import structlog
import uvloop
from delay import away

from newsletter.deliver.dkim import SigningKey, builders, signatures
from newsletter.deliver.dkimkeys import Algorithm, new_key, read_key
from newsletter.deliver.journal import Journal
from newsletter.deliver.send import Limits, send_due
from newsletter.model.clock import SystemClock
from newsletter.model.delivery import Claimed
from newsletter.model.edition import Draft, EditionState, Rendered
from newsletter.model.message import Envelope, Message
from newsletter.model.settings import Deliver, Paces, Relay, Tls
from newsletter.model.subscriber import Newcomer
from newsletter.readers.tokens import Purpose, Tokens
from newsletter.render.headers import MessageFacts
from newsletter.render.mime import Prepared, prepare
from newsletter.render.recipient import Recipient
from newsletter.render.samples import DIGEST, MAILING_LIST, NONCE, PUBLICATION
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.pacing import Pacing
from newsletter.store.subscribers import Subscribers

SESSIONS = 8
SPAN = 20.0
"""Seconds for which to send where the sink is away: connecting takes some round trips of them."""
DATED_AT = datetime(2026, 11, 23, 7, tzinfo=UTC)
SENTENCE = "The soundings stop where the disputed shelf begins, and that silence is a line on the map. "
TOKENS = Tokens((b"a key for benchmarks, thirty-two",))
KEYS = AddressKeys(secret=b"a key for benchmarks, thirty-two")


def rendered_edition(size: int) -> Rendered:
    paragraph = f'<p style="margin:0 0 18px;font-size:17px;line-height:28px">{SENTENCE * 3}</p>\n'
    footer = (
        f'<p>{NONCE}address <a href="{NONCE}unsubscribe">Unsubscribe</a> <a href="{NONCE}preferences">Change</a></p>'
    )
    page = paragraph * max(1, int(size * 0.73) // len(paragraph))
    return Rendered(
        subject="Two ports, one strait",
        html=f"<!DOCTYPE html><html><body>{page}{footer}</body></html>\n",
        text=(SENTENCE[:72] + "\n") * max(1, int(size * 0.2) // 73) + f"{NONCE}unsubscribe {NONCE}preferences\n",
        preheader="",
        nonce=NONCE,
        fields=("address", "unsubscribe", "preferences"),
        html_bytes=0,
        template_hash="",
    )


def prepared_edition(size: int) -> Prepared:
    facts = MessageFacts(
        batch="daily",
        sender=PUBLICATION.sender,
        reply_to=PUBLICATION.reply_to,
        language="en-GB",
        base_url=PUBLICATION.base_url,
        list_id=MAILING_LIST.id,
        list_title=MAILING_LIST.title,
        dated_at=DATED_AT,
    )
    return prepare(rendered_edition(size), facts)


class Factory:
    """Personal messages, with all the tokens a real one has."""

    def __init__(self, size: int, sign: str | None = None) -> None:
        self._prepared = prepared_edition(size)
        self._keys: tuple[SigningKey, ...] = ()
        if sign is not None:
            private = read_key(new_key(Algorithm(sign)))
            self._keys = (SigningKey(domain="example.org", selector="bench", private=private),)
        self.limits = Limits(builders=builders(self._keys))

    def content(self, recipient: Recipient) -> bytes:
        return self._prepared.message(recipient)

    def message(self, claimed: Claimed) -> Message:
        leave = TOKENS.make(Purpose.UNSUBSCRIBE, claimed.subscription_id)
        recipient = Recipient(
            address=claimed.address,
            name=claimed.name,
            message_id=f"{claimed.batch}.{claimed.subscriber_id}",
            unsubscribe_url=f"https://news.example.org/u/{leave}",
            unsubscribe_mailto=f"mailto:leave@example.org?subject=unsubscribe%20{leave}",
            preferences_url=f"https://news.example.org/p/{TOKENS.make(Purpose.PREFERENCES, claimed.subscription_id)}",
        )
        sender = f"bounces+{TOKENS.make(Purpose.BOUNCE, claimed.id)}@bounce.example.org"
        envelope = Envelope(sender=sender, recipient=claimed.address)
        return Message(envelope=envelope, pieces=self._pieces(recipient), plain_lines=True)

    def _pieces(self, recipient: Recipient) -> tuple[bytes, ...]:
        pieces = self._prepared.pieces(recipient)
        return (*signatures(pieces, self._keys, at=DATED_AT), *pieces)


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        sys.exit(f"no {name} here: apt-get install postfix")
    return found


@contextmanager
def sink() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        port: int = sock.getsockname()[1]
    with subprocess.Popen([tool("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "100"]) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(200):
        with closing(socket.socket()) as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("smtp-sink does not answer")


def theirs(port: int, *, messages: int, size: int) -> float:
    command = [tool("smtp-source"), "-d", "-s", SESSIONS, "-m", messages, "-l", size, "-f", "a@example.org"]
    before = time.perf_counter()
    subprocess.run([*map(str, command), "-t", "b@example.net", f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - before)


def library(port: int, factory: Factory, *, messages: int) -> float:
    """Messages a second by the library's own `sendmail`, with bytes that are made beforehand and no ledger."""
    content = factory.content(EXAMPLE)

    async def session(many: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for _ in range(many):
                await smtp.sendmail("a@example.org", ["b@example.net"], content)

    async def run() -> None:
        await asyncio.gather(*(session(messages // SESSIONS) for _ in range(SESSIONS)))

    before = time.perf_counter()
    uvloop.run(run())
    return messages // SESSIONS * SESSIONS / (time.perf_counter() - before)


def freeze(store: Store, number: int, *, size: int = 0) -> str:
    draft = Draft(
        id=f"daily-{number}",
        number=number,
        digest=DIGEST,
        mailing_list=MAILING_LIST,
        publication=PUBLICATION,
        dated_at=DATED_AT,
        parts=(),
    )
    editions, now = Editions(store), SystemClock().now()
    editions.freeze(draft, rendered_edition(size), slot=draft.id, state=EditionState.APPROVED, now=now)
    while editions.freeze_more():
        pass
    return draft.id


def opened(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/newsletter.db", site_dir=folder)


def populated(folder: Path, many: int) -> None:
    people = [Newcomer(address=f"reader{n}@example.org", lists=("brief",)) for n in range(many)]
    with opened(folder) as store:
        subscribers = Subscribers(store, keys=KEYS)
        subscribers.add(people, confirmed=True, source="bench", text="", now=SystemClock().now())


def sender(
    folder: Path,
    edition: str,
    relay: Relay,
    factory: Factory,
    *,
    owner: str,
    ready: Barrier,
    told: SimpleQueue[tuple[int, float]],
) -> None:
    """A process that sends: how many it sent, and its seconds of processor time."""

    async def run() -> int:
        with Journal(folder, owner=owner) as journal:
            counts = await send_due(
                ledger,
                prepare=factory.message,
                relays=(relay,),
                hostname="news.example.org",
                policy=Deliver(),
                clock=SystemClock(),
                owner=owner,
                stop=asyncio.Event(),
                edition_id=edition,
                journal=journal,
                limits=factory.limits,
                pacing=Pacing(store),
                paces=Paces(zone=ZoneInfo("UTC")),
            )
        return counts.sent

    with opened(folder) as store, Ledger(store, hashes_of=KEYS.hashes_of) as ledger:
        ready.wait()
        before = time.process_time()
        sent = uvloop.run(run())
        told.put((sent, time.process_time() - before))


def warm_up(relay: Relay, factory: Factory, *, folder: Path) -> None:
    """Load here what senders need: the processes that are measured begin with it, as one that runs for months."""
    with opened(folder) as store:
        edition = freeze(store, 0)
    ready, told = multiprocessing.Barrier(1), multiprocessing.SimpleQueue()
    sender(folder, edition, relay, factory, owner="bench", ready=ready, told=told)


def ours(relay: Relay, factory: Factory, *, number: int, folder: Path, processes: int = 1) -> tuple[float, float]:
    """Messages a second, and of processor time."""
    with opened(folder) as store:
        edition = freeze(store, number)
    context = multiprocessing.get_context("fork")
    ready, told = context.Barrier(processes + 1), context.SimpleQueue()
    share = replace(relay, connections=relay.connections // processes)
    senders = [
        context.Process(
            target=sender,
            args=(folder, edition, share, factory),
            kwargs={"owner": f"bench-{each}", "ready": ready, "told": told},
        )
        for each in range(processes)
    ]
    for each in senders:
        each.start()
    ready.wait()
    before = time.perf_counter()
    results = [told.get() for _ in senders]
    taken = time.perf_counter() - before
    for each in senders:
        each.join()
    sent, worked = sum(sent for sent, _ in results), sum(worked for _, worked in results)
    with opened(folder) as store:
        report = Editions(store).report(edition)
    assert report.sent == report.recipients == sent, "not everybody was sent one"
    return sent / taken, sent / worked


def measure(folder: Path, options: argparse.Namespace, wanted: int) -> None:
    factory = Factory(wanted, options.sign)
    size = len(factory.content(EXAMPLE))
    populated(folder, options.messages)
    rates: list[tuple[float, float, float, float]] = []
    with sink() as port:
        relay = Relay(name="sink", host="127.0.0.1", port=port, tls=Tls.NONE, connections=SESSIONS)
        warm_up(relay, factory, folder=folder)
        for number in range(1, options.rounds + 1):
            reference = theirs(port, messages=options.messages, size=size)
            plain = library(port, factory, messages=options.messages // 4)
            rates.append(
                (reference, plain, *ours(relay, factory, number=number, folder=folder, processes=options.processes))
            )
            print(
                f"round {number}: smtp-source {reference:8,.0f}/s   aiosmtplib {plain:8,.0f}/s   "
                f"ours {rates[-1][2]:8,.0f}/s",
                flush=True,
            )
    reference, plain, wall, cpu = (median(rate[column] for rate in rates) for column in range(4))
    print(
        f"{options.messages} messages of {size:,} bytes, {SESSIONS} connections, {options.processes} process(es), "
        f"medians of {options.rounds}"
    )
    print(f"smtp-source -d        {reference:8,.0f}/s    1.00 ×")
    print(f"aiosmtplib sendmail   {plain:8,.0f}/s {plain / reference:7.2f} ×")
    print(f"ours, durable ledger  {wall:8,.0f}/s {wall / reference:7.2f} ×   ({wall / plain:.2f} × the library;")
    print(f"                      {cpu:,.0f} a second of processor time)")


def measure_away(folder: Path, options: argparse.Namespace, seconds: float) -> None:
    factory = Factory(options.bytes[0])
    many = max(SESSIONS, int(SESSIONS * SPAN / seconds))
    populated(folder, many)
    with sink() as near, away(near, seconds) as port:
        relay = Relay(name="sink", host="127.0.0.1", port=port, tls=Tls.NONE, connections=SESSIONS)
        rate, _ = ours(relay, factory, number=1, folder=folder)
    best = SESSIONS / seconds
    print(f"round trip {seconds * 1000:.0f} ms: {many} messages, {rate:,.0f}/s, {rate / best:.2f} × of {best:,.0f}/s")


EXAMPLE = Recipient(address="reader0@example.org", message_id="daily-1.1")


def main() -> None:
    parser = argparse.ArgumentParser(description="Messages a second, beside smtp-source.")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bytes", type=int, nargs="+", default=[37_000, 5_150], help="about how long a message is")
    parser.add_argument("--sign", choices=[algorithm.value for algorithm in Algorithm], help="sign ours with DKIM")
    parser.add_argument("--processes", type=int, default=1, help="processes of ours that share the connections")
    parser.add_argument("--away", type=float, nargs="+", default=[], help="seconds of a round trip to the sink")
    parser.add_argument("--dir", type=Path, help="where the database is made; else a temporary folder")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for seconds in options.away:
        with tempfile.TemporaryDirectory(dir=options.dir, prefix="bench-send-") as folder:
            measure_away(Path(folder), options, seconds)
    for wanted in options.bytes if not options.away else ():
        with tempfile.TemporaryDirectory(dir=options.dir, prefix="bench-send-") as folder:
            measure(Path(folder), options, wanted)


if __name__ == "__main__":
    main()
