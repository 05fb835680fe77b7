"""The fault API: what is in effect, and begin, change and end it; JSON over HTTP.

A thin form of `exporter.server.fault_api.control`; documents are read by a `Form`, which the front
door brings, so that this room needs to know no scenario. Errors are `{"error": "one sentence"}`.
"""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import hdrs, web

from exporter.server.fault_api.control import Conflict
from exporter.server.fault_api.guard import Refusal, build_guard
from exporter.server.landing import API

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.server.fault_api.control import Control, FaultInEffect
    from simulator.faults.catalogue import Fault

BODY_TIMEOUT_S = 5.0


class Form(Protocol):
    """How faults are written down; reading raises `ValueError` with one sentence."""

    def catalogue(self) -> dict[str, Any]:
        """Return every fault there is, and how to ask for it."""

    def read_injection(self, body: bytes, at_s: float) -> Fault:
        """Return the fault that `body` asks for, beginning at `at_s` of the plan."""

    def read_change(self, body: bytes, fault: Fault, at_s: float) -> Fault:
        """Return `fault` with what `body` changes at `at_s` of the plan."""

    def write(self, fault: Fault) -> dict[str, Any]:
        """Return a fault as it could have been asked for."""


class FaultHandlers:
    """The answers of the fault API."""

    def __init__(self, control: Control, form: Form) -> None:
        """Speak of the faults of `control` in the words of `form`."""
        self._control, self._form = control, form

    async def catalogue(self, _: web.Request) -> web.Response:
        """Answer what can be injected."""
        return _answer(self._form.catalogue())

    async def list_all(self, _: web.Request) -> web.Response:
        """Answer what is in effect."""
        return _answer({"faults": [self._write(one) for one in self._control.in_effect()]})

    async def show(self, request: web.Request) -> web.Response:
        """Answer one fault in effect."""
        return _answer(self._write(self._act(request, self._control.find)))

    async def inject(self, request: web.Request) -> web.Response:
        """Begin a fault."""
        body = await _read_body(request)
        one = _attempt(
            lambda: self._control.inject(lambda at_s: self._form.read_injection(body, at_s))
        )
        where = f"{API}/faults/{one.fault.name}"
        return _answer(self._write(one), status=201, headers={hdrs.LOCATION: where})

    async def change(self, request: web.Request) -> web.Response:
        """Change a fault in effect."""
        body = await _read_body(request)

        def change(name: str) -> FaultInEffect:
            return self._control.change(
                name, lambda fault, at_s: self._form.read_change(body, fault, at_s)
            )

        return _answer(self._write(self._act(request, change)))

    async def end(self, request: web.Request) -> web.Response:
        """End a fault; answer how it stood."""
        return _answer(self._write(self._act(request, self._control.end)))

    async def end_all(self, _: web.Request) -> web.Response:
        """End every fault; answer how they stood."""
        return _answer({"faults": [self._write(one) for one in self._control.end_all()]})

    def _act(self, request: web.Request, act: Callable[[str], FaultInEffect]) -> FaultInEffect:
        """Return what `act` returns for the fault that the path names."""
        name = request.match_info["name"]
        try:
            return _attempt(lambda: act(name))
        except KeyError:
            known = [one.fault.name for one in self._control.in_effect()]
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise Refusal(404, f"no fault called {name!r} is in effect{hint}") from None

    def _write(self, one: FaultInEffect) -> dict[str, Any]:
        status = one.status
        return {
            **self._form.write(one.fault),
            "began_s": status.began_ns / 1e9,
            "ends_s": status.ends_ns / 1e9,
            "ends_in_s": (status.ends_ns - one.now_ns) / 1e9,
            "magnitude": {"declared": status.declared, "effective": status.magnitude},
            "effect": {
                "value": status.effect,
                "expected": status.expected,
                "unit": status.effect_unit,
            },
        }


def build_fault_api(control: Control, form: Form, token: str | None) -> web.Application:
    """Return the app to be mounted at `API`; writes need `token` unless it is None."""
    handlers = FaultHandlers(control, form)
    app = web.Application(middlewares=[build_guard(token)])
    app.router.add_get("/faults/catalogue", handlers.catalogue)
    app.router.add_get("/faults", handlers.list_all)
    app.router.add_post("/faults", handlers.inject)
    app.router.add_delete("/faults", handlers.end_all)
    app.router.add_get("/faults/{name}", handlers.show)
    app.router.add_patch("/faults/{name}", handlers.change)
    app.router.add_delete("/faults/{name}", handlers.end)
    return app


def _answer(
    document: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(
        document, status=status, headers={hdrs.CACHE_CONTROL: "no-store", **(headers or {})}
    )


async def _read_body(request: web.Request) -> bytes:
    """Return a body within its bound; a sender that falls silent is not waited for."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(413, "the body is too long: a fault needs a few hundred bytes") from None
    except TimeoutError:
        raise Refusal(408, f"the body must arrive within {BODY_TIMEOUT_S:g} s") from None


def _attempt(change: Callable[[], FaultInEffect]) -> FaultInEffect:
    """Return what `change` returns; what does not fit is refused with its sentence."""
    try:
        return change()
    except Conflict as error:
        raise Refusal(409, str(error)) from None
    except ValueError as error:
        raise Refusal(400, str(error)) from None
