"""Partners for the benchmarks: feeds in WordPress' shape, and a server that has one for every loopback address.

Run: `python bench/_partners.py`, alone for as long as anybody wants to ask; it tells its port on standard output.
A tenth of the partners have two new items after each GET of /next; all others stay as they are.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

WINDOW = 30
NEWS = 2
_WORDS = (
    "the pilots of the strait say that the chart is older than the harbour and the harbour older than its debts".split()
)


def hosts(count: int) -> list[str]:
    """So many loopback addresses."""
    return [f"127.{1 + at // 62_500}.{at // 250 % 250}.{1 + at % 250}" for at in range(count)]


def brings_news(host: str) -> bool:
    return zlib.crc32(host.encode()) % 10 == 0


def tag(host: str, rounds: int) -> str:
    """A partner's ETag after so many rounds of news."""
    return f'"bench-{rounds if brings_news(host) else 0}"'


def document(numbers: Iterable[int]) -> bytes:
    """A feed with an article of some 300 words under each number, no two alike."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Bench</title>'
        f"<link>https://bench.example</link><language>en</language>{''.join(map(_item, numbers))}</channel></rss>"
    ).encode()


@lru_cache(maxsize=20_000)
def _item(at: int) -> str:
    return (
        f"<item><title>Report {at} from the strait</title><link>https://bench.example/2026/report-from-the-strait-{at}/</link>"
        f"<dc:creator>Ilse Okonedo</dc:creator><pubDate>Mon, 23 Nov 2026 0{at % 7}:00:00 +0000</pubDate>"
        f'<category>Ports</category><guid isPermaLink="false">https://bench.example/?p={at}</guid>'
        f"<description><![CDATA[<p>A dek about report {at}.</p>]]></description>"
        f"<content:encoded><![CDATA[{_article(at)}]]></content:encoded></item>"
    )


def _article(number: int) -> str:
    luck = random.Random(number)
    paragraphs = (" ".join(f"{word}{luck.randrange(50)}" for word in _WORDS) for _ in range(14))
    return "".join(f"<p>{text} <em>{number}</em>, and <a href='/charts/{number}'>so on</a>.</p>" for text in paragraphs)


def _fresh(host: str, rounds: int) -> bytes:
    """A document of its own for each host; what came last stands first."""
    oldest = zlib.crc32(host.encode()) * 1000 + (rounds if brings_news(host) else 0) * NEWS
    body = document(range(oldest + WINDOW - 1, oldest - 1, -1))
    head = f"HTTP/1.1 200 OK\r\nETag: {tag(host, rounds)}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


async def serve() -> None:
    rounds = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal rounds
        asked = await reader.readuntil(b"\r\n\r\n")
        rounds += asked.startswith(b"GET /next")
        host = asked.partition(b"Host: ")[2].partition(b"\r\n")[0].decode().partition(":")[0]
        known = tag(host, rounds)
        same = f"HTTP/1.1 304 Not Modified\r\nETag: {known}\r\nConnection: close\r\n\r\n".encode()
        writer.write(same if known.encode() in asked else _fresh(host, rounds))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def serving() -> Iterator[int]:
    """The port of such a server, in a process of its own."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


if __name__ == "__main__":
    asyncio.run(serve())
