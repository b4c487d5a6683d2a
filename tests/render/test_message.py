import email.header
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.errors import AddressError
from newsletter.model.edition import Edition, EditionState
from newsletter.model.message import LetterKind
from newsletter.model.publication import Mailbox
from newsletter.render.environment import Templates
from newsletter.render.headers import edition_facts, header_address, letter_facts, unsubscribe_mailto
from newsletter.render.mime import Prepared, prepare
from newsletter.render.render import render_digest, render_letter
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION, arabic_draft
from tests.render.messages import DRAFT, FACTS, READER, header_lines, parsed, part_of, prepared


@pytest.fixture(scope="module")
def edition(templates: Templates) -> Prepared:
    return prepared(templates)


def test_the_headers_are_those_of_list_mail(edition: Prepared) -> None:
    message = parsed(edition.message(READER))
    assert message["From"] == "The Example Brief <brief@news.example.org>"
    assert message["To"] == "Ada Lovelace <ada@example.net>"
    assert message["Reply-To"] == "editors@example.org"
    assert message["Date"] == "Mon, 23 Nov 2026 07:00:00 +0000"
    assert message["Subject"] == "Two ports, one strait: the quiet contest over who may dredge"
    assert message["Message-ID"] == "<daily-2026-11-23.aaaa@news.example.org>"
    assert message["List-Id"] == "The Brief <brief.news.example.org>"
    assert message["List-Unsubscribe"] == f"<{READER.unsubscribe_url}>, <{READER.unsubscribe_mailto}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Archive"] == "<https://news.example.org/archive/brief>"
    assert message["List-Help"] == "<https://news.example.org/lists/brief>"
    assert message["List-Post"] == "NO"
    assert message["Precedence"] == "bulk"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == "daily-2026-11-23:brief:edition:newsexampleorg"
    assert message["Content-Language"] == "en-GB"
    assert message["MIME-Version"] == "1.0"


def test_each_header_is_there_once(edition: Prepared) -> None:
    names = [name.lower() for name in parsed(edition.message(READER)).keys()]  # noqa: SIM118 it lists repeats
    assert len(names) == len(set(names))


def test_the_message_has_a_text_and_an_html_part_in_this_order(edition: Prepared) -> None:
    message = edition.message(READER)
    assert parsed(message).get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed(message).iter_parts()] == ["text/plain", "text/html"]


def test_both_parts_have_the_readers_values_and_no_placeholder_is_left(edition: Prepared) -> None:
    message = edition.message(READER)
    assert NONCE.encode() not in message
    for subtype in ("plain", "html"):
        content = part_of(message, subtype)
        assert NONCE not in content
        for value in (READER.address, READER.unsubscribe_url, READER.preferences_url):
            assert value in content


def test_the_parts_decode_to_what_was_rendered(templates: Templates) -> None:
    for draft in (DRAFT, arabic_draft()):
        rendered = render_digest(draft, NONCE, templates=templates)
        message = prepare(rendered, FACTS).message(READER)
        for subtype, document in (("plain", rendered.text), ("html", rendered.html)):
            expected = document
            for field, value in (
                ("address", READER.address),
                ("unsubscribe", READER.unsubscribe_url),
                ("preferences", READER.preferences_url),
            ):
                expected = expected.replace(NONCE + field, value)
            assert part_of(message, subtype).rstrip("\n") == expected.rstrip("\n")


def test_lines_end_in_crlf_and_stay_within_limits(edition: Prepared) -> None:
    message = edition.message(READER)
    assert message.isascii()
    assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
    head, body = message.split(b"\r\n\r\n", 1)
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))


def test_the_same_values_give_the_same_bytes(templates: Templates, edition: Prepared) -> None:
    assert edition.message(READER) == prepared(templates).message(READER)


def test_the_boundary_occurs_nowhere_but_between_the_parts(edition: Prepared) -> None:
    message = edition.message(READER)
    boundary = parsed(message).get_boundary()
    assert boundary is not None
    assert message.count(boundary.encode()) == 4
    assert message.count(b"=_") == 4


@pytest.mark.parametrize(
    "name",
    [
        "Lovelace, Ada",
        'Ada "Countess" Lovelace',
        "Zoé Tremblay",
        "ليلى منصور",
        "張偉" * 30,
        "Ada <other@example.net>, Bob",
        "a@b.example",
        "=?utf-8?q?x?=",
        "Ada\r\nBcc: all@example.net",
        "Ada\u2028Bcc: all@example.net\x00",
        "\u202eecilA",
        "x" * 2000,
        "",
        "   ",
        "\ud800",
    ],
)
def test_whatever_the_name_there_is_one_visible_recipient(edition: Prepared, name: str) -> None:
    message = parsed(edition.message(replace(READER, name=name)))
    assert [address.addr_spec for address in message["To"].addresses] == ["ada@example.net"]
    assert message["Bcc"] is None
    assert message["Cc"] is None


def test_a_name_in_any_script_arrives_as_it_is(edition: Prepared) -> None:
    for name in ("Zoé Tremblay", "ليلى منصور", "張偉" * 20):
        lines = edition.message(replace(READER, name=name)).split(b"\r\nMessage-ID")[0].split(b"To: ")[1]
        # The standard library's newer parser puts blanks between encoded words; RFC 2047 section 6.2 has none there.
        read = email.header.decode_header(lines.decode().replace("\r\n", ""))
        assert str(email.header.make_header(read)) == f"{name} <ada@example.net>"


