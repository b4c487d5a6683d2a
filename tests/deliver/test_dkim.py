"""Signatures, judged by two programs that are not ours."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.dkim import (
    OVERSIGNED,
    SIGNED,
    body_hash,
    builders,
    is_aligned,
    relaxed,
    signatures,
    signing_keys,
    unfolded,
)
from newsletter.deliver.dkimkeys import Algorithm, PrivateKey, new_key
from newsletter.model.message import LetterKind
from newsletter.model.settings import DkimKey, Secret
from newsletter.render.headers import letter_facts
from newsletter.render.mime import prepare
from newsletter.render.render import render_letter
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION, arabic_draft
from tests.deliver.signing import AT, KEYS, TEMPLATES, records, signed, signing_key, verified
from tests.render.messages import READER, parsed, prepared


def english() -> bytes:
    return b"".join(english_pieces())


def english_pieces() -> tuple[bytes, ...]:
    return prepared(TEMPLATES).pieces(READER)


def arabic() -> bytes:
    return b"".join(arabic_pieces())


def arabic_pieces() -> tuple[bytes, ...]:
    return prepared(TEMPLATES, arabic_draft(), language="ar").pieces(replace(READER, name="ليلى منصور"))


def letter(kind: LetterKind) -> bytes:
    rendered = render_letter(kind, PUBLICATION, MAILING_LIST, NONCE, templates=TEMPLATES)
    facts = letter_facts(kind, PUBLICATION, MAILING_LIST, dated_at=AT)
    return prepare(rendered, facts).message(replace(READER, confirm_url="https://news.example.org/c/cccc"))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "english": english,
    "arabic": arabic,
    **{kind.value: partial(letter, kind) for kind in LetterKind},
}
every_message = pytest.mark.parametrize("make", MESSAGES.values(), ids=MESSAGES)


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A change that is known to change something."""

    def change(message: bytes) -> bytes:
        assert old in message
        return message.replace(old, new, 1)

    return change


def head_of(message: bytes) -> bytes:
    return message.split(b"\r\n\r\n", 1)[0]


def body_of(message: bytes) -> bytes:
    return message.split(b"\r\n\r\n", 1)[1]


def names_in(message: bytes, *, which: int = 0) -> list[str]:
    """The h= tag of a signature."""
    field = parsed(message).get_all("DKIM-Signature", [])[which]
    found = re.search(r"\bh=([^;]+)", field)
    assert found
    return [name.strip() for name in found[1].split(":")]


@every_message
def test_both_signatures_of_every_mail_are_believed(make: Callable[[], bytes]) -> None:
    assert verified(signed(make(), KEYS, at=AT)) == [True, True]


def test_the_arabic_sample_is_in_base64_and_the_english_is_not() -> None:
    assert b"Content-Transfer-Encoding: base64" in arabic()
    assert b"Content-Transfer-Encoding: base64" not in english()


def test_an_address_beyond_ascii_is_signed_as_it_stands() -> None:
    message = prepared(TEMPLATES).message(replace(READER, address="лена@почта.example"))

    assert verified(signed(message, KEYS, at=AT)) == [True, True]


def test_a_message_without_keys_stays_as_it_is() -> None:
    assert signed(english(), (), at=AT) == english()


@every_message
def test_signing_puts_fields_on_top_and_changes_nothing_below(make: Callable[[], bytes]) -> None:
    message = make()

    done = signed(message, KEYS, at=AT)

    assert done.endswith(b"\r\n" + message)
    assert done.count(b"DKIM-Signature:") == 2


@pytest.mark.parametrize("make", [english_pieces, arabic_pieces])
def test_a_message_in_pieces_is_signed_as_the_whole_is(make: Callable[[], tuple[bytes, ...]]) -> None:
    assert signatures(make(), KEYS, at=AT) == signatures((b"".join(make()),), KEYS, at=AT)


def test_the_same_message_and_time_give_the_same_bytes() -> None:
    assert signed(english(), KEYS, at=AT) == signed(english(), KEYS, at=AT)


@pytest.mark.parametrize(
    "domain", ["news.example.org", "a." + ".".join(["sixty-three-letters".ljust(60, "x")] * 3) + ".example"]
)
def test_lines_are_folded_at_78_columns_with_crlf(domain: str) -> None:
    keys = [signing_key(algorithm, domain=domain) for algorithm in Algorithm]

    done = signed(english(), keys, at=AT)

    field = done.removesuffix(english())
    assert field.count(b"\n") == field.count(b"\r\n")
    long = [line for line in field.split(b"\r\n") if len(line) > 78]
    assert all(line.startswith(b" d=") for line in long)
    assert verified(done, records(keys)) == [True, True]


