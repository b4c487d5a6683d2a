import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from structlog.testing import capture_logs

from newsletter.deliver.gate import PATIENCE
from newsletter.deliver.journal import Journal
from newsletter.deliver.send import Counts, Limits
from newsletter.errors import AddressError, StoreError
from newsletter.mailbox.script import Act, Script
from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.model.delivery import Claimed, DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.message import LetterKind, Message
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.letters import Letters
from tests.deliver.press import LateClock, Press, failed_before, held, message_for, relay_to, until
from tests.store.samples import NOW, add_people, begin, claim_all, frozen, open_ledger, set_subscription

pytestmark = pytest.mark.anyio


def reader(number: int, list_id: str = "brief") -> str:
    return f"reader-{number}@{list_id}.example"


async def test_everybody_gets_one_mail_over_a_few_connections(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, 300)
    counts = await press.send()
    assert counts == Counts(sent=300, editions=(edition,))
    assert server.counts == {reader(number): 1 for number in range(300)}
    assert server.connections <= 4
    assert not server.sessions


async def test_what_was_sent_is_not_sent_again(press: Press, server: MailboxServer) -> None:
    frozen(press.store, 20)
    await press.send()
    assert await press.send() == Counts()
    assert server.counts.total() == 20


async def test_what_was_begun_by_a_commit_whose_answer_was_lost_goes_back_to_the_queue(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, 20)
    lost = claim_all(press.ledger, owner="test", limit=5)
    begin(press.ledger, lost)
    counts = await press.send(owner="test")
    report = press.report(edition)
    assert (counts.sent, report.sent, report.queued, report.sending) == (15, 15, 5, 0)
    assert (await press.send()).sent == 5
    assert set(server.counts.values()) == {1}


async def test_with_nothing_due_no_connection_is_opened(press: Press, server: MailboxServer) -> None:
    assert await press.send() == Counts()
    assert server.connections == 0


async def test_refusals_get_the_outcome_they_deserve_and_nobody_else_notices(
    press: Press, server: MailboxServer
) -> None:
    server.script = Script(
        rcpt={reader(1): "550 5.1.1 no such user", reader(2): "450 4.2.0 greylisted"},
        data={reader(3): "554 5.7.1 blocked as spam", reader(4): "452 4.3.1 disk full"},
    )
    edition = frozen(press.store, 10)
    counts = await press.send()
    report = press.report(edition)
    assert (counts.sent, counts.deferred, counts.failed) == (6, 2, 2)
    assert (report.sent, report.deferred, report.failed, report.queued) == (6, 2, 2, 0)
    dead = [many for state, why, many in report.reasons if state is DeliveryState.FAILED and "address dead" in why]
    assert dead == [1]


async def test_a_deferred_delivery_is_tried_again_when_it_is_due_and_not_before(
    press: Press, server: MailboxServer
) -> None:
    server.script = Script(rcpt={reader(0): ("451 4.3.0 later", "451 4.3.0 later")})
    frozen(press.store, 1)
    assert (await press.send()).deferred == 1
    assert (await press.send()).tried == 0
    press.clock = LateClock(timedelta(minutes=6))
    assert (await press.send()).deferred == 1
    press.clock = LateClock(timedelta(minutes=12))
    assert (await press.send()).tried == 0
    press.clock = LateClock(timedelta(minutes=17))
    assert (await press.send()).sent == 1


async def test_a_relay_that_refuses_connections_costs_nobody_an_attempt(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, 50)
    await server.stop()
    counts = await press.send()
    assert counts.because is not None
    assert "refused" in counts.because
    assert counts.tried == 0
    assert press.report(edition).queued == 50
    await server.start()
    assert (await press.send()).sent == 50


async def test_a_relay_that_was_away_is_not_asked_again_before_its_pause_is_over(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, 10)
    press.gates = failed_before(PATIENCE + 3, seconds_ago=0)
    with capture_logs() as logs:
        counts = await press.send()
    assert (counts.because, counts.editions) == ("relay main: it was away", ()), "nothing was even leased"
    assert (server.counts.total(), press.report(edition).queued, logs) == (0, 10, [])


async def test_a_relay_that_is_back_is_found_by_one_try_when_its_pause_is_over(
    press: Press, server: MailboxServer
) -> None:
    frozen(press.store, 60)
    gates = press.gates = failed_before(PATIENCE + 3, seconds_ago=100)
    gates["main"].enter()  # a try that an earlier run began and could not end
    with capture_logs() as logs:
        counts = await press.send()
    assert (counts.sent, counts.because) == (60, None)
    assert [line["failures"] for line in logs if line["event"] == "relay recovered"] == [PATIENCE + 3]
    assert set(server.counts.values()) == {1}


