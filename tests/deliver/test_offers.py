"""Who needs what a relay does not offer: another relay carries it, or it fails alone."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.model.delivery import Claimed
from newsletter.model.message import Message
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.deliver.press import Press, message_for, relay_to
from tests.store.samples import frozen

pytestmark = pytest.mark.anyio
FOREIGN = "änna@brief.example"
PLAIN = EXTENSIONS - {"SMTPUTF8", "8BITMIME"}


@pytest.fixture
async def plain() -> AsyncIterator[MailboxServer]:
    async with MailboxServer(extensions=PLAIN) as running:
        yield running


@pytest.fixture
async def able() -> AsyncIterator[MailboxServer]:
    async with MailboxServer() as running:
        yield running


@pytest.fixture
def press(tmp_path: Path, store: Store, ledger: Ledger, plain: MailboxServer, able: MailboxServer) -> Press:
    """Every third reader has an address beyond ASCII."""
    return Press(
        store=store,
        ledger=ledger,
        relays=(relay_to(plain, name="plain"), relay_to(able, name="able")),
        journals=tmp_path / "journals",
        prepare=_prepared,
    )


def _prepared(claimed: Claimed) -> Message:
    message = message_for(claimed)
    if claimed.id % 3:
        return message
    return replace(message, envelope=replace(message.envelope, recipient=FOREIGN))


async def test_the_relay_that_offers_it_carries_what_needs_it(
    press: Press, plain: MailboxServer, able: MailboxServer
) -> None:
    edition = frozen(press.store, 60)
    counts = await press.send()
    assert (counts.sent, counts.because) == (60, None)
    assert able.counts[FOREIGN] == 20
    assert FOREIGN not in plain.counts
    assert press.report(edition).sent == sum(plain.counts.values()) + sum(able.counts.values())


async def test_by_weight_or_not_it_goes_to_the_relay_that_offers_it(
    press: Press, plain: MailboxServer, able: MailboxServer
) -> None:
    press.relays = (replace(press.relays[0], weight=9), press.relays[1])
    frozen(press.store, 60)
    assert (await press.send()).sent == 60
    assert able.counts[FOREIGN] == 20
    assert FOREIGN not in plain.counts


async def test_what_needs_eight_bits_goes_where_they_are_taken(
    press: Press, plain: MailboxServer, able: MailboxServer
) -> None:
    def prepared(claimed: Claimed) -> Message:
        message = message_for(claimed)
        return message if claimed.id % 3 else replace(message, pieces=(*message.pieces, "Grüße\r\n".encode()))

    press.prepare = prepared
    frozen(press.store, 30)
    assert (await press.send()).sent == 30
    contents = [plain.box.content(mail.id) for mail in plain.box.listed()]
    assert all(content.isascii() for content in contents)
    assert sum(not able.box.content(mail.id).isascii() for mail in able.box.listed()) == 10


async def test_what_is_too_large_for_one_relay_goes_over_the_other(
    press: Press, plain: MailboxServer, able: MailboxServer
) -> None:
    def prepared(claimed: Claimed) -> Message:
        message = message_for(claimed)
        return message if claimed.id % 3 else replace(message, pieces=(*message.pieces, b"long line\r\n" * 2000))

    plain.size_bytes, press.prepare = 10_000, prepared
    frozen(press.store, 30)
    assert (await press.send()).sent == 30
    assert max(mail.size_bytes for mail in plain.box.listed()) < 10_000
    assert sum(mail.size_bytes > 10_000 for mail in able.box.listed()) == 10


async def test_what_no_relay_offers_fails_alone_with_the_reason(
    press: Press, plain: MailboxServer, able: MailboxServer
) -> None:
    able.extensions = PLAIN
    edition = frozen(press.store, 30)
    counts = await press.send()
    assert (counts.sent, counts.failed) == (20, 10)
    [(_, because, many)] = press.report(edition).reasons
    assert many == 10
    assert "beyond ASCII" in because
    assert Counter(plain.counts + able.counts)[FOREIGN] == 0


async def test_while_the_relay_that_may_offer_it_is_away_it_is_deferred_and_no_one_waits(
    press: Press, able: MailboxServer
) -> None:
    await able.stop()
    edition = frozen(press.store, 30)
    counts = await press.send()
    assert (counts.sent, counts.deferred, counts.failed) == (20, 10, 0)
    assert press.report(edition).deferred == 10
