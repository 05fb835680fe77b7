"""The HTTP server: every path, both formats, and a port that cannot be had."""

from __future__ import annotations

import asyncio
import errno
import gzip
import socket
from contextlib import suppress

import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.server.app import BindError, bind, build_app, describe_address, describe_url
from exporter.server.exposition import Exposition
from simulator.pacer import SystemClock
from simulator.snapshot import ScrapePath
from tests.fakes import FakeWorld, MockClock


@pytest.fixture
def world():
    """Return a world at its start."""
    return FakeWorld()


@pytest.fixture
async def client(world):
    """Return a client of a server over a world whose clock stands still."""
    exposition = Exposition(world, MockClock(), version="1", scenario="<calm>")
    async with TestClient(TestServer(build_app(exposition)), auto_decompress=False) as client:
        yield client


async def test_metrics_come_in_the_format_and_encoding_asked_for(client):
    """Content-Type, Content-Encoding and Vary are what caches and Prometheus go by."""
    for accept, content_type in (("*/*", TEXT), ("application/openmetrics-text", OPENMETRICS)):
        for encoding in ("gzip", "identity"):
            headers = {"Accept": accept, "Accept-Encoding": encoding}
            answer = await client.get("/metrics", headers=headers)
            assert answer.status == 200
            assert answer.headers["Content-Type"] == content_type
            assert answer.headers["Vary"] == "Accept, Accept-Encoding"
            body = await answer.read()
            if encoding == "gzip":
                assert answer.headers["Content-Encoding"] == "gzip"
                body = gzip.decompress(body)
            assert b"agentaskit_agents_started_total 0.0\n" in body


async def test_accept_headers_that_come_several_times_count_as_one_list(client):
    """RFC 9110, section 5.3: also for the encodings."""
    several = [("Accept", "text/html"), ("Accept", "application/openmetrics-text")]
    encodings = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
    answer = await client.get("/metrics", headers=CIMultiDict([*several, *encodings]))
    assert answer.headers["Content-Type"] == OPENMETRICS
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
async def test_head_gives_the_headers_of_get_and_no_body(client, path):
    """For probes that only want to know."""
    got, head = await client.get(path), await client.head(path)
    assert head.status == got.status == 200
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers["Content-Length"] == str(len(await got.read()))
    assert await head.read() == b""


async def test_other_paths_and_methods_are_refused(client):
    """404 and 405, never a page by accident."""
    assert (await client.get("/metric")).status == 404
    assert (await client.post("/metrics")).status == 405


async def test_the_landing_page_links_and_escapes(client):
    """A scenario's name is text, not markup; the example names the address that was asked."""
    answer = await client.get("/")
    assert answer.headers["Cache-Control"] == "no-store"
    text = await answer.text()
    assert 'href="metrics"' in text
    assert "&lt;calm&gt;" in text
    assert f'["127.0.0.1:{client.port}"]' in text


async def test_a_down_exporter_is_healthy_but_not_ready(client, world):
    """503 for scrapes and readiness; the process itself is well."""
    world.change(exporter_up=False)
    world.advance(0.01)
    assert (await client.get("/metrics")).status == 503
    assert (await client.get("/-/ready")).status == 503
    assert (await client.get("/-/healthy")).status == 200


class NotedAnswers(Exposition):
    """Keeps what the server said of each answer: how late it was, and the share held back."""

    def note_answer(self, _, late_s, cut_share):
        """Keep them."""
        self.noted = late_s, cut_share


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("method", "path"), [
    ("GET", ScrapePath()), ("GET", ScrapePath(delay_s=0.01)),
    *(("GET", ScrapePath(cut_share=share)) for share in (0.001, 0.25, 0.9, 1.0)),
    ("HEAD", ScrapePath(delay_s=0.01, cut_share=0.25)),
])  # fmt: skip
async def test_how_late_an_answer_was_and_the_share_held_back_are_noted(
    world, method, path, compressed
):
    """What is held back is missing at the client; the answer to HEAD has no body to cut."""
    source = NotedAnswers(world, MockClock(), version="1", scenario="calm")
    world.change(scrape_path=path)
    received = b""
    async with TestClient(TestServer(build_app(source)), auto_decompress=False) as client:
        headers = {"Accept-Encoding": "gzip" if compressed else "identity"}
        answer = await client.request(method, "/metrics", headers=headers)
        with suppress(ClientPayloadError):
            async for piece in answer.content.iter_any():
                received += piece
    is_cut = method == "GET" and path.cut_share > 0
    assert answer.headers.get("Connection") == ("close" if is_cut else None)
    late_s, cut_share = source.noted
    assert (late_s >= 0.01) == (path.delay_s > 0)
    whole = int(answer.headers["Content-Length"])
    assert len(received) == (0 if method == "HEAD" else int(whole * (1 - path.cut_share)))
    assert cut_share == pytest.approx(0 if method == "HEAD" else 1 - len(received) / whole)


