"""Running one script in several programs that begin at the same time."""

from __future__ import annotations

import subprocess
import sys


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
