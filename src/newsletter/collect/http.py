"""Asking web servers, politely and warily: the only place that opens a connection for a feed."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit, urlunsplit
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from newsletter import __version__
from newsletter.collect.decode import ACCEPTED, CodingError, Decoder
from newsletter.collect.guard import is_allowed, refusal_of
from newsletter.collect.headers import validators_of
from newsletter.errors import AddressGuardError, FetchError
from newsletter.model.feed import Validators
from newsletter.model.settings import Collect

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAME_AGAIN = frozenset({307, 308})
_WITH_BODY = frozenset({200, 203})
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, text/xml;q=0.8, text/html;q=0.5, */*;q=0.1"
)
_PIECE = 64 * 1024
# An address with nothing in it that could be spelt otherwise.
_PLAIN = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?"
    r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)?(?:\?[A-Za-z0-9._~=&-]+)?"
)
# Names are looked up by threads of their own: a dead name server must not keep the store's threads busy.
_LOOKUPS = 8
_host: ContextVar[str] = ContextVar("host")


@dataclass(slots=True, kw_only=True)  # made for each feed that is asked: frozen ones take three times as long
class Fetched:
    """A server's answer. `url` is where it came from after redirects, `validators` are to be echoed next time.

    `body` is decoded, and empty unless `status` is 200. Statuses of refusal are answers too, not errors.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    validators: Validators = field(default_factory=Validators)
    moved_to: str | None = None
    """Where an unbroken chain of permanent redirects led, if there was one."""
    link: str = ""
    """All its Link headers' values as one."""
    compared: bool = False
    """The request asked whether something changed: validators went with it."""
    leads_to: str | None = None
    """Where a redirect leads that was not to be followed."""

    @property
    def content_type(self) -> str:
        """The Content-Type header's value, or ""."""
        return self.headers.get("Content-Type", "")


class Fetcher:
    """One session for all feeds: `async with Fetcher(settings.collect) as fetcher`."""

    def __init__(self, collect: Collect, *, tls: ssl.SSLContext | None = None) -> None:
        self._collect = collect
        # aiohttp has one context that trusts whom the system trusts; another would be a megabyte.
        self._tls = tls or True
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        contact = self._collect.user_agent_contact
        agent = f"newsletter/{__version__}" + (f" (+{contact})" if contact else "")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls,
                limit=max(self._collect.concurrency, 1),
                limit_per_host=1,
                resolver=_Resolver(self._lookups),
                socket_factory=self._socket,
                # Feeds live on hosts of their own: idle connections would only pile up.
                force_close=True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": agent, "Accept": _ACCEPT, "Accept-Encoding": ACCEPTED},
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def get(
        self,
        url: str,
        validators: Validators | None = None,
        *,
        feed: str = "",
        method: str = "GET",
        follow: bool = True,
    ) -> Fetched:
        """The answer for a URL. FetchError, about `feed`, if there is none or it must not be had.

        A host is asked one thing at a time; the deadline counts from when it is this request's turn. Redirects are
        followed, unless whoever asks wants to look at where they lead (`follow`; then `check_hop` is theirs to call).
        """
        label = feed or _shown(url)
        return await self._in_turn(
            url, label, partial(self._follow, url, validators or Validators(), label, method, follow=follow)
        )

    async def post(self, url: str, form: Mapping[str, str], *, feed: str) -> Fetched:
        """The answer to a form that is sent to a URL; 307 and 308 are followed with the same form (RFC 9110 15.4.8).

        FetchError as with `get`. The answer's body is not read.
        """
        return await self._in_turn(url, feed, partial(self._sent, url, form, feed))

    async def _in_turn(self, url: str, label: str, ask: Callable[[], Awaitable[Fetched]]) -> Fetched:
        host = urlsplit(url).netloc.rpartition("@")[2].lower()
        turn = self._turns.setdefault(host, asyncio.Lock())
        async with turn:
            try:
                async with asyncio.timeout(self._collect.timeout.total_seconds()):
                    return await ask()
            except TimeoutError as exc:
                seconds = round(self._collect.timeout.total_seconds())
                raise FetchError(label, f"no complete answer within {seconds} s from {_shown(url)}") from exc
            except AddressGuardError as exc:
                raise AddressGuardError(label, exc.because) from exc
            except CodingError as exc:
                raise FetchError(label, str(exc)) from exc
            except (aiohttp.ClientError, OSError, ValueError) as exc:
                raise FetchError(label, _reason(exc, url)) from exc

    async def _follow(self, url: str, validators: Validators, label: str, method: str, *, follow: bool) -> Fetched:
        seen: list[str] = []
        permanent = True
        giver = validators.origin or _origin(url)
        while True:
            check_hop(url, seen, label)
            seen.append(url)
            # What one server gave tells another who asks, and nothing else.
            answer = await self._ask(url, validators if _origin(url) == giver else Validators(), label, method)
            if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                return replace(answer, moved_to=answer.url) if permanent and len(seen) > 1 else answer
            permanent = permanent and answer.status in {301, 308}
            url = _next(url, answer.headers["Location"])
            if not follow:
                return replace(answer, leads_to=url)

    async def _ask(self, url: str, validators: Validators, label: str, method: str) -> Fetched:
        assert self._session is not None, "a Fetcher is used inside `async with`"
        _host.set(urlsplit(url).hostname or "")
        known = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
        conditions = {name: value for name, value in known.items() if value is not None}
        address = spelt(url)
        async with self._session.request(method, address, headers=conditions, allow_redirects=False) as response:
            has_body = response.status in _WITH_BODY and method != "HEAD"
            body = await self._body(response, label) if has_body else b""
            return Fetched(
                status=response.status,
                url=_bare(url),
                headers=response.headers,
                body=body,
                validators=validators_of(response.headers, origin=_origin(url)),
                link=", ".join(response.headers.getall("Link", ())),
                compared=bool(conditions),
            )

    async def _sent(self, url: str, form: Mapping[str, str], label: str) -> Fetched:
        assert self._session is not None, "a Fetcher is used inside `async with`"
        seen: list[str] = []
        while True:
            check_hop(url, seen, label)
            seen.append(url)
            _host.set(urlsplit(url).hostname or "")
            async with self._session.post(url, data=form, allow_redirects=False) as response:
                if response.status not in _SAME_AGAIN or "Location" not in response.headers:
                    return Fetched(status=response.status, url=_bare(url), headers=response.headers)
                url = _next(url, response.headers["Location"])

    async def _body(self, response: aiohttp.ClientResponse, label: str) -> bytes:
        cap = self._collect.max_body_bytes
        if (response.content_length or 0) > cap:
            raise FetchError(label, f"the body is larger than {cap} bytes", status=response.status)
        decoder = Decoder(response.headers.get("Content-Encoding", ""), cap=cap)
        async for piece in response.content.iter_chunked(_PIECE):
            decoder.feed(piece)
        return decoder.content()

    def _socket(self, dialled: tuple[Any, ...]) -> socket.socket:
        """A socket for the address that is about to be dialled, if it may be."""
        family, kind, proto, _, address = dialled
        host = _host.get("")
        refused = None if is_allowed(host, self._collect.allow_private_hosts) else refusal_of(address[0])
        if refused:
            raise AddressGuardError(host, f"{refused} (collect.allow_private_hosts could allow this host)")
        return socket.socket(family=family, type=kind, proto=proto)


