"""Sending at a pace: rates that all senders share, providers that ask for patience, relays that warm up."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from newsletter.deliver.gate import PATIENCE, new_gates
from newsletter.deliver.send import Limits
from newsletter.deliver.turns import Allowance
from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxServer
from newsletter.model.pacing import SPACING_SLACK, spacing
from newsletter.model.settings import Provider, Relay
from newsletter.store.engine import Store
from newsletter.store.pacing import Pacing
from tests.deliver.press import NO_PACES, LateClock, Press, failed_before, relay_to, until
from tests.store.samples import frozen, move_house, open_ledger

pytestmark = pytest.mark.anyio
SLOW_DOWN = "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail from your IP address. - gsmtp"
DAY = timedelta(days=1)


@contextmanager
def two_senders(url: str, relay: Relay, folder: Path) -> Iterator[list[Press]]:
    """Two that share a store, each with a ledger and journals of its own."""
    with Store.open(url, site_dir=Path("/")) as store, ExitStack() as stack:
        yield [
            Press(
                store=store,
                ledger=stack.enter_context(open_ledger(store)),
                relays=(relay,),
                journals=folder / name,
                limits=Limits(batch=5),
            )
            for name in ("one", "two")
        ]


def _domains(server: MailboxServer) -> list[str]:
    """Of all mails in the order in which they came."""
    return [mail.recipients[0].rpartition("@")[2] for mail in reversed(server.box.listed())]


def _at_gmail(people: int) -> dict[str, str]:
    return {f"reader-{number}@gmail.com": SLOW_DOWN for number in range(people)}


async def _seconds(press: Press, *, sent: int) -> float:
    """How long a run takes that sends so many."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await press.send()).sent == sent
    return loop.time() - before


def _least(many: int, *, per_minute: float) -> float:
    """Seconds that so many messages take at least."""
    return ((many - 1) * spacing(per_minute) - SPACING_SLACK).total_seconds()


async def test_a_relay_s_rate_is_kept(press: Press) -> None:
    press.relays = (replace(press.relays[0], rate_per_minute=1800),)
    frozen(press.store, 30)
    assert await _seconds(press, sent=30) >= _least(30, per_minute=1800)


async def test_one_rate_holds_for_all_relays_together(press: Press, server: MailboxServer) -> None:
    press.relays = (press.relays[0], relay_to(server, name="second"))
    press.paces = replace(NO_PACES, rate_per_minute=1800)
    frozen(press.store, 30)
    assert await _seconds(press, sent=30) >= _least(30, per_minute=1800)


async def test_senders_that_share_a_store_share_its_rates(each_url: str, server: MailboxServer, tmp_path: Path) -> None:
    loop, relay = asyncio.get_running_loop(), replace(relay_to(server), rate_per_minute=1200)
    with two_senders(each_url, relay, tmp_path) as pair:
        frozen(pair[0].store, 30)
        before = loop.time()
        counts = await asyncio.gather(*(each.send(owner=each.journals.name) for each in pair))
        assert sum(each.sent for each in counts) == 30
        assert loop.time() - before >= _least(30, per_minute=1200)
    assert set(server.counts.values()) == {1}


async def test_a_provider_s_rate_is_kept(press: Press) -> None:
    press.paces = replace(NO_PACES, providers=(Provider(name="google", rate_per_minute=1200),))
    frozen(press.store, 25)
    move_house(press.store, 25, to="gmail.com")
    assert await _seconds(press, sent=25) >= _least(25, per_minute=1200)


async def test_who_stands_behind_a_slow_provider_does_not_wait(press: Press, server: MailboxServer) -> None:
    press.paces = replace(NO_PACES, providers=(Provider(name="google", rate_per_minute=0.1),))
    press.limits = Limits(batch=20)
    edition = frozen(press.store, 150)
    move_house(press.store, 50, to="gmail.com")
    sending = asyncio.create_task(press.send())
    await until(lambda: Counter(_domains(server)) == {"brief.example": 100, "gmail.com": 1})
    press.stop.set()
    await sending
    report = press.report(edition)
    assert (report.sent, report.queued) == (101, 49)


