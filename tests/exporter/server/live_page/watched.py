"""A small world that is served with its page, and what a viewer reads of its stream."""

from __future__ import annotations

import asyncio
import json

from aiohttp.test_utils import TestClient, TestServer

from exporter.server.connection_limits import RUNNER_OPTIONS
from exporter.server.exposition import Exposition
from exporter.server.landing import API
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.load import Load
from simulator.pacer import SystemClock
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.worlds import small
from verifier.real_time.world import build_server

STREAM, CHART = f"{API}/stream", f"{API}/chart"
HOSTILE = "<img src=x onerror=alert(1)>"
DROP = TrafficDrop(share=0.5)


def build(*, token=None, board=None, scenario="calm", clock=None, topology=None):
    """Return a world in real time, a small one by default, and its whole server."""
    world = World(topology or small(), Plan(load=Load(rate=400.0)), 7)
    world.advance(1.0)
    clock = clock or SystemClock()
    exposition = Exposition(world, clock, version="1", scenario=scenario)
    return world, exposition, build_server(world, exposition, token, board=board)


async def start(**options):
    """Serve such a world; return it with a client."""
    world, exposition, app = build(**options)
    server = TestServer(app)
    await server.start_server(**RUNNER_OPTIONS)
    client = TestClient(server)
    await client.start_server()
    return world, exposition, client


async def next_moment(answer):
    """Return the next event of a stream as (id, document)."""
    fields = {}
    async with asyncio.timeout(10):
        while True:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                assert fields["event"] == "moment"
                return int(fields["id"]), json.loads(fields["data"])
