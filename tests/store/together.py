"""Running one script in several programs that begin at the same time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future
from typing import Any

from sqlalchemy import text

from newsletter.store.engine import Store


def run_together(script: str, *arguments: str, programs: int) -> list[str]:
    """What each program said. The script calls `await_the_others()` where it is ready to begin."""
    prelude = "import sys\ndef await_the_others():\n    print('ready', flush=True)\n    sys.stdin.readline()\n"
    command = [sys.executable, "-c", prelude + script, *arguments]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(programs)
    ]
    for program in running:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
    for program in running:
        assert program.stdin
        program.stdin.write("\n")
        program.stdin.flush()
    said = [program.communicate(timeout=60)[0] for program in running]
    assert [program.returncode for program in running] == [0] * programs
    return said


def is_held_up(store: Store, work: Future[Any]) -> bool:
    """Whether work in another thread comes to wait for somebody's lock in PostgreSQL, before it is done."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not work.done():
        with store.read() as connection:
            if connection.scalar(waits):
                return True
    return False
