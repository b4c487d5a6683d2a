import asyncio
import gzip
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import assume, given
from hypothesis import strategies as st
from yarl import URL

from newsletter.collect.http import Fetched, spelt
from newsletter.errors import AddressGuardError, FetchError
from newsletter.model.feed import Validators
from tests.collect.server import Server, a_fetcher, a_server, with_server
from tests.collect.tls import self_signed, server_context


async def _get(server: Server, path: str = "/feed", validators: Validators | None = None, **settings: Any) -> Fetched:
    async with a_fetcher(**settings) as fetcher:
        return await fetcher.get(server.url(path), validators, feed="courier")


async def _refused(server: Server, path: str = "/feed", **settings: Any) -> FetchError:
    with pytest.raises(FetchError) as refused:
        await _get(server, path, **settings)
    return refused.value


def _redirect(server: Server, path: str, location: str, status: int = 302) -> None:
    server.serve(path, status=status, headers={"Location": location})


@with_server
async def test_a_first_request_asks_for_the_feed_and_tells_who_asks(server: Server) -> None:
    server.serve(body=b"<rss/>", headers={"ETag": '"1"'})
    answer = await _get(server)
    assert (answer.status, answer.body, answer.validators) == (200, b"<rss/>", Validators(etag='"1"'))
    headers = server.asked[0].headers
    assert headers["User-Agent"].startswith("newsletter/")
    assert headers["User-Agent"].endswith(" (+https://example.org/feeds)")
    assert headers["Accept-Encoding"] == "gzip, br, zstd"
    assert {"application/rss+xml", "application/atom+xml", "application/feed+json"} <= set(
        headers["Accept"].split(", ")
    )
    for absent in ("Cookie", "Referer", "If-None-Match", "If-Modified-Since", "Authorization", "Accept-Language"):
        assert absent not in headers


@with_server
async def test_validators_go_back_byte_for_byte(server: Server) -> None:
    odd = Validators(etag='W/"ü, odd "', last_modified="Wednesday, 04-Mar-26 10:00:00 GMT+1")
    server.serve(status=304)
    answer = await _get(server, validators=odd)
    headers = server.asked[0].headers
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == (odd.etag, odd.last_modified)
    assert (answer.status, answer.body) == (304, b"")


@with_server
async def test_cookies_are_not_kept(server: Server) -> None:
    server.serve(headers={"Set-Cookie": "a=b"})
    async with a_fetcher() as fetcher:
        await fetcher.get(server.url())
        await fetcher.get(server.url())
    assert "Cookie" not in server.asked[1].headers


@with_server
async def test_a_refusal_is_an_answer_and_its_body_is_not_read(server: Server) -> None:
    server.serve(body=b"x" * 100_000, status=503, headers={"Retry-After": "60"})
    answer = await _get(server)
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (503, b"", "60")


@with_server
async def test_redirects_are_followed_and_permanent_ones_remembered(server: Server) -> None:
    _redirect(server, "/feed", "/moved", 301)
    _redirect(server, "/moved", server.url("/here"), 308)
    server.serve("/here", b"<rss/>")
    answer = await _get(server)
    assert (answer.url, answer.moved_to, answer.body) == (server.url("/here"), server.url("/here"), b"<rss/>")


@with_server
async def test_a_chain_with_a_temporary_link_is_not_permanent(server: Server) -> None:
    _redirect(server, "/feed", "/moved", 301)
    _redirect(server, "/moved", "/here", 307)
    server.serve("/here", b"<rss/>")
    assert (await _get(server)).moved_to is None


@with_server
async def test_a_circle_of_redirects_ends(server: Server) -> None:
    _redirect(server, "/feed", "/other")
    _redirect(server, "/other", "/feed")
    assert "in a circle" in (await _refused(server)).because


@with_server
async def test_no_more_than_five_redirects_are_followed(server: Server) -> None:
    for at in range(7):
        _redirect(server, f"/{at}", f"/{at + 1}")
    assert "more than 5 times" in (await _refused(server, "/0")).because
    assert len(server.asked) == 6


