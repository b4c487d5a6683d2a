"""Both databases, for what only a real store can show."""

from tests.store.conftest import store, url

__all__ = ["store", "url"]
