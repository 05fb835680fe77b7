"""`agentaskit-sim up`: the world with a Prometheus, an Alertmanager and a receiver, to be watched.

All on loopback, all gone when it ends. Prometheus begins with the healthy past stored, so windows
of hours are full from the start. With `--prometheus` or `--alertmanager` the user's own are told
where the world is instead. Exit status: 0 at the scenario's end with `--exit-at-end`, 2 for bad
input, 3 when a port, a program or Prometheus is not to be had, 130 and 143 on signals.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import isinf
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from agentaskit_sim.addresses import (
    RECEIVER_PATH,
    describe_alertmanager,
    describe_prometheus,
    describe_urls,
)
from agentaskit_sim.announce import announced
from agentaskit_sim.around import Alone, Around
from agentaskit_sim.serve import (
    DEFAULT_PORT,
    Service,
    build_server,
    build_world,
    choose_scenario,
    refuse_end_without_scenario,
    run_loop,
    take_port,
)
from agentaskit_sim.status import Status
from agentaskit_sim.token import read_token
from agentaskit_sim.verify import PACK_ROUTING, PACK_RULES, expand
from agentaskit_sim.watch import Titles, Watch
from exporter.http import describe_url
from exporter.live import Live
from scenarios.errors import InputError, gather
from simulator.pacer import SystemClock
from verifier.active import Elsewhere
from verifier.binaries import require
from verifier.compression import check_compression, compress_rules
from verifier.fastforward import live_past
from verifier.live import at_real_time, join, settle_s
from verifier.ranges import depths
from verifier.receiver import Receiver
from verifier.routing import load_routing
from verifier.rules import load_rules
from verifier.stack import Stack
from verifier.tempo import Tempo

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from scenarios.scenario import Scenario
    from simulator.world import World
    from verifier.routing import Routing
    from verifier.rules import RuleFiles

HOST = "127.0.0.1"
THEIR_LEAD_S = 90.0
"""How long a Prometheus of the user has to find the world: `http_sd` looks once a minute."""
THEIRS = "With servers that you run"
EXAMPLES = """\b
Examples:
  agentaskit-sim up                             a healthy world, to be broken by hand
  agentaskit-sim up --compress 10               the same, alerts fire in seconds
  agentaskit-sim up sandbox-leak --compress 10  a bundled scenario, or a file of yours
  agentaskit-sim up --rules my-alerts/ --routing alertmanager.yml
  agentaskit-sim up --prometheus http://127.0.0.1:9090
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to run, read and checked; `prometheus` and `alertmanager` are the user's own."""

    scenario: Scenario
    rules: RuleFiles
    routing: Routing
    tempo: Tempo
    prometheus: Elsewhere | None
    alertmanager: Elsewhere | None
    sd_file: Path | None
    token: str | None
    exit_at_end: bool

    @property
    def told_port(self) -> bool:
        """Whether the receiver's address must be known beforehand: others shall notify it."""
        return self.prometheus is not None or self.alertmanager is not None


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
    """Run the world with Prometheus, Alertmanager and a receiver, and watch them."""
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

    tempo = Tempo(compress or 1.0)
    wanted = Wanted(
        scenario=attempt(lambda: choose_scenario(scenario, seed, topology)),
        rules=attempt(lambda: load_rules(list(expand(rules or PACK_RULES, "*.yaml", "*.yml")))),
        routing=attempt(lambda: load_routing(routing or PACK_ROUTING)),
        tempo=tempo,
        prometheus=attempt(lambda: _elsewhere("Prometheus", prometheus)),
        alertmanager=attempt(lambda: _elsewhere("Alertmanager", alertmanager)),
        sd_file=sd_file,
        token=attempt(lambda: read_token(token_file)),
        exit_at_end=exit_at_end,
    )
    if wanted.rules:
        attempt(lambda: check_compression(wanted.rules, tempo.factor, tempo.scrape_s))
    if wanted.scenario:
        attempt(lambda: refuse_end_without_scenario(wanted.scenario, exit_at_end=exit_at_end))
        attempt(lambda: _check_plan(wanted.scenario, tempo))
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


def _elsewhere(what: str, url: str | None) -> Elsewhere | None:
    try:
        return None if url is None else Elsewhere(f"your {what}", url)
    except ValueError as error:
        raise InputError(f"--{what.lower()} {error}") from None


def _check_plan(scenario: Scenario, tempo: Tempo) -> None:
    try:
        tempo.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None


