"""A worker's journal: which messages it started to send and how each was answered, written before it goes on.

The ledger keeps outcomes in large groups, a little later; a worker that dies in between leaves its journal, and the
next start knows what was in flight and what was not. One write(2) for each reply, no fsync: what a process has written
outlives it, but not the machine. After a power loss lines may be missing, and what the journal does not say is then in
doubt. Whoever lives holds a lock on its journal.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from errno import ENOSPC
from pathlib import Path
from typing import Any, Final, Self
from zlib import crc32

from newsletter.deliver.wire import without_addresses
from newsletter.errors import StoreError
from newsletter.model.blame import Blame
from newsletter.model.delivery import DeliveryKey, DeliveryState, LedgerKind, Reply, Tried

_SUFFIX: Final = ".journal"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_COMPACT_AT_BYTES: Final = 16 * 1024 * 1024
_CRC_DIGITS: Final = 8
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a journal says."""

    owner: str
    boot: str
    """The run of the machine in which it was written; empty if the machine does not tell."""
    answered: tuple[Tried, ...] = ()
    started: frozenset[DeliveryKey] = frozenset()
    intact: bool = True
    """Whether every line but a torn last one is as it was written."""

    @property
    def is_whole(self) -> bool:
        """Whether what it does not say did not happen."""
        return self.intact and bool(self.boot) and self.boot == boot_id()


class Journal:
    """The journal of one worker, to be written in one thread."""

    def __init__(self, folder: Path, *, owner: str, compact_at: int = _COMPACT_AT_BYTES) -> None:
        """A new, locked one; StoreError if it cannot be made."""
        self._path = folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        self._header = _sealed(_ENCODER.encode({"owner": owner, "boot": boot_id()}))
        self._compact_at = compact_at
        self._open: dict[DeliveryKey, list[bytes]] = {}
        self._buffer: list[bytes] = []
        self._last: tuple[object, str] = (None, "")
        self.broken: str | None = None
        """Why it cannot be written any more: then nothing may be started."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file, self._size = self._made(())
        except OSError as error:
            raise StoreError(f"the journal cannot be made in {folder}: {_because(error)}") from error

    def started(self, key: DeliveryKey) -> None:
        """A message's content is about to leave. Not written before `flush`."""
        ledger, id_, fence = key
        line = _sealed(f'["s","{ledger}",{id_},{fence}]')
        self._open[key] = [line]
        self._buffer.append(line)

    def answered(self, tried: Tried) -> None:
        """A message has its outcome. Not written before `flush`."""
        id_, fence = tried.id, tried.fence
        line = _sealed(f'["o","{tried.ledger}",{id_},{fence},{self._ending(tried)}]')
        self._open.setdefault((tried.ledger, id_, fence), []).append(line)
        self._buffer.append(line)

    def kept(self, tried: Iterable[Tried]) -> None:
        """These outcomes are safe in the ledger: nobody will ask the journal."""
        for one in tried:
            self._open.pop((one.ledger, one.id, one.fence), None)

    def flush(self) -> bool:
        """Write what was noted, in one go; False if that cannot be done."""
        if self._buffer and self.broken is None:
            data = b"".join(self._buffer)
            self._buffer.clear()
            try:
                if self._size > self._compact_at:
                    self._compact()
                else:
                    self._append(data)
            except OSError as error:
                self.broken = f"the journal cannot be written: {_because(error)}"
        return self.broken is None

    def fileno(self) -> int:
        """The open file, for who must let go of it as a process does that dies."""
        return self._file

    def close(self) -> None:
        """Let go of it. It goes away if the ledger has everything; else it is there for who recovers."""
        self.flush()
        if not self._open:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ending(self, tried: Tried) -> str:
        """What an outcome's line says behind the fence. Most servers say the same to everybody."""
        facts = (tried.state, tried.reply, tried.because, tried.relay, tried.due_at, tried.counts, tried.blame)
        if facts != self._last[0]:
            self._last = (facts, _ENCODER.encode(_outcome(tried))[1:-1])
        return self._last[1]

    def _append(self, data: bytes) -> None:
        try:
            self._size += _written(self._file, data)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise

    def _compact(self) -> None:
        """Begin anew with only what the ledger does not have yet."""
        before = self._file
        self._file, self._size = self._made(line for lines in self._open.values() for line in lines)
        os.close(before)

    def _made(self, lines: Iterable[bytes]) -> tuple[int, int]:
        """A locked file under the journal's name. It gets the name last: nobody may find it without its lock."""
        draft = self._path.with_suffix(".new")
        file = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = _written(file, b"".join((self._header, *lines)))
            draft.rename(self._path)
        except OSError:
            os.close(file)
            draft.unlink(missing_ok=True)
            raise
        return file, size


