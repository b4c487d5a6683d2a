"""What is our own fault stops what would only be refused, and touches nobody who reads us."""

import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from newsletter.deliver.ballot import Alarm
from newsletter.errors import StoreError
from newsletter.mailbox.script import Act, Answer, Script
from newsletter.mailbox.server import MailboxServer
from newsletter.model.blame import Step
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.keys import AddressKeys
from newsletter.store.pacing import Pacing
from newsletter.store.subscribers import Subscribers
from tests.deliver.press import LateClock, Press, relay_to
from tests.store.samples import NOW, frozen

pytestmark = pytest.mark.anyio
MANY = 300


def refusing(server: MailboxServer, words: str, *, of: int = MANY) -> None:
    server.script = Script(data={f"reader-{number}@brief.example": words for number in range(of)})


async def test_an_edition_that_is_refused_everywhere_is_paused_and_can_be_resumed(
    press: Press, server: MailboxServer
) -> None:
    editions, alarms = Editions(press.store), list[Alarm]()

    def act(alarm: Alarm) -> str:
        alarms.append(alarm)
        editions.move(alarm.whom, EditionState.PAUSED, now=NOW, because=alarm.because)
        return "an editor decides"

    press.act = act
    edition = frozen(press.store, MANY)
    refusing(server, "552 5.3.4 Message size exceeds fixed limit")
    with capture_logs() as logs:
        counts = await press.send()

    assert [(alarm.step, alarm.whom) for alarm in alarms] == [(Step.PAUSE_EDITION, edition)]
    (told,) = counts.alarms
    assert told.startswith(f"edition {edition} paused: our fault: the message is too large")
    assert told.endswith("; an editor decides")
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert (line["event"], line["what"], line["name"]) == ("sending paused", "edition", edition)
    assert (editions.get(edition).state, editions.get(edition).state_because) == (
        EditionState.PAUSED,
        alarms[0].because,
    )
    report = press.report(edition)
    assert 5 <= report.failed < MANY
    assert report.failed + report.queued == MANY
    people = Subscribers(press.store, keys=AddressKeys(secret=b"a key for tests"))
    assert people.count("brief", SubscriptionState.ACTIVE) == MANY, "no reader is to blame"

    server.script = Script()
    editions.move(edition, EditionState.APPROVED, now=NOW)
    again = await press.send()
    assert (again.sent, again.alarms) == (report.queued, ())


@dataclass(slots=True, kw_only=True)
class Refusing(Script):
    """Takes some messages and refuses all others."""

    takes: int
    asked: int = 0

    def at_data(self, recipient: str) -> Answer:
        del recipient
        self.asked += 1
        return Act.YES if self.asked <= self.takes else "552 5.3.4 Message size exceeds fixed limit"


async def test_what_is_begun_of_an_edition_while_it_is_paused_is_not_sent(press: Press, server: MailboxServer) -> None:
    editions, asked = Editions(press.store), list[int]()
    server.script = script = Refusing(takes=200)

    def act(alarm: Alarm) -> str:
        # What was on the lines has its outcome, and the next ones are begun.
        while (report := press.report(alarm.whom)).failed != script.asked - script.takes or not report.sending:
            time.sleep(0.01)
        editions.move(alarm.whom, EditionState.PAUSED, now=NOW, because=alarm.because)
        asked.append(script.asked)
        return "an editor decides"

    press.act, press.relays = act, (relay_to(server, connections=1),)
    frozen(press.store, 900)
    await press.send()
    assert script.asked <= asked[0] + 2, "no more than what was on the line"


async def test_a_few_refusals_among_many_stop_nothing(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, MANY)
    press.act = lambda alarm: pytest.fail(f"raised {alarm}")
    refusing(server, "552 5.3.4 Message size exceeds fixed limit", of=4)
    counts = await press.send()
    assert (counts.sent, counts.failed, counts.alarms) == (MANY - 4, 4, ())
    assert press.report(edition).sent == MANY - 4


async def test_a_provider_that_refuses_us_is_left_alone_at_once_and_for_all(
    press: Press, server: MailboxServer
) -> None:
    alarms, pacing = list[Alarm](), Pacing(press.store)

    def act(alarm: Alarm) -> str:
        alarms.append(alarm)
        slowdown = pacing.pause(alarm.whom, because=alarm.because, now=press.clock.now())
        return f"it rests until {slowdown.closed_until}"

    press.act = act
    edition = frozen(press.store, MANY)
    refusing(server, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. They are on our block list")
    counts = await press.send()
    report = press.report(edition)
    assert [(alarm.step, alarm.whom) for alarm in alarms] == [(Step.PAUSE_PROVIDER, "brief.example")]
    assert "it rests until" in counts.alarms[0]
    assert 3 <= report.failed < MANY / 2
    assert report.failed + report.queued == MANY, "the rest was not tried"

    server.script = Script()
    assert (await press.send()).tried == 0, "it is still left alone"
    assert pacing.resume("brief.example")
    press.clock = LateClock(timedelta(hours=2))
    assert (await press.send()).sent == report.queued


async def test_a_relay_that_refuses_everybody_ends_the_run_and_costs_few_an_attempt(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, MANY)
    refusing(server, "554 5.7.1 <reader@brief.example>: Relay access denied")
    counts = await press.send()
    report = press.report(edition)
    assert counts.because is not None
    assert "[relay-denied]" in counts.because
    assert (report.failed, report.deferred + report.queued) == (0, MANY)
    assert report.queued > 0, "the rest was not tried"
    assert len(counts.alarms) >= 1


async def test_another_relay_takes_over_from_one_that_refuses_everybody(press: Press, server: MailboxServer) -> None:
    frozen(press.store, MANY)
    refusing(server, "554 5.7.1 <reader@brief.example>: Relay access denied")
    async with MailboxServer() as other:
        press.relays = (*press.relays, relay_to(other, name="other"))
        counts = await press.send()
        assert counts.because is None
        assert counts.sent == other.counts.total() == MANY - counts.deferred
    assert 3 <= counts.deferred < MANY
    assert [told.partition(":")[0] for told in counts.alarms] == ["relay main paused"]


async def test_an_edition_that_cannot_be_paused_is_told_all_the_same(press: Press, server: MailboxServer) -> None:
    def act(alarm: Alarm) -> str:
        raise StoreError(f"the disk is full, and {alarm.whom} stays as it is")

    press.act = act
    edition = frozen(press.store, 10)
    refusing(server, "552 5.3.4 Message size exceeds fixed limit")
    counts = await press.send()
    assert f"it could not be paused: the disk is full, and {edition} stays as it is" in counts.alarms[0]
