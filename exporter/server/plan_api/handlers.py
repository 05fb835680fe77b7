"""The load API and the scenario API; JSON over HTTP, beside the fault API and guarded as it is.

Thin handlers over `LoadControl` and `ScenarioControl`. Documents of the load are read and written
by a `LoadFormat`, which the front door passes in. Errors are `{"error": "one sentence"}`.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from documents.durations import format_duration
from documents.sentences import did_you_mean
from exporter.server.fault_api.bodies import answer_json, attempt, read_body
from exporter.server.fault_api.guard import RequestRefusedError
from exporter.server.plan_api.load_control import RecordedLoadError

if TYPE_CHECKING:
    from aiohttp import web

    from exporter.server.exposition import LoadReading
    from exporter.server.fault_api.bodies import JsonObject
    from exporter.server.plan_api.load_control import LoadControl
    from exporter.server.plan_api.scenario_control import OfferedScenario, ScenarioControl
    from simulator.load import LoadChange, Stage

PLANNED_SHOWN_MAX: Final = 20


class LoadFormat(Protocol):
    """How a change of the load is written as JSON; reading raises `InputError`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what may be sent."""

    def read(self, body: bytes) -> tuple[Stage, ...]:
        """Return the stages that `body` asks for."""

    def write(self, change: LoadChange) -> list[dict[str, object]]:
        """Return the stages of a change as they could have been sent."""


class LoadHandlers:
    """The answers of the load API."""

    def __init__(self, control: LoadControl, load_format: LoadFormat) -> None:
        """Answer with the load of `control`, written by `load_format`."""
        self._control, self._format = control, load_format

    async def show(self, _: web.Request) -> web.Response:
        """Answer with the load of now."""
        return answer_json(self.now())

    def now(self) -> JsonObject:
        """Return the load of now as JSON values."""
        return self.write(self._control.status())

    async def change(self, request: web.Request) -> web.Response:
        """Change the load for a while."""
        body = await read_body(request)
        return answer_json(self.write(attempt(lambda: self._change(body))))

    async def end(self, _: web.Request) -> web.Response:
        """Let the plan's load be back."""
        try:
            return answer_json(self.write(self._control.end()))
        except KeyError:
            raise RequestRefusedError(404, "no change of the load is in effect") from None

    def _change(self, body: bytes) -> LoadReading:
        try:
            return self._control.change(self._format.read(body))
        except RecordedLoadError as error:
            raise RequestRefusedError(409, str(error)) from None

    def write(self, load: LoadReading) -> JsonObject:
        """Return the load as JSON values."""
        change = load.change and {
            "stages": self._format.write(load.change),
            "began_s": load.began_s,
            "ends_s": load.ends_s,
            "ends_in_s": load.ends_s - load.now_s,
        }
        return {
            "requested": load.profile_per_s or 0.0,
            "after_faults": load.after_faults_per_s,
            "change": change,
        }


class ScenarioHandlers:
    """The answers of the scenario API."""

    def __init__(self, control: ScenarioControl) -> None:
        """Answer with the scenarios of `control`."""
        self._control = control

    async def list_all(self, _: web.Request) -> web.Response:
        """Answer with the scenarios that can be begun."""
        await self._read_library()
        return answer_json({"scenarios": self.write()})

    async def begin(self, request: web.Request) -> web.Response:
        """Begin a scenario."""
        name = _read_name(await read_body(request))
        await self._read_library()
        try:
            begun = attempt(lambda: self._control.begin(name))
        except KeyError:
            hint = did_you_mean(name, self._control.offered)
            message = f"no scenario called {name!r} can be begun here{hint}"
            raise RequestRefusedError(404, message) from None
        return answer_json(self._write(begun, running=True), status=201)

    async def end_all(self, _: web.Request) -> web.Response:
        """End every scenario that was begun; answer with their names."""
        return answer_json({"ended": list(self._control.end_all())})

    async def _read_library(self) -> None:
        """Read the scenarios beside the loop: a scrape must not wait for them."""
        await asyncio.to_thread(lambda: self._control.offered)

    def write(self) -> list[JsonObject]:
        """Return every scenario as JSON values."""
        running = self._control.running()
        offered = self._control.offered.values()
        return [self._write(each, running=each.name in running) for each in offered]

    def running(self) -> list[str]:
        """Return the names of those that were begun and are not over."""
        return list(self._control.running())

    def write_planned(self) -> list[JsonObject]:
        """Return the faults that come next as JSON values."""
        return [
            {
                "name": fault.name,
                "fault": fault.kind,
                "targets": dict(fault.targets.in_words()),
                "begins_in_s": round(in_s, 3),
            }
            for fault, in_s in self._control.planned()[:PLANNED_SHOWN_MAX]
        ]

    @staticmethod
    def _write(scenario: OfferedScenario, *, running: bool) -> JsonObject:
        return {
            "name": scenario.name,
            "story": scenario.story,
            "duration": format_duration(scenario.duration_s),
            "faults": [fault.kind for fault in scenario.faults],
            "running": running,
        }


def _read_name(body: bytes) -> str:
    """Return the name in `{"name": "..."}`."""
    try:
        document = json.loads(body)
    except ValueError:
        raise RequestRefusedError(400, "the body must be a JSON object") from None
    except RecursionError:
        raise RequestRefusedError(400, "the body is nested too deeply") from None
    if not isinstance(document, dict) or document.keys() != {"name"}:
        raise RequestRefusedError(400, "the body must be a JSON object with the one key name")
    name = document["name"]
    if not isinstance(name, str):
        raise RequestRefusedError(400, "name must be text")
    return name


def add_plan_api(api: web.Application, load: LoadHandlers, scenarios: ScenarioHandlers) -> None:
    """Add the paths of load and scenarios to the guarded `api`."""
    api.router.add_get("/load", load.show)
    api.router.add_put("/load", load.change)
    api.router.add_delete("/load", load.end)
    api.router.add_get("/scenarios", scenarios.list_all)
    api.router.add_post("/scenarios", scenarios.begin)
    api.router.add_delete("/scenarios", scenarios.end_all)
