"""What leaves a site with keys is signed: editions, letters and tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.deliver.signing import verified
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file


def contents(program: Program) -> list[bytes]:
    """The mails that came, as they came."""
    return [program.mailbox.box.content(mail.id) for mail in reversed(program.mailbox.box.listed())]


def configured(program: Program, partner: Partner) -> dict[str, str]:
    """A site with an RSA and an Ed25519 key; returns what the DNS would say."""
    partner.bodies["/feed"] = feed_of(Article(headline="Lighthouses hire again"))
    feed = feed_file(f"{partner.url}/feed")
    program.configure(harbour=feed)
    made = [
        program.json("dkim", "keygen", "--domain", "news.example.org", "--selector", name, "--algorithm", name)
        for name in ("rsa", "ed25519")
    ]
    program.configure(more="\n".join(key["config"] for key in made), harbour=feed)
    return {key["name"]: key["value"] for key in made}


def test_every_mail_of_a_site_with_keys_is_signed(program: Program, partner: Partner) -> None:
    dns = configured(program, partner)
    program.subscribe("ann@example.org", "bob@example.org")
    program.json("subscribers", "add", "eve@example.org", "--list", "brief")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]
    program.json("test-send", edition, "editor@example.org")

    program.json("send")

    mails = contents(program)
    assert len(mails) == 4
    assert [verified(mail, dns) for mail in mails] == [[True, True]] * 4


def test_what_is_sent_an_hour_later_is_what_was_previewed_to_the_last_byte(program: Program, partner: Partner) -> None:
    configured(program, partner)
    program.subscribe("ann@example.org")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]
    program.json("preview", edition, "--as", "ann@example.org", "--out", str(program.folder / "look"))
    program.now = datetime.now(UTC) + timedelta(hours=1)

    program.json("send")

    (mail,) = contents(program)
    previewed = (program.folder / "look" / "edition.eml").read_bytes()
    assert previewed.startswith(b"DKIM-Signature: ")
    assert mail.endswith(previewed)


def test_no_log_shows_a_private_key(program: Program, partner: Partner) -> None:
    configured(program, partner)
    program.subscribe("ann@example.org")
    secrets = [line for path in (program.folder / "keys").iterdir() for line in path.read_text().splitlines()[1:-1]]

    answers = [program.run("--log-level", "debug", *command.split()) for command in ("poll", "compose daily", "send")]

    told = "".join(answer.out + answer.err for answer in answers)
    assert [answer.code for answer in answers] == [0, 0, 0]
    assert not [secret for secret in secrets if secret in told]
