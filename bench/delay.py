"""A server's port at a distance: `python bench/delay.py PORT SECONDS` prints a port on which PORT is that far away.

Each piece of data comes through after half of the SECONDS, in both directions, however much is on its way already.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop


class Half(asyncio.Protocol):
    """One end of a connection; what it hears, `other` says a while later."""

    def __init__(self, delay: float, *, port: int | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self._delay = delay
        self._port = port
        self._other: Half | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        if self._port is not None:
            asyncio.get_running_loop().create_task(self._join(self._port))

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._say, data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._other is not None and self._other.transport is not None:
            asyncio.get_running_loop().call_later(self._delay, self._other.transport.close)

    async def _join(self, port: int) -> None:
        other = Half(self._delay)
        other._other = self
        await asyncio.get_running_loop().create_connection(lambda: other, "127.0.0.1", port)
        self._other = other
        for data in self._early:
            self._say(data)

    def _say(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
        elif self._other.transport is not None:
            self._other.transport.write(data)


@contextmanager
def away(port: int, seconds: float) -> Iterator[int]:
    """A port on which another is that far away, served by a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), str(port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Half(seconds / 2, port=port), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
