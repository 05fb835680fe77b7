"""The fast-forward judge: a scenario lived in virtual time, its history given to a real Prometheus.

Called by the suite, once per scenario. The healthy past is simulated once for each topology, load
and seed, and every scenario starts from a copy. Transients are always simulated exactly; steady
stretches are resampled (see `steady`) unless the caller wants everything exact. The verdict says
how much was which.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.recorder import Recorder
from exporter.metrics.catalogue import CONTRACT, WORLD, Catalogue, catalogue_world
from exporter.scrape_path.losses import arrives
from exporter.target import SCRAPE_S
from simulator.kernel.streams import generator
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.errors import JudgeError
from verifier.evaluation.engine import evaluate
from verifier.judge.fault_effects import faults_without_effect
from verifier.judge.judgement import judge, missing_history
from verifier.judge.panels import panel_verdicts
from verifier.judge.verdict import Engine, Progress, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.servers.prometheus import Prometheus
from verifier.time_compression import TimeCompression
from verifier.virtual_time.steady_state import MINUTE, ResamplingPool, find_pool, is_steady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import History
    from scenarios.scenario import Scenario
    from simulator.faults.catalogue import Fault
    from simulator.snapshot import Snapshot
    from verifier.pack.dashboards import Panel
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.rules import RuleFiles

    Report = Callable[[Progress], None]

WARM_UP_S: Final = 60.0
WARM_UP_MINUTES_MAX: Final = 20
REAL_TIME: Final = TimeCompression()
AFTERMATH_S: Final = 3600.0
"""How long after its end an incident of the past may still be felt."""
WORTH_SKIPPING: Final = 2 * MINUTE
"""Fewer further scrapes than these are lived, not resampled."""
TELL_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class HealthyWorld:
    """A world that has settled under its load, and the exact scrapes of its last minutes."""

    world: World
    before: Snapshot
    scrapes: tuple[Snapshot, ...]


@dataclass(slots=True)
class HealthyWorlds:
    """Healthy worlds by topology, rate, seed and tempo: each is simulated once."""

    found: dict[tuple[Topology, float, int, TimeCompression], HealthyWorld] = field(
        default_factory=dict
    )

    @staticmethod
    def key(
        scenario: Scenario, compression: TimeCompression
    ) -> tuple[Topology, float, int, TimeCompression]:
        """What two scenarios must have in common to start from the same world."""
        return scenario.topology, scenario.plan.load.rate, scenario.seed, compression

    def of(self, scenario: Scenario, compression: TimeCompression = REAL_TIME) -> HealthyWorld:
        """The healthy world that `scenario` starts from."""
        key = self.key(scenario, compression)
        if key not in self.found:
            self.found[key] = warm_up(*key)
        return self.found[key]


def warm_up(
    topology: Topology, rate: float, seed: int, compression: TimeCompression = REAL_TIME
) -> HealthyWorld:
    """Simulate a healthy world exactly until its last minutes are steady: those to draw from.

    Raises `JudgeError` when it does not settle: it has no healthy past.
    """
    world = World(compression.topology(topology), Plan(load=Load(rate=rate)), seed)
    world.advance(WARM_UP_S)
    scrapes = [world.snapshot()]
    contract = Catalogue(CONTRACT, scrapes[0])
    counters = contract.kinds == "counter"
    reading = contract.flatten(scrapes[0])
    rows: list[NDArray[np.float64]] = []
    for _ in range(round(WARM_UP_MINUTES_MAX * compression.factor) * MINUTE):
        world.advance_ns(world.now_ns + compression.step_ns)
        scrapes.append(world.snapshot())
        last, reading = reading, contract.flatten(scrapes[-1])
        rows.append(np.where(counters, reading - last, reading))
        pool = find_pool(rows, factor=compression.factor)
        if pool is not None:
            drawn = len(pool.rows)
            return HealthyWorld(world, scrapes[-drawn - 1], tuple(scrapes[-drawn:]))
    raise JudgeError(
        f"the system does not settle under {rate:g} tasks/s and has no steady past to begin with:"
        " give a load.rate that it can carry, and raise it by load.stages"
    )


_WARM = HealthyWorlds()
"""Kept for the process, so that forked workers find what their parent prepared."""


def prepare(scenarios: Iterable[Scenario], compression: TimeCompression = REAL_TIME) -> None:
    """Compile, and simulate the healthy past that several scenarios share, before workers fork.

    A world that does not settle is told by its own scenarios, not here.
    """
    World(Topology(), Plan(), 0)
    shared: dict[object, list[Scenario]] = {}
    for scenario in scenarios:
        shared.setdefault(_WARM.key(scenario, compression), []).append(scenario)
    for alike in shared.values():
        if len(alike) > 1:
            with suppress(JudgeError):
                _WARM.of(alike[0], compression)


@dataclass(slots=True)
class Simulation:
    """Moves a world from scrape to scrape and records; knows how much was exact.

    `restarts` counts those of the plan at hand, as its world does.
    """

    recorder: Recorder
    exact: bool
    chance: np.random.Generator
    tell: Callable[[float], None]
    compression: TimeCompression = REAL_TIME
    exact_s: float = 0.0
    resampled_s: float = 0.0
    restarts: int = 0

    def through(
        self, world: World, start_s: float, end_s: float, pool: ResamplingPool | None
    ) -> ResamplingPool | None:
        """Record the scrapes after `start_s` up to `end_s`; a given `pool` fits the first stretch.

        Returns the pool of the last stretch if it was steady to the end.
        """
        self.restarts = 0
        self._note_restart(world)
        origin_ns = world.now_ns
        left = round((end_s - start_s) / SCRAPE_S)
        done = 0
        rows: list[NDArray[np.float64]] = []
        leaked: list[int] = []
        while done < left:
            if pool is None and not self.exact:
                pool = find_pool(rows, leaked, factor=self.compression.factor)
            until_change = (world.next_change_ns() - world.now_ns) // self.compression.step_ns
            # At least the last scrape before a change is lived, so that the change is met exactly.
            ahead = int(min(left - done, until_change - 1 if until_change < left - done else left))
            if pool is not None and ahead >= WORTH_SKIPPING and not self.exact:
                self._resample(world, start_s + done * SCRAPE_S, ahead, pool)
                done += ahead
                continue
            done += 1
            changed, row = self._live(world, origin_ns, start_s, done)
            if changed:
                rows, leaked, pool = [], [], None
            else:
                rows.append(row)
                leaked.append(world.leaked_bytes)
            self.tell(start_s + done * SCRAPE_S)
        return pool

    def _live(
        self, world: World, origin_ns: int, start_s: float, scrape: int
    ) -> tuple[bool, NDArray[np.float64]]:
        """Simulate up to the next scrape and record it; says whether anything changed before."""
        at_ns = origin_ns + scrape * self.compression.step_ns
        changed = world.next_change_ns() <= at_ns
        while world.next_change_ns() <= at_ns:
            world.advance_ns(world.next_change_ns())
            self._note_restart(world)
        world.advance_ns(at_ns)
        snapshot = world.snapshot()
        raw = self.recorder.read(snapshot)
        at_s = start_s + scrape * SCRAPE_S
        present = self.recorder.present_series(snapshot)
        row = self.recorder.record(at_s, raw, up=arrives(snapshot), present=present)
        self.recorder.count_effects(snapshot)
        self.exact_s += SCRAPE_S
        return changed, row

    def _note_restart(self, world: World) -> None:
        snapshot = world.snapshot()
        if snapshot.exporter_restarts != self.restarts:
            self.restarts = snapshot.exporter_restarts
            self.recorder.restart(self.recorder.read(snapshot))

    def _resample(self, world: World, from_s: float, scrapes: int, pool: ResamplingPool) -> None:
        times_s = from_s + SCRAPE_S * np.arange(1, scrapes + 1, dtype=np.float64)
        snapshot, picks = world.snapshot(), pool.pick(scrapes, self.chance)
        present = self.recorder.present_series(snapshot)
        up = arrives(snapshot)
        self.recorder.record_rows(times_s, pool.rows, picks, up=up, present=present)
        self.recorder.count_effects(snapshot, scrapes)
        world.skip_ns(scrapes * self.compression.step_ns)
        self.resampled_s += scrapes * SCRAPE_S
        self.tell(from_s + scrapes * SCRAPE_S)


@dataclass(frozen=True, slots=True)
class SimulatedScenario:
    """A scenario lived to its end: what to push, how it came about, and which faults were none."""

    history: History
    exact_s: float
    resampled_s: float
    weak: tuple[str, ...]


def simulate(
    scenario: Scenario,
    needed: HistoryDepths,
    *,
    exact: bool = False,
    report: Report | None = None,
    warm: HealthyWorlds | None = None,
) -> SimulatedScenario:
    """Simulate `scenario`, its past included, and record what rules and panels will read."""
    past = simulate_past(scenario, needed, report=report, warm=warm)
    world, pool, drive, load = past.world, past.pool, past.drive, Load(rate=scenario.plan.load.rate)
    drive.exact = exact or scenario.plan.load.trace_s is not None
    if scenario.plan.load.trace_s is not None:
        world = World(scenario.topology, scenario.plan, scenario.seed)
        drive.recorder.continue_from(drive.recorder.read(world.snapshot()))
    else:
        world = world.fork(scenario.plan)
    if scenario.plan.load != load or _begins_changed(scenario.plan.faults):
        pool = None
    drive.through(world, 0.0, scenario.duration_s, pool)
    weak = (*past.weak, *faults_without_effect(world, drive.recorder.path))
    return SimulatedScenario(drive.recorder.history(), drive.exact_s, drive.resampled_s, weak)


@dataclass(frozen=True, slots=True)
class SimulatedPast:
    """A scenario's past, lived up to its start: the world of then, its pool, the record so far.

    `weak` are sentences on its incidents that had no effect.
    """

    world: World
    pool: ResamplingPool | None
    drive: Simulation
    weak: tuple[str, ...]


def simulate_past(
    scenario: Scenario,
    needed: HistoryDepths,
    *,
    compression: TimeCompression = REAL_TIME,
    report: Report | None = None,
    warm: HealthyWorlds | None = None,
) -> SimulatedPast:
    """Simulate what came before `scenario`, as far back as rules and panels read.

    The record is in scenario seconds whatever the `compression`; the world lives in its own.
    """
    healthy = (warm or _WARM).of(scenario, compression)
    catalogue = catalogue_world(healthy.before)
    recorder = Recorder(catalogue, needed.depth_s, scenario.past.depth_s, needed.fine_s)
    past_s, incidents = _past(scenario, recorder.past_s)
    chance = generator(scenario.seed, "resample")
    drive = Simulation(recorder, False, chance, _teller(scenario, report), compression)  # noqa: FBT003
    load = Load(rate=scenario.plan.load.rate)
    world = healthy.world.fork(compression.plan(Plan(load=load, faults=incidents)))
    pool = _joined(recorder, healthy)
    pool = drive.through(world, -past_s, 0.0, None if _begins_changed(incidents) else pool)
    return SimulatedPast(world, pool, drive, faults_without_effect(world, recorder.path))


def verify_scenario(
    scenario: Scenario,
    rules: RuleFiles,
    panels: Sequence[Panel],
    *,
    exact: bool,
    report: Report,
) -> ScenarioOutcome:
    """Live, push, evaluate, judge. Raises `JudgeError` and `InputError` as its parts do."""
    begun_s = time.monotonic()
    needed = depths(rules, panels)
    lived = simulate(scenario, needed, exact=exact, report=report)
    report(_progress(scenario, "judging", scenario.duration_s, 0.0))
    with Prometheus() as server:
        server.push(lived.history)
        evaluation = evaluate(server, rules, panels, start_s=0.0, end_s=scenario.duration_s)
    names = [rule.alert for _, rule in rules.alerts]
    return ScenarioOutcome(
        name=scenario.name,
        seed=scenario.seed,
        engine=Engine(name="prometheus", version=evaluation.engine),
        duration_s=scenario.duration_s,
        exact_s=lived.exact_s,
        resampled_s=lived.resampled_s,
        wall_s=time.monotonic() - begun_s,
        alerts=judge(scenario, names, evaluation.timelines),
        panels=panel_verdicts(evaluation.panels),
        invalid=(*_missing(scenario, needed), *lived.weak),
    )


def _missing(scenario: Scenario, needed: HistoryDepths) -> tuple[str, ...]:
    """Why windows are not full, when the scenario asks for less past than they read."""
    given_s = scenario.past.depth_s
    if given_s is None:
        return ()
    names = {metric.name for metric in WORLD}
    names |= {f"{name}_{part}" for name in names for part in ("bucket", "count", "sum")}
    asked = {name: needed.depth_s(name) for name in names if needed.depth_s(name) > 0}
    return missing_history(asked, dict.fromkeys(asked, given_s))


def _past(scenario: Scenario, read_s: float) -> tuple[float, tuple[Fault, ...]]:
    """How long a past to live, and its incidents: those that can be felt in what is read of it."""
    felt = [
        one for one in scenario.past.incidents if one.ago_s - one.duration_s < read_s + AFTERMATH_S
    ]
    earliest_s = max((one.ago_s for one in felt), default=0.0)
    past_s = max(read_s, float(np.ceil(earliest_s / SCRAPE_S) * SCRAPE_S))
    return past_s, tuple(one.fault(past_s - one.ago_s) for one in felt)


def _joined(recorder: Recorder, healthy: HealthyWorld) -> ResamplingPool | None:
    """The pool of the healthy world in the recorder's columns; its counters are joined.

    None when something is read that is never steady, such as a clock.
    """
    readings = np.array([recorder.read(one) for one in (healthy.before, *healthy.scrapes)])
    recorder.continue_from(readings[-1])
    rows = np.where(recorder.counters, np.diff(readings, axis=0), readings[1:])
    return ResamplingPool(rows) if is_steady(rows) else None


def _begins_changed(faults: Iterable[Fault]) -> bool:
    return any(fault.start_s <= 0 for fault in faults)


def _progress(scenario: Scenario, phase: str, at_s: float, speed: float) -> Progress:
    return Progress(
        scenario=scenario.name,
        phase=phase,
        virtual_s=at_s,
        of_s=scenario.duration_s,
        times_real_time=speed,
    )


def _teller(scenario: Scenario, report: Report | None) -> Callable[[float], None]:
    """Tell how far a run is, not more often than a person can read."""
    begun_s = time.monotonic()
    told_s = begun_s

    def tell(at_s: float) -> None:
        nonlocal begun_s, told_s
        now_s = time.monotonic()
        if report is None or now_s - told_s < TELL_EVERY_S:
            return
        told_s = now_s
        phase = "history" if at_s < 0 else "simulating"
        # The past is mostly resampled: counted in, it would drown the speed of what is lived.
        if at_s < 0:
            begun_s = now_s
        speed = max(at_s, 0.0) / max(now_s - begun_s, TELL_EVERY_S)
        report(_progress(scenario, phase, max(at_s, 0.0), speed))

    return tell
