"""The process in which documents are read that could do harm: `python -m newsletter.collect.child MEMORY SECONDS`.

It gets a job on standard input, may ask which digests are known, and answers on standard output; each of them is a
pickle behind its length. It is there to guard its parent's time and memory.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from collections.abc import Collection
from typing import BinaryIO

from newsletter.collect.body import Page, ParsedFeed
from newsletter.collect.clean import Cleaned
from newsletter.collect.errand import LENGTH, Job, Question, Refusal, packed
from newsletter.collect.read import read
from newsletter.errors import FeedError


def main(memory_bytes: int, seconds: int) -> None:
    """Serve jobs until standard input ends, or until one takes too long."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # An interrupt at the terminal is for the parent, who then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _answers() as out:
        while (job := _received()) is not None:
            assert isinstance(job, Job | Page)
            signal.alarm(seconds)
            answer = _answer(job, out)
            signal.alarm(0)
            _send(out, answer)


def _answers() -> BinaryIO:
    """Standard output for answers alone: whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _answer(job: Job | Page, out: BinaryIO) -> ParsedFeed | Cleaned | Refusal:
    def known(digests: Collection[str]) -> frozenset[str]:
        _send(out, Question(digests=frozenset(digests)))
        found = _received()
        assert isinstance(found, frozenset)
        return found

    try:
        return _article(job) if isinstance(job, Page) else read(job.body, known, now=job.now)
    except FeedError as exc:
        return Refusal(because=exc.because)
    except MemoryError:
        return Refusal(because="it takes more memory to read than a feed may")
    except RecursionError:
        return Refusal(because="it is nested too deeply")


def _article(page: Page) -> Cleaned:
    # An extra, and of no use to who reads feeds alone.
    from newsletter.collect.article import article_of

    return article_of(page)


def _received() -> object | None:
    head = sys.stdin.buffer.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    content = sys.stdin.buffer.read(LENGTH.unpack(head)[0])
    return pickle.loads(content)  # type: ignore[no-any-return]  # noqa: S301 it comes from our parent


def _send(out: BinaryIO, value: object) -> None:
    out.write(packed(value))
    out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
