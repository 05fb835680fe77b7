"""A small world that is served with its fault API, and the requests that tests send to it."""

from __future__ import annotations

from aiohttp.test_utils import TestClient, TestServer

from exporter.server.app import build_app
from exporter.server.connection_limits import RUNNER_OPTIONS
from exporter.server.exposition import Exposition
from exporter.server.fault_api.control import FaultControl
from exporter.server.fault_api.handlers import build_fault_api
from exporter.server.landing import API
from scenarios.injection_form import FaultForm
from simulator.faults.fault import Fault
from simulator.faults.kinds.scrape_path import ExporterDown
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.fakes import MockClock
from tests.simulator.worlds import small

FAULTS = f"{API}/faults"
DROP = {"fault": "traffic_drop", "name": "gone", "parameters": {"share": 0.5}}
LATER = Fault(name="later", parameters=ExporterDown(), start_s=65.0, duration_s=10.0)
TOKEN = "correct-horse"  # noqa: S105 - opens nothing


class ServedWorld:
    """A world, its clock, and a client of its server."""

    def __init__(self, world, clock, client):
        """Keep them."""
        self.world, self.clock, self.client = world, clock, client

    async def call(self, method, path="", body=None, **kwargs):
        """Return status and document of a request to the fault API."""
        if body is not None:
            kwargs["json"] = body
        answer = await self.client.request(method, f"{FAULTS}{path}", **kwargs)
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()

    async def metric(self, series):
        """Return a series of the metrics page."""
        text = await (await self.client.get("/metrics")).text()
        (line,) = (line for line in text.splitlines() if line.startswith(f"{series} "))
        return float(line.rpartition(" ")[2])

    def advance(self, seconds):
        """Let virtual time pass."""
        self.clock.spend(seconds)
        self.world.advance(self.world.now_s + seconds)

    def state(self):
        """Return everything that a refused request must not change."""
        return self.world.fingerprint(), self.world.plan, self.world.next_change_ns()


def build(token):
    """Return a world, one second old, whose plan has a fault at 65 s; its clock, and its app."""
    world = World(small(), Plan(load=Load(rate=400.0), faults=(LATER,)), 7)
    world.advance(1.0)
    clock = MockClock()
    exposition = Exposition(world, clock, version="1", scenario="calm")
    app = build_app(exposition)
    control = FaultControl(world, exposition)
    app.add_subapp(API, build_fault_api(control, FaultForm(small()), token))
    return world, clock, app


async def start(token):
    """Serve such a world; return it with a client."""
    world, clock, app = build(token)
    server = TestServer(app)
    await server.start_server(**RUNNER_OPTIONS)
    client = TestClient(server)
    await client.start_server()
    return ServedWorld(world, clock, client)
