"""Every route, asked in every wrong way there is: nothing breaks it, and no answer lacks what keeps browsers safe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from newsletter.app import App
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import Newcomer
from newsletter.readers.tokens import Purpose
from newsletter.web.public import public_app
from newsletter.web.views import Views
from tests.web.hubs import SUBSCRIPTION

# What a server can hand on: any characters in a path, any bytes in a header, any method at all.
ANYTHING = st.text(max_size=30)
BYTES = st.binary(max_size=60)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", ""])
NUMBERS = st.one_of(st.integers(-3, 3).map(str), st.integers(0, 10**30).map(str), st.just("1٣"), ANYTHING)
NAMES = st.one_of(st.just("brief"), st.just("weekend"), ANYTHING)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([
            b"host", b"origin", b"sec-fetch-site", b"accept-language", b"accept-encoding", b"content-type",
            b"content-length", b"if-none-match", b"if-modified-since", b"cookie", b"referer", b"x-forwarded-for", b"range",
            b"transfer-encoding", b"expect", b"user-agent", b"x\xff",
        ]),
        st.one_of(
            BYTES,
            st.sampled_from([
                b"", b"127.0.0.1:8080", b"[", b"[::1", b"example.org", b"null", b"cross-site", b"same-origin", b"*",
                b"http://[", b"99999999999999999999", b"-1", b"application/x-www-form-urlencoded",
                b"application/x-www-form-urlencoded; charset=utf-7", b"multipart/form-data",
                b"multipart/form-data; boundary=x", b"multipart/form-data; boundary=x; charset=no-such", b"text/plain",
                b"gzip;q=", b"de;q=9, \xff", b"a," * 20_000, b"Thu, 99 Foo 2026 25:61:61 GMT", b'"' * 5_000,
            ]),
        ),
    ),
    max_size=4,
)  # fmt: skip
BODIES = st.one_of(
    BYTES,
    st.sampled_from([
        b"address=ann%40example.org", b"address=%ff%00%0d%0a&list=brief", b"list=" + b"x" * 70_000, b"&".join([b"a=b"] * 50),
        b'--x\r\nContent-Disposition: form-data; name="list"\r\n\r\nbrief\r\n--x--\r\n', b"--x\r\nbroken",
        b'--x\r\nContent-Disposition: form-data; name="address"; filename="\xff"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: \xff\xfe; name\r\n\r\n\r\n--x--", b"address[]=1&address=2&__proto__=3", b"%",
    ]),
)  # fmt: skip
QUERIES = st.one_of(BYTES, st.sampled_from([b"lang=ar", b"lang=%ff", b"page=1", b"page=-1", b"page=%D9%A1", b"lang=de&lang=fr", b"hub.mode=subscribe&hub.topic=%ff&hub.challenge=<b>"]))  # fmt: skip


@pytest.fixture
def tokens(app: App) -> dict[str, str]:
    """A good token for each kind of link, by the first letter of its path; and an edition that can be read."""
    app.subscribers.add(
        [Newcomer(address="ann@example.org", lists=("brief",))],
        confirmed=True,
        source="t",
        text="",
        now=app.clock.now(),
    )
    edition = asyncio.run(app.compose("daily")).edition_id
    assert edition is not None
    app.decide(edition, EditionState.APPROVED)
    (subscription,) = app.subscribers.person("ann@example.org").subscriptions
    app.hubs.add(SUBSCRIPTION)
    return {"websub": SUBSCRIPTION.token.reveal()} | {
        purpose[0]: app.tokens.make(purpose, subscription.id) for purpose in Purpose
    }


MORE = st.just(()) | st.tuples(ANYTHING)
TOKENS = st.one_of(st.just("TOKEN"), ANYTHING, st.just("a" * 29))
EXTENSIONS = st.sampled_from([".atom", ".rss", ".json", ".", "", ".x"])


def below(first: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """Paths of these parts, with or without one too many."""
    return st.builds(lambda known, more: (first, *known, *more), st.tuples(*parts), MORE)


PATHS = st.one_of(
    *(below(kind, TOKENS) for kind in ("u", "c", "p")),
    below("p", st.just("TOKEN"), st.sampled_from(["data", "erase"])),
    *(below(kind, st.sampled_from(["daily", "none"]) | ANYTHING, ANYTHING | st.just("a" * 26)) for kind in ("l", "o")),
    below("lists", NAMES),
    below("lists", NAMES, st.just("subscribe")),
    below("archive"),
    below("archive", NAMES, NUMBERS),
    below("feeds", st.builds(str.__add__, NAMES, EXTENSIONS)),
    below("websub", ANYTHING),
    below("healthz"),
    st.lists(ANYTHING, max_size=3).map(tuple),
)
"""The parts of a path; `TOKEN` stands for a good one."""


async def ask(app: ASGIApp, scope: dict[str, Any], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request as a server would hand it on, its body in two pieces."""
    pieces = [body[: len(body) // 2], body[len(body) // 2 :]]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert [message["type"] for message in sent][:1] == ["http.response.start"]
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def scope_of(method: str, path: str, query: bytes, headers: Sequence[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method, "path": path,
        "raw_path": path.encode("utf-8", "replace"), "root_path": "", "query_string": query, "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080), "headers": [(b"host", b"127.0.0.1:8080"), *headers] if not any(name == b"host" for name, _ in headers) else list(headers),
    }  # fmt: skip


def test_no_request_breaks_a_page(app: App, tokens: dict[str, str]) -> None:
    public = public_app(app, Views(app.settings.publication))

    @settings(
        max_examples=250,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(method=METHODS, parts=PATHS, query=QUERIES, headers=HEADERS, body=BODIES)
    def whatever_is_asked(
        method: str, parts: tuple[str, ...], query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        path = "/" + "/".join(tokens[parts[0]] if part == "TOKEN" else part for part in parts)

        status, answered, text = asyncio.run(ask(public, scope_of(method, path, query, headers), body))

        assert 200 <= status < 500
        assert b"Traceback" not in text
        assert b"set-cookie" not in answered
        if answered.get(b"content-type", b"").startswith((b"text/html", b"application/")) and path != "/healthz":
            assert answered[b"content-security-policy"].startswith(b"default-src 'none'")
            assert answered[b"x-content-type-options"] == b"nosniff"

    whatever_is_asked()