async def test_a_provider_that_asks_for_patience_is_left_alone_and_the_others_do_not_feel_it(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, 300)
    move_house(press.store, 150, to="gmail.com")
    server.script = Script(rcpt=_at_gmail(150))
    with capture_logs() as logs:
        counts = await press.send()
    report = press.report(edition)
    assert (counts.because, counts.sent, report.sent) == (None, 150, 150)
    assert set(_domains(server)) == {"brief.example"}
    assert 0 < report.deferred == counts.deferred
    assert report.deferred + report.queued == 150
    # What was begun ahead when the first answer came is refused too; the rest is never offered.
    assert report.queued >= 50
    [slowdown] = Pacing(press.store).slowdowns()
    assert (slowdown.provider, slowdown.complaints) == ("google", 1)
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["provider slowed"]


async def test_after_its_rest_a_provider_gets_its_mail_slowly_and_what_was_deferred_with_it(
    press: Press, server: MailboxServer
) -> None:
    edition = frozen(press.store, 3)
    move_house(press.store, 3, to="gmail.com")
    server.script = Script(rcpt=_at_gmail(3))
    await press.send()
    server.script = Script()
    assert (await press.send()).tried == 0
    press.clock = LateClock(timedelta(minutes=6))
    [slowdown] = Pacing(press.store).slowdowns()
    now = press.clock.now()
    seconds = await _seconds(press, sent=3)
    assert press.report(edition).sent == 3
    assert slowdown.closed_until < now
    assert seconds >= _least(3, per_minute=slowdown.full_rate)


async def test_a_slow_provider_is_known_to_other_workers_and_after_a_restart(
    press: Press, server: MailboxServer
) -> None:
    frozen(press.store, 40)
    move_house(press.store, 40, to="gmail.com")
    Pacing(press.store).slow("google", rate=600, because="421 slow down", now=press.clock.now())
    assert (await press.send()).tried == 0
    assert server.connections == 0


async def test_who_got_in_line_by_a_clock_that_ran_ahead_is_sent_when_it_is_right_again(press: Press) -> None:
    frozen(press.store, 40)
    move_house(press.store, 40, to="gmail.com")
    press.clock = LateClock(10 * DAY)
    Pacing(press.store).slow("google", rate=600, because="421 slow down", now=press.clock.now())
    assert (await press.send()).tried == 0
    press.clock = LateClock()
    assert (await press.send()).sent == 40


async def test_a_slow_down_at_one_domain_is_that_domain_s_alone(press: Press, server: MailboxServer) -> None:
    edition = frozen(press.store, 20)
    move_house(press.store, 1, to="small.example")
    server.script = Script(rcpt={"reader-0@small.example": "451 4.7.1 too many messages, slow down"})
    await press.send()
    report = press.report(edition)
    assert (report.sent, report.deferred) == (19, 1)
    assert [each.provider for each in Pacing(press.store).slowdowns()] == ["small.example"]


async def test_greylisting_slows_nobody(press: Press, server: MailboxServer) -> None:
    frozen(press.store, 5)
    server.script = Script(rcpt={"reader-0@brief.example": "451 4.7.1 Greylisting in action, please come back later"})
    assert (await press.send()).sent == 4
    assert Pacing(press.store).slowdowns() == ()


async def test_a_relay_that_warms_up_sends_so_many_a_day_and_says_when_it_goes_on(press: Press) -> None:
    relay = replace(press.relays[0], warm_up=(5, 10), warm_up_from=date(2026, 11, 23))
    press.relays = (relay,)
    edition = frozen(press.store, 40)
    first, again = await press.send(), await press.send()
    assert (first.sent, again.sent) == (5, 0)
    expected = "relay main warms up: no more than 5 today, it goes on at 2026-11-24 00:00 GMT"
    assert first.because == again.because == expected
    assert press.report(edition).queued == 35
    press.clock = LateClock(DAY)
    assert (await press.send()).sent == 10
    press.clock = LateClock(2 * DAY)
    last = await press.send()
    assert (last.sent, last.because) == (25, None)


