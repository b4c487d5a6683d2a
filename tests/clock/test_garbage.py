import gc
from collections.abc import Iterator

import pytest

from newsletter.garbage import sought_seldom


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_garbage_is_sought_seldom_for_a_while_and_not_in_what_was_there_before() -> None:
    with sought_seldom(objects=10_000):
        assert gc.get_threshold()[0] == 10_000
        assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0


def test_of_several_works_at_once_the_last_to_end_puts_back_what_was_before_the_first() -> None:
    first, second = sought_seldom(objects=10_000), sought_seldom(objects=50_000)
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold()[0] == 50_000
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] == 50_000
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (700, 10, 10)