@contextmanager
def dead(folder: Path) -> Iterator[Iterator[tuple[Account | None, Path]]]:
    """The journals of workers that are no more, each locked until the block ends. None for one that cannot be read."""
    files: list[int] = []

    def found() -> Iterator[tuple[Account | None, Path]]:
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            with suppress(FileNotFoundError):
                files.append(os.open(path, os.O_RDONLY))
                if _is_dead(files[-1], path):
                    yield account(path.read_bytes()), path

    try:
        yield found()
    finally:
        for file in files:
            os.close(file)


def _is_dead(file: int, path: Path) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Its worker may have put another in its place since it was opened, or somebody may have settled it.
    return os.path.samestat(os.fstat(file), path.stat())


def account(data: bytes) -> Account | None:
    """What a journal's bytes say; None if not even who wrote it."""
    lines = data.split(b"\n")
    whole_lines, torn = lines[:-1], lines[-1]
    read = [_read(line) for line in whole_lines]
    if not read or not isinstance(read[0], dict):
        return None
    said = [entry for entry in read[1:] if isinstance(entry, list)]
    started = frozenset(_key(entry) for entry in said if entry[0] == "s")
    answered = {_key(entry): _tried(entry) for entry in said if entry[0] == "o"}
    return Account(
        owner=read[0]["owner"],
        boot=read[0]["boot"],
        answered=tuple(answered.values()),
        started=started,
        # What comes after the last line end was never acted upon; anything else was.
        intact=len(said) == len(read) - 1 and _read(torn) is None,
    )


def boot_id() -> str:
    """Which run of the machine this is; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _because(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _written(file: int, data: bytes) -> int:
    written = os.write(file, data)
    if written < len(data):
        raise OSError(ENOSPC, os.strerror(ENOSPC))
    return written


def _sealed(entry: str) -> bytes:
    text = entry.encode()
    return b"%08x %b\n" % (crc32(text), text)


def _read(line: bytes) -> Any:
    """A line's entry; None if it is not as it was written."""
    checksum, text = line[: _CRC_DIGITS + 1], line[_CRC_DIGITS + 1 :]
    if checksum != b"%08x " % crc32(text):
        return None
    return json.loads(text)


def _outcome(tried: Tried) -> list[object]:
    reply, due_at = tried.reply, tried.due_at
    return [
        tried.state,
        [reply.code, reply.enhanced, without_addresses(reply.text)] if reply else None,
        tried.because,
        tried.relay,
        due_at.isoformat() if due_at else None,
        tried.counts,
        tried.blame,
    ]


def _key(entry: list[Any]) -> DeliveryKey:
    return LedgerKind(entry[1]), entry[2], entry[3]


def _tried(entry: list[Any]) -> Tried:
    # A journal that an older program left has nothing behind `counts`.
    _, ledger, id_, fence, state, reply, because, relay, due_at, counts, *more = entry
    return Tried(
        ledger=LedgerKind(ledger),
        id=id_,
        fence=fence,
        state=DeliveryState(state),
        reply=Reply(code=reply[0], enhanced=reply[1], text=reply[2]) if reply else None,
        because=because,
        relay=relay,
        due_at=datetime.fromisoformat(due_at) if due_at else None,
        counts=counts,
        blame=Blame(more[0]) if more and more[0] else None,
    )
