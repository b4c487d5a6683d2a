"""Relays that offer no PIPELINING are spoken to command by command, with the same outcomes."""

import pytest

from newsletter.deliver.send import Counts
from newsletter.mailbox.script import Act, Script
from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.model.delivery import DeliveryState
from tests.deliver.press import Press
from tests.store.samples import frozen

pytestmark = pytest.mark.anyio


@pytest.fixture
def extensions() -> frozenset[str]:
    return EXTENSIONS - {"PIPELINING"}


def reader(number: int) -> str:
    return f"reader-{number}@brief.example"


async def test_everybody_gets_one_mail(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, 60)
    assert await press.send() == Counts(sent=60, editions=(edition,))
    assert server.counts == {reader(number): 1 for number in range(60)}


async def test_refusals_touch_nobody_else(press: Press, server: MailboxServer) -> None:
    server.script = Script(
        rcpt={reader(1): "550 5.1.1 no such user", reader(2): "450 4.2.0 greylisted"},
        data={reader(3): "554 5.7.1 blocked as spam"},
    )
    edition = frozen(press.store, 10)
    await press.send()
    report = press.report(edition)
    assert (report.sent, report.deferred, report.failed, report.queued) == (7, 1, 2, 0)


async def test_only_an_answer_lost_after_the_last_byte_is_unknown(press: Press, server: MailboxServer) -> None:
    server.script = Script(data={reader(4): Act.KEEP_AND_CUT})
    edition = frozen(press.store, 10)
    await press.send()
    report = press.report(edition)
    assert (report.sent, report.unknown) == (9, 1)
    assert [state for state, _, _ in report.reasons] == [DeliveryState.UNKNOWN]
    assert server.counts == {reader(number): 1 for number in range(10)}
