"""The clients of the benchmark of scrapes: what they read, what they count, when they are cut."""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from aiohttp.test_utils import TestServer

from benchmarks.hostile_clients import Behaviour, misbehave
from benchmarks.scrape_clients import (
    ANSWER_TIMEOUT_S,
    PLAIN_REQUEST,
    ScrapeClient,
    Tally,
    quantile,
    scrape_regularly,
)
from benchmarks.scrape_peers import count_series, value_of
from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from tests.fakes import FakeWorld, MockClock


@pytest.fixture
async def address():
    """Give the address of a world whose clock stands still."""
    exposition = Exposition(FakeWorld(), MockClock(), version="1", scenario="calm")
    async with TestServer(build_app(exposition)) as server:
        yield server.host, server.port


async def test_a_client_reads_the_same_series_in_either_encoding(address):
    """Over one connection."""
    client = ScrapeClient(*address)
    zipped, plain = await client.fetch(), await client.fetch(PLAIN_REQUEST)
    client.close()
    assert count_series(zipped) == count_series(plain) > 300
    assert value_of(plain, "agentaskit_sim_time_seconds") == 0


async def test_each_client_scrapes_once_a_second_and_what_fails_is_counted(address):
    """A server that is not there is an error for each."""
    tally = await scrape_regularly(address, 3, 1)
    assert (len(tally.latencies_s), tally.errors) == (3, 0)
    assert tally.bytes_read > 3000
    missing = await scrape_regularly((address[0], 1), 2, 1, together=True)
    assert (missing.latencies_s, missing.errors) == ([], 2)


async def test_a_latency_counts_from_the_instant_at_which_the_scrape_was_due(address):
    """Who is late has waited; who is so late that nobody would wait any more is an error."""
    client, tally = ScrapeClient(*address), Tally()
    await client.scrape_at(time.monotonic() - 1, tally)
    await client.scrape_at(time.monotonic() - ANSWER_TIMEOUT_S, tally)
    await client.scrape_at(time.monotonic() + 0.05, tally)
    client.close()
    assert (len(tally.latencies_s), tally.errors) == (2, 1)
    assert tally.latencies_s[0] > 1 > tally.latencies_s[1]
    assert len(tally.lateness_s) == 1


async def test_an_answer_that_is_no_page_is_an_error(address):
    """Another status, a connection that ends before the page does."""
    client = ScrapeClient(*address)
    with pytest.raises(ValueError, match="404"):
        await client.scrape(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client.close()

    async def cut_short(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(cut_short, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectionError):
            await ScrapeClient(*server.sockets[0].getsockname()).scrape()


async def test_a_hostile_client_notices_that_it_was_cut_and_that_it_was_not(address):
    """A malformed head is closed at once; a silent client is not by this server."""
    garbage = Behaviour("garbage", b"\x00\r\n\r\n", every_s=0.02)
    assert await misbehave(address, garbage, 60) is not None
    assert await misbehave(address, Behaviour("silent", b"", every_s=0.02), 0.1) is None


def test_quantiles_are_of_what_was_met():
    """None without any."""
    tally = Tally([0.001 * number for number in range(1, 101)])
    assert tally.quantile_ms(0.5) == pytest.approx(51)
    assert tally.quantile_ms(0.99) == pytest.approx(100)
    assert math.isnan(Tally().quantile_ms(0.5))
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
