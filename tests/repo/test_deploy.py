import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.places import ROOT

UNIT = ROOT / "deploy" / "newsletter.service"


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
    ],
)
def test_the_unit_keeps_its_hardening(line: str) -> None:
    assert line in UNIT.read_text().splitlines()


def test_systemd_understands_the_unit_and_finds_it_safe(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    # The program is not installed where the unit expects it.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/newsletter/bin/newsletter", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    # In tenths, on systemd's scale from 0 (safe) to 10 (exposed).
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own switch")
def test_no_library_makes_code_at_run_time() -> None:
    if ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel cannot forbid it")
    # 65 is PR_SET_MDWE and 1 PR_MDWE_REFUSE_EXEC_GAIN: what MemoryDenyWriteExecute= asks of the kernel.
    script = """
import ctypes, mmap
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    raise SystemExit("the switch does nothing here")
import aiohttp, aiosmtpd, aiosmtplib, apscheduler, brotli, feedparser, lxml.html, nh3, premailer, sqlalchemy, uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
Ed25519PrivateKey.generate().sign(b"x")
assert lxml.html.fromstring("<p>x</p>").xpath("//p")
assert nh3.clean("<b>x</b>")
async def nothing(): pass
uvloop.run(nothing())
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    connection.connection.create_function("same", 1, lambda x: x)
    assert connection.execute(sqlalchemy.text("select same(1)")).scalar() == 1
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
