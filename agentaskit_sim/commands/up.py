"""`agentaskit-sim up`: the world with a Prometheus, an Alertmanager and a receiver, to be watched.

All on loopback, all gone when it ends. Prometheus begins with the healthy past stored, so windows
of hours are full from the start. With `--prometheus` or `--alertmanager` the user's own take part
instead. Exit status: with `--exit-at-end` that of the verdict, as of `verify --live`; 2 for bad
input, 3 when a port, a program or Prometheus is not to be had, 130 and 143 on signals.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import typer

from agentaskit_sim.access_token import read_token
from agentaskit_sim.front.mistake_collector import MistakeCollector
from agentaskit_sim.front.odd_options import refuse_options_of_ours, refuse_unjudged_overlay
from agentaskit_sim.front.pack_files import PACK_ROUTING, PACK_RULES
from agentaskit_sim.inputs import InputPaths, check_plan, read_rules
from agentaskit_sim.judges import build_watched_judge
from agentaskit_sim.listening_port import DEFAULT_PORT, take_port
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Compress,
    ExitAtEnd,
    ForeignAlertmanager,
    ForeignPrometheus,
    MappingFile,
    NoBrowser,
    OverlayFiles,
    RoutingFile,
    RulePaths,
    ScenarioArgument,
    SdFile,
    Seed,
    TokenFile,
    TopologyFile,
    WorldPort,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.scenario_choice import choose_scenario, refuse_end_without_scenario
from agentaskit_sim.sd_file import target_file
from agentaskit_sim.terminal.addresses import (
    RECEIVER_PATH,
    Addresses,
    describe_addresses,
    describe_alertmanager,
    describe_prometheus,
)
from agentaskit_sim.terminal.desktop import open_page
from agentaskit_sim.terminal.screen import ScenarioTitle
from agentaskit_sim.terminal.stack_view import board_of, link
from agentaskit_sim.terminal.status import ServiceConsole, Status
from agentaskit_sim.terminal.watch import Watch
from agentaskit_sim.terminal.web_pages import alertmanager_page, prometheus_page
from agentaskit_sim.verdict_output import STATUSES, VerdictOutput
from documents.mistakes import InputError
from exporter.server.app import describe_address, describe_url
from exporter.server.service import WorldService, describe_stop, run_loop
from verifier.judge.verdict import overall
from verifier.pack.routes.routing import load_routing
from verifier.real_time.rule_compression import check_compression
from verifier.real_time.run import Hosting
from verifier.real_time.start import RunRequest, StartedRun, start_run
from verifier.real_time.world import build_server
from verifier.report.saved.results import Results
from verifier.servers.binaries import require
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.receiver import Receiver
from verifier.suite import cores
from verifier.time_compression import TimeCompression
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from aiohttp import web

    from agentaskit_sim.judges import RealTimeJudge
    from exporter.server.live_page.stack_board import StackBoard
    from verifier.real_time.stack import Stack
    from verifier.run_record import RunRecord

HOST: Final = "127.0.0.1"
PORT_MAX: Final = 65535
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim up                             a healthy world, to be broken by hand
  agentaskit-sim up --compress 10               the same, alerts fire in seconds
  agentaskit-sim up sandbox-leak --compress 10  a bundled scenario, or a file of yours
  agentaskit-sim up traffic-drop --compress 30 --exit-at-end
                                                ends with the verdict of verify --live
  agentaskit-sim up --rules my-alerts/ --routing alertmanager.yml
  agentaskit-sim up --prometheus http://127.0.0.1:9090
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of `up`: the run, and what only this command knows of it."""

    request: RunRequest
    sd_file: Path | None
    token: str | None
    token_file: Path | None
    exit_at_end: bool
    board: StackBoard
    no_browser: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether the run ends with a verdict: it has an end, and all servers are ours."""
        return self.exit_at_end and not self.request.has_foreign_servers


def up(  # noqa: PLR0913 - typer declares options as parameters
    scenario: ScenarioArgument = None,
    *,
    compress: Compress = None,
    port: WorldPort = DEFAULT_PORT,
    seed: Seed = None,
    topology: TopologyFile = None,
    rules: RulePaths = None,
    routing: RoutingFile = None,
    mapping: MappingFile = None,
    overlay: OverlayFiles = None,
    token_file: TokenFile = None,
    exit_at_end: ExitAtEnd = False,
    prometheus: ForeignPrometheus = None,
    alertmanager: ForeignAlertmanager = None,
    sd_file: SdFile = None,
    no_browser: NoBrowser = False,
) -> None:
    """Run world and stack together, and watch alerts fire.

    Needs the programs prometheus and alertmanager, on PATH or in the folder that
    AGENTASKIT_SIM_TOOLS names (see `doctor`), or yours: --prometheus, --alertmanager.
    """
    refuse_options_of_ours(
        compress=compress, rules=rules, routing=routing,
        prometheus=prometheus, alertmanager=alertmanager,
    )  # fmt: skip
    compression, files = TimeCompression(compress or 1.0), MistakeCollector()
    chosen = files.read(choose_scenario, scenario, seed, topology)
    pack = files.read(read_rules, rules, mapping, chosen.values)
    routes = files.read(load_routing, routing or PACK_ROUTING)
    their_prometheus = files.read(_foreign_server, "Prometheus", prometheus)
    their_alertmanager = files.read(_foreign_server, "Alertmanager", alertmanager)
    token = files.read(read_token, token_file)
    files.check(pack, lambda own: check_compression(own, compression.factor, compression.scrape_s))
    files.check(chosen, lambda read: refuse_end_without_scenario(read, exit_at_end=exit_at_end))
    files.check(chosen, lambda read: check_plan(read, compression))
    files.finish()
    known = routes.value if routing is None else routes.value.for_rules(pack.value)
    request = RunRequest(
        scenario=chosen.value, rules=pack.value, routing=known, compression=compression,
        prometheus=their_prometheus.value, alertmanager=their_alertmanager.value,
        healthy_worlds=HealthyWorlds(cores()),
    )  # fmt: skip
    session = Session(
        request=request, sd_file=sd_file, token=token.value, token_file=token_file,
        exit_at_end=exit_at_end, board=board_of(request), no_browser=no_browser,
    )  # fmt: skip
    paths = InputPaths((scenario or "",), rules, overlays=overlay or (), mapping=mapping)
    raise typer.Exit(_run_or_judge(session, _judge_of(session, paths, routing), port))


def _run_or_judge(
    session: Session, judged: tuple[RealTimeJudge, RunRecord] | None, port: int
) -> int:
    with ExitStack() as held:
        listener = held.enter_context(take_port(HOST, port))
        if judged is not None:
            return _judge(session, judged, listener, held)
        return _run(session, listener, _take_receiver(session.request, port), held)


def _judge_of(
    session: Session, paths: InputPaths, routing: Path | None
) -> tuple[RealTimeJudge, RunRecord] | None:
    """Return the judge of a run and its record; raise `InputError` as `verify --live` would."""
    refuse_unjudged_overlay(paths.overlays, is_judged=session.is_judged)
    if not session.is_judged:
        return None
    judge = build_watched_judge(session.request, paths, routing or PACK_ROUTING)
    return judge, record(paths, routing)


def _foreign_server(what: str, url: str | None) -> ForeignServer | None:
    try:
        return None if url is None else ForeignServer(f"your {what}", url)
    except ValueError as error:
        raise InputError(f"--{what.lower()} {error}") from None


def _take_receiver(request: RunRequest, port: int) -> Receiver:
    """Return the receiver: beside the world's port where the user's servers must know it."""
    if not request.has_foreign_servers:
        return Receiver()
    beside = port + 1 if 0 < port < PORT_MAX else 0
    take_port(HOST, beside).close()
    return Receiver(port=beside, prefix=RECEIVER_PATH)


def _run(session: Session, listener: socket.socket, receiver: Receiver, held: ExitStack) -> int:
    """Start everything, serve the world, return the exit status."""
    request, console = session.request, ServiceConsole()
    if request.prometheus is None:
        require("prometheus")
        if request.alertmanager is None:
            require("alertmanager")
    console.announce_page(describe_url(listener))
    console.announce_preparation(request.scenario)
    started = start_run(request, receiver, describe_address(listener), held)
    title = _title(request, started)
    status = Status(started.exposition, console)
    watch = Watch(
        started.exposition, status, started.environment,
        console=console, title=title, board=session.board,
    )  # fmt: skip
    service = WorldService(
        started.exposition, watch, until_s=title.ends_s, exit_at_end=session.exit_at_end
    )
    cells = session.request.scenario.topology.cells
    held.enter_context(target_file(session.sd_file, describe_address(listener), cells))

    def announce() -> None:
        for line in _addresses(session, started, describe_url(listener), receiver):
            console.print(line, markup=False)
        for finding in request.routing.findings if request.alertmanager is None else ():
            console.print(f"finding: {finding}", markup=False)
        _open(session, console, describe_url(listener))

    async def run() -> int:
        # Threads that wait for a server's answer are released when it ends: so it ends here, before
        # the loop waits for its threads.
        with held:
            app = _server(session, started)
            return await service.run(app, listener, announce)

    return run_loop(run())


def _judge(
    session: Session,
    judged: tuple[RealTimeJudge, RunRecord],
    listener: socket.socket,
    held: ExitStack,
) -> int:
    """Run the scenario to its end before a person's eyes, judge it, return the exit status."""
    console, receiver = ServiceConsole(), Receiver()
    require("prometheus")
    require("alertmanager")
    judge, run = judged
    (scenario,) = judge.inputs.scenarios
    console.announce_page(describe_url(listener))
    console.announce_preparation(scenario)
    results, shown = Results(None), list[tuple[StartedRun, Status]]()
    cells = session.request.scenario.topology.cells
    held.enter_context(target_file(session.sd_file, describe_address(listener), cells))

    async def show(started: StartedRun, _: Stack) -> None:
        status = Status(started.exposition, console)
        shown.append((started, status))
        for line in _addresses(session, started, describe_url(listener), receiver):
            console.print(line, markup=False)
        title = _title(session.request, started, after="what is still due is waited for")
        watched = started.environment.watched()
        _open(session, console, describe_url(listener))
        await Watch(
            started.exposition, status, watched,
            console=console, title=title, board=session.board,
        ).run()  # fmt: skip

    hosting = Hosting(
        listener=listener,
        receiver=receiver,
        app=lambda started: _server(session, started),
        show=show,
    )
    try:
        outcome = replace(judge, hosting=hosting)(
            session.request.healthy_worlds, scenario, lambda _: None
        )
    except (KeyboardInterrupt, SystemExit):  # a signal, whose status it stays
        for started, status in shown:
            status.say(f"{describe_stop(started.exposition)}, no verdict: the run did not end")
        raise
    VerdictOutput(results, None, as_json=False, run=run).publish([outcome])
    return STATUSES[overall([outcome])]


