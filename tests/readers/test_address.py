"""What counts as an address, and when two are the same."""

import email_validator
import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import AddressError
from newsletter.model.subscriber import address_key
from newsletter.readers.address import checked


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org",
        "Ann.O'Neil+news@Example.ORG",
        "δοκιμή@παράδειγμα.δοκιμή",
        "ann@bücher.example",
        "ann@xn--bcher-kva.example",
        "عنوان@مثال.إختبار",
        "ann@mail.local",
        "ann@site.test",
    ],
)
def test_an_address_is_kept_as_it_was_given(address: str) -> None:
    assert checked(f" {address}\n") == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zoe",
        "@example.org",
        "zoe@",
        "zoe@example",
        "zoe..lee@example.org",
        "zoe lee@example.org",
        "Ann <zoe@example.org>",
        "zoe@example.org, bo@example.org",
        "zoe@example.org\r\nBcc: bo@example.org",
        "zoe@[127.0.0.1]",
        '"zoe"@example.org',
        "zoe@-example.org",
        "\u202ezoe@example.org",
        "zoe\x00@example.org",
        f"{'a' * 65}@example.org",
        f"zoe@{'a.' * 130}org",
        f"{'ΐ' * 64}@{'a.' * 90}org",  # its key would be longer than its column
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        checked(text)
    assert "zoe" not in str(caught.value)


_LETTERS = st.text(alphabet='aZ9._+-@ !"(é', max_size=12)


@given(local=_LETTERS, domain=st.one_of(_LETTERS, st.sampled_from(["example.org", "site.invalid", "bücher.example"])))
def test_the_quick_way_takes_nothing_that_the_library_refuses(local: str, domain: str) -> None:
    address = f"{local}@{domain}".strip()
    try:
        email_validator.validate_email(address, check_deliverability=False, strict=True)
        library = True
    except email_validator.EmailNotValidError:
        library = False
    try:
        ours = checked(address) == address
    except AddressError:
        ours = False
    assert ours is library


@given(st.text())
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        address = checked(text)
    except AddressError:
        return
    assert address == text.strip()
    assert "\n" not in address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ANN@Example.Org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@bücher.example", "Ann@BÜCHER.example"),
        ("jos\u00e9@example.org", "jose\u0301@example.org"),
        ("ann@example.org", " ann@example.org "),
    ],
)
def test_two_spellings_of_one_address_have_the_same_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ann+news@example.org"),
        ("ann.lee@example.org", "annlee@example.org"),
        ("ann@straße.example", "ann@strasse.example"),
        ("ann@example.org", "ann@example.com"),
    ],
)
def test_what_may_be_two_people_has_two_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@given(st.text(alphabet="abcäöüéñøłžабвгдежз", min_size=1, max_size=12))
def test_a_domain_and_its_ascii_form_have_the_same_key(label: str) -> None:
    ascii_form = idna.encode(label).decode()
    assert address_key(f"ann@{label}.example") == address_key(f"ann@{ascii_form}.example")
