import asyncio
import json
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from newsletter.errors import SiteError
from newsletter.mailbox.box import FolderBox, MemoryBox
from newsletter.mailbox.run import run_mailbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("which", ["port", "web_port"])
async def test_a_port_that_is_taken_is_said_so(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"port": 0, "web_port": 0, which: taken.getsockname()[1]}
        with pytest.raises(SiteError, match=f"--{which.replace('_', '-')}"):
            await run_mailbox(MemoryBox(), **ports, stop=asyncio.Event(), tell=lambda *_: None)


@pytest.mark.slow
def test_the_command_receives_mail_shows_it_and_stops_when_asked(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; from newsletter.cli.main import main; sys.exit(main())", "mailbox"]
    options = ["--port", "0", "--web-port", "0", "--dir", str(tmp_path), "--json"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = "".join(iter(process.stdout.readline, "}\n")) + "}"
        where = json.loads(said)
        with smtplib.SMTP("127.0.0.1", where["port"], local_hostname="news.example") as smtp:
            smtp.sendmail("a@news.example", ["anna@example.org"], "Subject: Rivers\r\n\r\nText\r\n")
        assert "Rivers" in httpx.get(where["url"]).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    [mail] = FolderBox(tmp_path).listed()
    assert mail.recipients == ("anna@example.org",)
