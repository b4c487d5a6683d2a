"""Files of subscribers: what is taken, and what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ImportFileError
from newsletter.model.subscriber import Newcomer
from newsletter.readers.importing import BadRow, read_newcomers


def read(text: str, *, default_list: str | None = "brief") -> list[Newcomer | BadRow]:
    lines = text.splitlines(keepends=True)
    return [*read_newcomers(lines, file="people.csv", lists=("brief", "weekly"), default_list=default_list)]


def refusals(text: str, *, default_list: str | None = "brief") -> list[tuple[int, str]]:
    return [(row.line, row.because) for row in read(text, default_list=default_list) if isinstance(row, BadRow)]


def test_a_row_gives_address_name_lists_and_every_further_column_as_a_field() -> None:
    assert read("Address,Name,List,City,Notes\nann@example.org,Ann  Lee,brief weekly,Basra,\n") == [
        Newcomer(address="ann@example.org", name="Ann Lee", lists=("brief", "weekly"), fields=(("city", "Basra"),))
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["address", "email", "E-Mail"])
def test_headers_and_delimiters_of_common_programs_are_understood(header: str, delimiter: str) -> None:
    (row,) = read(f"\ufeffname{delimiter}{header}\r\nAnn{delimiter}ann@example.org\r\n")
    assert row == Newcomer(address="ann@example.org", name="Ann", lists=("brief",))


def test_bad_rows_are_told_with_their_line_and_reason_and_the_rest_is_taken() -> None:
    text = """\
address,name,list,language
ann@example.org,Ann,,
not-an-address,Bo,,
ann@@example.org,,,
cy@example.org,"Cy
of two lines",,
di@example.org,Di,nowhere,
ed@example.org,Ed,brief,en,x
fi@example.org,Fi,brief,english-language-of-old

gu@example.org,G\udce9,,
hy@example.org
"""
    rows = read(text)
    assert [row.address for row in rows if isinstance(row, Newcomer)] == [
        "ann@example.org",
        "cy@example.org",
        "hy@example.org",
    ]
    assert refusals(text) == [
        (3, "an email address must have an @-sign"),
        (4, "the part after the @-sign contains invalid characters: '@'"),
        (7, "no such list, there is brief, weekly"),
        (8, "5 cells, the header has 4"),
        (9, "language: expected a tag such as en or pt-BR"),
        (11, "not UTF-8"),
    ]


def test_no_refusal_repeats_what_the_row_says() -> None:
    text = 'address,name\nsecret.person@,X\n"secret.person"@example.org,X\nsecret person@example.org,X\n'
    assert len(refusals(text)) == 3
    assert "secret" not in str(refusals(text))


def test_a_quotation_mark_that_is_never_closed_is_told_and_swallows_nothing_in_silence() -> None:
    text = 'address,name\nann@example.org,Ann\nbo@example.org,"Bo\ncy@example.org,Cy\n'
    assert [row.address for row in read(text) if isinstance(row, Newcomer)] == ["ann@example.org"]
    assert refusals(text) == [(3, "quotation marks do not match, read up to line 4")]


def test_after_a_stray_quotation_mark_the_next_row_is_read() -> None:
    text = 'address,name\nbo@example.org,"Bo"x\ncy@example.org,Cy\n'
    assert [row.address for row in read(text) if isinstance(row, Newcomer)] == ["cy@example.org"]
    assert refusals(text) == [(2, "quotation marks do not match, read up to line 2")]


def test_without_a_list_anywhere_a_row_is_refused() -> None:
    assert refusals("address\nann@example.org\n", default_list=None) == [
        (2, "no list is named, there is brief, weekly")
    ]


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", 'names no column "address"'),
        ("ann@example.org\n", 'names no column "address"'),
        ("address,Name,name\n", "has name more than once"),
    ],
)
def test_a_file_without_a_usable_header_is_an_error(text: str, because: str) -> None:
    with pytest.raises(ImportFileError, match=because):
        read(text)


def test_who_had_left_when_we_exported_is_not_brought_back() -> None:
    header = "address,name,language,list,state,since_at,created_at\n"
    moment = "2026-01-01T00:00:00+00:00"
    text = header + "".join(
        f"{state}@example.org,,,brief,{state},{moment},{moment}\n" for state in ("active", "left", "suppressed")
    )
    assert [row.address for row in read(text) if isinstance(row, Newcomer)] == ["active@example.org"]
    assert [line for line, _ in refusals(text)] == [3, 4]


def test_a_state_in_somebody_elses_file_is_a_field() -> None:
    assert read("address,state\nann@example.org,CA\n") == [
        Newcomer(address="ann@example.org", lists=("brief",), fields=(("state", "CA"),))
    ]


def test_text_of_strangers_is_made_one_clean_line() -> None:
    (row,) = read('address,name,city\nann@example.org,"Ann\r\nBcc: x",\u202eBasra\n')
    assert row == Newcomer(address="ann@example.org", name="Ann Bcc: x", lists=("brief",), fields=(("city", "Basra"),))


@given(st.text())
def test_every_row_of_any_text_is_taken_or_refused(text: str) -> None:
    for row in read("address,name\n" + text):
        assert isinstance(row, BadRow) or "@" in row.address
