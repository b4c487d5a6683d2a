from datetime import UTC, datetime, timedelta

from newsletter.model.robots import RobotsFile
from newsletter.store.engine import Store
from newsletter.store.robots import Robots

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_a_sites_rules_are_kept_until_there_are_newer_ones(store: Store) -> None:
    robots = Robots(store)
    first = RobotsFile(origin="https://a.example", asked_at=NOW, content=b"User-agent: *\x00\xff")
    assert robots.of(first.origin) is None
    robots.keep(first)
    robots.keep(RobotsFile(origin="https://b.example", asked_at=NOW))
    assert robots.of(first.origin) == first
    later = RobotsFile(origin=first.origin, asked_at=NOW + timedelta(days=1), reachable=False)
    robots.keep(later)
    assert robots.of(first.origin) == later


def test_a_file_is_forgotten_when_it_is_too_old_to_be_believed(store: Store) -> None:
    robots = Robots(store)
    old, young = (
        RobotsFile(origin=f"https://{name}.example", asked_at=NOW + timedelta(hours=hours))
        for name, hours in (("a", 0), ("b", 1))
    )
    robots.keep(old)
    robots.keep(young)
    assert robots.prune(now=NOW + timedelta(hours=24)) == 1
    assert (robots.of(old.origin), robots.of(young.origin)) == (None, young)
