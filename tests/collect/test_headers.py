from datetime import timedelta

import pytest

from newsletter.collect.headers import retry_after, validators_of
from newsletter.model.feed import Validators
from tests.collect.makers import NOW


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "120"}, timedelta(minutes=2)),
        ({"Retry-After": "Thu, 05 Mar 2026 12:30:00 GMT"}, timedelta(minutes=30)),
        (
            {"Retry-After": "Thu, 05 Mar 2026 12:30:00 GMT", "Date": "Thu, 05 Mar 2026 12:20:00 GMT"},
            timedelta(minutes=10),
        ),
        ({"Retry-After": "Thu, 05 Mar 2026 11:00:00 GMT"}, timedelta(0)),
        ({"Retry-After": "99999999999999999999"}, timedelta(days=7)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_a_server_says_how_long_in_two_ways(headers: dict[str, str], wait: timedelta | None) -> None:
    assert retry_after(headers, now=NOW) == wait


@pytest.mark.parametrize("etag", ['"abc"', 'W/"abc"', "unquoted", '"ü"', '"a b"', '"' + "x" * 900 + '"'])
def test_a_validator_is_kept_as_it_was_sent(etag: str) -> None:
    assert validators_of({"ETag": etag, "Last-Modified": "yesterday-ish"}) == Validators(
        etag=etag, last_modified="yesterday-ish"
    )


@pytest.mark.parametrize("etag", ["", '"\udce9"', "a\x00b", '"' + "x" * 2000 + '"'])
def test_a_validator_that_could_not_be_sent_back_is_none(etag: str) -> None:
    assert validators_of({"ETag": etag}) == Validators()
