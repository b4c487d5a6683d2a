import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from newsletter.deliver.pipe import End, Pipe, Timeouts
from newsletter.deliver.smtp import Connection
from newsletter.deliver.wire import Packed, packed
from newsletter.mailbox.script import Act, Script
from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.model.delivery import Reply
from newsletter.model.message import Envelope, Message
from newsletter.model.settings import Relay, Tls
from tests.deliver.certificates import Certificates, made_in
from tests.deliver.press import cutting, until

pytestmark = pytest.mark.anyio

CONTENT = b"From: brief@news.example\r\nSubject: Hello\r\n\r\nText\r\n.hidden\r\n"
HUGE = CONTENT + (b"x" * 998 + b"\r\n") * 40_000


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@dataclass(frozen=True, slots=True)
class Load:
    packed: Packed

    @property
    def to(self) -> str:
        return self.packed.recipient


def load(to: str, content: bytes = CONTENT) -> Load:
    ready = packed(Message(envelope=Envelope(sender="bounces@bounce.example", recipient=to), pieces=(content,)))
    assert isinstance(ready, Packed)
    return Load(ready)


@dataclass(slots=True)
class Deck:
    """A carrier with a pile of loads, which remembers what it was told."""

    pile: deque[Load]
    refusal: str | None = None
    started: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)
    end: End[Load] | None = None

    def next(self) -> Load | None:
        return self.pile.popleft() if self.pile else None

    def start(self, cargo: Load, go: Callable[[str | None], None]) -> None:
        self.started.append(cargo.to)
        go(self.refusal)

    def answered(self, cargo: Load, reply: Reply) -> None:
        self.answers.append((cargo.to, reply.code))

    def settled(self) -> None: ...

    def ended(self, end: End[Load]) -> None:
        assert self.end is None
        self.end = end


def deck(*whom: str) -> Deck:
    return Deck(deque(map(load, whom)))


@asynccontextmanager
async def piped(host: str, port: int, carrier: Deck, **timeouts: float) -> AsyncIterator[Pipe[Load]]:
    relay = Relay(name="main", host=host, port=port, tls=Tls.NONE)
    connection = Connection(relay, hostname="news.example", timeouts=Timeouts(**timeouts))
    await connection.open()
    pipe = connection.pipe(carrier)
    assert pipe is not None
    try:
        yield pipe
    finally:
        await connection.close()


async def sent(server: MailboxServer, carrier: Deck, **timeouts: float) -> None:
    """Until all is answered or the connection is gone."""
    async with piped(server.host, server.port, carrier, **timeouts) as pipe:
        pipe.wake()
        await until(lambda: carrier.end is not None or (pipe.is_idle and not carrier.pile))


@dataclass(slots=True)
class Talker:
    """A server that says exactly what it is told to, however wrong: `answer` gets each line, content lines too."""

    answer: Callable[[str], bytes | None]
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            word = line.decode().rstrip("\r\n")
            self.heard.append(word)
            if word.startswith("EHLO"):
                writer.write(b"250-hello\r\n250 PIPELINING\r\n")
            elif word == "QUIT":
                break
            elif (said := self.answer(word)) is not None:
                writer.write(said)
        writer.close()


@asynccontextmanager
async def talking(answer: Callable[[str], bytes | None]) -> AsyncIterator[Talker]:
    talker = Talker(answer)
    async with await asyncio.start_server(talker.talk, "127.0.0.1", 0) as server:
        talker.port = server.sockets[0].getsockname()[1]
        yield talker


async def told(answer: Callable[[str], bytes | None], carrier: Deck, **timeouts: float) -> list[str]:
    """What a talker heard, until all is answered or the connection is gone."""
    async with talking(answer) as talker:
        async with piped("127.0.0.1", talker.port, carrier, **timeouts) as pipe:
            pipe.wake()
            await until(lambda: carrier.end is not None or (pipe.is_idle and not carrier.pile))
        return talker.heard


def usual(line: str) -> bytes | None:
    if line == "DATA":
        return b"354 go on\r\n"
    return b"250 fine\r\n" if line == "." or line.startswith(("MAIL", "RCPT", "RSET")) else None


