"""What stands around the world of `up`: servers of ours that are kept alive, or the user's own.

Read once a second, in a thread. Ours are looked after; those of the user are asked within a bound
of time, and a server that does not answer is told of and asked again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import isinf
from typing import TYPE_CHECKING, Final, Protocol

from agentaskit_sim.commands.serve import build_world
from agentaskit_sim.terminal.watch import learn
from documents.mistakes import InputError
from exporter.server.exposition import Exposition
from simulator.pacer import SystemClock
from verifier.pack.history_depth import depths
from verifier.real_time.compression import compress_rules
from verifier.real_time.run import FIRST_SCRAPE_S, LEAD_SCRAPES, at_real_time, join, settle_s
from verifier.real_time.stack import Stack, revive
from verifier.servers.foreign_server import ForeignServer, ServerUnreachable
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.past import simulate_past

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from agentaskit_sim.terminal.watch import StackStatus
    from scenarios.scenario import Scenario
    from simulator.world import World
    from verifier.pack.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.servers.foreign_server import ActiveAlert
    from verifier.servers.ledger import Notification
    from verifier.servers.receiver import Receiver
    from verifier.time_compression import TimeCompression

THEIR_LEAD_S: Final = 90.0
"""How long a Prometheus of the user has to find the world: `http_sd` looks once a minute."""
GAP_FACTOR: Final = 3.0
"""From this tempo on the shortest windows feel the gap between the past and the first scrape."""


class SupervisedServers(Protocol):
    """The servers of ours; `restarts` tells of each that had to be started again."""

    @property
    def restarts(self) -> Sequence[str]:
        """A sentence for each."""

    def check(self) -> None:
        """Look after them; raises JudgeError when the run cannot go on."""

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver."""


class ReceiverOnly:
    """The receiver, where all the rest is the user's."""

    def __init__(self, receiver: Receiver) -> None:
        """Look after a receiver that runs."""
        self._receiver = receiver
        self.restarts: list[str] = []

    def check(self) -> None:
        """Start it again if it has ended; raises JudgeError when that cannot be done."""
        self.restarts += revive("the receiver", self._receiver)

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at it."""
        return self._receiver.notifications()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All servers around a world: where alerts are read, what is `kept` alive, how it `begins`.

    `alertmanager` is the user's own; None when it is ours, or not spoken of. What began to pend
    before `settled_s` (Unix seconds) is not told of unless it fires.
    """

    prometheus: ForeignServer
    alertmanager: ForeignServer | None
    kept: SupervisedServers
    begins: Callable[[], None] = lambda: None
    settled_s: float = 0.0

    def start(self) -> None:
        """Let the servers of ours scrape the world, which is served by now."""
        self.begins()

    def hear(self, last: StackStatus) -> StackStatus:
        """Return what there is to say now, with the alerts of `last` if there are no newer ones."""
        self.kept.check()
        heard, unreachable = last, []
        try:
            alerts = self.prometheus.active_alerts()
            heard = learn(last, tuple(one for one in alerts if self._is_meant(one)))
        except ServerUnreachable as error:
            unreachable.append(str(error))
        if self.alertmanager is not None:
            try:
                self.alertmanager.check()
            except ServerUnreachable as error:
                unreachable.append(str(error))
        return replace(
            heard,
            told=self.kept.notifications(),
            unreachable=tuple(unreachable),
            restarts=tuple(self.kept.restarts),
        )

    def _is_meant(self, one: ActiveAlert) -> bool:
        return one.state == "firing" or one.active_s >= self.settled_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run, read and checked; `prometheus` and `alertmanager` are the user's own."""

    scenario: Scenario
    rules: RuleFiles
    routing: Routing
    compression: TimeCompression
    prometheus: ForeignServer | None
    alertmanager: ForeignServer | None
    sd_file: Path | None
    token: str | None
    exit_at_end: bool

    @property
    def told_port(self) -> bool:
        """Whether the receiver's address must be known beforehand: others shall notify it."""
        return self.prometheus is not None or self.alertmanager is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """A world whose time has begun, `lead_s` before its scenario, and the servers around it."""

    world: World
    live: Exposition
    lead_s: float
    around: Environment
    alertmanager_url: str | None


def begin(wanted: RunRequest, receiver: Receiver, address: str, held: ExitStack) -> StartedRun:
    """Start the servers of ours, held by `held`, and a world that is to be served at `address`.

    Raises `InputError` for a plan that does not fit, `JudgeError` for servers that do not start.
    """
    if wanted.prometheus is not None:
        return _with_theirs(wanted, wanted.prometheus, receiver, held)
    return _with_ours(wanted, receiver, address, held)


def _with_ours(wanted: RunRequest, receiver: Receiver, address: str, held: ExitStack) -> StartedRun:
    """Live through the past and start a stack that is going to know it."""
    compression, chosen = wanted.compression, wanted.scenario
    past = simulate_past(chosen, depths(wanted.rules, ()), HealthyWorlds(), compression=compression)
    history = past.simulation.recorder.history()
    lead_s = 0.0 if isinf(chosen.duration_s) else settle_s(history, compression)
    try:
        world = past.world.fork(compression.plan(chosen.plan, lead_s=lead_s))
    except ValueError as error:
        raise InputError(str(error), path=chosen.path) from None
    compressed = compress_rules(wanted.rules, compression.factor)
    theirs = wanted.alertmanager
    stack = Stack(compressed, wanted.routing, compression, receiver=receiver, elsewhere=theirs)
    held.enter_context(stack)
    joined_s = time.time()
    live = _live(world, chosen, fresh=True)
    # Compressed windows are shorter than the wait for the first scrape: their rates are too low
    # while they hold that gap.
    gap_s = (
        FIRST_SCRAPE_S + LEAD_SCRAPES * compression.scrape_s
        if compression.factor > GAP_FACTOR
        else 0.0
    )
    around = Environment(
        prometheus=ForeignServer("Prometheus", stack.prometheus.url),
        alertmanager=theirs,
        kept=stack,
        begins=lambda: join(
            stack,
            compressed,
            at_real_time(history, joined_s, compression.factor),
            target=address,
            joined_s=joined_s,
        ),
        settled_s=joined_s + gap_s,
    )
    notifies = theirs.url if theirs else stack.alertmanager.url
    return StartedRun(
        world=world, live=live, lead_s=lead_s, around=around, alertmanager_url=notifies
    )


def _with_theirs(
    wanted: RunRequest, prometheus: ForeignServer, receiver: Receiver, held: ExitStack
) -> StartedRun:
    """Start a receiver alone, and leave a Prometheus that knows nothing time to find the world."""
    chosen, theirs = wanted.scenario, wanted.alertmanager
    lead_s = 0.0 if isinf(chosen.duration_s) else THEIR_LEAD_S
    try:
        world = build_world(
            replace(chosen, plan=wanted.compression.plan(chosen.plan, lead_s=lead_s))
        )
    except ValueError as error:
        raise InputError(str(error), path=chosen.path) from None
    held.enter_context(receiver)
    return StartedRun(
        world=world,
        live=_live(world, chosen, fresh=False),
        lead_s=lead_s,
        around=Environment(prometheus=prometheus, alertmanager=theirs, kept=ReceiverOnly(receiver)),
        alertmanager_url=theirs.url if theirs else None,
    )


def _live(world: World, scenario: Scenario, *, fresh: bool) -> Exposition:
    return Exposition(
        world,
        SystemClock(),
        version=version("agentaskit-sim"),
        scenario=scenario.name,
        fresh=fresh,
    )
