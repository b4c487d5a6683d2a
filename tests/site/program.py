"""The program as its users have it: a site folder, the command line, and the mails that came."""

from __future__ import annotations

import contextlib
import email
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import time_machine

from newsletter.cli.main import main
from newsletter.mailbox.server import MailboxServer
from tests.made import put_made

CONFIG = """\
[publication]
name = "The Example Brief"
base_url = "http://127.0.0.1:{web_port}"
from = "The Example Brief <brief@news.example.org>"
reply_to = "editors@example.org"
bounce_address = "bounces@bounce.example.org"
language = "en"
timezone = "Europe/London"
postal_address = "1 Example Street, London"

[store]
url = "{store}"

[[relays]]
name = "main"
url = "smtp://127.0.0.1:{smtp_port}"

[collect]
user_agent_contact = "https://example.org/feeds"
allow_private_hosts = ["127.0.0.1"]

[lists.brief]
title = "The Brief"

[digests.daily]
list = "brief"
subject = "{{{{ lead.headline }}}}"
{digest}
{more}
"""

FEED = """\
url = {url}
partner = {partner}
kind = "Analysis"
topics = ["Seas and Ports"]
{more}

[rights]
reuse = "{reuse}"
credit = "Republished with permission from {{partner}}."
{rights}
"""


_STORE = "sqlite:///var/newsletter.db"


def feed_file(
    url: str, *, partner: str = "The Harbour Institute", reuse: str = "full", more: str = "", rights: str = ""
) -> str:
    """A feed's settings; `more` are further lines of its own, `rights` of its rights."""
    return FEED.format(url=json.dumps(url), partner=json.dumps(partner), reuse=reuse, more=more, rights=rights)


@dataclass(slots=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Page:
    """What a web server answered."""

    status: int
    headers: Message
    text: str


def command(*arguments: str) -> Answer:
    """Run `newsletter` with these arguments in this process."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(arguments))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    assert isinstance(out.buffer, io.BytesIO)
    return Answer(code, out.buffer.getvalue().decode(), err.getvalue())


@dataclass(slots=True)
class Program:
    """One site and the command line over it."""

    folder: Path
    mailbox: MailboxServer
    web_port: int
    store: str = _STORE
    now: datetime | None = None
    """When the next command in this process thinks it is, each 20 s after the last; None is really now."""

    @property
    def base_url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.web_port}"

    def configure(self, digest: str = "", *, more: str = "", **feeds: str) -> None:
        """Write config.toml with these lines in the digest and more behind it, and a file for each feed."""
        feeds = {name.replace("_", "-"): text for name, text in feeds.items()}
        if "sections" not in digest:
            digest = f"feeds = {json.dumps(list(feeds))}\n{digest}"
        (self.folder / "feeds").mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(
            web_port=self.web_port, store=self.store, smtp_port=self.mailbox.port, digest=digest, more=more
        )
        (self.folder / "config.toml").write_text(config, encoding="utf-8")
        if self.store == _STORE and not (database := self.folder / "var" / "newsletter.db").exists():
            put_made(database)
        for name, text in feeds.items():
            (self.folder / "feeds" / f"{name}.toml").write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> Answer:
        """Run a command in this process."""
        with contextlib.nullcontext() if self.now is None else time_machine.travel(self.now, tick=True):
            answer = command("--site", str(self.folder), *arguments)
        if self.now is not None:
            self.now += timedelta(seconds=20)
        return answer

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command answers as JSON; it must leave with `code`."""
        answer = self.run(*arguments, "--json")
        assert answer.code == code, f"{answer.code} instead of {code}: {answer.err[-1000:]}"
        return answer.json

    @contextlib.contextmanager
    def process(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
        """A command as a process of its own, killed if it is still there at the end."""
        with subprocess.Popen(
            [sys.executable, "-m", "newsletter", "--site", str(self.folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"NEWSLETTER_LOG_LEVEL": "info"} | dict(environment or {}),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextlib.contextmanager
    def web(self) -> Iterator[None]:
        """The pages, served by a process of their own."""
        with self.process("web") as process:
            log = Log(process)
            log.wait_for("clock started")
            yield
            process.terminate()
            assert process.wait(timeout=30) == 0

    def subscribe(self, *addresses: str) -> None:
        """Put people on the list who consented elsewhere."""
        path = self.folder / "people.csv"
        path.write_text("address\n" + "\n".join(addresses) + "\n", encoding="utf-8")
        self.json("subscribers", "import", str(path), "--confirmed", "--source", "a test", "--list", "brief")

    def mails(self, address: str | None = None) -> list[EmailMessage]:
        """The mails that came (for one address), oldest first."""
        found = [
            self.mailbox.box.content(mail.id)
            for mail in reversed(self.mailbox.box.listed())
            if address is None or address in mail.recipients
        ]
        return [email.message_from_bytes(content, policy=default) for content in found]


class Log:
    """What a process writes, on standard error unless told, read as it comes so that it never has to wait for us."""

    def __init__(self, process: subprocess.Popen[str], stream: IO[str] | None = None) -> None:
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(stream or process.stderr,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        # One that was killed may have another beside it, which writes a moment longer than anybody reads.
        with contextlib.suppress(ValueError):
            self.lines.extend(stream)

    def has(self, words: str) -> bool:
        return any(words in line for line in tuple(self.lines))

    def wait_for(self, words: str) -> None:
        """Return when a line has these words; fail, showing what there was, if none comes or the process ended."""
        with contextlib.suppress(AssertionError):
            until(lambda: self.has(words) or not self._reader.is_alive())
        assert self.has(words), "".join(self.lines[-20:])


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def asked(url: str, form: bytes | None = None) -> Page:
    """The answer to a GET, or to a POST where there is a form; redirects are not followed."""
    where = urlsplit(url)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    with contextlib.closing(HTTPConnection(where.hostname or "", where.port, timeout=30)) as connection:
        connection.request("GET" if form is None else "POST", where.path, form, headers)
        with connection.getresponse() as answer:
            return Page(answer.status, answer.headers, answer.read().decode())


def part(mail: EmailMessage, subtype: str) -> str:
    """A mail's text or HTML."""
    body = mail.get_body((subtype,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content
