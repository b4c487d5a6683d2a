import asyncio
import ssl
from pathlib import Path

import pytest

from newsletter.deliver.pipe import Timeouts
from newsletter.deliver.smtp import Connection
from newsletter.errors import RelayError
from newsletter.mailbox.script import Act, Script
from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.model.message import Envelope, Message
from newsletter.model.settings import Relay, Secret, Tls
from tests.deliver.certificates import Certificates, made_in
from tests.deliver.press import cutting, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: what exactly is known of a write differs between them."""
    return "asyncio", {"use_uvloop": request.param}


CONTENT = b"From: brief@news.example\r\nSubject: Hello\r\n\r\nText\r\n"
HUGE = CONTENT + (b"x" * 998 + b"\r\n") * 40_000


def message(recipient: str = "anna@example.org", content: bytes = CONTENT) -> Message:
    return Message(envelope=Envelope(sender="bounces+abc@bounce.example", recipient=recipient), pieces=(content,))


def relay_to(server: MailboxServer, *, tls: Tls = Tls.NONE, username: str | None = None, password: str = "") -> Relay:
    secret = Secret(password) if username else None
    return Relay(name="main", host=server.host, port=server.port, tls=tls, username=username, password=secret)


async def opened(server: MailboxServer) -> Connection:
    connection = Connection(relay_to(server), hostname="news.example")
    await connection.open()
    return connection


async def refusal(connection: Connection, what: Message | None = None) -> RelayError:
    with pytest.raises(RelayError) as caught:
        await (connection.open() if what is None else connection.send(what))
    return caught.value


async def test_a_message_arrives_byte_for_byte() -> None:
    content = CONTENT + b".\r\n..\r\n.hidden\r\n \r\n" + "grün\r\n".encode() + b"\tend \r\n"
    async with MailboxServer() as server:
        connection = await opened(server)
        reply = await connection.send(message(content=content))
        await connection.close()
        [mail] = server.box.listed()
    assert (reply.code, reply.enhanced) == (250, "2.0.0")
    assert server.box.content(mail.id) == content
    assert (mail.sender, mail.recipients) == ("bounces+abc@bounce.example", ("anna@example.org",))


async def test_a_large_message_arrives_byte_for_byte_too() -> None:
    async with MailboxServer() as server:
        connection = await opened(server)
        await connection.send(message(content=HUGE))
        await connection.close()
        [mail] = server.box.listed()
    assert server.box.content(mail.id) == HUGE


async def test_one_connection_carries_many_messages_past_refusals() -> None:
    script = Script(
        rcpt={"gone@example.org": "550 5.1.1 gone"},
        data={"later@example.org": "451 4.3.0 later"},
        mail=(Act.YES, "451 4.3.0 not now"),
    )
    async with MailboxServer(script=script) as server:
        connection = await opened(server)
        whom = ["a@example.org", "b@example.org", "gone@example.org", "later@example.org", "c@example.org"]
        replies = [await connection.send(message(one)) for one in whom]
        await connection.close()
    assert [reply.code for reply in replies] == [250, 451, 550, 451, 250]
    assert server.connections == 1
    assert server.counts == {"a@example.org": 1, "c@example.org": 1}


async def test_a_connection_lost_before_the_final_dot_leaves_no_doubt() -> None:
    async with MailboxServer(script=Script(rcpt={"anna@example.org": (Act.CUT,)})) as server:
        connection = await opened(server)
        error = await refusal(connection, message())
    assert not error.begun
    assert not connection.is_open


async def test_a_large_message_that_is_cut_off_leaves_no_doubt_either() -> None:
    async with cutting(HUGE) as port:
        connection = Connection(Relay(name="main", host="127.0.0.1", port=port, tls=Tls.NONE), hostname="news.example")
        await connection.open()
        error = await refusal(connection, message(content=HUGE))
    assert not error.begun


@pytest.mark.parametrize("act", [Act.CUT, Act.KEEP_AND_CUT])
async def test_a_connection_lost_after_the_final_dot_is_a_doubt(act: Act) -> None:
    async with MailboxServer(script=Script(data={"anna@example.org": (act,)})) as server:
        error = await refusal(await opened(server), message())
    assert error.begun


async def test_an_answer_that_does_not_come_is_a_doubt() -> None:
    script = Script(hold=asyncio.Event())
    async with MailboxServer(script=script) as server:
        connection = Connection(relay_to(server), hostname="news.example", timeouts=Timeouts(final_dot=0.05))
        await connection.open()
        error = await refusal(connection, message())
    assert error.begun


async def test_being_stopped_while_the_answer_is_awaited_is_a_doubt() -> None:
    async with MailboxServer(script=Script(hold=asyncio.Event())) as server:
        connection = await opened(server)
        sending = asyncio.create_task(connection.send(message()))
        await until(lambda: connection.begun)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert connection.begun
    assert not connection.is_open


async def test_a_relay_that_is_not_there_is_an_error_that_says_so() -> None:
    async with MailboxServer() as server:
        relay = relay_to(server)
    error = await refusal(Connection(relay, hostname="news.example"))
    assert not error.begun
    assert "refused" in str(error)


@pytest.mark.parametrize("greeting", ["421 4.3.2 too busy", "554 5.3.2 no mail from you"])
async def test_a_relay_that_greets_with_a_refusal_is_an_error(greeting: str) -> None:
    async with MailboxServer(script=Script(greeting=greeting)) as server:
        error = await refusal(Connection(relay_to(server), hostname="news.example"))
    assert greeting[4:] in str(error)


async def test_a_relay_that_hangs_up_before_greeting_is_an_error() -> None:
    async with MailboxServer(script=Script(greeting=(Act.CUT,))) as server:
        error = await refusal(Connection(relay_to(server), hostname="news.example"))
    assert not error.begun


@pytest.mark.parametrize("reply", ["550 5.1.8 <bounces+abc@bounce.example> refused", "421 4.3.2 closing"])
async def test_a_relay_that_takes_mail_from_us_no_more_is_an_error_and_costs_nobody_a_delivery(reply: str) -> None:
    async with MailboxServer(script=Script(mail=reply)) as server:
        error = await refusal(await opened(server), message())
    assert not error.begun
    assert reply[:3] in str(error)
    assert "abc" not in str(error)


async def test_a_recipient_refused_with_421_has_an_answer_and_the_connection_is_gone() -> None:
    script = Script(rcpt={"anna@example.org": "421 4.7.28 slow down"})
    async with MailboxServer(script=script) as server:
        connection = await opened(server)
        reply = await connection.send(message())
    assert (reply.code, reply.enhanced) == (421, "4.7.28")
    assert not connection.is_open


async def test_a_message_answered_with_421_has_an_answer_and_the_connection_is_gone() -> None:
    async with MailboxServer(script=Script(data={"anna@example.org": "421 4.3.2 closing"})) as server:
        connection = await opened(server)
        reply = await connection.send(message())
    assert reply.code == 421
    assert not connection.is_open


async def test_a_connection_that_the_relay_closed_while_idle_is_known_to_be_closed() -> None:
    async with MailboxServer() as server:
        connection = await opened(server)
        [session] = server.sessions
        session.cut()
        await until(lambda: not connection.is_open)
        error = await refusal(connection, message())
    assert not error.begun


async def test_who_needs_what_the_relay_lacks_fails_alone() -> None:
    async with MailboxServer(extensions=EXTENSIONS - {"SMTPUTF8", "8BITMIME"}, size_bytes=2000) as server:
        connection = await opened(server)
        utf8 = await connection.send(message("änna@example.org"))
        eight_bit = await connection.send(message(content=CONTENT + "grün\r\n".encode()))
        large = await connection.send(message(content=CONTENT + b"x\r\n" * 1000))
        malformed = await connection.send(message("anna example@example.org"))
        fine = await connection.send(message("anna@bücher.example"))
        await connection.close()
    enhanced = [reply.enhanced for reply in (utf8, eight_bit, large, malformed, fine)]
    assert enhanced == ["5.6.7", "5.6.3", "5.3.4", "5.1.3", "2.0.0"]
    assert server.counts == {"anna@xn--bcher-kva.example": 1}


async def test_where_smtputf8_is_offered_an_address_in_any_script_is_reached() -> None:
    async with MailboxServer() as server:
        connection = await opened(server)
        reply = await connection.send(message("أنا@example.org"))
        await connection.close()
    assert reply.code == 250
    assert server.counts == {"أنا@example.org": 1}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return made_in(folder)


async def sent_over_tls(server: MailboxServer, relay: Relay, *, trust: ssl.SSLContext | None) -> int:
    connection = Connection(relay, hostname="news.example", tls=trust)
    await connection.open()
    reply = await connection.send(message())
    await connection.close()
    return reply.code


async def test_tls_from_the_first_byte(certificates: Certificates) -> None:
    async with MailboxServer(tls=certificates.server, implicit_tls=True) as server:
        relay = relay_to(server, tls=Tls.IMPLICIT)
        assert await sent_over_tls(server, relay, trust=certificates.client) == 250


async def test_tls_after_starttls(certificates: Certificates) -> None:
    async with MailboxServer(tls=certificates.server) as server:
        relay = relay_to(server, tls=Tls.STARTTLS)
        assert await sent_over_tls(server, relay, trust=certificates.client) == 250


async def test_a_certificate_nobody_vouches_for_is_refused(certificates: Certificates) -> None:
    async with MailboxServer(tls=certificates.server) as server:
        error = await refusal(Connection(relay_to(server, tls=Tls.STARTTLS), hostname="news.example"))
    assert "certificate" in str(error)


def elsewhere(server: MailboxServer, *, username: str | None = None) -> Relay:
    """The server under a name that does not say it is on this machine."""
    secret = Secret("s3cret") if username else None
    return Relay(name="main", host="127.1", port=server.port, tls=Tls.NONE, username=username, password=secret)


async def test_a_relay_elsewhere_is_spoken_to_in_private_where_it_offers_that(certificates: Certificates) -> None:
    async with MailboxServer(tls=certificates.server) as server:
        connection = Connection(elsewhere(server), hostname="news.example")
        await connection.open()
        reply = await connection.send(message())
        [session] = server.sessions
        encrypted = session.session is not None and session.session.ssl is not None
        await connection.close()
    assert (reply.code, encrypted) == (250, True)


async def test_a_relay_elsewhere_that_offers_no_tls_is_good_enough_for_mail() -> None:
    async with MailboxServer() as server:
        assert await sent_over_tls(server, elsewhere(server), trust=None) == 250


async def test_a_password_is_not_shown_to_a_relay_elsewhere_without_tls() -> None:
    async with MailboxServer(login=("brief", "s3cret")) as server:
        error = await refusal(Connection(elsewhere(server, username="brief"), hostname="news.example"))
    assert "STARTTLS" in str(error)


async def test_a_password_is_not_shown_to_a_relay_elsewhere_that_cannot_prove_its_name(
    certificates: Certificates,
) -> None:
    async with MailboxServer(tls=certificates.server, login=("brief", "s3cret")) as server:
        error = await refusal(Connection(elsewhere(server, username="brief"), hostname="news.example"))
    assert "certificate" in str(error)


async def test_starttls_that_is_required_and_not_offered_stops_everything() -> None:
    async with MailboxServer() as server:
        error = await refusal(Connection(relay_to(server, tls=Tls.STARTTLS), hostname="news.example"))
        await until(lambda: not server.sessions)
    assert "STARTTLS" in str(error)


async def test_a_relay_that_wants_a_login_gets_it() -> None:
    async with MailboxServer(login=("brief", "s3cret")) as server:
        relay = relay_to(server, username="brief", password="s3cret")
        assert await sent_over_tls(server, relay, trust=None) == 250


async def test_a_refused_login_is_an_error_without_the_password() -> None:
    async with MailboxServer(login=("brief", "s3cret")) as server:
        relay = relay_to(server, username="brief", password="wr0ng")
        error = await refusal(Connection(relay, hostname="news.example"))
    assert "login" in str(error)
    assert "wr0ng" not in str(error)


async def test_a_relay_that_wants_a_login_we_do_not_have_is_an_error_that_costs_nobody() -> None:
    async with MailboxServer(login=("brief", "s3cret")) as server:
        error = await refusal(await opened(server), message())
    assert not error.begun
    assert "530" in str(error)