def _server(session: Session, started: StartedRun) -> web.Application:
    return build_server(
        started.world, started.exposition, session.token,
        compression=session.request.compression, board=session.board,
    )  # fmt: skip


def _open(session: Session, console: ServiceConsole, url: str) -> None:
    if not session.no_browser:
        open_page(f"{url}/", is_terminal=console.is_terminal)


def _title(request: RunRequest, started: StartedRun, **others: str) -> ScenarioTitle:
    factor, begins_s = request.compression.factor, started.world.now_s + started.lead_s
    return ScenarioTitle(
        name=request.scenario.name,
        begins_s=begins_s,
        ends_s=begins_s + request.scenario.duration_s / factor,
        factor=factor,
        faults=tuple((f.start_s, f"{f.name} ({f.kind})") for f in request.scenario.plan.faults),
        **others,
    )


def _addresses(session: Session, started: StartedRun, url: str, receiver: Receiver) -> list[str]:
    """Return what a person reads before anything happens."""
    alertmanager, amtool = None, None
    if started.alertmanager_url is not None:
        server = ForeignServer("Alertmanager", started.alertmanager_url)
        alertmanager, amtool = alertmanager_page(server)
    addresses = Addresses(
        world=url,
        prometheus=prometheus_page(started.environment.prometheus),
        alertmanager=alertmanager,
        receiver=receiver.url,
        amtool=amtool,
        token_file=session.token_file,
    )
    link(session.board, addresses)
    lines = describe_addresses(addresses)
    if not session.request.has_foreign_servers:
        return lines
    theirs = describe_alertmanager(receiver.url)
    if session.request.prometheus is not None:
        theirs = describe_prometheus(url, session.sd_file, PACK_RULES) + theirs
    return [*theirs, *lines]