def relayed(message: bytes) -> bytes:
    trace = (
        b"Return-Path: <bounces@bounce.example.org>\r\n"
        b"Received: from a.example by b.example;\r\n\tMon, 5 Jan 2026 07:00:01 +0000\r\n"
        b"Authentication-Results: b.example; dkim=pass\r\nX-Spam-Score: 0.1\r\n"
    )
    return trace + message


def refolded(message: bytes) -> bytes:
    head, body = head_of(message), body_of(message)
    lines = [re.sub(rb" ", b"\r\n\t", line, count=3) for line in unfolded(head).split(b"\r\n")]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def respelt(message: bytes) -> bytes:
    head, body = head_of(message), body_of(message)
    lines = [b":  ".join((name.upper(), rest)) + b" \t" for name, _, rest in fields_of(head)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def fields_of(head: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [line.partition(b": ") for line in unfolded(head).split(b"\r\n")]


def reordered(message: bytes) -> bytes:
    head, body = head_of(message), body_of(message)
    fields = unfolded(head).split(b"\r\n")
    return b"\r\n".join([*fields[:2], *reversed(fields[2:])]) + b"\r\n\r\n" + body


@every_message
@pytest.mark.parametrize(
    "change",
    [
        relayed,
        refolded,
        respelt,
        reordered,
        pytest.param(lambda message: message + b"\r\n\r\n", id="empty lines at the end"),
        pytest.param(lambda message: message.replace(b"Precedence: bulk\r\n", b""), id="Precedence removed"),
    ],
)
def test_what_relays_may_do_to_a_mail_breaks_no_signature(
    make: Callable[[], bytes], change: Callable[[bytes], bytes]
) -> None:
    assert verified(change(signed(make(), KEYS, at=AT))) == [True, True]


@pytest.mark.parametrize(
    "change",
    [
        swapped(b"Two ports, one strait", b"Free money"),
        swapped(b"one set of charts", b"two set of charts"),
        swapped(b"/u/aaaa", b"/u/bbbb"),
        swapped(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Never"),
        swapped(b"Feedback-ID: daily", b"Feedback-ID: weekly"),
        swapped(b"To: Ada Lovelace <ada@example.net>\r\n", b""),
    ],
)
def test_what_was_signed_cannot_be_changed(change: Callable[[bytes], bytes]) -> None:
    assert verified(change(signed(english(), KEYS, at=AT))) == [False, False]


@pytest.mark.parametrize("name", [*OVERSIGNED])
@pytest.mark.parametrize("top", [True, False], ids=["on top", "below"])
def test_no_second_field_can_be_slipped_in(name: str, *, top: bool) -> None:
    message = signed(english(), KEYS, at=AT)
    field = f"{name}: Somebody Else <else@example.net>\r\n".encode()

    changed = field + message if top else message.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n", 1)

    # dkimpy refuses two From fields before it looks at any signature.
    assert not any(verified(changed))


def test_a_field_that_a_mail_does_not_have_cannot_be_given_to_it() -> None:
    message = signed(prepared(TEMPLATES, reply_to=None).message(READER), KEYS, at=AT)
    assert verified(message) == [True, True]

    assert verified(b"Reply-To: else@example.net\r\n" + message) == [False, False]


def test_every_field_that_readers_and_providers_go_by_is_signed() -> None:
    names = names_in(signed(english(), KEYS, at=AT))

    present = {name.lower() for name in parsed(english()).keys()}  # noqa: SIM118 a message is no mapping
    assert set(names) == SIGNED
    assert present - SIGNED == {"precedence"}
    assert {name for name in names if names.count(name) == 2} == set(OVERSIGNED)


def test_a_signature_never_expires_and_covers_the_whole_body() -> None:
    field = parsed(signed(english(), KEYS, at=AT))["DKIM-Signature"]

    assert f"t={int(AT.timestamp())};" in field
    assert not re.search(r"\b[xl]=", field)
    assert "c=relaxed/simple;" in field


@every_message
def test_no_line_of_a_body_ends_in_a_blank_so_that_simple_is_enough(make: Callable[[], bytes]) -> None:
    body = body_of(make())

    assert not re.search(rb"[ \t]\r\n", body)
    assert body.endswith(b"\r\n")
    assert not body.endswith(b"\r\n\r\n")
    assert body.isascii()
    assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")


def test_headers_are_relaxed_as_in_the_example_of_the_rfc() -> None:
    """RFC 6376 section 3.4.5."""
    assert relaxed(unfolded(b"A: X")) == ("a", b"a:X\r\n")
    assert relaxed(unfolded(b"B : Y\t\r\n\tZ  ")) == ("b", b"b:Y Z\r\n")


BLANKS = st.text(" \t", max_size=3)
WORDS = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]) | st.just("\u00fc"), max_size=8)


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True),
    st.lists(st.tuples(BLANKS, WORDS, st.sampled_from(["", "\r\n ", "\r\n\t"])), max_size=5),
)
def test_headers_are_relaxed_as_dkimpy_does_it(name: str, pieces: list[tuple[str, str, str]]) -> None:
    value = "".join(blank + word + fold for blank, word, fold in pieces).encode()
    ((their_name, theirs),) = Relaxed.canonicalize_headers([(name.encode(), b" " + value + b"\r\n")])

    assert relaxed(unfolded(name.encode() + b": " + value)) == (their_name.decode(), their_name + b":" + theirs)


