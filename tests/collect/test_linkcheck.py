"""Pages of items that wait for an edition, looked at politely on loopback."""

from datetime import timedelta

from aiohttp import web

from newsletter.collect.linkcheck import MOST_LINKS, check_links
from newsletter.model.item import ItemState
from newsletter.store.links import DOUBTED_FOR, Links
from tests.collect.makers import rss
from tests.collect.polling import Site, with_site
from tests.collect.server import a_fetcher


async def accepted(site: Site, *names: str) -> None:
    items = "".join(
        f"<item><title>About the {name} of the north</title><link>{site.server.url(f'/{name}')}</link></item>"
        for name in names
    )
    site.server.serve_feed(rss(items))
    for name in names:
        site.server.serve(f"/{name}", b"<p>here</p>")
    await site.poll()
    site.server.asked.clear()


async def looked(site: Site) -> int:
    links = Links(site.store)
    due = links.due(now=site.clock.now(), limit=MOST_LINKS)
    async with a_fetcher() as fetcher:
        return await check_links(due, links=links, pages=site.pages(fetcher), clock=site.clock)


def retracted(site: Site) -> set[str]:
    return {item.entry.url.rpartition("/")[2] for item in site.listed(ItemState.RETRACTED)}


@with_site
async def test_a_page_that_is_there_is_asked_for_its_head_alone(site: Site) -> None:
    await accepted(site, "ferries")
    assert await looked(site) == 0
    assert [(asked.method, asked.path) for asked in site.server.asked] == [("GET", "/robots.txt"), ("HEAD", "/ferries")]
    assert await looked(site) == 0
    assert len(site.server.asked) == 2, "and not again for hours"


@with_site
async def test_a_page_that_is_gone_is_asked_for_whole_and_believed_the_second_time(site: Site) -> None:
    await accepted(site, "ferries", "harbours", "straits")
    site.server.serve("/ferries", status=404)
    site.server.serve("/harbours", status=410)
    assert (await looked(site), retracted(site)) == (0, set())
    assert [asked.method for asked in site.server.asked if asked.path == "/ferries"] == ["HEAD", "GET"]
    site.clock.at += DOUBTED_FOR
    assert (await looked(site), retracted(site)) == (2, {"ferries", "harbours"})


@with_site
async def test_bad_news_of_a_head_alone_is_not_believed(site: Site) -> None:
    async def only_get(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404 if request.method == "HEAD" else 200)

    await accepted(site, "ferries")
    site.server.pages["/ferries"] = only_get
    for _ in range(3):
        await looked(site)
        site.clock.at += timedelta(hours=7)
    assert retracted(site) == set()


@with_site
async def test_a_server_that_fails_or_refuses_takes_nothing_down(site: Site) -> None:
    await accepted(site, "ferries", "harbours", "straits")
    for name, status in (("ferries", 500), ("harbours", 403), ("straits", 429)):
        site.server.serve(f"/{name}", status=status)
    for _ in range(3):
        assert await looked(site) == 0
        site.clock.at += timedelta(hours=7)


@with_site
async def test_a_page_that_robots_txt_keeps_us_from_is_not_asked_for(site: Site) -> None:
    await accepted(site, "ferries")
    site.server.serve("/robots.txt", b"User-agent: *\nDisallow: /")
    site.server.serve("/ferries", status=404)
    for _ in range(3):
        await looked(site)
        site.clock.at += timedelta(hours=7)
    assert "/ferries" not in site.server.paths
    assert retracted(site) == set()
