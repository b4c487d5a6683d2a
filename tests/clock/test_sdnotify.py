from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import sdnotify


@pytest.fixture(params=["a file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket systemd listens on."""
    name = str(tmp_path / "notify") if request.param == "a file" else f"@newsletter-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(5)
        yield listening


def test_a_state_arrives_at_the_socket_that_systemd_named(systemd: socket.socket) -> None:
    sdnotify.tell("READY=1")

    assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    sdnotify.tell("READY=1")


def test_a_socket_that_is_gone_or_full_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    sdnotify.tell("WATCHDOG=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(path))
        started = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as filling:
            filling.connect(str(path))
            with suppress(BlockingIOError):
                while True:
                    filling.send(b"x")
        sdnotify.tell("WATCHDOG=1")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("allowed", "watched", "expected"),
    [
        (None, None, None),
        ("60000000", None, timedelta(seconds=30)),
        ("60000000", str(os.getpid()), timedelta(seconds=30)),
        ("60000000", "1", None),
    ],
    # Named by us: the number of a process differs between those that run the tests side by side.
    ids=["not watched", "watched", "watched by number", "another process"],
)
def test_the_watchdog_is_told_twice_as_often_as_systemd_asks_and_only_by_who_is_watched(
    monkeypatch: pytest.MonkeyPatch, allowed: str | None, watched: str | None, expected: timedelta | None
) -> None:
    for name, value in (("WATCHDOG_USEC", allowed), ("WATCHDOG_PID", watched)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)

    assert sdnotify.watchdog_interval() == expected
