"""A part of the program in a process of its own: it lives as long as we do, and no longer."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest

from newsletter.beside import Beside
from newsletter.errors import ProcessError
from newsletter.listening import listening

pytestmark = pytest.mark.anyio

ALIVE = "import os; os.write(1, b'.'); "
PAUSES = ALIVE + "import signal; signal.pause()"
OBEYS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); " + PAUSES
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PAUSES
SERVES = """
import os, socket, sys
sock = socket.socket(fileno=int(sys.argv[1]))
asked, _ = sock.accept()
asked.sendall(os.environ.get("NOTIFY_SOCKET", "nobody").encode())
"""


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with listening("127.0.0.1", 0) as sock:
        yield sock


def beside(code: str, sock: socket.socket) -> Beside:
    return Beside([sys.executable, "-c", code, str(sock.fileno())], sock=sock, part="serves pages")


async def test_it_has_the_socket_and_leaves_telling_systemd_to_us(
    sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    host, port = sock.getsockname()
    running = asyncio.create_task(beside(SERVES, sock).run(asyncio.Event()))

    reader, writer = await asyncio.open_connection(host, port)
    answer = await reader.read()
    writer.close()

    assert answer == b"nobody"
    with pytest.raises(ProcessError, match="ended with code 0"):
        await running
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)


@pytest.mark.parametrize(
    "code", [pytest.param(OBEYS, id="it listens"), pytest.param(PAUSES, id="it has only begun to start")]
)
async def test_it_ends_when_told_and_that_is_no_error(sock: socket.socket, code: str) -> None:
    stop, part = asyncio.Event(), beside(code, sock)
    running = asyncio.create_task(part.run(stop))
    await part.pulse.wait()

    stop.set()
    async with asyncio.timeout(60):
        await running


async def test_one_that_dies_is_an_error_with_its_code(sock: socket.socket) -> None:
    with pytest.raises(ProcessError) as ended:
        await beside("import sys; sys.exit(3)", sock).run(asyncio.Event())
    assert (ended.value.part, ended.value.code) == ("serves pages", 3)


async def test_one_that_does_not_listen_is_killed_when_we_are_cancelled(sock: socket.socket) -> None:
    stop, part = asyncio.Event(), beside(DEAF, sock)
    running = asyncio.create_task(part.run(stop))
    await part.pulse.wait()
    stop.set()
    await asyncio.sleep(0)

    running.cancel()
    async with asyncio.timeout(60):
        with pytest.raises(asyncio.CancelledError):
            await running
