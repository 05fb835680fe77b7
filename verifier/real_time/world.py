"""The world of a run in real time: made, put behind a page, with every route of its server.

Called by `serve`, and by `start` for runs with servers around their world. Nothing here waits or
listens: `exporter.server.service` does.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from exporter.metrics.series_limit import SERIES_LIMIT
from exporter.served_world import ServedForms, serve_routes
from exporter.server.exposition import Exposition
from scenarios.injection_form import FaultForm
from scenarios.load_form import LoadForm
from simulator.cells.system import SimulatedSystem, build_system
from simulator.load import Load
from simulator.pacer import SystemClock
from simulator.plan import Plan
from verifier.real_time.bundled_scenarios import BundledScenarios
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from aiohttp import web

    from exporter.mapping.metric_mapping import MetricMapping
    from exporter.server.live_page.stack_board import StackBoard
    from scenarios.scenario import Scenario

WARM_UP_S: Final = 60.0
"""After this the queues and the fleet of a world are what its load makes them."""


def build_world(scenario: Scenario, workers: int = 1) -> SimulatedSystem:
    """Return a world that is warm and healthy, with the scenario's plan about to begin.

    Its cells, if it has several, are advanced by so many `workers`. A recorded trace of arrivals
    begins with the world, which is cold then. Raises `ValueError` when the plan does not fit the
    topology.
    """
    if scenario.plan.load.trace_s is not None:
        return build_system(scenario.topology, scenario.plan, scenario.seed, workers=workers)
    before = Plan(load=Load(rate=scenario.plan.load.rate))
    world = build_system(scenario.topology, before, scenario.seed, workers=workers)
    world.advance(WARM_UP_S)
    return world.fork(scenario.plan)


def expose(
    world: SimulatedSystem,
    scenario: Scenario,
    *,
    fresh: bool,
    series_limit: int = SERIES_LIMIT,
    mapping: MetricMapping | None = None,
) -> Exposition:
    """Put a page before `world` and start its clock; a `fresh` one counts from 0, as a process.

    With a `mapping` it shows the metrics that this makes.
    """
    return Exposition(
        world,
        SystemClock(),
        version=version("agentaskit-sim"),
        scenario=scenario.name,
        fresh=fresh,
        series_limit=series_limit,
        mapping=mapping,
    )


def build_server(
    world: SimulatedSystem,
    exposition: Exposition,
    token: str | None,
    *,
    compression: TimeCompression | None = None,
    board: StackBoard | None = None,
) -> web.Application:
    """Return every route of a world in real time: metrics, health, its page, its faults and load.

    With a `token`, only clients that send it may change anything. The page shows the servers around
    the world from `board`, where there are any, begins scenarios at `compression`, and says to
    scrape it as often as that needs.
    """
    forms = ServedForms(
        faults=FaultForm(world.topology),
        load=LoadForm(),
        library=BundledScenarios(world.topology, compression),
    )
    return serve_routes(
        world,
        exposition,
        forms,
        version=version("agentaskit-sim"),
        token=token,
        board=board,
        scrape_s=(compression or TimeCompression()).scrape_s,
    )
