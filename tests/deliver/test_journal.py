import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.journal import Account, Journal, account, boot_id, dead
from newsletter.errors import StoreError
from newsletter.model.delivery import DeliveryKey, DeliveryState, LedgerKind, Reply, Tried

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def key(number: int) -> DeliveryKey:
    return LedgerKind.EDITION, number, 1


def sent(number: int) -> Tried:
    return Tried(
        ledger=LedgerKind.EDITION,
        id=number,
        fence=1,
        state=DeliveryState.SENT,
        reply=Reply(code=250, enhanced="2.0.0", text="kept"),
        because="accepted",
        relay="main",
    )


def deferred(number: int) -> Tried:
    return replace(sent(number), state=DeliveryState.DEFERRED, reply=Reply(code=451), due_at=NOW, counts=False)


def killed(journal: Journal) -> None:
    """Let go of a journal as a process does that dies: nothing is said, the lock is gone."""
    journal.flush()
    os.closerange(journal.fileno(), journal.fileno() + 1)


def said(folder: Path) -> list[Account | None]:
    with dead(folder) as journals:
        return [what for what, _ in journals]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, owner="one")
    for number in (1, 2, 3):
        journal.started(key(number))
    journal.answered(sent(1))
    journal.answered(deferred(2))
    killed(journal)
    [found] = said(tmp_path)
    assert found == Account(
        owner="one", boot=boot_id(), answered=(sent(1), deferred(2)), started=frozenset(map(key, (1, 2, 3)))
    )
    assert found.is_whole


def test_a_journal_of_somebody_who_lives_is_left_alone(tmp_path: Path) -> None:
    with Journal(tmp_path, owner="one") as journal:
        journal.started(key(1))
        journal.flush()
        assert said(tmp_path) == []


def test_a_journal_goes_away_once_the_ledger_has_everything_and_stays_until_then(tmp_path: Path) -> None:
    with Journal(tmp_path, owner="one") as journal:
        journal.answered(sent(1))
        journal.answered(sent(2))
        journal.kept([sent(1), sent(2)])
    assert not list(tmp_path.iterdir())
    with Journal(tmp_path, owner="two") as journal:
        journal.started(key(1))
    assert [found.owner for found in said(tmp_path) if found] == ["two"]


def test_a_long_journal_begins_anew_with_what_is_still_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path, owner="one", compact_at=2000)
    journal.started(key(0))
    for number in range(1, 500):
        journal.started(key(number))
        journal.flush()
        journal.answered(sent(number))
        journal.flush()
        journal.kept([sent(number)])
    [path] = tmp_path.iterdir()
    assert path.stat().st_size < 5000
    killed(journal)
    [found] = said(tmp_path)
    assert found is not None
    assert key(0) in found.started
    assert found.is_whole


def test_of_another_run_of_the_machine_only_what_is_there_is_believed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, owner="one")
    killed(journal)
    [found] = said(tmp_path)
    assert found is not None
    assert found.is_whole
    assert not replace(found, boot="another").is_whole
    assert not replace(found, boot="").is_whole


def bytes_of(folder: Path) -> bytes:
    journal = Journal(folder, owner="one")
    for number in (1, 2):
        journal.started(key(number))
        journal.answered(sent(number))
    killed(journal)
    [path] = folder.glob("*.journal")
    return path.read_bytes()


@given(st.data())
def test_a_torn_end_loses_only_itself(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytes_of(tmp_path_factory.mktemp("journal"))
    header = whole.index(b"\n") + 1
    found = account(whole[: data.draw(st.integers(header, len(whole)))])
    assert found is not None
    assert {one.id for one in found.answered} <= {1, 2}
    assert {number for _, number, _ in found.started} <= {1, 2}


@given(st.data())
def test_a_line_that_was_changed_is_never_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytes_of(tmp_path_factory.mktemp("journal"))
    at = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    found = account(whole[:at] + bytes([other]) + whole[at + 1 :])
    if found is not None:
        assert not found.intact
        assert all(each in (sent(1), sent(2)) for each in found.answered)


@given(st.binary(max_size=300))
def test_what_is_no_journal_is_none(data: bytes) -> None:
    assert account(data) is None


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let files grow to so many bytes only, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signals = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signals)


def test_where_there_is_no_room_nothing_may_be_started_and_what_was_said_stays_readable(tmp_path: Path) -> None:
    journal = Journal(tmp_path, owner="one")
    with room_for(400):
        numbers = iter(range(1, 1000))
        last = 0
        for last in numbers:
            journal.started(key(last))
            if not journal.flush():
                break
        journal.started(key(1001))
        assert not journal.flush()
    assert journal.broken is not None
    killed(journal)
    [found] = said(tmp_path)
    assert found is not None
    assert found.is_whole
    assert found.started == frozenset(map(key, range(1, last)))


def test_a_journal_that_cannot_be_made_says_where_and_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Journal(tmp_path / "file" / "journals", owner="one")