@with_server
async def test_a_redirect_into_the_local_network_is_refused_before_it_is_dialled(server: Server) -> None:
    for host in ("127.0.0.2", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254"):
        _redirect(server, "/feed", server.url("/secret", host=host))
        refused = await _refused(server, timeout=timedelta(seconds=60))
        assert isinstance(refused, AddressGuardError), host
        assert "not a public address" in refused.because
        assert refused.feed == "courier"
    assert "/secret" not in server.paths


@with_server
async def test_an_address_that_is_not_allowed_is_refused_as_it_stands(server: Server) -> None:
    refused = await _refused(server, allow_private_hosts=())
    assert isinstance(refused, AddressGuardError)
    assert server.asked == []


@with_server
async def test_only_web_addresses_are_followed(server: Server) -> None:
    for location in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"):
        _redirect(server, "/feed", location)
        assert "only http and https" in (await _refused(server)).because


@with_server
async def test_a_password_stays_with_the_server_it_was_meant_for(server: Server) -> None:
    _redirect(server, "/feed", server.url("/same"))
    _redirect(server, "/same", server.url("/other", host="127.0.0.3"))
    server.serve("/other", b"<rss/>")
    async with a_fetcher(allow_private_hosts=("127.0.0.0/8",)) as fetcher:
        answer = await fetcher.get(server.url().replace("//", "//reader:secret@"))
    assert ["Authorization" in request.headers for request in server.asked] == [True, True, False]
    assert "secret" not in answer.url


@with_server
async def test_no_message_tells_a_password_or_a_query(server: Server) -> None:
    _redirect(server, "/feed", "/feed")
    async with a_fetcher() as fetcher:
        with pytest.raises(FetchError) as refused:
            await fetcher.get(server.url("/feed?key=hidden").replace("//", "//reader:secret@"), feed="courier")
    assert "secret" not in str(refused.value)
    assert "hidden" not in str(refused.value)


@with_server
async def test_a_body_over_the_cap_is_refused_whether_it_says_so_or_not(server: Server) -> None:
    server.serve(body=b"x" * 2000)
    assert "larger than 1000 bytes" in (await _refused(server, max_body_bytes=1000)).because

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(20):
            await response.write(b"x" * 100)
        return response

    server.pages["/feed"] = drip
    assert "larger than 1000 bytes" in (await _refused(server, max_body_bytes=1000)).because


@with_server
async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(server: Server) -> None:
    server.serve(body=gzip.compress(bytes(5_000_000)), headers={"Content-Encoding": "gzip"})
    assert "larger than 100000 bytes" in (await _refused(server, max_body_bytes=100_000)).because


@with_server
async def test_a_body_that_never_ends_meets_the_deadline(server: Server) -> None:
    stopped = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while not stopped.is_set():
                await response.write(b"x")
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        return response

    server.pages["/feed"] = drip
    refused = await _refused(server, timeout=timedelta(seconds=0.3))
    stopped.set()
    assert "no complete answer" in refused.because


@with_server
async def test_a_body_that_breaks_off_is_no_body(server: Server) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<rss>")
        assert request.transport is not None
        request.transport.close()
        return response

    server.pages["/feed"] = cut
    assert "broke off" in (await _refused(server)).because


@with_server
async def test_a_host_is_asked_one_thing_at_a_time(server: Server) -> None:
    at_once = most = 0

    async def counting(_: web.Request) -> web.StreamResponse:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return web.Response()

    for name in "abcd":
        server.pages[f"/{name}"] = counting
    async with a_fetcher() as fetcher:
        await asyncio.gather(*(fetcher.get(server.url(f"/{name}")) for name in "abcd"))
    assert most == 1


def test_a_certificate_that_nobody_vouches_for_is_refused_and_https_never_becomes_http(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)

    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=301, headers={"Location": "http://127.0.0.1/feed"})

    async def refused(tls: ssl.SSLContext | None) -> str:
        async with a_server(tls=server_context(certificate)) as server, a_fetcher(tls=tls) as fetcher:
            server.pages["/feed"] = redirect
            with pytest.raises(FetchError) as error:
                await fetcher.get(server.url().replace("http:", "https:"))
        return error.value.because

    assert "certificate of 127.0.0.1 is not valid" in asyncio.run(refused(None))
    trusting = ssl.create_default_context(cafile=str(certificate))
    assert "redirects from https to plain http" in asyncio.run(refused(trusting))


def test_a_name_or_a_port_that_is_not_there_is_said_plainly() -> None:
    async def ask(url: str) -> str:
        async with a_fetcher() as fetcher:
            with pytest.raises(FetchError) as refused:
                await fetcher.get(url, feed="courier")
        return refused.value.because

    assert "the name nowhere.invalid cannot be found" in asyncio.run(ask("http://nowhere.invalid/feed"))
    assert "no connection to 127.0.0.1" in asyncio.run(ask("http://127.0.0.1:1/feed"))
    assert asyncio.run(ask("feed.xml")).startswith("only http and https addresses are asked")


_HOSTS = st.from_regex(r"[a-z0-9.-]{1,12}(:[0-9]{1,4})?", fullmatch=True)
_PATHS = st.from_regex(r"(/[a-zA-Z0-9._~-]{0,3}){0,3}(\?[a-z0-9=&._~-]{0,5})?", fullmatch=True)
_ODD_PATHS = st.text(st.sampled_from("abZ09-_.~/?&=%:;+@#é "), max_size=12)


@given(host=_HOSTS, path=_PATHS | _ODD_PATHS | st.sampled_from(["/../a", "/a/../b", "/a/./b", "/a/..", "//a"]))
def test_an_address_is_asked_for_as_it_would_be_spelt_anew(host: str, path: str) -> None:
    url = f"http://{host}{path}"
    try:
        anew = URL(url)
    except ValueError:
        assume(False)
    asked = spelt(url)
    assert (str(asked), asked.raw_host, asked.port, asked.raw_path_qs) == (
        str(anew),
        anew.raw_host,
        anew.port,
        anew.raw_path_qs,
    )
