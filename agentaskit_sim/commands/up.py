"""`agentaskit-sim up`: the world with a Prometheus, an Alertmanager and a receiver, to be watched.

All on loopback, all gone when it ends. Prometheus begins with the healthy past stored, so windows
of hours are full from the start. With `--prometheus` or `--alertmanager` the user's own are told
where the world is instead. Exit status: 0 at the scenario's end with `--exit-at-end`, 2 for bad
input, 3 when a port, a program or Prometheus is not to be had, 130 and 143 on signals.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentaskit_sim.access_token import read_token
from agentaskit_sim.commands.serve import (
    DEFAULT_PORT,
    Service,
    build_server,
    choose_scenario,
    refuse_end_without_scenario,
    run_loop,
    take_port,
)
from agentaskit_sim.environment import RunRequest, StartedRun, begin
from agentaskit_sim.inputs import PACK_ROUTING, PACK_RULES, expand
from agentaskit_sim.sd_file import announced
from agentaskit_sim.terminal.addresses import (
    RECEIVER_PATH,
    describe_alertmanager,
    describe_prometheus,
    describe_urls,
)
from agentaskit_sim.terminal.status import ServiceConsole, Status
from agentaskit_sim.terminal.watch import ScenarioTitle, Watch
from documents.mistakes import InputError, gather
from exporter.server.app import describe_url
from verifier.pack.routing import load_routing
from verifier.pack.rules import load_rules
from verifier.real_time.compression import check_compression
from verifier.servers.binaries import require
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.receiver import Receiver
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from scenarios.scenario import Scenario

HOST = "127.0.0.1"
THEIRS = "With servers that you run"
EXAMPLES = """\b
Examples:
  agentaskit-sim up                             a healthy world, to be broken by hand
  agentaskit-sim up --compress 10               the same, alerts fire in seconds
  agentaskit-sim up sandbox-leak --compress 10  a bundled scenario, or a file of yours
  agentaskit-sim up --rules my-alerts/ --routing alertmanager.yml
  agentaskit-sim up --prometheus http://127.0.0.1:9090
"""


def up(  # noqa: PLR0913 - typer declares options as parameters
    scenario: Annotated[
        str | None, typer.Argument(help="A scenario's name or file; without, a healthy world.")
    ] = None,
    *,
    compress: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=1000,
            metavar="N",
            help="Divide every window, `for`, interval and the scenario by N; 1 by default.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the world; 0 takes a free one.")
    ] = DEFAULT_PORT,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed to use instead of the scenario's.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option(help="Topology file to use instead of the scenario's topology.")
    ] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...", help="Rule files or folders, instead of the bundled 19 alerts."
        ),
    ] = None,
    routing: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Alertmanager's configuration, instead of the bundled one."
        ),
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
    prometheus: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Your Prometheus, instead of one of ours.", rich_help_panel=THEIRS
        ),
    ] = None,
    alertmanager: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Your Alertmanager, instead of one of ours.", rich_help_panel=THEIRS
        ),
    ] = None,
    sd_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File that says where the world is, for `file_sd_configs`.",
            rich_help_panel=THEIRS,
        ),
    ] = None,
) -> None:
    """Run world and stack together, and watch alerts fire."""
    _refuse_ours(
        compress=compress, rules=rules, routing=routing,
        prometheus=prometheus, alertmanager=alertmanager,
    )  # fmt: skip
    mistakes: list[InputError] = []

    def attempt(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except InputError as error:
            mistakes.append(error)
            return None

    compression = TimeCompression(compress or 1.0)
    wanted = RunRequest(
        scenario=attempt(lambda: choose_scenario(scenario, seed, topology)),
        rules=attempt(lambda: load_rules(list(expand(rules or PACK_RULES, "*.yaml", "*.yml")))),
        routing=attempt(lambda: load_routing(routing or PACK_ROUTING)),
        compression=compression,
        prometheus=attempt(lambda: _elsewhere("Prometheus", prometheus)),
        alertmanager=attempt(lambda: _elsewhere("Alertmanager", alertmanager)),
        sd_file=sd_file,
        token=attempt(lambda: read_token(token_file)),
        exit_at_end=exit_at_end,
    )
    if wanted.rules:
        attempt(lambda: check_compression(wanted.rules, compression.factor, compression.scrape_s))
    if wanted.scenario:
        attempt(lambda: refuse_end_without_scenario(wanted.scenario, exit_at_end=exit_at_end))
        attempt(lambda: _check_plan(wanted.scenario, compression))
    if mistakes:
        raise gather(mistakes)
    with ExitStack() as held:
        listener = held.enter_context(take_port(HOST, port))
        raise typer.Exit(_up(wanted, listener, _take_receiver(wanted, port), held))


def _refuse_ours(**options: object) -> None:
    """Raise `InputError` for an option that is about a server of ours where the user's stands."""
    for theirs, ours in (
        ("prometheus", ("compress", "rules", "routing")),
        ("alertmanager", ("compress", "routing")),
    ):
        for name in ours:
            if options[theirs] is not None and options[name] is not None:
                raise InputError(f"--{name} must come without --{theirs}: yours has its own")


