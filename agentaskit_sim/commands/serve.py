"""`agentaskit-sim serve`: the world in real time, beside an HTTP server that Prometheus scrapes.

Binds first, so a port in use is reported before anything is compiled. Exit status: 0 at the
scenario's end with `--exit-at-end`, 3 when the port cannot be had, 130 and 143 on signals.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from agentaskit_sim.access_token import read_token
from agentaskit_sim.foreign.mappings import read_mapping
from agentaskit_sim.listening_port import DEFAULT_PORT, take_port
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    ExitAtEnd,
    Host,
    MappingFile,
    Port,
    ScenarioArgument,
    Seed,
    SeriesLimit,
    TokenFile,
    TopologyFile,
    Workers,
)
from agentaskit_sim.scenario_choice import choose_scenario, refuse_end_without_scenario
from agentaskit_sim.terminal.status import ServiceConsole, Status
from documents.mistakes import InputError
from exporter.metrics.series_limit import SERIES_LIMIT
from exporter.server.app import describe_url
from exporter.server.discovery import metrics_paths
from exporter.server.landing import API
from exporter.server.service import WorldService, run_loop
from verifier.real_time.world import build_server, build_world, expose
from verifier.suite import cores

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from exporter.server.exposition import Exposition
    from scenarios.scenario import Scenario
    from simulator.cells.system import SimulatedSystem


def serve(  # noqa: PLR0913 - typer declares options as parameters
    scenario: ScenarioArgument = None,
    *,
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    seed: Seed = None,
    topology: TopologyFile = None,
    token_file: TokenFile = None,
    exit_at_end: ExitAtEnd = False,
    series_limit: SeriesLimit = SERIES_LIMIT,
    mapping: MappingFile = None,
    workers: Workers = None,
) -> None:
    """Run the world in real time and serve its metrics to Prometheus.

    Needs nothing else to run; your Prometheus scrapes http://127.0.0.1:9464/metrics.

    Examples: agentaskit-sim serve; agentaskit-sim serve traffic-drop --port 0 --exit-at-end
    """
    chosen = choose_scenario(scenario, seed, topology)
    token, mapped = read_token(token_file), read_mapping(mapping, [chosen])
    refuse_end_without_scenario(chosen, exit_at_end=exit_at_end)
    with take_port(host, port) as listener:
        raise typer.Exit(
            _serve(
                chosen,
                listener,
                partial(build_world, workers=workers or cores()),
                partial(expose, fresh=False, series_limit=series_limit, mapping=mapped),
                token=token,
                exit_at_end=exit_at_end,
            )
        )


def _serve(  # noqa: PLR0913 - two of them are options, by name only
    scenario: Scenario,
    listener: socket.socket,
    build: Callable[[Scenario], SimulatedSystem],
    show: Callable[[SimulatedSystem, Scenario], Exposition],
    *,
    token: str | None,
    exit_at_end: bool,
) -> int:
    """Build the world, serve what `show` makes of it, return the exit status."""
    console = ServiceConsole()
    console.announce_preparation(scenario)
    try:
        world = build(scenario)
    except ValueError as error:
        raise InputError(str(error)) from error
    exposition = show(world, scenario)
    service = WorldService(
        exposition,
        Status(exposition, console),
        until_s=world.now_s + scenario.duration_s,
        exit_at_end=exit_at_end,
    )
    app = build_server(world, exposition, token)
    url, cells = describe_url(listener), len(world.cells)
    return run_loop(service.run(app, listener, lambda: _announce(console, url, cells)))


def _announce(console: ServiceConsole, url: str, cells: int) -> None:
    metrics, *others = metrics_paths(cells)
    for what, path in (
        ("Metrics", f"{metrics} to {others[-1]}" if others else metrics),
        ("Page", "/"),
        ("Ready", "/-/ready"),
        ("Faults", f"{API}/faults"),
    ):
        console.print(f"{what + ':':<9}{url}{path}", markup=False)
    console.print("Press Ctrl-C to stop.")
