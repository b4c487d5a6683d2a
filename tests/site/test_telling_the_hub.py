"""A whole site tells its hub of an edition."""

from __future__ import annotations

import asyncio

from aiohttp import web

from newsletter.app import App
from newsletter.site import open_site
from tests.collect.server import a_server
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file


def test_a_tick_tells_the_hub_of_an_edition_that_is_out_once(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    told: list[str] = []

    async def run() -> None:
        async with a_server() as server:

            async def take(request: web.Request) -> web.Response:
                told.append(str((await request.post())["hub.url"]))
                return web.Response(status=202)

            server.pages["/hub"] = take
            path = program.folder / "config.toml"
            path.write_text(path.read_text().replace("[store]", f'hub = "{server.url("/hub")}"\n\n[store]', 1))
            app = App.open(open_site(program.folder))
            try:
                await app.poll()
                await app.compose("daily")
                for _ in range(2):
                    await app.tick(asyncio.Event())
            finally:
                app.close()

    asyncio.run(run())

    assert told == [f"{program.base_url}/feeds/brief.{form}" for form in ("atom", "rss", "json")]
