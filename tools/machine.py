"""What the tests want from the machine and no Python package brings: a browser, fonts, other mail programs.

On a person's machine, tests that need them are skipped and say so. CI has no excuse: it installs them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# The program or file that shows a Debian package is there.
_SIGNS = {
    "chromium": "/usr/bin/chromium",
    "postfix": "/usr/sbin/smtp-sink",
    # Verifies what we sign.
    "opendkim": "/usr/sbin/opendkim",
    # Has Arabic, which a right-to-left page cannot be judged without.
    "fonts-noto-core": "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf",
}
_POLICY = Path("/usr/sbin/policy-rc.d")


def missing_packages(signs: Mapping[str, str] = _SIGNS) -> list[str]:
    """The Debian packages that are not there."""
    return [package for package, sign in signs.items() if not Path(sign).exists()]


def equip() -> None:
    """Install what is missing; where that cannot be done, say so and let the tests fail by themselves."""
    wanted = missing_packages()
    if not wanted:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"test: cannot install {', '.join(wanted)} here", file=sys.stderr)
        return
    print(f"test: installing {', '.join(wanted)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _quietly("apt-get", "update", environment=environment)
    with _no_services_started():
        _quietly("apt-get", "install", "--yes", "--no-install-recommends", *wanted, environment=environment)


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Postfix and opendkim are wanted for what they do when called; servers that run by themselves are not."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _quietly(*command: str, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
