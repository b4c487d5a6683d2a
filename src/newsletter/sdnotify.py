"""Telling systemd how we are (sd_notify(3)): a datagram to the socket it named, nothing where it named none."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import timedelta

_PATIENCE = timedelta(seconds=1)


def tell(state: str) -> None:
    """Send one notification such as `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=…`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # An abstract socket is written with @ and dialled with a NUL.
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_systemd:
        # A full or vanished socket must neither hold up the mail nor end it.
        to_systemd.settimeout(_PATIENCE.total_seconds())
        with suppress(OSError):
            to_systemd.connect(name)
            to_systemd.sendall(state.encode())


def watchdog_interval() -> timedelta | None:
    """How often to send `WATCHDOG=1` (half of what systemd allows), None if it does not watch this process."""
    allowed = os.environ.get("WATCHDOG_USEC")
    watched = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not allowed or watched != str(os.getpid()):
        return None
    return timedelta(microseconds=int(allowed)) / 2
