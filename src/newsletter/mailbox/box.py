"""Where the mailbox keeps what it gets: in a folder, or in memory for as long as it runs."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from pathlib import Path
from typing import Protocol

from newsletter.errors import NotFoundError

DEFAULT_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as it came in, without its bytes. `sender` and `recipients` are the envelope's."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    author: str
    subject: str
    received_at: datetime
    size_bytes: int


class Box(Protocol):
    """Keeps the newest mails, up to a limit."""

    def keep(self, *, sender: str, recipients: tuple[str, ...], content: bytes) -> Mail:
        """Keep a mail; when this returns it is there."""

    def listed(self) -> tuple[Mail, ...]:
        """What is kept, newest first."""

    def find(self, mail_id: str) -> Mail:
        """One of those, or NotFoundError."""

    def content(self, mail_id: str) -> bytes:
        """Its bytes, exactly as they came; NotFoundError if it is not kept (any more)."""


class MemoryBox:
    """A box that forgets everything when the program ends."""

    def __init__(self, *, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._mails: dict[str, tuple[Mail, bytes]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def keep(self, *, sender: str, recipients: tuple[str, ...], content: bytes) -> Mail:
        with self._lock:
            self._count += 1
            mail = _described(_name(self._count), sender=sender, recipients=recipients, content=content)
            self._mails[mail.id] = (mail, content)
            if len(self._mails) > self._limit:
                del self._mails[next(iter(self._mails))]
        return mail

    def listed(self) -> tuple[Mail, ...]:
        with self._lock:
            return tuple(mail for mail, _ in reversed(self._mails.values()))

    def find(self, mail_id: str) -> Mail:
        return self._entry(mail_id)[0]

    def content(self, mail_id: str) -> bytes:
        return self._entry(mail_id)[1]

    def _entry(self, mail_id: str) -> tuple[Mail, bytes]:
        try:
            return self._mails[mail_id]
        except KeyError:
            raise NotFoundError("mail", mail_id) from None


class FolderBox:
    """A box in a folder: `NUMBER.eml` has a mail's bytes, `NUMBER.json` beside it the envelope.

    The second is written last, and a mail counts as kept when it is there. There is no fsync: it outlives a killed
    program, which is enough for trying out.
    """

    def __init__(self, folder: Path, *, limit: int = DEFAULT_LIMIT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._mails = deque(sorted(_remembered(folder), key=lambda mail: mail.id))
        self._count = int(self._mails[-1].id) if self._mails else 0
        self._lock = threading.Lock()

    def keep(self, *, sender: str, recipients: tuple[str, ...], content: bytes) -> Mail:
        with self._lock:
            self._count += 1
            mail = _described(_name(self._count), sender=sender, recipients=recipients, content=content)
            facts = asdict(mail) | {"received_at": mail.received_at.isoformat()}
            self._write(f"{mail.id}.eml", content)
            self._write(f"{mail.id}.json", json.dumps(facts, indent=1).encode())
            self._mails.append(mail)
            while len(self._mails) > self._limit:
                self._forget(self._mails.popleft())
        return mail

    def listed(self) -> tuple[Mail, ...]:
        with self._lock:
            return tuple(reversed(self._mails))

    def find(self, mail_id: str) -> Mail:
        # By comparison, never by path: a name from a URL must not reach the file system.
        for mail in self.listed():
            if mail.id == mail_id:
                return mail
        raise NotFoundError("mail", mail_id)

    def content(self, mail_id: str) -> bytes:
        try:
            return (self._folder / f"{self.find(mail_id).id}.eml").read_bytes()
        except FileNotFoundError:
            raise NotFoundError("mail", mail_id, hint="its file was removed") from None

    def _write(self, name: str, content: bytes) -> None:
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / name)

    def _forget(self, mail: Mail) -> None:
        for suffix in ("json", "eml"):
            (self._folder / f"{mail.id}.{suffix}").unlink(missing_ok=True)


def _remembered(folder: Path) -> Iterator[Mail]:
    for path in folder.glob("*.json"):
        facts = json.loads(path.read_bytes())
        facts["recipients"] = tuple(facts["recipients"])
        facts["received_at"] = datetime.fromisoformat(facts["received_at"])
        yield Mail(**facts)


def _name(count: int) -> str:
    return f"{count:08d}"


def _described(mail_id: str, *, sender: str, recipients: tuple[str, ...], content: bytes) -> Mail:
    return Mail(
        id=mail_id,
        sender=sender,
        recipients=recipients,
        author=_header(content, "From"),
        subject=_header(content, "Subject"),
        received_at=datetime.now(UTC),
        size_bytes=len(content),
    )


def _header(content: bytes, name: str) -> str:
    """A header as a person reads it; empty where it is missing or makes no sense."""
    head = content.partition(b"\r\n\r\n")[0]
    try:
        value = BytesParser(policy=policy.default).parsebytes(head, headersonly=True)[name]
        return " ".join(str(value or "").split())
    except (MessageError, ValueError, IndexError, AttributeError, TypeError):
        # The standard parser has been seen to fail in each of these ways; a mailbox shows odd mail too.
        return ""
