"""A WebSub hub on loopback: keeps what it was asked, asks back, and pushes when a test says so."""

from __future__ import annotations

import hmac
import secrets
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

from tests.loopback import Loopback, Quiet


class Hub(Loopback):
    """`with Hub() as hub: …`; `confirmed` are the modes that were confirmed, in their order."""

    def __init__(self) -> None:
        self.confirmed: list[str] = []
        self.callback = ""
        self._secret = ""
        hub = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.send_response(202)
                self.end_headers()
                self.wfile.flush()
                hub.ask_back(form)

        super().__init__(Handler)

    def ask_back(self, form: dict[str, str]) -> None:
        """Ask whether it is meant, as section 5.3 has it."""
        challenge = secrets.token_hex(16)
        question = {"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.challenge": challenge}
        question |= {"hub.lease_seconds": form.get("hub.lease_seconds", "")}
        with urlopen(f"{form['hub.callback']}?{urlencode(question)}", timeout=30) as answer:
            if answer.read().decode() == challenge:
                self.callback, self._secret = form["hub.callback"], form.get("hub.secret", self._secret)
                self.confirmed.append(form["hub.mode"])

    def push(self, content: bytes) -> int:
        """Push a document; returns the status of the answer."""
        signature = hmac.new(self._secret.encode(), content, "sha256").hexdigest()
        headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"sha256={signature}"}
        with urlopen(Request(self.callback, content, headers), timeout=30) as answer:
            status: int = answer.status
            return status
