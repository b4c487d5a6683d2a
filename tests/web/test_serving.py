"""Web servers inside our own loop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.listening import listening, url_of
from newsletter.serving import serve

pytestmark = pytest.mark.anyio


async def greet(_: Request) -> Response:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/{path:path}", greet)])


def test_a_socket_says_where_it_is_reached() -> None:
    for host, shown in (("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")):
        with listening(host, 0) as sock:
            assert url_of(sock) == f"{shown}{sock.getsockname()[1]}"


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with listening("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        listening("127.0.0.1", sock.getsockname()[1])


async def test_it_serves_until_told_and_lets_what_was_asked_finish() -> None:
    stop, asked = asyncio.Event(), asyncio.Event()
    before = signal.getsignal(signal.SIGTERM)

    async def slow(_: Request) -> Response:
        asked.set()
        await stop.wait()
        return PlainTextResponse("at last")

    app = Starlette(routes=[Route("/slow", slow), *APP.routes])
    async with httpx.AsyncClient() as client:
        with listening("127.0.0.1", 0) as sock:
            where = url_of(sock)
            serving = asyncio.create_task(serve(app, sock, stop=stop))
            assert (await client.get(where)).text == "hello"
            assert signal.getsignal(signal.SIGTERM) is before, "signals are the clock's"
            answer = asyncio.create_task(client.get(f"{where}/slow"))
            await asked.wait()
            stop.set()
            assert (await answer).text == "at last"
            async with asyncio.timeout(60):
                await serving
        with pytest.raises(httpx.ConnectError):
            await client.get(where)


async def test_who_only_keeps_a_connection_open_does_not_hold_up_the_end() -> None:
    stop = asyncio.Event()
    with listening("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()):
        serving = asyncio.create_task(serve(APP, sock, stop=stop, grace_seconds=3600))
        async with httpx.AsyncClient() as client:
            await client.get(url_of(sock))
            stop.set()
            async with asyncio.timeout(60):
                await serving


async def test_no_log_line_has_the_address_that_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stop = asyncio.Event()
    with listening("127.0.0.1", 0) as sock:
        serving = asyncio.create_task(serve(APP, sock, stop=stop))
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{url_of(sock)}/u/sometoken")
        stop.set()
        await serving

    assert "server" not in answer.headers
    assert not [line for line in caplog.records if line.name.startswith("uvicorn") and "sometoken" in line.getMessage()]