async def test_a_relay_that_is_still_away_costs_one_try_and_is_paused_for_longer(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, 10)
    await server.stop()
    press.gates = failed_before(PATIENCE, seconds_ago=100)
    with capture_logs() as logs:
        counts = await press.send()
    assert "refused" in (counts.because or "")
    assert [line["paused_seconds"] for line in logs if line["event"] == "relay failed"] == [8.0]
    assert (counts.tried, press.report(edition).queued) == (0, 10)


async def test_a_relay_whose_short_pause_a_run_finds_is_waited_for(press: Press) -> None:
    frozen(press.store, 60)
    press.limits = Limits(batch=20)  # more wait than are leased ahead: only the pause's end can wake anybody
    press.gates = failed_before(1, seconds_ago=0.3)
    assert (await press.send()).sent == 60


async def test_a_relay_that_dies_and_comes_back_is_waited_for(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, 400)
    press.limits = Limits(batch=50)
    sending = asyncio.create_task(press.send())
    await until(lambda: server.counts.total() >= 100)
    await server.stop()
    await server.start()
    counts = await sending
    report = press.report(edition)
    assert counts.because is None
    assert report.sent + report.unknown + report.deferred == 400
    assert report.unknown <= 4
    assert set(server.counts.values()) == {1}
    assert server.counts.total() >= report.sent


async def test_only_an_answer_lost_after_the_last_byte_is_unknown(press: Press, server: MailboxServer) -> None:
    server.script = Script(
        rcpt={reader(1): (Act.CUT,)},
        data={reader(2): (Act.KEEP_AND_CUT,), reader(3): (Act.CUT,)},
    )
    edition = frozen(press.store, 20)
    await press.send()
    report = press.report(edition)
    assert (report.unknown, report.queued, report.sending) == (2, 0, 0)
    assert report.sent + report.deferred == 18
    assert server.counts[reader(2)] == 1
    assert server.counts[reader(3)] == 0


async def test_a_message_that_makes_relays_hang_up_is_deferred_and_not_tried_for_ever(
    press: Press, server: MailboxServer
) -> None:
    server.script = Script(rcpt={reader(0): (Act.CUT,) * 100})
    edition = frozen(press.store, 1)
    counts = await press.send()
    assert (counts.deferred, counts.because) == (1, None)
    assert press.report(edition).deferred == 1


async def test_a_relay_that_takes_no_mail_from_us_fails_nobody(press: Press, server: MailboxServer) -> None:
    server.script = Script(mail="550 5.7.1 who are you")
    press.gates = failed_before(PATIENCE - 1, seconds_ago=100)
    edition = frozen(press.store, 10)
    counts = await press.send()
    assert counts.because is not None
    assert "550" in counts.because
    assert (counts.failed, press.report(edition).queued) == (0, 10)


async def test_a_connection_closed_by_the_relay_between_messages_is_replaced_unnoticed(
    press: Press, server: MailboxServer
) -> None:
    press.relays = (replace(press.relays[0], connections=1),)
    server.script = Script(mail=(Act.YES, "421 4.4.2 too many messages", Act.YES, Act.CUT))
    frozen(press.store, 6)
    counts = await press.send()
    assert (counts.sent, counts.returned, counts.because) == (6, 0, None)


async def test_a_relay_that_gives_only_some_connections_is_used_with_those(press: Press, server: MailboxServer) -> None:
    server.script = Script(greeting=(Act.YES, Act.YES, *["421 4.7.0 too many connections"] * 100))
    frozen(press.store, 200)
    with capture_logs() as logs:
        counts = await press.send()
    assert (counts.sent, counts.returned, counts.because) == (200, 0, None)
    assert not [line for line in logs if line["event"] == "relay failed"]


async def test_a_relay_that_closes_after_each_message_is_still_fed(press: Press, server: MailboxServer) -> None:
    server.script = Script(mail=(Act.YES, "421 4.4.2 bye") * 200)
    press.relays = (replace(press.relays[0], connections=1),)
    frozen(press.store, 20)
    counts = await press.send()
    assert (counts.sent, counts.returned, counts.because) == (20, 0, None)


async def test_without_one_relay_the_other_takes_it_all(press: Press, server: MailboxServer) -> None:
    async with MailboxServer() as gone:
        dead = relay_to(gone, name="dead")
    press.relays = (dead, *press.relays)
    frozen(press.store, 60)
    counts = await press.send()
    assert (counts.sent, counts.because) == (60, None)


async def test_relays_of_different_weight_share_in_proportion(press: Press, server: MailboxServer) -> None:
    async with MailboxServer() as second:
        press.relays = (
            replace(press.relays[0], weight=3),
            relay_to(second, name="second", weight=1),
        )
        frozen(press.store, 200)
        await press.send()
    assert server.counts.total() + second.counts.total() == 200
    assert 35 <= second.counts.total() <= 65


