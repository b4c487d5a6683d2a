"""How long after a hub's push its new item is accepted: with one process, and with clock and pages in two.

Run: `python bench/push.py [PUSHES]`, 20 in each set-up unless told. The hub is in this process, and so is who looks
into the store, every hundredth of a second. Counted from before the push is sent; "answered" is when it was taken.
"""

from __future__ import annotations

import hmac
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

import _partners as partners

from newsletter.store.engine import Store
from newsletter.store.items import Items

PUSHES = 20
PATIENCE_SECONDS = 60
CONFIG = """
[publication]
name = "The Bench Brief"
base_url = "http://127.0.0.1:{web}"
from = "The Bench Brief <brief@bench.example>"
bounce_address = "bounces@bench.example"
language = "en"
timezone = "UTC"
postal_address = "1 Bench Street"
[[relays]]
name = "bench"
url = "smtp://127.0.0.1:1"
[collect]
allow_private_hosts = ["127.0.0.1"]
websub = true
[lists.brief]
title = "The Brief"
"""
SETUPS = {"one process": ("all",), "two processes": ("web", "clock")}


class Partner(BaseHTTPRequestHandler):
    """A feed that announces a hub, and the hub; `form` is what it was asked."""

    form: dict[str, str]
    confirmed = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Link", '</hub>; rel="hub", </feed>; rel="self"')
        self.end_headers()
        self.wfile.write(partners.document(range(partners.WINDOW)))

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.send_response(202)
        self.end_headers()
        self.wfile.flush()
        question = {name: form[name] for name in ("hub.mode", "hub.topic", "hub.lease_seconds")}
        urlopen(f"{form['hub.callback']}?{urlencode(question | {'hub.challenge': 'c'})}").close()
        Partner.form = form
        self.confirmed.set()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def site(folder: Path) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Partner) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            web = free.getsockname()[1]
        (folder / "feeds").mkdir()
        (folder / "config.toml").write_text(CONFIG.format(web=web))
        url = json.dumps(f"http://127.0.0.1:{server.server_address[1]}/feed")
        (folder / "feeds" / "strait.toml").write_text(f'url = {url}\npartner = "The Strait Review"\n')
        yield
        server.shutdown()


def pushed(number: int, items: Items) -> tuple[float, float]:
    """Push a document with one new item; seconds until that was answered, and until the item was accepted."""
    before = len(items.listed(limit=1000))
    content = partners.document(range(number, number - 3, -1))
    signature = "sha256=" + hmac.new(Partner.form["hub.secret"].encode(), content, "sha256").hexdigest()
    began = time.monotonic()
    urlopen(Request(Partner.form["hub.callback"], content, {"X-Hub-Signature": signature})).close()
    answered = time.monotonic() - began
    while len(items.listed(limit=1000)) == before:
        assert time.monotonic() - began < PATIENCE_SECONDS, "waited in vain"
        time.sleep(0.01)
    return answered, time.monotonic() - began


def measured(roles: tuple[str, ...], pushes: int) -> list[tuple[float, float]]:
    Partner.confirmed.clear()
    with tempfile.TemporaryDirectory() as name, site(folder := Path(name)), ExitStack() as running:
        for role in roles:
            command = [sys.executable, "-m", "newsletter", "--site", name, "run", "--role", role]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(process.wait)
            running.callback(process.terminate)
        assert Partner.confirmed.wait(PATIENCE_SECONDS), "the hub was not asked"
        with Store.open("sqlite:///var/newsletter.db", site_dir=folder) as store:
            items = Items(store)
            pushed(partners.WINDOW, items)  # the first one loads what reads documents
            return [pushed(partners.WINDOW + 1 + at, items) for at in range(pushes)]


def main() -> None:
    pushes = int(sys.argv[1]) if len(sys.argv) > 1 else PUSHES
    for name, roles in SETUPS.items():
        answered, accepted = zip(*measured(roles, pushes), strict=True)
        print(f"{name:>14}: answered after {median(answered):6.3f} s, accepted after {median(accepted):6.3f} s, "
              f"at the latest {max(accepted):6.3f} s")  # fmt: skip


if __name__ == "__main__":
    main()
