"""Public pages asked without a server in between."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from newsletter.app import App
from newsletter.web.public import public_app
from newsletter.web.views import Views


class Pages:
    """The pages without a server in between."""

    def __init__(self, app: App) -> None:
        self._pages = public_app(app, Views(app.settings.publication))

    def get(self, path: str, **what: Any) -> httpx.Response:
        return asyncio.run(self._answer("GET", path, **what))

    def head(self, path: str) -> httpx.Response:
        return asyncio.run(self._answer("HEAD", path))

    def post(self, path: str, **what: Any) -> httpx.Response:
        return asyncio.run(self._answer("POST", path, **what))

    async def _answer(self, method: str, path: str, **what: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._pages, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **what)
