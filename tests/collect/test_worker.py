import asyncio
import os
import signal
from collections.abc import Collection
from datetime import timedelta

import pytest

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.worker import Parser
from newsletter.errors import ParseError
from tests.collect.makers import NOW, a_feed, item, read_bytes, rss

FEED = a_feed()
BROKEN = rss(item("A & B"), item("Another headline", name="two-two-two"))
LARGE = rss(*(item(f"Story number {at}", name=f"story-number-{at}", body="<p>word</p>" * 50) for at in range(200)))
# Elements that are never closed: a minute's work for feedparser, and for libxml2 a refusal.
ENDLESS = rss(item(more="<d>" * 300_000))


def _body(content: bytes) -> Body:
    return Body(feed=FEED, content=content, url=FEED.url)


async def _parse(parser: Parser, content: bytes, known: frozenset[str] = frozenset()) -> ParsedFeed:
    return await parser.parse(_body(content), lambda digests: known & frozenset(digests), now=NOW)


def _processes(parser: Parser) -> list[int]:
    return [slot.process.pid for slot in parser._slots if slot.process is not None]


def test_a_small_clean_document_needs_no_process() -> None:
    async def run() -> None:
        async with Parser() as parser:
            assert len((await _parse(parser, rss(item()))).entries) == 1
            assert _processes(parser) == []

    asyncio.run(run())


@pytest.mark.parametrize("content", [BROKEN, LARGE], ids=["not well-formed", "large"])
def test_other_documents_are_read_elsewhere_and_alike(content: bytes) -> None:
    async def run() -> None:
        async with Parser(processes=1) as parser:
            found = await _parse(parser, content)
            assert found == read_bytes(content)
            (process,) = _processes(parser)
            await _parse(parser, content)
            assert _processes(parser) == [process]
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)

    asyncio.run(run())


def test_after_much_reading_here_small_documents_are_read_elsewhere_too() -> None:
    async def run() -> None:
        async with Parser(processes=1, here=timedelta(microseconds=1)) as parser:
            first, second = await _parse(parser, rss(item())), await _parse(parser, rss(item()))
            assert first == second
            assert len(_processes(parser)) == 1

    asyncio.run(run())


def test_a_process_asks_what_is_known() -> None:
    async def run() -> None:
        async with Parser(processes=1) as parser:
            whole = await _parse(parser, LARGE)
            known = frozenset(keyed.entry.source_digest for keyed in whole.entries[:50])
            rest = await _parse(parser, LARGE, known)
            assert (rest.known, rest.entries) == (50, whole.entries[50:])

    asyncio.run(run())


def test_a_large_document_with_little_news_needs_no_process() -> None:
    known = frozenset(keyed.entry.source_digest for keyed in read_bytes(LARGE).entries[3:])

    async def run() -> None:
        async with Parser() as parser:
            assert len((await _parse(parser, LARGE, known)).entries) == 3
            assert _processes(parser) == []

    asyncio.run(run())


def test_reading_that_takes_too_long_is_stopped_and_the_next_document_read() -> None:
    async def run() -> None:
        async with Parser(processes=1, deadline=timedelta(seconds=3)) as parser:
            await _parse(parser, BROKEN)
            (before,) = _processes(parser)
            with pytest.raises(ParseError, match="could not be read within 3 s"):
                await _parse(parser, ENDLESS)
            with pytest.raises(ProcessLookupError):
                os.kill(before, 0)
            assert len((await _parse(parser, BROKEN)).entries) == 2

    asyncio.run(run())


def test_reading_that_takes_too_much_memory_is_stopped_and_the_next_document_read() -> None:
    greedy = rss(item(body="<p>" + "word " * 6_000_000))

    async def run() -> None:
        async with Parser(processes=1, memory_bytes=200 * 1024 * 1024) as parser:
            with pytest.raises(ParseError, match=r"memory|the process that read it"):
                await _parse(parser, greedy)
            assert len((await _parse(parser, BROKEN)).entries) == 2

    asyncio.run(run())


def test_a_process_that_is_killed_is_told_in_words_and_the_next_document_read() -> None:
    async def run() -> None:
        async with Parser(processes=1, here=timedelta(0)) as parser:
            await _parse(parser, BROKEN)
            (process,) = _processes(parser)

            def killing(_: Collection[str]) -> frozenset[str]:
                os.kill(process, signal.SIGKILL)
                return frozenset()

            killed = r"the process that read it was killed, as the system does where memory runs out \(SIGKILL\)"
            with pytest.raises(ParseError, match=killed):
                await parser.parse(_body(LARGE), killing, now=NOW)
            assert len((await _parse(parser, BROKEN)).entries) == 2

    asyncio.run(run())


def test_a_refusal_comes_back_in_words() -> None:
    broken_picture = b"<?xml version='1.0'?><svg><g></svg>"

    async def run() -> None:
        async with Parser(processes=1) as parser:
            with pytest.raises(ParseError, match="neither RSS nor Atom") as refused:
                await _parse(parser, broken_picture)
            assert refused.value.feed == "courier"

    asyncio.run(run())


def test_a_stopped_poll_leaves_no_process_at_work() -> None:
    async def run() -> None:
        async with Parser(processes=1) as parser:
            await _parse(parser, BROKEN)
            (process,) = _processes(parser)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await _parse(parser, ENDLESS)
            with pytest.raises(ProcessLookupError):
                os.kill(process, 0)

    asyncio.run(run())
