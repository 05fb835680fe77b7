"""The fault API: list, begin, change and end faults; JSON over HTTP.

Thin handlers over `FaultControl`. Documents are read and written by a `FaultFormat`, which the
front door passes in, so that this room needs to know no scenario. Errors are
`{"error": "one sentence"}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import hdrs, web

from documents.sentences import did_you_mean
from exporter.server.fault_api.bodies import answer_json, attempt, read_body
from exporter.server.fault_api.guard import RequestRefusedError, build_guard
from exporter.server.landing import API

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.server.fault_api.bodies import JsonObject
    from exporter.server.fault_api.control import FaultControl, FaultInEffect
    from simulator.faults.fault import Fault

CATALOGUE: Final = "catalogue"
"""The last part of the catalogue's path, which no fault can have as its name."""


class FaultFormat(Protocol):
    """How faults are written as JSON; reading raises `InputError` with every mistake."""

    def catalogue(self) -> JsonObject:
        """Return every kind of fault, and the schema of a request for it."""

    def read_injection(self, body: bytes, at_s: float) -> Fault:
        """Return the fault that `body` asks for, beginning at `at_s` of the plan."""

    def read_change(self, body: bytes, fault: Fault, at_s: float) -> Fault:
        """Return `fault` with what `body` changes at `at_s` of the plan."""

    def write(self, fault: Fault) -> JsonObject:
        """Return a fault as it could have been asked for."""


class FaultHandlers:
    """The answers of the fault API."""

    def __init__(self, control: FaultControl, fault_format: FaultFormat) -> None:
        """Answer with the faults of `control`, written by `fault_format`."""
        self._control, self._format = control, fault_format

    async def catalogue(self, _: web.Request) -> web.Response:
        """Answer with every kind of fault that can be injected."""
        return answer_json(self._format.catalogue())

    async def list_all(self, _: web.Request) -> web.Response:
        """Answer with the faults in effect."""
        return answer_json({"faults": self.write_all()})

    async def show(self, request: web.Request) -> web.Response:
        """Answer with one fault in effect."""
        return answer_json(self._write(self._act(request, self._control.find)))

    async def inject(self, request: web.Request) -> web.Response:
        """Begin a fault."""
        body = await read_body(request)

        def read(at_s: float) -> Fault:
            fault = self._format.read_injection(body, at_s)
            if fault.name == CATALOGUE:
                raise ValueError(f"name must be another than {CATALOGUE!r}: its path is taken")
            return fault

        begun = attempt(lambda: self._control.inject(read))
        location = f"{API}/faults/{begun.fault.name}"
        return answer_json(self._write(begun), status=201, headers={hdrs.LOCATION: location})

    async def change(self, request: web.Request) -> web.Response:
        """Change a fault in effect."""
        body = await read_body(request)

        def change(name: str) -> FaultInEffect:
            return self._control.change(
                name, lambda fault, at_s: self._format.read_change(body, fault, at_s)
            )

        return answer_json(self._write(self._act(request, change)))

    async def end(self, request: web.Request) -> web.Response:
        """End a fault; answer with its last status."""
        return answer_json(self._write(self._act(request, self._control.end)))

    async def end_all(self, _: web.Request) -> web.Response:
        """End every fault; answer with their last statuses."""
        return answer_json({"faults": [self._write(fault) for fault in self._control.end_all()]})

    def _act(self, request: web.Request, act: Callable[[str], FaultInEffect]) -> FaultInEffect:
        """Return what `act` returns for the fault that the path names."""
        name = request.match_info["name"]
        try:
            return attempt(lambda: act(name))
        except KeyError:
            hint = did_you_mean(name, (active.fault.name for active in self._control.in_effect()))
            message = f"no fault called {name!r} is in effect{hint}"
            raise RequestRefusedError(404, message) from None

    def write_all(self) -> list[JsonObject]:
        """Return the faults in effect as JSON values."""
        return [self._write(fault) for fault in self._control.in_effect()]

    def _write(self, active: FaultInEffect) -> JsonObject:
        status = active.status
        return {
            **self._format.write(active.fault),
            "began_s": status.began_ns / 1e9,
            "ends_s": status.ends_ns / 1e9,
            "ends_in_s": (status.ends_ns - active.now_ns) / 1e9,
            "magnitude": {"declared": status.declared, "effective": status.magnitude},
            "effect": {
                "value": status.effect,
                "expected": status.expected,
                "unit": status.effect_unit,
            },
        }


def build_fault_api(
    control: FaultControl, fault_format: FaultFormat, token: str | None
) -> web.Application:
    """Return the app to be mounted at `API`; writes need `token` unless it is None."""
    handlers = FaultHandlers(control, fault_format)
    app = web.Application(middlewares=[build_guard(token)])
    app.router.add_get(f"/faults/{CATALOGUE}", handlers.catalogue)
    app.router.add_get("/faults", handlers.list_all)
    app.router.add_post("/faults", handlers.inject)
    app.router.add_delete("/faults", handlers.end_all)
    by_name = f"/faults/{{name:(?!{CATALOGUE}$)[^/]+}}"
    app.router.add_get(by_name, handlers.show)
    app.router.add_patch(by_name, handlers.change)
    app.router.add_delete(by_name, handlers.end)
    return app
