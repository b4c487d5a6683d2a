"""Ports for programs that are told theirs before they listen."""

from __future__ import annotations

import random
import socket

_LUCK = random.SystemRandom()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, below those that the kernel hands to outgoing connections meanwhile."""
    while True:
        port = _LUCK.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
