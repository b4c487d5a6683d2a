import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.wire import ehlo_name, head_of, needs, path, reply_from, stuffed, without_addresses
from newsletter.model.delivery import Reply


def test_the_enhanced_code_is_taken_out_of_every_line() -> None:
    reply = reply_from(550, "5.1.1 The address does not exist.\n5.1.1 Check for typing errors. q1si42")
    assert reply == Reply(
        code=550, enhanced="5.1.1", text="The address does not exist. Check for typing errors. q1si42"
    )


@pytest.mark.parametrize("text", ["Ok", "", "5.1 is no code", "1.2.3 neither", "2.0.0x"])
def test_a_reply_without_enhanced_code_has_none(text: str) -> None:
    assert reply_from(250, text).enhanced == ""


@given(st.integers(0, 999), st.text())
def test_any_reply_becomes_one_harmless_line(code: int, text: str) -> None:
    kept = reply_from(code, text).text
    assert len(kept) <= 500
    assert len(kept.splitlines()) <= 1
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in kept)


def test_a_reply_that_repeats_addresses_can_be_logged_without_them() -> None:
    assert without_addresses("<bounces+abc@bounce.example>: refused, see a@b") == "… refused, see …"


def test_a_domain_goes_out_in_ascii_and_a_local_part_as_it_is() -> None:
    assert path("anna@bücher.example") == "anna@xn--bcher-kva.example"
    assert path("änna@bücher.example") == "änna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address", ["a@b>\r\nRCPT TO:<c@d", "a b@c.example", "a@b> SIZE=1", "a@b\x00.example", "a@b\u2028.example"]
)
def test_an_address_that_would_end_its_command_goes_nowhere(address: str) -> None:
    assert path(address) is None


@given(st.binary(max_size=300))
def test_no_stuffed_message_ends_before_its_end(content: bytes) -> None:
    ready = stuffed(content)
    assert ready.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in ready
    assert not ready.startswith(b".\r\n")
    assert ready.count(b"\r\n") == ready.count(b"\n") == ready.count(b"\r")


@given(st.lists(st.sampled_from([b"", b".", b"..", b".x", b"text", "grün".encode()]), min_size=1))
def test_stuffing_is_undone_by_the_server_byte_for_byte(lines: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    received = [line[1:] if line.startswith(b".") else line for line in stuffed(content).split(b"\r\n")]
    assert b"\r\n".join(received) == content


def test_a_message_needs_only_what_it_uses() -> None:
    head, plain, eight = b"Subject: x\r\n\r\n", b"text\r\n", "grün\r\n".encode()
    assert needs([head + plain], "a@b.example") == frozenset()
    assert needs([head + eight], "a@b.example") == {"8BITMIME"}
    assert needs([head + plain], "ä@b.example") == {"SMTPUTF8"}
    assert needs([head, plain, eight], "a@b.example") == {"8BITMIME"}
    assert needs(["Subject: grün\r\n\r\n".encode() + plain], "a@b.example") == {"8BITMIME", "SMTPUTF8"}


@given(st.lists(st.binary(max_size=9)), st.lists(st.binary(max_size=9)))
def test_the_pieces_of_a_header_are_those_before_the_text(before: list[bytes], after: list[bytes]) -> None:
    fields = [piece.replace(b"\r", b"x") for piece in before]
    ending = b"MIME-Version: 1.0\r\n\r\n"
    assert head_of([*fields, ending, *after]) == [*fields, ending]
    assert head_of(fields) == fields


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("news.example.org", "news.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "[127.0.0.1]"),
        ("::1", "[IPv6:::1]"),
        ("\udcff", "localhost"),
    ],
)
def test_we_name_ourselves_as_ehlo_wants_it(host: str, name: str) -> None:
    assert ehlo_name(host) == name