async def test_messages_arrive_byte_for_byte_over_one_connection() -> None:
    carrier = deck(*(f"reader-{number}@example.org" for number in range(50)))
    carrier.pile.append(load("huge@example.org", HUGE))
    carrier.pile.append(load("last@example.org"))
    async with MailboxServer() as server:
        await sent(server, carrier)
        mails = server.box.listed()
        contents = {mail.recipients[0]: server.box.content(mail.id) for mail in mails}
    assert [code for _, code in carrier.answers] == [250] * 52
    assert server.connections == 1
    assert contents["reader-7@example.org"] == contents["last@example.org"] == CONTENT
    assert contents["huge@example.org"] == HUGE
    assert set(server.counts.values()) == {1}


async def test_the_next_envelope_leaves_before_the_answer_to_the_content() -> None:
    waiting = False

    def answer(line: str) -> bytes | None:
        nonlocal waiting
        if line == ".":
            waiting = True
            return None
        if waiting and line.startswith("MAIL"):
            waiting = False
            return b"250 kept\r\n250 fine\r\n"
        return usual(line)

    carrier = deck("a@example.org", "b@example.org", "c@example.org")
    async with talking(answer) as talker, piped("127.0.0.1", talker.port, carrier) as pipe:
        pipe.wake()
        await until(lambda: len(carrier.answers) == 2)
        assert pipe.in_doubt


async def test_refusals_are_answers_and_the_others_go_on() -> None:
    script = Script(
        rcpt={"gone@example.org": "550 5.1.1 gone"},
        data={"later@example.org": "451 4.3.0 later"},
        mail=(Act.YES, "451 4.3.0 not now"),
    )
    whom = ["a@example.org", "b@example.org", "gone@example.org", "later@example.org", "c@example.org"]
    carrier = deck(*whom)
    async with MailboxServer(script=script) as server:
        await sent(server, carrier)
    assert carrier.answers == list(zip(whom, [250, 451, 550, 451, 250], strict=True))
    assert carrier.started == ["a@example.org", "later@example.org", "c@example.org"]
    assert server.connections == 1
    assert server.counts == {"a@example.org": 1, "c@example.org": 1}


async def test_a_server_that_takes_input_for_a_refused_recipient_gets_a_lone_dot() -> None:
    def answer(line: str) -> bytes | None:
        return b"550 5.1.1 gone\r\n" if line == "RCPT TO:<gone@example.org>" else usual(line)

    carrier = deck("gone@example.org", "b@example.org")
    heard = await told(answer, carrier)
    assert carrier.answers == [("gone@example.org", 550), ("b@example.org", 250)]
    assert heard.index(".") == heard.index("DATA") + 1
    assert heard.count("Text") == 1
    assert carrier.started == ["b@example.org"]


async def test_answers_may_come_in_pieces_and_in_many_lines() -> None:
    def answer(line: str) -> bytes | None:
        said = usual(line)
        return said if said is None or said.startswith(b"354") else said.replace(b"250 ", b"250-more\r\n250-\r\n250 ")

    carrier = deck("a@example.org", "b@example.org")
    await told(answer, carrier)
    assert [code for _, code in carrier.answers] == [250, 250]


async def test_after_421_to_a_message_what_was_under_way_comes_back_unsent() -> None:
    script = Script(data={"a@example.org": "421 4.3.2 closing"})
    carrier = deck("a@example.org", "b@example.org", "c@example.org")
    async with MailboxServer(script=script) as server:
        await sent(server, carrier)
    assert carrier.answers == [("a@example.org", 421)]
    assert carrier.end is not None
    assert carrier.end.doubtful is None
    assert carrier.end.unsent is not None
    assert carrier.end.unsent.to == "b@example.org"
    assert carrier.end.orderly
    assert carrier.started == ["a@example.org"]
    assert not server.counts


@pytest.mark.parametrize("act", [Act.CUT, Act.KEEP_AND_CUT])
async def test_a_loss_after_the_dot_is_one_doubt_and_what_was_ahead_is_none(act: Act) -> None:
    carrier = deck("a@example.org", "b@example.org", "c@example.org")
    async with MailboxServer(script=Script(data={"b@example.org": (act,)})) as server:
        await sent(server, carrier)
    assert carrier.end is not None
    assert carrier.end.doubtful is not None
    assert carrier.end.doubtful.to == "b@example.org"
    assert carrier.end.unsent is not None
    assert carrier.end.unsent.to == "c@example.org"


