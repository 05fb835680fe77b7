"""Starts a run in real time: simulates its past, joins that to a stack, leaves the world ready.

The one orchestration for `up`, which shows a run, and for `RealTimeRun`, which judges one. Order:
the past is simulated, the servers start, the world's clock starts, its page is served by the
caller, and only then does `Environment.start` store the past and let Prometheus scrape.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from documents.mistakes import InputError
from exporter.history.samples import EPOCH_S, Block, History
from verifier.evaluation.engine import record
from verifier.pack.history_depth import depths
from verifier.pack.routes.zone_files import DateClock
from verifier.real_time.environment import Environment, ReceiverOnly
from verifier.real_time.rule_compression import compress_rules
from verifier.real_time.stack import Stack
from verifier.real_time.world import build_world, expose
from verifier.servers.foreign_server import ForeignServer
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.past import simulate_past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

    from exporter.server.exposition import Exposition
    from scenarios.scenario import Scenario
    from simulator.cells.system import SimulatedSystem
    from verifier.judge.verdict import Progress
    from verifier.pack.panels import Panel
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.servers.receiver import Receiver
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.past import SimulatedPast

FIRST_SCRAPE_S: Final = 6.5
"""Prometheus 2.42 first scrapes a target 5.1 to 5.7 s after its configuration names it."""
LEAD_SCRAPES: Final = 6
"""Scrapes before a scenario begins: the shortest windows are full then."""
PUSHED_PER_S: Final = 50_000
"""Samples of the past that even a busy machine stores in a second."""
FOREIGN_LEAD_S: Final = 90.0
"""How long a Prometheus of the user has to find the world: `http_sd` asks once a minute."""
GAP_FACTOR: Final = 3.0
"""From this compression on the shortest windows hold the gap between past and first scrape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run in real time, read and checked; rules and scenario are not yet compressed.

    `panels` are those whose history is needed. `prometheus` and `alertmanager` are the user's own,
    None where ours shall run.
    """

    scenario: Scenario
    rules: RuleFiles
    routing: Routing
    compression: TimeCompression
    panels: Sequence[Panel] = ()
    prometheus: ForeignServer | None = None
    alertmanager: ForeignServer | None = None
    healthy_worlds: HealthyWorlds = field(default_factory=HealthyWorlds)

    @property
    def has_foreign_servers(self) -> bool:
        """Whether servers of the user take part, which must know the receiver's address."""
        return self.prometheus is not None or self.alertmanager is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A run whose past is simulated, before any server starts.

    `history` is that past in scenario seconds, `rules` are compressed, and `world` stands `lead_s`
    real seconds before its scenario.
    """

    past: SimulatedPast
    history: History
    rules: RuleFiles
    world: SimulatedSystem
    lead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """A world whose clock started at `started_s` of Unix time, and the servers around it.

    Its scenario begins `lead_s` later. `alertmanager_url` is None when only the user knows it.
    """

    world: SimulatedSystem
    exposition: Exposition
    environment: Environment
    started_s: float
    lead_s: float
    alertmanager_url: str | None


def start_run(request: RunRequest, receiver: Receiver, address: str, held: ExitStack) -> StartedRun:
    """Start our servers, held by `held`, and a world that is to be served at `address`.

    Raises `InputError` for a plan that does not fit, `JudgeError` for servers that do not start.
    """
    if request.prometheus is not None:
        return _start_beside(request.prometheus, request, receiver, held)
    prepared = prepare_run(request)
    stack = held.enter_context(build_stack(request, prepared.rules, receiver))
    return start_on_stack(request, prepared, stack, address)


def prepare_run(
    request: RunRequest, report: Callable[[Progress], None] | None = None
) -> PreparedRun:
    """Simulate the past of a run. Raises `InputError` for a plan that does not fit its world."""
    scenario, compression = request.scenario, request.compression
    needed = depths(request.rules, request.panels)
    past = simulate_past(
        scenario, needed, request.healthy_worlds, compression=compression,
        mapping=request.rules.mapping, report=report,
    )  # fmt: skip
    history = past.simulation.recorder.history()
    # A scenario without an end has no beginning that a stack would have to be ready for.
    lead_s = 0.0 if math.isinf(scenario.duration_s) else settling_s(history, compression)
    with _plan_mistakes(scenario):
        world = past.world.fork(compression.plan(scenario.plan, lead_s=lead_s))
    rules = compress_rules(request.rules, compression.factor)
    return PreparedRun(past=past, history=history, rules=rules, world=world, lead_s=lead_s)


def build_stack(request: RunRequest, rules: RuleFiles, receiver: Receiver | None = None) -> Stack:
    """Return the stack of a run, not yet started; `rules` are compressed."""
    return Stack(
        rules,
        request.routing,
        request.compression,
        receiver=receiver,
        foreign_alertmanager=request.alertmanager,
    )


def start_on_stack(
    request: RunRequest, prepared: PreparedRun, stack: Stack, address: str
) -> StartedRun:
    """Start the clock of a prepared world, to be served at `address`, on a `stack` that runs."""
    started_s = round(time.time(), 3)  # Prometheus knows whole milliseconds
    stack.set_date(
        DateClock(
            started_s + prepared.lead_s,
            scenario_date_s(request.scenario),
            request.compression.factor,
            request.scenario.duration_s,
        )
    )
    exposition = expose(prepared.world, request.scenario, fresh=True, mapping=request.rules.mapping)
    factor, foreign = request.compression.factor, request.alertmanager

    def join() -> None:
        history = in_real_time(prepared.history, started_s, factor)
        join_history(
            stack, prepared.rules, history, target=address, joined_s=started_s,
            cells=len(prepared.world.cells),
        )  # fmt: skip

    return StartedRun(
        world=prepared.world,
        exposition=exposition,
        environment=Environment(
            prometheus=ForeignServer("Prometheus", stack.prometheus.url),
            alertmanager=foreign,
            servers=stack,
            join=join,
            settled_s=started_s + _gap_s(request.compression),
        ),
        started_s=started_s,
        lead_s=prepared.lead_s,
        alertmanager_url=foreign.url if foreign else stack.alertmanager.url,
    )


def scenario_date_s(scenario: Scenario) -> float:
    """Return the date and time of day at which a scenario starts, Unix seconds."""
    return EPOCH_S if scenario.starts_at_s is None else scenario.starts_at_s


def settling_s(history: History, compression: TimeCompression) -> float:
    """How long the stack settles before a scenario begins; the same on every machine."""
    samples = sum(block.values.size for block in history.blocks)
    waits_s = LEAD_SCRAPES * compression.scrape_s + samples / PUSHED_PER_S
    return math.ceil(FIRST_SCRAPE_S + waits_s)


def join_history(  # noqa: PLR0913 - what is stored where, and what is scraped since when
    stack: Stack,
    rules: RuleFiles,
    history: History,
    *,
    target: str,
    joined_s: float,
    cells: int = 1,
) -> None:
    """Store a past that ends at `joined_s` of Unix time, then let the stack scrape `target`.

    `rules` are those that the stack evaluates; what they record of the past is stored too.
    """
    stack.prometheus.push(history)
    record(stack.prometheus, rules, epoch_s=joined_s)
    stack.start_scraping(target, cells)


def in_real_time(history: History, joined_s: float, factor: float) -> History:
    """Return a past of scenario seconds in real time, so that it ends at `joined_s` (Unix)."""
    blocks = []
    for block in history.blocks:
        before_s = (block.timestamps_ms / 1000 - EPOCH_S) / factor
        stamps = np.rint((joined_s + before_s) * 1000).astype(np.int64)
        blocks.append(Block(stamps, block.series, block.values))
    return History(history.series, blocks)


def _start_beside(
    prometheus: ForeignServer, request: RunRequest, receiver: Receiver, held: ExitStack
) -> StartedRun:
    """Start the receiver alone, and leave a Prometheus without our history time to find it all."""
    scenario, foreign = request.scenario, request.alertmanager
    lead_s = 0.0 if math.isinf(scenario.duration_s) else FOREIGN_LEAD_S
    with _plan_mistakes(scenario):
        plan = request.compression.plan(scenario.plan, lead_s=lead_s)
        world = build_world(replace(scenario, plan=plan), request.healthy_worlds.workers)
    held.enter_context(receiver)
    return StartedRun(
        world=world,
        exposition=expose(world, scenario, fresh=False, mapping=request.rules.mapping),
        environment=Environment(
            prometheus=prometheus, alertmanager=foreign, servers=ReceiverOnly(receiver)
        ),
        started_s=time.time(),
        lead_s=lead_s,
        alertmanager_url=foreign.url if foreign else None,
    )


def _gap_s(compression: TimeCompression) -> float:
    """How long after its start the rates of a compressed world are too low to be believed.

    Compressed windows are shorter than the wait for the first scrape, and hold that gap.
    """
    if compression.factor <= GAP_FACTOR:
        return 0.0
    return FIRST_SCRAPE_S + LEAD_SCRAPES * compression.scrape_s


@contextmanager
def _plan_mistakes(scenario: Scenario) -> Iterator[None]:
    """Raise a plan that does not fit its world as a mistake in the scenario's file."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None