LINES = st.lists(st.sampled_from([b"\r\n", b"a", b" ", b"\r", b"\n", b"long" * 1000]), max_size=8).map(b"".join)


@given(st.lists(LINES, max_size=5))
def test_bodies_are_hashed_as_dkimpy_does_it_wherever_they_are_cut(pieces: list[bytes]) -> None:
    theirs = hashlib.sha256(Simple.canonicalize_body(b"".join(pieces))).digest()

    assert body_hash(pieces) == base64.b64encode(theirs)


def test_ed25519_signs_the_example_of_the_rfc_as_the_rfc_does() -> None:
    """RFC 8463 appendix A: the same fields in the same order, its own key, its own signature."""
    fields = [
        b"From: Joe SixPack <joe@football.example.com>",
        b"To: Suzie Q <suzie@shopping.example.net>",
        b"Subject: Is dinner ready?",
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
        b"Message-ID: <20030712040037.46341.5F8J@football.example.com>",
    ]
    unsigned = (
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        b" subject : date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b="
    )
    seed = base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = PrivateKey(Ed25519PrivateKey.from_private_bytes(seed))

    covered = b"".join(relaxed(field)[1] for field in fields) + relaxed(unfolded(unsigned))[1].removesuffix(b"\r\n")

    assert key.public() == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert base64.b64encode(key.sign(covered)) == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    )


@pytest.mark.parametrize(
    ("domain", "sender_domain", "counts"),
    [
        ("news.example.org", "news.example.org", True),
        ("example.org", "News.example.org", True),
        ("mail.news.example.org", "news.example.org", True),
        ("xample.org", "example.org", False),
        ("esp.example", "news.example.org", False),
    ],
)
def test_a_signature_counts_for_the_senders_own_domain(domain: str, sender_domain: str, *, counts: bool) -> None:
    assert is_aligned(domain, sender_domain) is counts


def test_signatures_that_count_for_the_sender_come_first() -> None:
    configured = [
        DkimKey(domain=domain, selector="n1", key_file=Path("n1.pem"), pem=Secret(new_key(Algorithm.ED25519)))
        for domain in ("esp.example", "example.org", "news.example.org")
    ]

    keys = signing_keys(configured, sender_domain="news.example.org")

    assert [key.domain for key in keys] == ["example.org", "news.example.org", "esp.example"]


def test_only_rsa_is_worth_threads() -> None:
    assert builders([signing_key(Algorithm.ED25519)]) == builders([]) == 0
    assert builders(KEYS) == os.cpu_count()


@pytest.fixture
def opendkim(tmp_path: Path) -> Callable[[bytes], str]:
    """What opendkim says of a message. A machine without it skips the test; CI has no excuse."""
    program = shutil.which("opendkim", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        complain = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        complain("no opendkim here: apt-get install opendkim")
    (tmp_path / "keys").write_text("".join(f"{name} {value}\n" for name, value in records().items()))
    (tmp_path / "conf").write_text(f"TestPublicKeys {tmp_path / 'keys'}\n")

    def says(message: bytes) -> str:
        (tmp_path / "message").write_bytes(message)
        command = [program, "-x", str(tmp_path / "conf"), "-vv", "-t", str(tmp_path / "message")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout

    return says


@every_message
def test_opendkim_believes_both_signatures(make: Callable[[], bytes], opendkim: Callable[[bytes], str]) -> None:
    said = opendkim(relayed(refolded(signed(make(), KEYS, at=AT))))

    assert re.search(r"dkim=pass \(2048-bit key\) [^;]*rsa-sha256", said)
    assert re.search(r"dkim=pass [^;]*ed25519-sha256", said)


def test_opendkim_sees_a_changed_body(opendkim: Callable[[bytes], str]) -> None:
    said = opendkim(swapped(b"one set of charts", b"two set of charts")(signed(english(), KEYS, at=AT)))

    assert "dkim=pass" not in said
    assert "dkim=fail" in said