async def test_what_a_relay_may_not_send_today_is_no_reason_tomorrow(press: Press) -> None:
    relay = replace(press.relays[0], warm_up=(5,), warm_up_from=date(2026, 11, 24))
    allowance = Allowance(relay, zone=ZoneInfo("UTC"), want=lambda _: None)
    allowance.fetch(Pacing(press.store), now=datetime(2026, 11, 23, 23, 0, tzinfo=UTC), at=100)()
    assert "2026-11-24" in (allowance.because(3699) or "")
    assert allowance.because(3700) is None


async def test_a_warm_up_that_is_enough_is_no_reason_to_say_anything(press: Press) -> None:
    press.relays = (replace(press.relays[0], warm_up=(5,), warm_up_from=date(2026, 11, 23)),)
    frozen(press.store, 5)
    assert ((await press.send()).because, (await press.send()).because) == (None, None)


async def test_before_its_first_day_a_relay_sends_nothing(press: Press, server: MailboxServer) -> None:
    press.relays = (replace(press.relays[0], warm_up=(5,), warm_up_from=date(2026, 11, 24)),)
    frozen(press.store, 5)
    counts = await press.send()
    assert (counts.sent, server.connections) == (0, 0)
    assert "2026-11-24" in (counts.because or "")


async def test_what_one_relay_may_not_send_today_another_sends(press: Press, server: MailboxServer) -> None:
    async with MailboxServer() as second:
        warming = replace(relay_to(second, name="second", weight=3), warm_up=(5,), warm_up_from=date(2026, 11, 23))
        press.relays = (press.relays[0], warming)
        frozen(press.store, 60)
        counts = await press.send()
    assert (counts.sent, counts.because) == (60, None)
    assert second.counts.total() <= 5
    assert server.counts.total() + second.counts.total() == 60


async def test_a_run_ends_where_one_relay_may_not_send_today_and_the_other_is_away(press: Press) -> None:
    async with MailboxServer() as gone:
        away = relay_to(gone, name="away")
    warming = replace(press.relays[0], warm_up=(5,), warm_up_from=date(2026, 11, 23))
    press.relays = (away, warming)
    press.gates = new_gates(["main"]) | failed_before(PATIENCE - 1, seconds_ago=100, relay="away")
    edition = frozen(press.store, 60)
    counts, report = await press.send(), press.report(edition)
    assert (counts.sent, report.sent, report.queued) == (5, 5, 55)
    assert "relay away: " in (counts.because or "")
    assert "relay main warms up" in (counts.because or "")


async def test_senders_that_share_a_store_share_a_warm_up(each_url: str, server: MailboxServer, tmp_path: Path) -> None:
    relay = replace(relay_to(server), warm_up=(40,), warm_up_from=date(2026, 11, 23))
    with two_senders(each_url, relay, tmp_path) as pair:
        frozen(pair[0].store, 100)
        await asyncio.gather(*(each.send(owner=each.journals.name) for each in pair))
        assert server.counts.total() <= 40
        # What the one had taken and the other might have used is there for the next.
        await pair[0].send()
    assert server.counts.total() == 40


async def test_a_stop_does_not_wait_for_a_provider_s_turn(press: Press, server: MailboxServer) -> None:
    press.paces = replace(NO_PACES, providers=(Provider(name="google", rate_per_minute=1),))
    edition = frozen(press.store, 5)
    move_house(press.store, 5, to="gmail.com")
    sending = asyncio.create_task(press.send())
    await until(lambda: bool(server.counts))
    press.stop.set()
    counts = await asyncio.wait_for(sending, 20)
    assert (counts.sent, counts.because, press.report(edition).queued) == (1, "stopped", 4)


async def test_a_small_edition_is_sent_before_a_large_one_is_done(press: Press, server: MailboxServer) -> None:
    press.limits = Limits(batch=40)
    frozen(press.store, 600, list_id="large")
    frozen(press.store, 30, number=2, list_id="small")
    await press.send()
    domains = _domains(server)
    assert len(domains) == 630
    last_of_small = max(place for place, domain in enumerate(domains) if domain == "small.example")
    assert last_of_small < 200
