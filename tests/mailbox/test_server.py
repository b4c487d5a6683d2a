"""The server seen with the standard library's client, which owes nothing to ours."""

import smtplib
import socket
from collections.abc import Iterator

import pytest

from newsletter.mailbox.script import Act, Script
from newsletter.mailbox.server import MailboxServer, MailboxThread

MAIL = "From: a@news.example\r\nSubject: x\r\n\r\n.Text\r\n"


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    with MailboxThread() as running:
        yield running


def client(server: MailboxServer) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, local_hostname="news.example", timeout=10)


def test_it_offers_what_a_modern_server_offers(server: MailboxServer) -> None:
    with client(server) as smtp:
        smtp.ehlo()
        assert {"pipelining", "8bitmime", "smtputf8", "size"} <= smtp.esmtp_features.keys()
        assert "auth" not in smtp.esmtp_features
        assert "starttls" not in smtp.esmtp_features


def test_commands_sent_together_are_answered_in_turn(server: MailboxServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as sock, sock.makefile("rb") as answers:
        sock.sendall(
            b"EHLO news.example\r\nMAIL FROM:<a@news.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
            b"Subject: x\r\n\r\nText\r\n.\r\nMAIL FROM:<a@news.example>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"
            b"Subject: y\r\n\r\nText\r\n.\r\nQUIT\r\n"
        )
        codes = [line[:3] for line in answers if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"250", b"250", b"354", b"250", b"221"]
    assert server.counts == {"b@example.org": 1, "c@example.org": 1}


def test_one_mail_for_several_is_counted_for_each(server: MailboxServer) -> None:
    with client(server) as smtp:
        smtp.sendmail("a@news.example", ["Anna@Example.org", "bert@example.org"], MAIL)
    assert server.counts == {"anna@example.org": 1, "bert@example.org": 1}
    [mail] = server.box.listed()
    assert mail.recipients == ("Anna@Example.org", "bert@example.org")


def test_answers_follow_the_script_in_turn_and_then_it_is_yes(server: MailboxServer) -> None:
    server.script = Script(rcpt={"a@example.org": (Act.YES, "450 4.2.0 later"), "b@example.org": "550 5.1.1 gone"})
    with client(server) as smtp:
        codes = []
        for whom in ("a", "a", "a", "b", "b"):
            smtp.ehlo_or_helo_if_needed()
            smtp.mail("s@news.example")
            codes.append(smtp.rcpt(f"{whom}@example.org")[0])
            smtp.rset()
    assert codes == [250, 450, 250, 550, 550]


def test_a_message_refused_after_its_last_byte_is_not_kept(server: MailboxServer) -> None:
    server.script = Script(data={"a@example.org": "554 5.7.1 spam"})
    with client(server) as smtp, pytest.raises(smtplib.SMTPDataError):
        smtp.sendmail("s@news.example", ["a@example.org"], MAIL)
    assert not server.counts


@pytest.mark.parametrize(("act", "kept"), [(Act.CUT, 0), (Act.KEEP_AND_CUT, 1)])
def test_it_can_cut_the_connection_before_the_reply_having_kept_the_message_or_not(
    server: MailboxServer, act: Act, kept: int
) -> None:
    server.script = Script(data={"a@example.org": (act,)})
    smtp = client(server)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        smtp.sendmail("s@news.example", ["a@example.org"], MAIL)
    smtp.close()
    assert server.counts["a@example.org"] == kept


def test_after_421_it_hangs_up(server: MailboxServer) -> None:
    server.script = Script(mail="421 4.3.2 closing")
    smtp = client(server)
    smtp.ehlo()
    assert smtp.mail("s@news.example")[0] == 421
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        smtp.noop()
    smtp.close()


def test_who_must_log_in_can(server: MailboxServer) -> None:
    server.login = ("brief", "s3cret")
    with client(server) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.sendmail("s@news.example", ["a@example.org"], MAIL)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("brief", "wrong")
        smtp.login("brief", "s3cret")
        smtp.sendmail("s@news.example", ["a@example.org"], MAIL)
    assert server.counts == {"a@example.org": 1}
