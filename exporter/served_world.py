"""Every route of a world in real time: metrics, health, page, faults, load and scenarios.

The rooms below each know a part; this is the one place that knows all of them. What documents look
like and which scenarios there are is passed in, so that no room here knows a scenario file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from exporter.server.app import build_app
from exporter.server.discovery import TARGETS, TargetsHandler
from exporter.server.fault_api.control import FaultControl
from exporter.server.fault_api.handlers import FaultHandlers, build_fault_api
from exporter.server.landing import API
from exporter.server.live_page.feed import LiveFeed
from exporter.server.live_page.handlers import add_live_page
from exporter.server.openapi import PATH as OPENAPI
from exporter.server.openapi import OpenApiHandler, describe_api
from exporter.server.plan_api.handlers import LoadHandlers, ScenarioHandlers, add_plan_api
from exporter.server.plan_api.load_control import LoadControl, LoadedWorld
from exporter.server.plan_api.scenario_control import PlannedWorld, ScenarioControl
from exporter.target import SCRAPE_S

if TYPE_CHECKING:
    from aiohttp import web

    from exporter.server.exposition import Exposition
    from exporter.server.fault_api.handlers import FaultFormat
    from exporter.server.live_page.stack_board import StackBoard
    from exporter.server.plan_api.handlers import LoadFormat
    from exporter.server.plan_api.scenario_control import ScenarioLibrary


class ServableWorld(LoadedWorld, PlannedWorld, Protocol):
    """A world whose faults, load and plan can be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedForms:
    """How what is sent to a world is read and written, and the scenarios that it can begin."""

    faults: FaultFormat
    load: LoadFormat
    library: ScenarioLibrary | None = None


def serve_routes(  # noqa: PLR0913 - four of them are options, by name only
    world: ServableWorld,
    exposition: Exposition,
    forms: ServedForms,
    *,
    version: str,
    token: str | None = None,
    board: StackBoard | None = None,
    scrape_s: float = SCRAPE_S,
) -> web.Application:
    """Return the app. With a `token`, only clients that send it may change anything.

    The page shows the servers around the world from `board`, where there are any, and says to
    scrape it every `scrape_s`.
    """
    app = build_app(exposition, live=True, scrape_s=scrape_s)
    app.router.add_get(TARGETS, TargetsHandler(len(world.cells)).show)
    schemas = forms.faults.catalogue(), forms.load.schema()
    document = describe_api(*schemas, version, cells=len(world.cells))
    app.router.add_get(OPENAPI, OpenApiHandler(document).show)
    control = FaultControl(world, exposition)
    faults = FaultHandlers(control, forms.faults)
    load = LoadHandlers(LoadControl(world, exposition), forms.load)
    scenarios = ScenarioHandlers(ScenarioControl(world, exposition, forms.library))

    def changes() -> dict[str, object]:
        return {
            "faults": faults.write_all(),
            "planned": scenarios.write_planned(),
            "running": scenarios.running(),
            "load": load.now(),
        }

    api = build_fault_api(control, forms.faults, token)
    add_plan_api(api, load, scenarios)
    feed = LiveFeed(exposition, board, changes=changes, token_needed=token is not None)
    add_live_page(api, app, feed)
    app.add_subapp(API, api)
    return app
