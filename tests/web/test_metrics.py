"""What a monitor is told, as it asks for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxThread
from newsletter.web.metrics import Kept, Thrifty
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, asked, feed_file

READERS = [f"reader{number}@example.org" for number in range(12)]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Hands:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_what_is_slow_to_count_is_counted_seldom_and_what_is_fast_is_fresh() -> None:
    clock, counted = Hands(), list[float]()

    def count(seconds: float) -> int:
        clock.at += seconds
        counted.append(seconds)
        return len(counted)

    slow, fast = Thrifty(lambda: count(2), clock=clock), Thrifty(lambda: count(0.001), clock=clock)
    slow.get()
    clock.at += 199
    slow.get()
    assert counted == [2]
    clock.at += 2
    slow.get()
    assert counted == [2, 2]
    fast.get()
    clock.at += 4
    fast.get()
    assert counted == [2, 2, 0.001]
    clock.at += 2
    fast.get()
    assert counted == [2, 2, 0.001, 0.001]


def test_what_cannot_change_is_counted_once_and_forgotten_when_it_is_not_shown_any_more() -> None:
    counted = list[str]()

    def count(edition: str) -> int:
        counted.append(edition)
        return len(counted)

    kept = Kept(count)
    assert kept.of(["monday", "tuesday"]) == {"monday": 1, "tuesday": 2}
    assert kept.of(["tuesday", "wednesday"]) == {"tuesday": 2, "wednesday": 3}
    assert kept.of(["monday"]) == {"monday": 4}, "a program that runs for years remembers what is shown"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A site that has sent an edition, in which one reader was refused and one is to come again."""
    with MailboxThread() as mailbox, Partner() as partner:
        partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
        program = Program(tmp_path_factory.mktemp("metrics") / "site", mailbox, web_port=free_port())
        program.configure('schedule = "0 7 * * *"', harbour=feed_file(f"{partner.url}/feed"))
        with (program.folder / "config.toml").open("a", encoding="utf-8") as config:
            config.write(f'[metrics]\nlisten = "127.0.0.1:{free_port()}"\n')
        program.subscribe(*READERS)
        program.json("poll")
        program.json("compose", "daily")
        mailbox.script = Script(rcpt={READERS[0]: "550 5.1.1 no such user", READERS[1]: "451 4.3.0 later"})
        program.json("send")
        yield program


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def page(program: Program) -> Iterator[str]:
    with program.process("web") as serving:
        Log(serving).wait_for("clock started")
        yield asked(f"{operators(program)}/metrics").text
        assert asked(f"{operators(program)}/healthz").status == 200
        assert asked(f"{program.base_url}/metrics").status == 404, "readers must not see it"


def operators(program: Program) -> str:
    config = (program.folder / "config.toml").read_text("utf-8")
    return "http://" + config.rpartition('listen = "')[2].partition('"')[0]


@pytest.fixture(scope="module")
def samples(page: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """The one sample of that name that has these labels."""
    (found,) = [each for (known, has), each in samples.items() if known == name and has >= labels.items()]
    return found


def test_deliveries_are_told_by_edition_and_state(samples: Samples) -> None:
    states = {
        state: value(samples, "newsletter_deliveries", state=state, list="brief")
        for state in ("sent", "failed", "deferred", "queued", "unknown")
    }
    assert states == {"sent": 10, "failed": 1, "deferred": 1, "queued": 0, "unknown": 0}
    assert 0 < value(samples, "newsletter_edition_age_seconds", list="brief") < 600
    assert value(samples, "newsletter_editions", state="approved") == 1


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("newsletter_feeds", {"state": "active"}, 1),
        ("newsletter_feeds_failing", {}, 0),
        ("newsletter_subscriptions", {"state": "active"}, len(READERS) - 1),
        ("newsletter_subscriptions", {"state": "suppressed"}, 1),
        ("newsletter_relay_up", {"relay": "main"}, 1),
        ("newsletter_oldest_due_seconds", {}, 0),
        ("newsletter_in_flight", {}, 0),
    ],
)
def test_the_rest_is_told_too(samples: Samples, name: str, labels: dict[str, str], expected: float) -> None:
    assert value(samples, name, **labels) == expected


def test_the_size_of_the_store_is_that_of_its_file(program: Program, samples: Samples) -> None:
    assert value(samples, "newsletter_store_bytes") >= (program.folder / "var/newsletter.db").stat().st_size / 2


def test_nobody_is_named_in_it(page: str) -> None:
    assert "newsletter_deliveries" in page
    assert "@" not in page
    assert "reader" not in page


def test_a_sender_counts_what_it_tried(program: Program) -> None:
    program.mailbox.script = Script()
    program.json("resend", edition_of(program), "--only", "deferred")
    own = f"127.0.0.1:{free_port()}"
    with program.process("run", "--role", "sender", environment={"NEWSLETTER_METRICS_LISTEN": own}) as sending:
        Log(sending).wait_for("edition finished")
        text = asked(f"http://{own}/metrics").text
        sending.terminate()
        assert sending.wait(timeout=30) == 0
    assert 'newsletter_attempts_total{outcome="sent"} 1.0' in text


def edition_of(program: Program) -> str:
    return str(program.json("subscribers", "show", READERS[2])["deliveries"][0]["edition"])