def _elsewhere(what: str, url: str | None) -> ForeignServer | None:
    try:
        return None if url is None else ForeignServer(f"your {what}", url)
    except ValueError as error:
        raise InputError(f"--{what.lower()} {error}") from None


def _check_plan(scenario: Scenario, compression: TimeCompression) -> None:
    try:
        compression.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None


def _take_receiver(wanted: RunRequest, port: int) -> Receiver:
    """Return the receiver: beside the world's port where others must know it beforehand."""
    if not wanted.told_port:
        return Receiver()
    beside = port + 1 if 0 < port < 65535 else 0
    take_port(HOST, beside).close()
    return Receiver(port=beside, prefix=RECEIVER_PATH)


def _up(wanted: RunRequest, listener: socket.socket, receiver: Receiver, held: ExitStack) -> int:
    """Start everything, serve the world, return the exit status."""
    if wanted.prometheus is None:
        require("prometheus")
        if wanted.alertmanager is None:
            require("alertmanager")
    console = ServiceConsole()
    chosen = wanted.scenario
    console.print(
        f"Preparing {chosen.name}, seed {chosen.seed}; a first run compiles the world ...",
        markup=False,
    )
    url, address = describe_url(listener), "{}:{}".format(*listener.getsockname()[:2])
    begun = begin(wanted, receiver, address, held)
    live, around = begun.live, begun.around
    begins_s = begun.world.now_s + begun.lead_s
    ends_s = begins_s + chosen.duration_s / wanted.compression.factor
    titles = ScenarioTitle(
        name=chosen.name, begins_s=begins_s, ends_s=ends_s, factor=wanted.compression.factor
    )
    watch = Watch(live, Status(live, console), around, console, titles)
    service = Service(live, watch, until_s=ends_s, exit_at_end=wanted.exit_at_end)
    held.enter_context(announced(wanted.sd_file, address))

    def announce() -> None:
        for line in _addresses(wanted, begun, url, receiver):
            console.print(line, markup=False)

    async def run() -> int:
        # Whoever waits in a thread for a server's answer is released when it ends: so it ends here.
        with held:
            return await service.run(
                build_server(begun.world, live, wanted.token), listener, announce
            )

    return run_loop(run())


def _addresses(wanted: RunRequest, begun: StartedRun, url: str, receiver: Receiver) -> list[str]:
    """Return what to tell a person before anything happens."""
    lines = describe_urls(url, begun.around.prometheus.url, begun.alertmanager_url, receiver.url)
    if not wanted.told_port:
        return lines
    theirs = describe_alertmanager(receiver.url)
    if wanted.prometheus is not None:
        theirs = describe_prometheus(url, wanted.sd_file, PACK_RULES) + theirs
    return [*theirs, *lines]
