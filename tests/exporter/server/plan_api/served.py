"""A world whose load and scenarios can be changed, served with two scenarios to begin."""

from __future__ import annotations

from aiohttp.test_utils import TestClient, TestServer

from exporter.served_world import ServedForms, serve_routes
from exporter.server.connection_limits import RUNNER_OPTIONS
from exporter.server.exposition import Exposition
from exporter.server.plan_api.scenario_control import OfferedScenario
from scenarios.injection_form import FaultForm
from scenarios.load_form import LoadForm
from simulator.faults.fault import Fault
from simulator.faults.kinds.agents import AgentHang
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.faults.targets import Targets
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.fakes import MockClock
from tests.simulator.worlds import small

OUTAGE = OfferedScenario(
    name="outage",
    story="It goes, then agents hang.",
    faults=(
        Fault(name="gone", parameters=TrafficDrop(share=0.5), start_s=300.0, duration_s=10.0),
        Fault(name="hung", parameters=AgentHang(), start_s=305.0, duration_s=20.0),
    ),
)
UNFIT = OfferedScenario(
    name="unfit",
    story="A fault that this system has no room for.",
    faults=(
        Fault(name="fits", parameters=TrafficDrop(share=0.5), start_s=1.0, duration_s=10.0),
        Fault(name="far", parameters=AgentHang(), start_s=2.0, duration_s=10.0,
              targets=Targets(hosts=(99,))),
    ),
)  # fmt: skip


class FullLibrary:
    """Two scenarios, and how often they were read."""

    def __init__(self):
        """Be read by nobody yet."""
        self.reads = 0

    def scenarios(self):
        """Return them."""
        self.reads += 1
        return (OUTAGE, UNFIT)


class ServedPlan:
    """A world, and a client of its server."""

    def __init__(self, world, clock, client, library):
        """Keep them."""
        self.world, self.clock, self.client, self.library = world, clock, client, library

    async def call(self, method, path, body=None, **kwargs):
        """Return status and document of a request."""
        if body is not None:
            kwargs["json"] = body
        answer = await self.client.request(method, path, **kwargs)
        return answer.status, await answer.json()

    def advance(self, seconds):
        """Let virtual time pass."""
        self.clock.spend(seconds)
        self.world.advance(self.world.now_s + seconds)


async def start_plan(token=None, load=None, **options):
    """Serve a world, with a token or with another load."""
    world = World(small(), Plan(load=load or Load(rate=400.0)), 7)
    world.advance(1.0)
    clock = MockClock()
    exposition = Exposition(world, clock, version="1", scenario="calm")
    library = FullLibrary()
    forms = ServedForms(faults=FaultForm(small()), load=LoadForm(), library=library)
    app = serve_routes(world, exposition, forms, version="1", token=token, **options)
    server = TestServer(app)
    await server.start_server(**RUNNER_OPTIONS)
    client = TestClient(server)
    await client.start_server()
    return ServedPlan(world, clock, client, library)