class _Resolver(AbstractResolver):
    """Looks names up with the system's resolver, in given threads."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing to close: the threads are their owner's."""


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
    return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


def spelt(url: str) -> URL:
    """A URL as it goes over the wire, which most are already: to spell one anew takes longer than to send it."""
    return URL(url, encoded=_PLAIN.fullmatch(url) is not None)


def check_hop(url: str, seen: list[str], label: str) -> None:
    """FetchError if an address must not be asked, after those to which redirects have led so far."""
    if url in seen:
        raise FetchError(label, f"redirects in a circle at {_shown(url)}")
    if len(seen) > MOST_REDIRECTS:
        raise FetchError(label, f"redirects more than {MOST_REDIRECTS} times")
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    if scheme not in {"http", "https"} or not host:
        raise FetchError(label, f"only http and https addresses are asked, not {_shown(url)}")
    if seen and urlsplit(seen[-1]).scheme == "https" and scheme == "http":
        raise FetchError(label, f"redirects from https to plain http at {_shown(url)}")


def _next(url: str, location: str) -> str:
    """Where a redirect leads. A user name and password go on only to the very server they were meant for."""
    target = urlsplit(urljoin(_bare(url), location.strip()))
    here = urlsplit(url)
    netloc = target.netloc.rpartition("@")[2]
    if here.username and (target.scheme, netloc) == (here.scheme, here.netloc.rpartition("@")[2]):
        netloc = here.netloc
    return urlunsplit((target.scheme, netloc, target.path, target.query, ""))


def _bare(url: str) -> str:
    """A URL without user name and password."""
    if "@" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _shown(url: str) -> str:
    """A URL fit for a message: without what may be secret in it."""
    return urlunsplit(urlsplit(_bare(url))._replace(query="", fragment=""))[:200]


def _origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _reason(exc: Exception, url: str) -> str:
    """A network failure in words, without the password a URL may hold."""
    host = urlsplit(_bare(url)).hostname
    plain: tuple[tuple[type[Exception], str], ...] = (
        (aiohttp.ClientConnectorCertificateError, f"the certificate of {host} is not valid for it"),
        (aiohttp.ClientConnectorDNSError, f"the name {host} cannot be found"),
        (aiohttp.ClientSSLError, f"TLS with {host} failed"),
        (aiohttp.ClientConnectorError, f"no connection to {host}"),
        (aiohttp.ServerDisconnectedError, f"{host} closed the connection without an answer"),
        (aiohttp.ClientPayloadError, f"{host} broke off in the middle of the body"),
        (aiohttp.InvalidURL, "the address cannot be used"),
    )
    words = next((said for kind, said in plain if isinstance(exc, kind)), f"asking {host} failed")
    detail = exc.strerror if isinstance(exc, OSError) and exc.strerror else type(exc).__name__
    return f"{words} ({detail})"
