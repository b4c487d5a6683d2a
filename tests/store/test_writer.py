import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from newsletter.errors import StoreError
from newsletter.store.writer import LARGEST, GroupWriter


class _Disk:
    """Keeps the groups it was given. The first commit waits until it is let go; `bad` operations fail their group."""

    def __init__(self, *bad: int) -> None:
        self.groups: list[list[int]] = []
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self._bad = frozenset(bad)

    def commit(self, group: Sequence[int]) -> Sequence[bool]:
        self.groups.append(list(group))
        self.busy.set()
        self.go_on.wait(30)
        if refused := self._bad & set(group):
            raise ValueError(f"refused {refused}")
        return [op % 2 == 0 for op in group]


def _submitted(disk: _Disk, writer: GroupWriter[int], ops: Sequence[int]) -> list[Future[bool]]:
    """One operation while the disk is idle, the others while it is busy with the first."""
    first = writer.submit(ops[0])
    disk.busy.wait(30)
    rest = [writer.submit(op) for op in ops[1:]]
    disk.go_on.set()
    return [first, *rest]


def test_what_arrives_during_a_commit_is_the_next_group() -> None:
    disk = _Disk()
    writer = GroupWriter(disk.commit, name="writer")
    kept = _submitted(disk, writer, range(6))
    assert [each.result(30) for each in kept] == [True, False, True, False, True, False]
    assert disk.groups == [[0], [1, 2, 3, 4, 5]]
    writer.close()


def test_one_that_is_refused_takes_nobody_down_with_it() -> None:
    disk = _Disk(4)
    writer = GroupWriter(disk.commit, name="writer")
    kept = _submitted(disk, writer, [0, 2, 4, 6])
    assert [each.result(30) for each in kept if each is not kept[2]] == [True, True, True]
    with pytest.raises(StoreError):
        kept[2].result(30)
    writer.close()


def test_a_disk_that_is_gone_is_asked_twice_and_not_once_for_each() -> None:
    disk = _Disk(*range(1, 100))
    writer = GroupWriter(disk.commit, name="writer")
    kept = _submitted(disk, writer, range(100))
    assert [isinstance(each.exception(30), StoreError) for each in kept] == [False] + [True] * 99
    assert [len(group) for group in disk.groups] == [1, 99, 1, 1]
    writer.close()


def test_after_a_failure_the_writer_goes_on() -> None:
    disk = _Disk(1)
    writer = GroupWriter(disk.commit, name="writer")
    for each in _submitted(disk, writer, [0, 1]):
        each.exception(30)
    assert writer.submit(2).result(30)
    writer.close()


def test_one_that_takes_its_time_gathers_what_comes_meanwhile() -> None:
    disk = _Disk()
    disk.go_on.set()
    writer = GroupWriter(disk.commit, name="writer", busy=1, linger_seconds=3600)
    assert writer.submit(0).result(30)
    kept = [writer.submit(op) for op in range(1, 6)]
    assert disk.groups == [[0]]
    writer.close()
    assert disk.groups == [[0], [1, 2, 3, 4, 5]]
    assert all(each.done() for each in kept)


def test_one_that_takes_its_time_does_not_when_a_whole_group_waits() -> None:
    disk, many = _Disk(), 2 * LARGEST
    writer = GroupWriter(disk.commit, name="writer", busy=1, linger_seconds=3600)
    kept = _submitted(disk, writer, range(many + 2))
    kept[many].result(30)
    assert [len(group) for group in disk.groups] == [1, LARGEST, LARGEST]
    writer.close()
    assert disk.groups[-1] == [many + 1]


def test_closing_writes_what_waits() -> None:
    disk = _Disk()
    writer = GroupWriter(disk.commit, name="writer")
    kept = _submitted(disk, writer, range(4))
    writer.close()
    writer.close()
    assert all(each.done() for each in kept)
    with pytest.raises(StoreError, match="closed"):
        writer.submit(4)


def test_a_writer_that_was_never_used_closes() -> None:
    GroupWriter(_Disk().commit, name="writer").close()


def test_a_caller_cannot_take_back_what_was_handed_in() -> None:
    disk = _Disk()
    writer = GroupWriter(disk.commit, name="writer")
    kept = _submitted(disk, writer, [0, 2])
    assert not kept[1].cancel()
    writer.close()
    assert disk.groups == [[0], [2]]