async def test_who_needs_what_the_relay_lacks_fails_alone(press: Press, server: MailboxServer) -> None:
    server.extensions = EXTENSIONS - {"SMTPUTF8"}

    def prepared(claimed: Claimed) -> Message:
        message = message_for(claimed)
        if claimed.address != reader(0):
            return message
        return replace(message, envelope=replace(message.envelope, recipient="änna@brief.example"))

    press.prepare = prepared
    edition = frozen(press.store, 5)
    counts = await press.send()
    assert (counts.sent, counts.failed) == (4, 1)
    [(_, because, _)] = press.report(edition).reasons
    assert "beyond ASCII" in because


async def test_a_message_that_cannot_be_made_fails_alone_and_says_why(press: Press) -> None:
    def broken(claimed: Claimed) -> Message:
        if claimed.address == reader(1):
            raise AddressError("its domain has no name")
        if claimed.address == reader(2):
            raise KeyError(claimed.address)
        return message_for(claimed)

    press.prepare = broken
    edition = frozen(press.store, 5)
    with capture_logs() as logs:
        counts = await press.send()
    reasons = " ".join(because for _, because, _ in press.report(edition).reasons)
    assert (counts.sent, counts.failed) == (3, 2)
    assert "no name" in reasons
    assert "KeyError" in reasons
    assert "@" not in str(logs)


async def test_messages_are_made_by_as_many_threads_as_there_are_builders(press: Press, server: MailboxServer) -> None:
    together = Barrier(2, timeout=60)

    def prepared(claimed: Claimed) -> Message:
        together.wait()
        return message_for(claimed)

    press.prepare, press.limits = prepared, Limits(builders=2)
    frozen(press.store, 20)
    assert (await press.send()).sent == 20
    assert server.counts == {reader(number): 1 for number in range(20)}


async def test_a_store_that_fails_while_messages_are_made_ends_the_run_and_loses_nothing(press: Press) -> None:
    def unreadable(_: Claimed) -> Message:
        raise StoreError("the disk is gone")

    press.prepare = unreadable
    edition = frozen(press.store, 5)
    with pytest.raises(StoreError, match="disk"):
        await press.send()
    assert press.report(edition).queued == 5
    press.prepare = message_for
    assert (await press.send()).sent == 5


async def test_a_stop_finishes_what_is_in_flight_and_gives_the_rest_back(press: Press, server: MailboxServer) -> None:
    hold = asyncio.Event()
    server.script = Script(hold=hold)
    edition = frozen(press.store, 100)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    press.stop.set()
    hold.set()
    counts = await sending
    report = press.report(edition)
    assert counts.because == "stopped"
    assert (report.unknown, report.sending) == (0, 0)
    assert report.sent == counts.sent == server.counts.total()
    assert report.queued == 100 - report.sent
    press.stop = asyncio.Event()
    assert (await press.send(owner="next")).sent == report.queued
    assert set(server.counts.values()) == {1}


async def test_a_stop_waits_only_so_long_for_an_answer(press: Press, server: MailboxServer) -> None:
    server.script = Script(hold=asyncio.Event())
    press.limits = Limits(drain=timedelta(seconds=0.2))
    edition = frozen(press.store, 10)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    press.stop.set()
    counts = await sending
    report = press.report(edition)
    assert (counts.unknown, report.unknown, report.queued, report.sending) == (4, 4, 6, 0)


async def test_answers_that_cannot_be_kept_while_a_run_stops_are_not_taken_for_unsent(
    press: Press, server: MailboxServer
) -> None:
    hold = asyncio.Event()
    server.script = Script(hold=hold)
    edition = frozen(press.store, 20)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    press.stop.set()
    with press.store.write() as connection:
        full = "SELECT RAISE(ABORT, 'the disk is full')"
        connection.exec_driver_sql(
            f"CREATE TRIGGER full BEFORE UPDATE ON deliveries WHEN NEW.state = 'sent' BEGIN {full}; END"
        )
    hold.set()
    with pytest.raises(StoreError):
        await sending
    with press.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    press.stop = asyncio.Event()
    assert press.recover()[0] == 0
    await press.send(owner="next")
    assert press.report(edition).sent == 20
    assert set(server.counts.values()) == {1}


async def test_a_run_that_is_cancelled_leaves_nothing_leased(press: Press, server: MailboxServer) -> None:
    server.script = Script(hold=asyncio.Event())
    press.limits = Limits(drain=timedelta(seconds=0.1))
    edition = frozen(press.store, 10)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    report = press.report(edition)
    assert (report.unknown, report.queued, report.sending) == (4, 6, 0)


