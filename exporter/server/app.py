"""The HTTP server of a world in real time: landing page, metrics, health.

A socket is bound first, so that a port in use is known before anything is compiled; `service` then
serves the app on it. Handlers only read; the world moves behind their `PageSource`.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import hdrs, web

from exporter.metrics.page import Page, accepts_gzip, choose_content_type
from exporter.server.connection_limits import in_pieces, note_requests
from exporter.server.discovery import metrics_paths
from exporter.server.host_check import refuse_misdirected
from exporter.server.landing import render_landing
from exporter.server.static_files import HEADERS, StaticFiles
from exporter.server.static_files import PATH as STATIC_PATH
from exporter.target import CELL_PATH, SCRAPE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.server.landing import Facts
    from simulator.snapshot import ScrapePath

REQUEST_LIMIT_BYTES: Final = 16 << 10
"""A request has no body, or a fault of a few hundred bytes."""

_IN_USE: Final = (
    "port {port} on {host} is in use: stop the program that holds it, or choose another port "
    "with --port (--port 0 takes a free one)"
)
_NOT_PERMITTED: Final = (
    "port {port} on {host} is not ours to take: choose one above 1023 with --port"
)


class PageSource(Protocol):
    """What the server shows: an `Exposition`, or a fake of it in tests."""

    def scrape(self) -> Page | None:
        """Return the page of this instant, or None while the exporter is down."""

    def scrape_path(self) -> ScrapePath:
        """Return the faults of the path that affect the latest scrape."""

    def note_answer(self, page: Page, late_s: float, cut_share: float) -> None:
        """Count an answer: how late `page` was sent, and which share of it was held back."""

    def is_up(self) -> bool:
        """Return whether a scrape would be answered."""

    def facts(self) -> Facts:
        """Return the facts of the landing page, as (heading, value)."""

    @property
    def cells(self) -> Sequence[PageSource]:
        """The page of each cell of several; none where it is one world."""


class BindError(OSError):
    """A port that cannot be bound; its text says why and the way out."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host`:`port` that does not listen yet; port 0 takes a free one.

    Raises `ValueError` for a host of another machine, `BindError` when the port cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ValueError(f"host must be an address of this machine, got {host!r}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise BindError(_IN_USE.format(port=port, host=host)) from error
        if error.errno == errno.EACCES:
            raise BindError(_NOT_PERMITTED.format(port=port, host=host)) from error
        raise ValueError(f"host must be an address of this machine, got {host!r}") from error
    return listener


def describe_url(listener: socket.socket) -> str:
    """Return the base URL of a listening socket, with brackets around an IPv6 address."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def describe_address(listener: socket.socket) -> str:
    """Return `host:port` of a bound socket, as scrape configurations name a target."""
    return "{}:{}".format(*listener.getsockname()[:2])


class Handlers:
    """The answers of the server, all from one source."""

    def __init__(self, source: PageSource, *, live: bool, scrape_s: float) -> None:
        """Answer from `source`; with `live` the landing page draws what the API sends.

        It says to scrape every `scrape_s`.
        """
        self._source, self._live, self._scrape_s = source, live, scrape_s

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Answer a scrape in the format and encoding that it prefers; 503 while down.

        Delayed or truncated by a fault in effect; the page is of the instant of the request.
        """
        if (cells := len(self._source.cells)) > 0:
            return _no_page(cells)
        page = self._source.scrape()
        if page is None:
            return _unavailable()
        content_type = choose_content_type(",".join(request.headers.getall(hdrs.ACCEPT, ())))
        compressed = accepts_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
        headers: dict[str, str] = {
            hdrs.CONTENT_TYPE: content_type,
            hdrs.VARY: "Accept, Accept-Encoding",
        }
        if compressed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        path, body = self._source.scrape_path(), page.body(content_type, compressed=compressed)
        asked_s = time.monotonic()
        if path.delay_s > 0:
            await asyncio.sleep(path.delay_s)
        late_s = time.monotonic() - asked_s
        if path.cut_share > 0 and request.method != hdrs.METH_HEAD:
            part = memoryview(body)[: int(len(body) * (1 - path.cut_share))]
            self._source.note_answer(page, late_s, 1 - len(part) / len(body))
            return await _cut_short(request, part, headers, len(body))
        self._source.note_answer(page, late_s, 0.0)
        return web.Response(body=body, headers=headers)

    async def landing(self, request: web.Request) -> web.Response:
        """Answer with the landing page."""
        text = render_landing(
            self._source.facts(),
            request.host,
            live=self._live,
            scrape_s=self._scrape_s,
            cells=len(self._source.cells),
        )
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def healthy(self, _: web.Request) -> web.Response:
        """Answer 200 as long as the process runs."""
        return web.Response(text="healthy\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Answer 200 if a scrape would be answered, else 503."""
        return web.Response(text="ready\n") if self._source.is_up() else _unavailable()


async def _cut_short(
    request: web.Request, part: memoryview, headers: dict[str, str], promised: int
) -> web.StreamResponse:
    """Promise a body of `promised` bytes, send a `part` of it, and close the connection.

    So does an exporter that dies while it responds, or a proxy that gives up. The promised length
    makes it no shorter page: whatever the format, Prometheus counts the scrape as failed.
    """
    answer = web.StreamResponse(headers=headers)
    answer.content_length = promised
    answer.force_close()
    await answer.prepare(request)
    # Who is cut for not reading is gone before its end; that is no error of ours.
    with suppress(ConnectionError):
        await in_pieces(request, part).hand_over(answer.write)
    if request.transport is not None:
        request.transport.close()
    return answer


class CellHandlers:
    """The answers of the cells of one system, each from its own page."""

    def __init__(self, handlers: Sequence[Handlers]) -> None:
        """Answer by the number of the cell."""
        self._handlers = handlers

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Answer a scrape of one cell, as `/metrics` is answered for a world."""
        number = int(request.match_info["cell"])
        if number >= len(self._handlers):
            return _no_page(len(self._handlers))
        return await self._handlers[number].metrics(request)


def _no_page(cells: int) -> web.Response:
    """Answer for a page that there is not, with those that there are."""
    first, *_, last = metrics_paths(cells)
    text = f"each of the {cells} cells has a page of its own: {first} to {last}, see /sd/targets\n"
    return web.Response(status=404, text=text)


def _unavailable() -> web.Response:
    return web.Response(status=503, text="the exporter is down: a fault is in effect\n")


def build_app(
    source: PageSource, *, live: bool = False, scrape_s: float = SCRAPE_S
) -> web.Application:
    """Return the app: `/`, `/metrics`, `/-/healthy`, `/-/ready`; GET and HEAD, all else refused.

    Several cells have a page each, `/cells/0/metrics` and so on, in the place of `/metrics`.

    With `live`, `/` draws what the API sends, which the caller adds. It says to scrape every
    `scrape_s`.
    """
    handlers = Handlers(source, live=live, scrape_s=scrape_s)
    app = web.Application(
        client_max_size=REQUEST_LIMIT_BYTES, middlewares=[note_requests, refuse_misdirected]
    )
    app.router.add_get("/", handlers.landing)
    app.router.add_get(f"{STATIC_PATH}/{{name:.+}}", StaticFiles().show)
    app.router.add_get("/metrics", handlers.metrics)
    if source.cells:
        cells = [Handlers(cell, live=live, scrape_s=scrape_s) for cell in source.cells]
        path = CELL_PATH.format(cell="{cell:[0-9]{1,6}}")
        app.router.add_get(f"{path}/metrics", CellHandlers(cells).metrics)
    app.router.add_get("/-/healthy", handlers.healthy)
    app.router.add_get("/-/ready", handlers.ready)
    return app
