"""The paths of the live page below the API: what a newcomer is shown, and the stream that follows.

Guarded as the API that they stand beside: a foreign page or name reads neither.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from exporter.server.live_page.feed import LiveFeed

CHART, STREAM = "/chart", "/stream"


class LivePageHandlers:
    """The answers of the live page, all from one feed."""

    def __init__(self, feed: LiveFeed) -> None:
        """Answer from `feed`."""
        self._feed = feed

    async def chart(self, _: web.Request) -> web.Response:
        """Answer with the last minutes."""
        answer = web.Response(
            body=await self._feed.newcomer(),
            content_type="application/json",
            headers={hdrs.CACHE_CONTROL: "no-store"},
        )
        answer.enable_compression()
        return answer

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer with an event a second, until the client goes."""
        return await self._feed.follow(request)


def add_live_page(api: web.Application, app: web.Application, feed: LiveFeed) -> None:
    """Add its paths to `api`, and let `feed` run for as long as `app` is served."""
    handlers = LivePageHandlers(feed)
    api.router.add_get(CHART, handlers.chart)
    api.router.add_get(STREAM, handlers.stream, allow_head=False)

    async def run_beside(_: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(feed.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def end_streams(_: web.Application) -> None:
        feed.viewers.close()

    app.cleanup_ctx.append(run_beside)
    app.on_shutdown.append(end_streams)
