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

from agentaskit_sim.serve import build_world
from agentaskit_sim.watch import learn
from exporter.live import Live
from scenarios.errors import InputError
from simulator.pacer import SystemClock
from verifier.active import Elsewhere, Unreachable
from verifier.compression import compress_rules
from verifier.fastforward import live_past
from verifier.live import FIRST_SCRAPE_S, LEAD_SCRAPES, at_real_time, join, settle_s
from verifier.ranges import depths
from verifier.stack import Stack, revive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from agentaskit_sim.watch import Heard
    from scenarios.scenario import Scenario
    from simulator.world import World
    from verifier.active import ActiveAlert
    from verifier.ledger import Notification
    from verifier.receiver import Receiver
    from verifier.routing import Routing
    from verifier.rules import RuleFiles
    from verifier.tempo import Tempo

THEIR_LEAD_S: Final = 90.0
"""How long a Prometheus of the user has to find the world: `http_sd` looks once a minute."""
GAP_FACTOR: Final = 3.0
"""From this tempo on the shortest windows feel the gap between the past and the first scrape."""


class Kept(Protocol):
    """The servers of ours; `restarts` tells of each that had to be started again."""

    @property
    def restarts(self) -> Sequence[str]:
        """A sentence for each."""

    def check(self) -> None:
        """Look after them; raises JudgeError when the run cannot go on."""

    def notifications(self) -> tuple[Notification, ...]:
        """Return what has arrived at the receiver."""


class Alone:
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
class Around:
    """All servers around a world: where alerts are read, what is `kept` alive, how it `begins`.

    `alertmanager` is the user's own; None when it is ours, or not spoken of. What began to pend
    before `settled_s` (Unix seconds) is not told of unless it fires.
    """

    prometheus: Elsewhere
    alertmanager: Elsewhere | None
    kept: Kept
    begins: Callable[[], None] = lambda: None
    settled_s: float = 0.0

    def start(self) -> None:
        """Let the servers of ours scrape the world, which is served by now."""
        self.begins()

    def hear(self, last: Heard) -> Heard:
        """Return what there is to say now, with the alerts of `last` if there are no newer ones."""
        self.kept.check()
        heard, unreachable = last, []
        try:
            alerts = self.prometheus.active_alerts()
            heard = learn(last, tuple(one for one in alerts if self._is_meant(one)))
        except Unreachable as error:
            unreachable.append(str(error))
        if self.alertmanager is not None:
            try:
                self.alertmanager.check()
            except Unreachable as error:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A world whose time has begun, `lead_s` before its scenario, and the servers around it."""

    world: World
    live: Live
    lead_s: float
    around: Around
    alertmanager_url: str | None


def begin(wanted: Wanted, receiver: Receiver, address: str, held: ExitStack) -> Begun:
    """Start the servers of ours, held by `held`, and a world that is to be served at `address`.

    Raises `InputError` for a plan that does not fit, `JudgeError` for servers that do not start.
    """
    if wanted.prometheus is not None:
        return _with_theirs(wanted, wanted.prometheus, receiver, held)
    return _with_ours(wanted, receiver, address, held)


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
    # Compressed windows are shorter than the wait for the first scrape: their rates are too low
    # while they hold that gap.
    gap_s = FIRST_SCRAPE_S + LEAD_SCRAPES * tempo.scrape_s if tempo.factor > GAP_FACTOR else 0.0
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
        settled_s=joined_s + gap_s,
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