def _take_receiver(wanted: Wanted, port: int) -> Receiver:
    """Return the receiver: beside the world's port where others must know it beforehand."""
    if not wanted.told_port:
        return Receiver()
    beside = port + 1 if 0 < port < 65535 else 0
    take_port(HOST, beside).close()
    return Receiver(port=beside, prefix=RECEIVER_PATH)


def _up(wanted: Wanted, listener: socket.socket, receiver: Receiver, held: ExitStack) -> int:
    """Start everything, serve the world, return the exit status."""
    if wanted.prometheus is None:
        require("prometheus")
        if wanted.alertmanager is None:
            require("alertmanager")
    console = Console(highlight=False, soft_wrap=True)
    chosen = wanted.scenario
    console.print(
        f"Preparing {chosen.name}, seed {chosen.seed}; a first run compiles the world ...",
        markup=False,
    )
    url, address = describe_url(listener), "{}:{}".format(*listener.getsockname()[:2])
    if wanted.prometheus is None:
        begun = _with_ours(wanted, receiver, address, held)
    else:
        begun = _with_theirs(wanted, wanted.prometheus, receiver, held)
    live, around = begun.live, begun.around
    begins_s = begun.world.now_s + begun.lead_s
    ends_s = begins_s + chosen.duration_s / wanted.tempo.factor
    titles = Titles(name=chosen.name, begins_s=begins_s, ends_s=ends_s, factor=wanted.tempo.factor)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A world whose time has begun, `lead_s` before its scenario, and the servers around it."""

    world: World
    live: Live
    lead_s: float
    around: Around
    alertmanager_url: str | None


def _with_ours(wanted: Wanted, receiver: Receiver, address: str, held: ExitStack) -> Begun:
    """Live through the past and start a stack that is going to know it."""
    tempo, chosen = wanted.tempo, wanted.scenario
    past = live_past(chosen, depths(wanted.rules, ()), tempo=tempo)
    history = past.drive.recorder.history()
    lead_s = 0.0 if isinf(chosen.duration_s) else settle_s(history, tempo)
    try:
        world = past.world.fork(tempo.plan(chosen.plan, lead_s=lead_s))
    except ValueError as error:
        raise InputError(str(error), path=chosen.path) from None
    compressed = compress_rules(wanted.rules, tempo.factor)
    theirs = wanted.alertmanager
    stack = Stack(compressed, wanted.routing, tempo, receiver=receiver, elsewhere=theirs)
    held.enter_context(stack)
    joined_s = time.time()
    live = _live(world, chosen, fresh=True)
    around = Around(
        prometheus=Elsewhere("Prometheus", stack.prometheus.url),
        alertmanager=theirs,
        kept=stack,
        begins=lambda: join(
            stack,
            compressed,
            at_real_time(history, joined_s, tempo.factor),
            target=address,
            joined_s=joined_s,
        ),
    )
    notifies = theirs.url if theirs else stack.alertmanager.url
    return Begun(world=world, live=live, lead_s=lead_s, around=around, alertmanager_url=notifies)


def _with_theirs(
    wanted: Wanted, prometheus: Elsewhere, receiver: Receiver, held: ExitStack
) -> Begun:
    """Start a receiver alone, and leave a Prometheus that knows nothing time to find the world."""
    chosen, theirs = wanted.scenario, wanted.alertmanager
    lead_s = 0.0 if isinf(chosen.duration_s) else THEIR_LEAD_S
    try:
        world = build_world(replace(chosen, plan=wanted.tempo.plan(chosen.plan, lead_s=lead_s)))
    except ValueError as error:
        raise InputError(str(error), path=chosen.path) from None
    held.enter_context(receiver)
    return Begun(
        world=world,
        live=_live(world, chosen, fresh=False),
        lead_s=lead_s,
        around=Around(prometheus=prometheus, alertmanager=theirs, kept=Alone(receiver)),
        alertmanager_url=theirs.url if theirs else None,
    )


def _live(world: World, scenario: Scenario, *, fresh: bool) -> Live:
    return Live(
        world,
        SystemClock(),
        version=version("agentaskit-sim"),
        scenario=scenario.name,
        fresh=fresh,
    )


def _addresses(wanted: Wanted, begun: Begun, url: str, receiver: Receiver) -> list[str]:
    """Return what to tell a person before anything happens."""
    lines = describe_urls(url, begun.around.prometheus.url, begun.alertmanager_url, receiver.url)
    if not wanted.told_port:
        return lines
    theirs = describe_alertmanager(receiver.url)
    if wanted.prometheus is not None:
        theirs = describe_prometheus(url, wanted.sd_file, PACK_RULES) + theirs
    return [*theirs, *lines]
