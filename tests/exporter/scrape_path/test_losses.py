"""Scrapes that are late, cut short or without some series: served, recorded, and at a client."""

from __future__ import annotations

import time

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporter.history.recorder import Recorder
from exporter.history.retention import Need
from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.page import OPENMETRICS, TEXT
from exporter.metrics.series import NAME
from exporter.scrape_path.losses import arrives, rank_series
from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from exporter.target import SCRAPE_S
from simulator.snapshot import ScrapePath
from tests.exporter.history.recordings import samples
from tests.fakes import FakeWorld, MockClock


@pytest.fixture
def world():
    """Return a world after one second."""
    world = FakeWorld()
    world.advance(1.0)
    return world


@pytest.fixture
async def client(world):
    """Return a client of a server over a world whose clock stands still."""
    exposition = Exposition(world, MockClock(), version="1", scenario="calm")
    async with TestClient(TestServer(build_app(exposition))) as client:
        yield client


def affect_scrapes(world, **path):
    """Set the scrape path for the next page."""
    world.change(scrape_path=ScrapePath(**path))
    world.advance(world.now_s + 0.02)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("share", [0.001, 0.5, 1.0])
async def test_a_truncated_page_is_shorter_than_its_content_length_in_every_format(
    client, world, accept, encoding, share
):
    """So no client takes it for a page."""
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    async with client.get("/metrics", headers=headers) as answer:
        whole = await answer.read()
    affect_scrapes(world, cut_share=share)
    async with client.get("/metrics", headers=headers) as answer:
        assert answer.status == 200
        if encoding == "identity":
            assert int(answer.headers["Content-Length"]) > len(whole) * 0.9
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert (await client.head("/metrics")).status == 200
    affect_scrapes(world)
    async with client.get("/metrics", headers=headers) as answer:
        assert len(await answer.read()) > len(whole) * 0.9


async def test_a_slow_scrape_is_answered_late_and_others_are_not(client, world):
    """Other requests do not wait for it."""
    affect_scrapes(world, delay_s=2.0)
    began_s = time.monotonic()
    assert (await client.get("/-/healthy")).status == 200
    assert time.monotonic() - began_s < 2.0
    assert (await client.get("/metrics")).status == 200
    assert time.monotonic() - began_s >= 2.0


async def test_vanished_series_are_missing_from_the_page_and_come_back(client, world):
    """About a third; a histogram vanishes as a whole; the other series stay."""

    def series(text):
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {line.rpartition(" ")[0] for line in lines}

    whole = series(await (await client.get("/metrics")).text())
    affect_scrapes(world, vanished_share=0.3)
    rest = series(await (await client.get("/metrics")).text())
    assert rest < whole
    assert 0.1 < 1 - len(rest) / len(whole) < 0.6
    affect_scrapes(world, vanished_share=1.0)
    left = series(await (await client.get("/metrics")).text())
    assert all(name.startswith(("agentaskit_sim_", "process_")) for name in left)
    affect_scrapes(world)
    assert series(await (await client.get("/metrics")).text()) == whole


async def test_a_burst_adds_series_and_leaves_every_other_as_it_was(client, world):
    """As many as declared, then none."""
    calm = (await (await client.get("/metrics")).text()).count("agentaskit_sim_burst_series{")
    affect_scrapes(world, extra_series=500)
    text = await (await client.get("/metrics")).text()
    assert (calm, text.count("agentaskit_sim_burst_series{")) == (0, 500)
    assert text.count("agentaskit_tasks_arrived_total{") == 4
    affect_scrapes(world)
    assert "burst_series" not in await (await client.get("/metrics")).text()


def test_the_order_in_which_series_vanish_depends_on_their_names_only(world):
    """All buckets of a histogram, its count and its sum share a rank."""
    catalogue = catalogue_world(world.snapshot())
    ranks = rank_series(catalogue)
    assert (ranks == rank_series(catalogue_world(FakeWorld(seed=9).snapshot()))).all()
    assert ((ranks >= 0) & (ranks < 1)).all()
    names = [dict(labels)[NAME] for labels in catalogue.series]
    of_histogram = [r for r, n in zip(ranks, names, strict=True)
                    if n.startswith("agentaskit_task_duration_seconds")]  # fmt: skip
    assert len(of_histogram) > 30
    assert len(set(of_histogram)) == 1
    assert len(set(ranks)) > 100


@pytest.mark.parametrize(
    ("path", "up"),
    [
        ({}, True),
        ({"delay_s": 9.9}, True),
        ({"delay_s": 10.0}, False),
        ({"cut_share": 0.01}, False),
        ({"vanished_share": 1.0}, True),
    ],
)
def test_prometheus_gives_up_on_a_page_that_is_late_or_cut(world, path, up):
    """Its default timeout is 10 s; a page without series is a page."""
    affect_scrapes(world, **path)
    assert arrives(world.snapshot()) is up
    world.change(exporter_up=False)
    assert not arrives(world.snapshot())


def test_a_recorded_series_that_vanishes_gets_one_stale_marker_and_returns_with_its_growth(world):
    """Its value includes the time between; the other series miss no sample."""
    catalogue = catalogue_world(world.snapshot())
    counter, gauge = "agentaskit_agents_started_total", "agentaskit_sim_time_seconds"
    recorder = Recorder(catalogue, lambda name: Need(300.0 * (name in {counter, gauge, "up"})))
    recorder.continue_from(recorder.read(world.snapshot()))
    ranks = dict(zip((dict(labels)[NAME] for labels in catalogue.series), rank_series(catalogue),
                     strict=True))  # fmt: skip
    first, second = sorted((counter, gauge), key=ranks.get)
    between = (ranks[first] + ranks[second]) / 2
    paths = [{}, {"vanished_share": between}, {"vanished_share": between}, {"cut_share": 0.5}, {}]
    for step, path in enumerate(paths, 1):
        world.advance(1.0 + step * 0.1)
        world.change(scrape_path=ScrapePath(**path))
        snapshot = world.snapshot()
        recorder.record(step * SCRAPE_S, recorder.read(snapshot), recorder.arrival(snapshot))
    recorded = {name: dict(zip(*points, strict=True)) for name, points in samples(recorder).items()}
    assert recorded["up"] == {15.0: 1, 30.0: 1, 45.0: 1, 60.0: 0, 75.0: 1}
    assert list(recorded[first]) == [15.0, 30.0, 75.0]
    assert list(recorded[second]) == [15.0, 30.0, 45.0, 60.0, 75.0]
    assert (recorded[first][30.0], recorded[second][60.0]) == ("stale", "stale")
    assert recorded[counter][75.0] - recorded[counter][15.0] == pytest.approx(40)
    assert np.isfinite(recorded[gauge][75.0])
