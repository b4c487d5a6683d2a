from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.pacing import SPACING_SLACK, Slowdown, paused, rate_at, slower, spacing
from newsletter.model.providers import DOMAINS, Providers
from newsletter.model.settings import Provider

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def _slower(before: Slowdown | None = None, *, rate: float = 600, now: datetime = NOW) -> Slowdown:
    return slower(before, provider="google", rate=rate, because="421 slow down", now=now)


def test_a_complaint_closes_a_provider_for_a_minute_and_halves_its_rate() -> None:
    once = _slower()
    assert rate_at(once, NOW) == 0
    assert rate_at(once, NOW + MINUTE) == 300


def test_the_rate_comes_back_slowly_and_in_the_end_nothing_is_held_back() -> None:
    once = _slower()
    assert rate_at(once, NOW + 6 * MINUTE) == 450
    assert rate_at(once, NOW + 11 * MINUTE) is None


def test_what_was_on_its_way_when_a_provider_complained_is_no_second_complaint() -> None:
    once = _slower()
    assert _slower(once, now=NOW + MINUTE / 2) == once


def test_what_a_clock_wrote_that_ran_ahead_keeps_no_provider_waiting() -> None:
    for ahead in (_slower(now=NOW + 10 * DAY), paused(None, provider="google", because="no", now=NOW + 10 * DAY)):
        assert rate_at(ahead, NOW) is None
        assert _slower(ahead) == _slower()
        assert paused(ahead, provider="google", because="no", now=NOW).closed_until == NOW + 60 * MINUTE


def test_a_provider_that_complains_again_and_again_is_left_alone_longer_and_longer() -> None:
    slowdown, rests = _slower(), []
    for _ in range(8):
        rests.append((slowdown.closed_until - slowdown.slowed_at) // MINUTE)
        slowdown = _slower(slowdown, now=slowdown.closed_until)
    assert rests == [1, 2, 4, 8, 16, 30, 30, 30]
    assert slowdown.rate == pytest.approx(600 / 2**9)
    assert slowdown.full_rate == 600


def test_after_a_quiet_hour_a_complaint_is_the_first_again() -> None:
    many = _slower(_slower(), now=NOW + MINUTE)
    again = _slower(many, rate=5000, now=many.closed_until + 60 * MINUTE)
    assert (again.complaints, again.rate, again.full_rate) == (1, 2500, 5000)


@given(st.lists(st.floats(0, 90), max_size=30), st.floats(0.1, 1e6))
def test_a_rate_never_falls_between_complaints_and_never_exceeds_what_it_was(waits: list[float], rate: float) -> None:
    slowdown, now = _slower(rate=rate), NOW
    for wait in waits:
        between = [rate_at(slowdown, now + wait * MINUTE * tenth / 10) for tenth in range(11)]
        numbers = [float("inf") if each is None else each for each in between]
        assert numbers == sorted(numbers)
        assert all(each < max(rate, 1) for each in between if each is not None)
        now += wait * MINUTE
        slowdown = _slower(slowdown, rate=rate, now=now)
        assert slowdown.rate <= max(rate / 2, 1)
        assert now < slowdown.closed_until <= now + 30 * MINUTE


_LATE = st.timedeltas(timedelta(0), SPACING_SLACK)


@given(st.integers(1, 600_000), _LATE, _LATE)
def test_no_minute_sees_more_than_the_rate_however_late_turns_are_used(
    per_minute: int, first_late: timedelta, last_late: timedelta
) -> None:
    """A minute's turns and one more are further apart than a minute, the first used late and the last in time."""
    first, last = first_late, per_minute * spacing(per_minute) + last_late
    assert last - first > MINUTE


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("anna@gmail.com", "google"),
        ("Anna@GoogleMail.com", "google"),
        ("anna@hotmail.co.uk", "microsoft"),
        ("anna@outlook.fr", "microsoft"),
        ("anna@live.nl", "microsoft"),
        ("anna@yahoo.com.br", "yahoo"),
        ("anna@aol.com", "yahoo"),
        ("anna@me.com", "apple"),
        ("anna@gmx.net", "gmx"),
        ("anna@web.de", "gmx"),
        ("anna@outlook.company.example", "outlook.company.example"),
        ("anna@Example.org", "example.org"),
    ],
)
def test_an_address_belongs_to_the_provider_of_its_domain(address: str, provider: str) -> None:
    assert Providers().of(address) == provider


def test_what_the_operator_says_goes_before_the_table() -> None:
    ours = [
        Provider(name="google", domains=("hosted.example",)),
        Provider(name="partners", domains=("one.example", "two.example", "me.com")),
    ]
    of = Providers(ours).of
    addresses = ("a@hosted.example", "a@gmail.com", "a@two.example", "a@me.com", "a@mac.com")
    assert [of(address) for address in addresses] == ["google", "google", "partners", "partners", "apple"]


def test_no_domain_has_two_providers() -> None:
    domains = [domain for each in DOMAINS.values() for domain in each.split()]
    assert len(domains) == len(set(domains))
    assert all(domain == domain.lower() for domain in domains)


def test_a_provider_that_refuses_us_rests_for_an_hour_and_then_twice_as_long_each_time() -> None:
    rests, slowdown, now = [], None, NOW
    for _ in range(6):
        slowdown = paused(slowdown, provider="google", because="our fault", now=now)
        rests.append((slowdown.closed_until - now) / timedelta(hours=1))
        now = slowdown.closed_until + timedelta(minutes=5)
    assert rests == [1, 2, 4, 8, 12, 12]


def test_after_a_pause_a_few_messages_try_it_out() -> None:
    slowdown = paused(None, provider="google", because="our fault", now=NOW)
    assert rate_at(slowdown, NOW) == 0
    assert rate_at(slowdown, slowdown.closed_until) == 1


def test_what_was_on_its_way_when_a_provider_was_paused_makes_the_pause_no_longer() -> None:
    slowdown = paused(None, provider="google", because="our fault", now=NOW)
    assert paused(slowdown, provider="google", because="our fault", now=NOW + timedelta(minutes=1)) is slowdown


def test_a_pause_is_longer_than_the_rest_that_a_slow_provider_has_already() -> None:
    slow = slower(None, provider="google", rate=600, because="slow down", now=NOW)
    assert paused(slow, provider="google", because="our fault", now=NOW).closed_until >= NOW + timedelta(hours=1)