async def test_a_large_message_that_is_cut_off_is_no_doubt() -> None:
    carrier = Deck(deque([load("a@example.org", HUGE)]))
    async with cutting(HUGE) as port, piped("127.0.0.1", port, carrier) as pipe:
        pipe.wake()
        await until(lambda: carrier.end is not None)
    assert carrier.end is not None
    assert carrier.end.doubtful is None
    assert carrier.end.unsent is not None


@pytest.mark.parametrize("reply", ["550 5.1.8 <bounces@bounce.example> refused", "421 4.3.2 closing"])
async def test_a_relay_that_takes_no_mail_from_us_ends_it_and_costs_nobody_a_delivery(reply: str) -> None:
    carrier = deck("a@example.org", "b@example.org")
    async with MailboxServer(script=Script(mail=reply)) as server:
        await sent(server, carrier)
    assert carrier.answers == []
    assert carrier.end is not None
    assert carrier.end.unsent is not None
    assert not carrier.end.welcome
    assert reply[:3] in carrier.end.because
    assert "bounces@" not in carrier.end.because


@pytest.mark.parametrize("nonsense", [b"hello\r\n", b"354 more\r\n", b"x" * 10_000])
async def test_nonsense_after_the_dot_is_a_doubt_and_before_it_none(nonsense: bytes) -> None:
    late, early = deck("a@example.org"), deck("a@example.org")
    await told(lambda line: nonsense if line == "." else usual(line), late)
    await told(lambda line: nonsense if line.startswith("RCPT") else usual(line), early)
    assert late.end is not None
    assert late.end.doubtful is not None
    assert early.end is not None
    assert early.end.doubtful is None
    assert early.end.unsent is not None
    assert early.started == []


async def test_one_reply_too_many_ends_it_before_answers_are_taken_for_others() -> None:
    carrier = deck("a@example.org", "b@example.org")
    await told(lambda line: b"250 kept\r\n250 and again\r\n" if line == "." else usual(line), carrier)
    assert carrier.answers[0] == ("a@example.org", 250)
    assert carrier.end is not None
    assert ("b@example.org", 250) not in carrier.answers


async def test_an_answer_that_does_not_come_is_a_doubt() -> None:
    carrier = deck("a@example.org", "b@example.org")
    async with MailboxServer(script=Script(hold=asyncio.Event())) as server:
        await sent(server, carrier, final_dot=0.05)
    assert carrier.end is not None
    assert carrier.end.doubtful is not None
    assert carrier.end.doubtful.to == "a@example.org"


async def test_what_may_not_start_any_more_is_kept_from_the_server_by_hanging_up() -> None:
    carrier = deck("a@example.org")
    carrier.refusal = "its time is over"
    async with MailboxServer() as server:
        await sent(server, carrier)
    assert carrier.end is not None
    assert carrier.end.unsent is not None
    assert not server.counts


async def test_who_needs_what_the_relay_lacks_is_answered_without_asking() -> None:
    carrier = deck("änna@example.org", "b@example.org")
    async with MailboxServer(extensions=EXTENSIONS - {"SMTPUTF8"}) as server:
        await sent(server, carrier)
    assert carrier.answers == [("änna@example.org", 554), ("b@example.org", 250)]


async def test_a_relay_that_does_not_offer_it_is_not_handed_over() -> None:
    async with MailboxServer(extensions=EXTENSIONS - {"PIPELINING"}) as server:
        relay = Relay(name="main", host=server.host, port=server.port, tls=Tls.NONE)
        connection = Connection(relay, hostname="news.example")
        await connection.open()
        assert connection.pipe(deck()) is None
        await connection.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return made_in(folder)


@pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STARTTLS])
async def test_it_works_the_same_under_tls(certificates: Certificates, tls: Tls) -> None:
    carrier = deck(*(f"reader-{number}@example.org" for number in range(20)))
    carrier.pile.append(load("huge@example.org", HUGE))
    async with MailboxServer(tls=certificates.server, implicit_tls=tls is Tls.IMPLICIT) as server:
        relay = Relay(name="main", host=server.host, port=server.port, tls=tls)
        connection = Connection(relay, hostname="news.example", tls=certificates.client)
        await connection.open()
        pipe = connection.pipe(carrier)
        assert pipe is not None
        pipe.wake()
        await until(lambda: len(carrier.answers) == 21 or carrier.end is not None)
        await connection.close()
    assert [code for _, code in carrier.answers] == [250] * 21
    assert set(server.counts.values()) == {1}