async def test_scrapes_at_the_same_time_never_see_a_torn_world(world):
    """Every page keeps the laws and its own instant while the world moves in real time."""
    exposition = Exposition(world, SystemClock(), version="1", scenario="calm")

    async def scrape(client, bodies):
        for _ in range(20):
            answer = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
            bodies.append(await answer.text())
            await asyncio.sleep(0.003)

    bodies = []
    async with TestClient(TestServer(build_app(exposition))) as client:
        pacing = asyncio.create_task(exposition.pacer.run())
        await asyncio.gather(*(scrape(client, bodies) for _ in range(10)))
        pacing.cancel()
    by_time = {}
    for body in bodies:
        values = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
        broken = [v for k, v in values.items() if "conservation_error" in k and v != "0.0"]
        assert not broken
        by_time.setdefault(values["agentaskit_sim_time_seconds"], set()).add(body)
    assert all(len(pages) == 1 for pages in by_time.values())
    assert len(by_time) > 5


def test_a_port_in_use_is_reported_with_the_way_out():
    """One line: what is wrong and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(BindError, match=rf"port {port} on 127.0.0.1 is in use: .*--port"):
            bind("127.0.0.1", port)


def test_a_host_that_is_not_here_is_the_callers_mistake():
    """Neither an unknown name nor an address of another machine."""
    for host in ("no-such-host.invalid", "192.0.2.1"):
        with pytest.raises(ValueError, match="host must be an address of this machine"):
            bind(host, 0)


def test_a_free_port_is_taken_and_its_url_printed():
    """Port 0 is for scripts: they read the URL."""
    with bind("127.0.0.1", 0) as listener:
        assert describe_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_bound_port_refuses_connections_until_it_is_served():
    """While a world is being prepared a scrape fails at once instead of hanging."""
    with (
        bind("127.0.0.1", 0) as listener,
        pytest.raises(ConnectionRefusedError),
    ):
        socket.create_connection(listener.getsockname(), timeout=1)


@pytest.mark.parametrize(
    ("family", "url", "address"),
    [
        (socket.AF_INET, "http://127.0.0.1:{}", "127.0.0.1:{}"),
        (socket.AF_INET6, "http://[::1]:{}", "::1:{}"),
    ],
)
def test_a_bound_port_is_named_as_a_url_and_as_a_target(family, url, address):
    """With brackets where a colon would be taken for that of the port."""
    with socket.socket(family) as listener:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert describe_url(listener) == url.format(port)
        assert describe_address(listener) == address.format(port)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "is not ours to take: choose one above 1023"),
        (errno.EADDRINUSE, "is in use: stop the program that holds it"),
        (errno.EADDRNOTAVAIL, "host must be an address of this machine"),
    ],
)
def test_a_port_that_cannot_be_had_says_why_and_leaves_nothing_open(monkeypatch, number, sentence):
    """Whatever the system's reason."""
    opened = []

    class Refusing(socket.socket):
        def bind(self, _):
            opened.append(self)
            raise OSError(number, "planted")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises((BindError, ValueError), match=sentence):
        bind("127.0.0.1", 80)
    assert opened[0].fileno() == -1


@pytest.mark.parametrize("cells", [2, 12])
async def test_each_of_many_cells_has_a_page_and_the_next_number_has_none(cells):
    """Numbers of two digits as well; `/metrics` says where they are."""
    whole = Exposition(FakeWorld(), MockClock(), version="1", scenario="calm")
    whole.cells = tuple(
        Exposition(FakeWorld(), MockClock(), version="1", scenario=f"cell{n}") for n in range(cells)
    )
    async with TestClient(TestServer(build_app(whole))) as client:
        for cell in (0, cells // 2, cells - 1):
            answer = await client.get(f"/cells/{cell}/metrics")
            assert answer.status == 200
            assert f'scenario="cell{cell}"' in await answer.text()
        for path in (f"/cells/{cells}/metrics", "/metrics"):
            answer = await client.get(path)
            assert answer.status == 404
            assert f"/cells/0/metrics to /cells/{cells - 1}/metrics" in await answer.text()
