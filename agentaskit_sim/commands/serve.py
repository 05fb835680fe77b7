"""`agentaskit-sim serve`: the world in real time, beside an HTTP server that Prometheus scrapes.

Binds first, so a port in use is told before anything is compiled. One asyncio process: the pacer
moves the world, scrapes read it, the console says how it goes. Exit status: 0 at the scenario's end
with `--exit-at-end`, 3 when the port cannot be had, 130 and 143 on signals.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from importlib.metadata import version
from math import inf
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from aiohttp import web

from agentaskit_sim.access_token import read_token
from agentaskit_sim.terminal.status import ServiceConsole, Status
from documents.mistakes import InputError
from exporter.server.app import BindError, bind, build_app, describe_url
from exporter.server.discovery import TARGETS, answer_targets
from exporter.server.exposition import Exposition
from exporter.server.fault_api.control import FaultControl
from exporter.server.fault_api.handlers import build_fault_api
from exporter.server.landing import API
from scenarios.injection_form import FaultForm
from scenarios.loader import load_scenario, resolve
from scenarios.scenario import Scenario
from scenarios.topology_overlay import load_topology
from simulator.load import Load
from simulator.pacer import SystemClock
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

DEFAULT_PORT = 9464
DEFAULT_SEED = 42
WARM_UP_S = 60.0
SHUTDOWN_S = 1.0
EXIT_UNABLE, EXIT_SIGNALLED = 3, 128


class StatusReporter(Protocol):
    """What tells a person how a live world goes."""

    def say(self, sentence: str) -> None:
        """Tell something that happened."""

    async def run(self) -> None:
        """Tell until cancelled; whatever it raises ends the service."""


def serve(  # noqa: PLR0913 - typer declares options as parameters
    scenario: Annotated[
        str | None, typer.Argument(help="A scenario's name or file; without, a healthy world.")
    ] = None,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed to use instead of the scenario's.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option(help="Topology file to use instead of the scenario's topology.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that changes of faults need; or AGENTASKIT_SIM_TOKEN."
        ),
    ] = None,
    exit_at_end: Annotated[
        bool, typer.Option("--exit-at-end", help="Stop when the scenario has ended.")
    ] = False,
) -> None:
    """Run the world in real time and serve its metrics to Prometheus.

    Examples: agentaskit-sim serve; agentaskit-sim serve traffic-drop --port 0 --exit-at-end
    """
    chosen = choose_scenario(scenario, seed, topology)
    token = read_token(token_file)
    refuse_end_without_scenario(chosen, exit_at_end=exit_at_end)
    with take_port(host, port) as listener:
        raise typer.Exit(_serve(chosen, listener, token=token, exit_at_end=exit_at_end))


def choose_scenario(name: str | None, seed: int | None, topology: Path | None) -> Scenario:
    """Return what the arguments ask for; raises `InputError` for mistakes in the files.

    Without a name nothing happens in it, and it lasts for ever.
    """
    own = load_topology(topology) if topology else None
    if name is None:
        chosen = baseline(own or Topology())
    else:
        chosen = load_scenario(resolve(name))
        chosen = replace(chosen, topology=own or chosen.topology)
    return chosen if seed is None else replace(chosen, seed=seed)


def baseline(topology: Topology) -> Scenario:
    """Return the scenario in which nothing ever happens."""
    return Scenario(
        name="baseline", story="Nothing happens.", path="", seed=DEFAULT_SEED, duration_s=inf,
        topology=topology, plan=Plan(),
    )  # fmt: skip


def refuse_end_without_scenario(scenario: Scenario, *, exit_at_end: bool) -> None:
    """Raise `InputError` when a run shall end with a scenario that has no end."""
    if exit_at_end and scenario.duration_s == inf:
        raise InputError("--exit-at-end must come with a scenario, got none")


def take_port(host: str, port: int) -> socket.socket:
    """Return a bound socket, or end the program: status 2 without such a host, 3 without the port.

    Called before anything is compiled.
    """
    try:
        return bind(host, port)
    except ValueError as error:
        raise InputError(str(error)) from error
    except BindError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_UNABLE) from error


def build_world(scenario: Scenario) -> World:
    """Return a world that is warm and healthy, with the scenario's plan about to begin.

    A recorded trace of arrivals begins with the world, which is cold then. Raises `ValueError`
    when the plan does not fit the topology.
    """
    if scenario.plan.load.trace_s is not None:
        return World(scenario.topology, scenario.plan, scenario.seed)
    before = Plan(load=Load(rate=scenario.plan.load.rate))
    world = World(scenario.topology, before, scenario.seed)
    world.advance(WARM_UP_S)
    return world.fork(scenario.plan)


def build_server(world: World, live: Exposition, token: str | None) -> web.Application:
    """Return all that a live world answers: metrics, health, its faults, and where it is."""
    app = build_app(live)
    app.router.add_get(TARGETS, answer_targets)
    control, form = FaultControl(world, live), FaultForm(world.topology)
    app.add_subapp(API, build_fault_api(control, form, token))
    return app


def _serve(
    scenario: Scenario, listener: socket.socket, *, token: str | None, exit_at_end: bool
) -> int:
    """Build the world, serve it, return the exit status."""
    console = ServiceConsole()
    console.print(
        f"Preparing {scenario.name}, seed {scenario.seed}; a first run compiles the world ...",
        markup=False,
    )
    try:
        world = build_world(scenario)
    except ValueError as error:
        raise InputError(str(error)) from error
    until_s = world.now_s + scenario.duration_s
    live = Exposition(
        world, SystemClock(), version=version("agentaskit-sim"), scenario=scenario.name
    )
    status = Status(live, console)
    service = Service(live, status, until_s=until_s, exit_at_end=exit_at_end)
    app = build_server(world, live, token)
    return run_loop(service.run(app, listener, lambda: _announce(console, describe_url(listener))))


class Service:
    """One live world until a signal or the scenario's end; `run` is to be awaited once."""

    def __init__(
        self, live: Exposition, teller: StatusReporter, *, until_s: float, exit_at_end: bool
    ) -> None:
        """Take the virtual time at which the scenario ends, and whether that ends all."""
        self._live, self._teller = live, teller
        self._until_s, self._exit_at_end = until_s, exit_at_end

    async def run(
        self, app: web.Application, listener: socket.socket, announce: Callable[[], None]
    ) -> int:
        """Serve `app` on `listener`, `announce` it; return the exit status."""
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[int] = loop.create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, stopped, number)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        tasks = [asyncio.create_task(one) for one in (self._pace(), self._teller.run())]
        try:
            await web.SockSite(runner, listener).start()
            announce()
            waited: list[asyncio.Future[Any]] = [stopped, *tasks]
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()
        self._teller.say(f"stopped after {self._live.scrapes_served:,} scrapes")
        return stopped.result() if stopped.done() else 0

    async def _pace(self) -> None:
        await self._live.pacer.run(self._until_s)
        if self._exit_at_end:
            self._teller.say("the scenario has ended")
            return
        self._teller.say("the scenario has ended, the world goes on")
        await self._live.pacer.run()


def _announce(console: ServiceConsole, url: str) -> None:
    for what, path in (
        ("Metrics", "/metrics"),
        ("Start", "/"),
        ("Ready", "/-/ready"),
        ("Faults", f"{API}/faults"),
    ):
        console.print(f"{what + ':':<9}{url}{path}", markup=False)
    console.print("Press Ctrl-C to stop.")


def _stop(stopped: asyncio.Future[int], number: signal.Signals) -> None:
    if not stopped.done():
        stopped.set_result(EXIT_SIGNALLED + number)


def run_loop(serving: Coroutine[None, None, int]) -> int:
    """Run on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - it does not exist for Windows
    except ImportError:
        return asyncio.run(serving)
    return int(uvloop.run(serving))
