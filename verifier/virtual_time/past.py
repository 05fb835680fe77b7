"""A scenario's past: what was simulated, and stored, before its start.

Used by the simulation of a scenario and by every run in real time. The past begins with a healthy
world and holds the scenario's incidents; it is as long as rules and panels read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from exporter.history.recorder import Recorder
from exporter.history.retention import FINE_PAST_S, WITH_GAPS, WITHOUT_GAPS
from exporter.history.system_recorder import SystemRecorder
from exporter.mapping.mapped_metrics import exported_metrics
from exporter.metrics.catalogue import catalogue_world
from exporter.target import OURS, SCRAPE_S
from simulator.faults.effective_parameters import EXTRA_SERIES_MAX
from simulator.load import Load
from simulator.plan import Plan
from verifier.judge.fault_effects import faults_without_effect
from verifier.virtual_time.delayed_plan import delayed
from verifier.virtual_time.failure_surplus import surplus_of
from verifier.virtual_time.healthy_world import REAL_TIME
from verifier.virtual_time.minute_draws import MinuteDraws
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.simulation import Simulation
from verifier.virtual_time.steady_state import ResamplingPool, differing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.history.retention import Interval, Need
    from exporter.history.stream import HistoryStream
    from exporter.mapping.metric_mapping import MetricMapping
    from scenarios.scenario import Scenario
    from simulator.cells.system import SimulatedSystem
    from simulator.faults.fault import Fault
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.healthy_world import HealthyWorld, HealthyWorlds
    from verifier.virtual_time.progress import Report

AFTERMATH_S: Final = 3600.0
"""How long after its end an incident of the past may still show: leaks go as agents are recycled,
queues drain."""


AROUND_S: Final = 300.0
"""So long before and after each end of an incident every scrape is kept."""


class Needs(Protocol):
    """What of each metric is kept: as rules and panels read it, or as somebody asks for it."""

    def need(self, metric: str, duration_s: float) -> Need:
        """Return how deep `metric` is kept, for a scenario of `duration_s`."""


@dataclass(frozen=True, slots=True)
class SimulatedPast:
    """A scenario's past, simulated up to its start: the world then, its pool, the record so far.

    `without_effect` are sentences on its incidents that had no effect.
    """

    world: SimulatedSystem
    pool: ResamplingPool | None
    simulation: Simulation
    without_effect: tuple[str, ...]


def simulate_past(  # noqa: PLR0913 - what came before, and in which time
    scenario: Scenario,
    needed: Needs,
    healthy_worlds: HealthyWorlds,
    *,
    compression: TimeCompression = REAL_TIME,
    delay_s: float = 0.0,
    mapping: MetricMapping | None = None,
    report: Report | None = None,
    stream: HistoryStream | None = None,
    sparing: bool = False,
) -> SimulatedPast:
    """Simulate what came before `scenario`, as far back as rules and panels read.

    The record is in scenario seconds whatever the `compression`, counted from `delay_s` before the
    scenario's start; the world runs in its own. Where it is `sparing`, no more is kept than rates
    of whole windows need. Raises JudgeError when the world does not settle under the scenario's
    load.
    """
    healthy = healthy_worlds.start_of(scenario, compression)
    recorder = _recorder(scenario, needed, healthy, mapping, sparing=sparing)
    past_s, incidents = _incidents(scenario, recorder.past_s)
    simulation = Simulation(
        recorder=recorder,
        draws=MinuteDraws(scenario.seed, "resample"),
        progress=ProgressReporter(scenario, report),
        compression=compression,
        stream=stream,
    )
    load = Load(rate=scenario.plan.load.rate)
    plan = delayed(Plan(load=load, faults=incidents), delay_s)
    world = healthy.world.fork(compression.plan(plan))
    simulation.healthy = pool = _continue_from(simulation, healthy)
    simulation.healthy_per_s = healthy.world.requested_per_s
    if start_changed(incidents):
        pool = None
    pool = simulation.advance(world, -past_s, 0.0, pool)
    return SimulatedPast(
        world, pool, simulation, faults_without_effect(world, recorder.effects(world))
    )


def _recorder(
    scenario: Scenario,
    needed: Needs,
    healthy: HealthyWorld,
    mapping: MetricMapping | None,
    *,
    sparing: bool,
) -> SystemRecorder:
    """Return what records a scenario and its past: every target, as deep as it is read."""
    cells = healthy.before.targets
    catalogue = catalogue_world(cells[0], exported_metrics(mapping))
    duration_s = min(scenario.duration_s, FINE_PAST_S) + SCRAPE_S
    target = OURS if mapping is None else mapping.target
    steps = WITHOUT_GAPS if sparing and not may_have_gaps(scenario) else WITH_GAPS
    return SystemRecorder(
        [
            Recorder(
                catalogue,
                lambda metric: needed.need(metric, duration_s),
                scenario.past.depth_s,
                _eventful(scenario),
                target=target if len(cells) == 1 else target.of_cell(cell),
                further=_further_series(scenario),
                steps=steps,
            )
            for cell in range(len(cells))
        ]
    )


def may_have_gaps(scenario: Scenario) -> bool:
    """Whether a series may be interrupted in a scenario or its past, or a window not be full.

    A scenario of more than a day counts too: windows begin far from where they did at its start.
    """
    return (
        scenario.past.depth_s is not None
        or scenario.duration_s > FINE_PAST_S
        or any(fault.parameters.interrupts_series for fault in scenario.plan.faults)
        or any(incident.parameters.interrupts_series for incident in scenario.past.incidents)
    )


def _eventful(scenario: Scenario) -> list[Interval]:
    """Return when incidents of the past may end series, or let them begin anew."""
    return [
        (at_s - AROUND_S, at_s + AROUND_S)
        for incident in scenario.past.incidents
        for at_s in (-incident.ago_s, incident.duration_s - incident.ago_s)
    ]


def _further_series(scenario: Scenario) -> int:
    """Return how many series bursts of a scenario or its past add to a page, at most."""
    further = sum(fault.parameters.further_series() for fault in scenario.plan.faults)
    further += sum(incident.parameters.further_series() for incident in scenario.past.incidents)
    return min(further, EXTRA_SERIES_MAX)


def start_changed(faults: Iterable[Fault]) -> bool:
    """Whether a fault starts with the plan itself, so that no pool from before it fits."""
    return any(fault.start_s <= 0 for fault in faults)


def _incidents(scenario: Scenario, read_s: float) -> tuple[float, tuple[Fault, ...]]:
    """Return how long a past to simulate, and the incidents that show in what is read of it."""
    shown = [
        incident
        for incident in scenario.past.incidents
        if incident.ago_s - incident.duration_s < read_s + AFTERMATH_S
    ]
    earliest_s = max((incident.ago_s for incident in shown), default=0.0)
    past_s = max(read_s, float(np.ceil(earliest_s / SCRAPE_S) * SCRAPE_S))
    return past_s, tuple(incident.fault(past_s - incident.ago_s) for incident in shown)


def _continue_from(simulation: Simulation, healthy: HealthyWorld) -> ResamplingPool | None:
    """Let the record go on from the healthy world; return its pool in the recorder's columns.

    None when something is read that is not steady: it is named before the past is simulated.
    """
    recorder = simulation.recorder
    snapshots = (healthy.before, *healthy.scrapes)
    readings = np.array([recorder.read(snapshot) for snapshot in snapshots])
    recorder.continue_from(readings[-1])
    counts = simulation.truth.rows_of(snapshots)
    rows = recorder.rows(readings)
    half = len(rows) // 2
    unsteady = np.flatnonzero(differing(rows[:half], rows[half:]))
    if len(unsteady):
        name = recorder.names[unsteady[0]]
        simulation.progress.cause = f" (event by event while {name}, which is read, is not steady)"
        return None
    surplus = surplus_of(snapshots, healthy.world.topology.error_share)
    return ResamplingPool(rows, surplus, counts)
