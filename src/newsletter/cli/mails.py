"""Mails in files, as mail servers leave them: an mbox, a Maildir, or one message."""

from __future__ import annotations

import mailbox
import sys
from collections.abc import Iterator
from pathlib import Path

_MBOX = b"From "


def mails_in(path: Path) -> Iterator[bytes]:
    """Each message of an mbox, a Maildir or a file with one; `-` is standard input. OSError if it cannot be read."""
    if str(path) == "-":
        yield sys.stdin.buffer.read()
    elif path.is_dir():
        # Made by nobody but the mail server: a folder that is no Maildir has no messages in it.
        found = mailbox.Maildir(path, create=False) if (path / "cur").is_dir() else ()
        yield from (message.as_bytes() for message in found)
    else:
        yield from _in_file(path)


def _in_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        many = file.read(len(_MBOX)) == _MBOX
    if not many:
        yield path.read_bytes()
        return
    box = mailbox.mbox(path, create=False)
    try:
        yield from (box.get_bytes(key) for key in box.iterkeys())
    finally:
        box.close()