def test_an_address_beyond_ascii_stands_as_utf_8_and_only_there(edition: Prepared) -> None:
    message = edition.message(replace(READER, address="zoé@bücher.example"))
    beyond = [line for line in header_lines(message) if not line.isascii()]
    assert [line.decode() for line in beyond] == ["To: Ada Lovelace <zoé@bücher.example>"]
    assert message.split(b"\r\n\r\n", 1)[1].isascii()


def test_a_domain_beyond_ascii_is_written_so_that_any_server_can_carry_it() -> None:
    assert header_address("ada@bücher.example") == "ada@xn--bcher-kva.example"
    assert header_address("ada@\u2028") == "ada@\u2028"


@pytest.mark.parametrize(
    "field", ["address", "message_id", "unsubscribe_url", "unsubscribe_mailto", "preferences_url", "confirm_url"]
)
def test_a_value_that_could_break_out_of_its_line_is_refused(edition: Prepared, field: str) -> None:
    with pytest.raises(AddressError) as caught:
        edition.message(replace(READER, **{field: "x@example.net\r\nBcc: all@example.net"}))  # type: ignore[arg-type]
    assert "example" not in str(caught.value)


def test_list_unsubscribe_is_folded_between_its_addresses_only(edition: Prepared) -> None:
    far = replace(READER, unsubscribe_url="https://news.example.org/" + "x" * 300)
    lines = header_lines(edition.message(far))
    at = next(i for i, line in enumerate(lines) if line.startswith(b"List-Unsubscribe:"))
    assert lines[at] == f"List-Unsubscribe: <{far.unsubscribe_url}>,".encode()
    assert lines[at + 1] == f" <{far.unsubscribe_mailto}>".encode()


def test_a_reader_without_a_way_to_leave_by_header_gets_none(edition: Prepared) -> None:
    message = parsed(edition.message(replace(READER, unsubscribe_url="")))
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


def test_values_are_escaped_in_html_and_plain_in_text(edition: Prepared) -> None:
    url = "https://news.example.org/u/a?b=c&d=\"e'<f>"
    message = edition.message(replace(READER, unsubscribe_url=url))
    assert url in part_of(message, "plain")
    assert 'href="https://news.example.org/u/a?b=c&amp;d=&quot;e&#x27;&lt;f&gt;"' in part_of(message, "html")


def test_a_trial_is_marked_in_its_subject_and_by_a_header(templates: Templates) -> None:
    message = parsed(prepared(templates, test=True).message(READER))
    assert message["Subject"].startswith("[Test] Two ports")
    assert message["X-Newsletter-Test"] == "yes"
    assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("kind", "listed"),
    [(LetterKind.CONFIRMATION, False), (LetterKind.WELCOME, True), (LetterKind.GOODBYE, False)],
)
def test_only_letters_to_subscribers_say_how_to_leave(templates: Templates, kind: LetterKind, listed: bool) -> None:
    rendered = render_letter(kind, PUBLICATION, MAILING_LIST, NONCE, templates=templates)
    facts = letter_facts(kind, PUBLICATION, MAILING_LIST, dated_at=datetime(2026, 1, 1, tzinfo=UTC))
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    reader = replace(READER, confirm_url="https://news.example.org/c/ccc", dated_at=at)
    message = parsed(prepare(rendered, facts).message(reader))
    assert ("List-Unsubscribe" in message) is listed
    assert ("List-Id" in message) is listed
    assert ("Precedence" in message) is listed
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Wed, 04 Mar 2026 05:06:07 +0000"


def test_an_edition_is_dated_when_it_was_frozen_so_that_a_resend_is_the_same_message() -> None:
    edition = Edition(
        id="daily-2026-11-23", digest_id="daily", list_id="brief", number=12, state=EditionState.APPROVED,
        subject="s", slot="2026-11-23T07:00", dated_at=DRAFT.dated_at,
        frozen_at=datetime(2026, 11, 23, 7, 0, 9, tzinfo=UTC), template_hash="",
    )  # fmt: skip
    facts = edition_facts(edition, PUBLICATION, MAILING_LIST)
    assert facts.dated_at == edition.frozen_at
    assert facts.batch == "daily-2026-11-23"


def test_the_publications_own_name_and_list_may_be_in_any_script(templates: Templates) -> None:
    message = prepared(
        templates, sender=Mailbox(name="موجز المثال، بيروت", address="brief@news.example.org"), list_title="الموجز"
    ).message(READER)
    read = parsed(message)
    assert read["From"].addresses[0].display_name == "موجز المثال، بيروت"
    assert read["From"].addresses[0].addr_spec == "brief@news.example.org"
    assert all(len(line) <= 78 for line in header_lines(message) if b"=?" in line)
    assert b"<brief.news.example.org>" in message


def test_the_mailto_of_list_unsubscribe_names_the_token_and_one_address_only() -> None:
    assert unsubscribe_mailto("leave+x@news.example.org", "abc") == (
        "mailto:leave%2Bx@news.example.org?subject=unsubscribe%20abc"
    )
    assert "?" not in unsubscribe_mailto("a?cc=b@example.org", "abc").split("?subject=", maxsplit=1)[0]
