"""Every route, asked in every wrong way there is: nothing breaks it, and no answer lacks what keeps browsers safe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

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

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A request but for its path."""

    method: str = "GET"
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def mostly(usual: T, odd: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """`usual` two times of three: what is wrong in every respect does not get far."""
    return st.one_of(st.just(usual), st.just(usual), odd)


# What a server can hand on: any characters in a path, any bytes in a header, any method at all.
ANYTHING = st.text(max_size=30)
BYTES = st.binary(max_size=60)
METHODS = st.sampled_from(
    [*["GET", "POST"] * 5, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", ""]
)
HEADERS: st.SearchStrategy[list[tuple[bytes, bytes]]] = mostly([], st.lists(
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
))  # fmt: skip
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


REQUESTS = st.builds(Request, method=METHODS, query=QUERIES, headers=HEADERS, body=BODIES)
NAMES = st.just("weekend") | ANYTHING
NUMBERS = st.integers(-3, 10**30).map(str) | st.just("1٣") | ANYTHING
TOKENS = ANYTHING | st.just("a" * 29)
FEEDS = st.builds(str.__add__, NAMES, st.sampled_from([".atom", ".rss", ".json", ".", "", ".x"]))
ROUTES: dict[tuple[str, ...], tuple[st.SearchStrategy[str], ...]] = {
    # First, while nobody has left by another.
    ("c", "TOKEN"): (TOKENS,),
    ("u", "TOKEN"): (TOKENS,),
    ("p", "TOKEN"): (TOKENS,),
    ("p", "TOKEN", "data"): (TOKENS, ANYTHING),
    ("p", "TOKEN", "erase"): (TOKENS, ANYTHING),
    ("lists", "brief"): (NAMES,),
    ("lists", "brief", "subscribe"): (NAMES, ANYTHING),
    ("archive",): (),
    ("archive", "brief"): (NAMES,),
    ("archive", "brief", "1"): (NAMES, NUMBERS),
    ("feeds", "brief.atom"): (FEEDS,),
    ("feeds", "brief.json"): (FEEDS,),
    ("l", "daily", "a" * 26): (NAMES, TOKENS),
    ("o", "daily", "a" * 26): (NAMES, TOKENS),
    ("websub", "a" * 29): (TOKENS,),
    ("healthz",): (),
    ("nowhere", "x", "y"): (ANYTHING, ANYTHING),
}
"""Each route as it is meant, `TOKEN` standing for a good one, and what may stand in its places instead."""


def paths(usual: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """Paths of a route: mostly as they are meant, sometimes with one part too many."""
    places = (mostly(part, odd) for part, odd in zip(usual[1:], ROUTES[usual], strict=True))
    more: st.SearchStrategy[tuple[str, ...]] = mostly((), st.tuples(ANYTHING))
    return st.builds(lambda known, beyond: (usual[0], *known, *beyond), st.tuples(*places), more)


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

    met: set[tuple[tuple[str, ...], int]] = set()

    def asked(parts: tuple[str, ...], request: Request) -> None:
        path = "/" + "/".join(tokens[parts[0]] if part == "TOKEN" else part for part in parts)
        scope = scope_of(request.method, path, request.query, request.headers)
        status, answered, text = asyncio.run(ask(public, scope, request.body))
        assert 200 <= status < 500, path
        assert b"Traceback" not in text
        assert b"set-cookie" not in answered
        assert answered[b"content-security-policy"].startswith(b"default-src 'none'")
        assert answered[b"x-content-type-options"] == b"nosniff"
        met.add((parts[:1], status))

    for usual in ROUTES:
        known = usual[0] not in {"l", "o", "websub", "nowhere"}
        method = "POST" if usual[-1] == "subscribe" else "GET"
        asked(usual, Request(method=method))
        assert ((usual[:1], 200) in met) is known, "what is meant is answered"
        settled = settings(
            max_examples=20,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )
        settled(given(parts=paths(usual), request=REQUESTS)(asked))()