async def test_an_edition_paused_in_mid_flight_stops_at_once(press: Press, server: MailboxServer) -> None:
    hold = asyncio.Event()
    server.script = Script(hold=hold)
    edition = frozen(press.store, 50)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    Editions(press.store).move(edition, EditionState.PAUSED, now=NOW)
    hold.set()
    counts = await sending
    report = press.report(edition)
    assert (report.sent, report.queued, report.sending) == (4, 46, 0)
    assert counts.sent == 4
    assert counts.dropped >= 1


async def test_who_leaves_in_mid_flight_gets_nothing_more(press: Press, server: MailboxServer) -> None:
    hold = asyncio.Event()
    server.script = Script(hold=hold)
    edition = frozen(press.store, 50)
    sending = asyncio.create_task(press.send())
    await until(lambda: held(server) == 4)
    waiting = [number for number in range(50) if number >= 10]
    for number in waiting:
        set_subscription(press.store, number + 1, SubscriptionState.LEFT)
    hold.set()
    await sending
    report = press.report(edition)
    assert (report.sent, report.suppressed, report.queued) == (10, 40, 0)
    assert not {reader(number) for number in waiting} & server.counts.keys()


async def test_letters_go_out_too(press: Press, server: MailboxServer) -> None:
    [subscription, *_] = add_people(press.store, 2)
    set_subscription(press.store, subscription, SubscriptionState.PENDING)
    Letters(press.store).enqueue(LetterKind.CONFIRMATION, subscription, key="once", now=NOW)
    counts = await press.send()
    assert counts == Counts(sent=1)
    assert server.counts == {reader(0): 1}


async def test_a_rate_is_kept(press: Press, server: MailboxServer) -> None:
    press.relays = (replace(press.relays[0], rate_per_minute=1200),)
    frozen(press.store, 40)
    before = asyncio.get_running_loop().time()
    assert (await press.send()).sent == 40
    assert asyncio.get_running_loop().time() - before >= 0.9


async def test_a_stop_does_not_wait_for_a_slow_rate(press: Press, server: MailboxServer) -> None:
    press.relays = (replace(press.relays[0], rate_per_minute=1),)
    edition = frozen(press.store, 3)
    sending = asyncio.create_task(press.send())
    await until(lambda: bool(server.counts))
    press.stop.set()
    counts = await asyncio.wait_for(sending, 30)
    assert (counts.sent, press.report(edition).queued) == (1, 2)


async def test_progress_is_told_and_adds_up(press: Press) -> None:
    told: list[Counts] = []
    press.on_progress = told.append
    frozen(press.store, 30)
    counts = await press.send()
    assert told[-1] == counts
    assert [each.tried for each in told] == sorted(each.tried for each in told)


async def test_logs_tell_batches_and_nobody_s_address(press: Press, server: MailboxServer) -> None:
    server.script = Script(rcpt={reader(1): f"550 5.1.1 <{reader(1)}> unknown"})
    frozen(press.store, 20)
    with capture_logs() as logs:
        await press.send()
    infos = [line for line in logs if line["log_level"] == "info"]
    assert [line["event"] for line in infos] == ["run of deliveries ended"]
    assert sum(line["event"] == "delivery tried" for line in logs) == 20
    assert "reader-" not in str(logs)


async def test_two_runs_at_once_send_nothing_twice(each_url: str, server: MailboxServer, tmp_path: Path) -> None:
    with Store.open(each_url, site_dir=Path("/")) as store, open_ledger(store) as first, open_ledger(store) as second:
        edition = frozen(store, 200)
        one, two = (
            Press(store=store, ledger=ledger, relays=(relay_to(server),), journals=tmp_path, limits=Limits(batch=20))
            for ledger in (first, second)
        )
        counts = await asyncio.gather(one.send(owner="one"), two.send(owner="two"))
        assert one.report(edition).sent == sum(each.sent for each in counts) == 200
    assert set(server.counts.values()) == {1}


async def test_without_a_relay_nothing_is_sent_and_it_says_so(press: Press) -> None:
    press.relays = ()
    edition = frozen(press.store, 3)
    assert (await press.send()).because == "no relay is configured"
    assert press.report(edition).queued == 3


async def test_with_no_room_for_the_journal_sending_stops_and_nobody_is_lost(
    press: Press, server: MailboxServer, tmp_path: Path
) -> None:
    edition, journal = frozen(press.store, 300), Journal(tmp_path / "full", owner="test")
    sending = asyncio.create_task(press.send_with(journal))
    await until(lambda: server.counts.total() >= 60)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal.fileno())
    os.close(full)
    with pytest.raises(StoreError, match="no space"):
        await sending
    journal.close()
    report = press.report(edition)
    assert 60 <= server.counts.total() < 300
    assert (report.sent, report.unknown) == (server.counts.total(), 0)
    press.journals = tmp_path / "full"
    assert press.recover()[0] == 0
    assert (await press.send(owner="next")).sent == 300 - report.sent
    assert set(server.counts.values()) == {1}
