"""Time compression: how many seconds of a scenario pass in one second of a run in real time.

A world runs in real time whatever the compression, so its rates, and the thresholds on them, stay
as they are. What is in scenario seconds (when a fault begins, how long a window is) is divided by
the factor; what grows with time grows by the factor. Pure values, used for runs in real time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from exporter.target import SCRAPE_S, SCRAPE_TIMEOUT_S
from scenarios.scenario import without_exact_times
from simulator.bounds import require
from simulator.faults.parameters import TimeScale
from simulator.load import Load, Stage
from simulator.plan import Plan

if TYPE_CHECKING:
    from scenarios.scenario import Expectation, Scenario
    from simulator.faults.fault import Fault
    from simulator.load import Burst
    from simulator.topology import Topology

SCRAPE_MIN_S: Final = 0.5
"""Shortest scrape interval of a run in real time: shorter is mostly work for the machine."""
INERTIA_S: Final = 15.0
"""What the world takes to fill queues, drain them and move its fleet, real seconds."""
FACTOR_MAX: Final = 1000.0
"""Beyond it a scenario of an hour is shorter than what the world takes to react."""


@dataclass(frozen=True, slots=True)
class TimeCompression:
    """`factor` scenario seconds pass in one real second; 1 is real time."""

    factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse factors outside [1, 1000]."""
        require(1 <= self.factor <= FACTOR_MAX, "compress", "1 to 1000", self.factor)

    @property
    def scrape_s(self) -> float:
        """Scrape interval of a run in real time, real seconds, whole milliseconds."""
        return floor(max(SCRAPE_MIN_S, SCRAPE_S / self.factor) * 1000) / 1000

    @property
    def scrape_timeout_s(self) -> float:
        """How long Prometheus waits for a page, real seconds: as long as it can."""
        return min(SCRAPE_TIMEOUT_S, self.scrape_s)

    @property
    def step_ns(self) -> int:
        """What one scrape interval of the scenario, 15 s, is on the world's clock."""
        return round(SCRAPE_S * 1_000_000_000 / self.factor)

    @property
    def _scale(self) -> TimeScale:
        return TimeScale(self.factor, self.scrape_timeout_s / SCRAPE_TIMEOUT_S)

    def real_s(self, scenario_s: float) -> float:
        """Return how long an interval of the scenario lasts in real time."""
        return scenario_s / self.factor

    def topology(self, topology: Topology) -> Topology:
        """Return `topology` with a fleet that is scaled at this compression.

        All else that takes the world its time (service, queues, starts, recycling) is what rates
        and latencies are made of and stays: see `allowance_s`.
        """
        return replace(
            topology,
            scaling_memory_s=topology.scaling_memory_s / self.factor,
            scale_up_per_s=ceil(topology.scale_up_per_s * self.factor),
            scale_down_per_s=ceil(topology.scale_down_per_s * self.factor),
        )

    def allowance_s(self, inertia_s: float) -> float:
        """Return what `inertia_s` real seconds add to a bound in scenario seconds.

        A bound written for real time includes the world's own inertia. Compressed, it would include
        a part of it, though the world still takes all of it.
        """
        return inertia_s * (self.factor - 1)

    def plan(self, plan: Plan, *, lead_s: float = 0.0) -> Plan:
        """Return `plan` compressed, everything `lead_s` real seconds later.

        Raises ValueError for loads bound to the clock: recorded, or daily.
        """
        return Plan(
            load=self._load(plan.load, lead_s),
            faults=tuple(self._fault(fault, lead_s) for fault in plan.faults),
        )

    def _load(self, load: Load, lead_s: float) -> Load:
        stages = tuple(Stage(duration_s=s.duration_s / self.factor, target=s.target)
                       for s in load.stages)  # fmt: skip
        if lead_s > 0 and stages:
            stages = (Stage(duration_s=lead_s, target=load.rate), *stages)
        if self.factor != 1 or lead_s > 0:
            rule = "left out in real time: it follows the clock of the world"
            for field, value in (("trace", load.trace_s), ("daily", load.daily)):
                require(value is None, field, rule, field, owner="load")
        return replace(load, stages=stages, burst=self._burst(load.burst))

    def _burst(self, burst: Burst | None) -> Burst | None:
        if burst is None:
            return None
        return replace(
            burst, every_s=burst.every_s / self.factor, last_s=burst.last_s / self.factor
        )

    def _fault(self, fault: Fault, lead_s: float) -> Fault:
        return replace(
            fault,
            parameters=fault.parameters.compressed(self._scale),
            start_s=lead_s + fault.start_s / self.factor,
            duration_s=fault.duration_s / self.factor,
            ramp_s=fault.ramp_s / self.factor,
        )


def allow_for_inertia(scenario: Scenario, compression: TimeCompression) -> Scenario:
    """Return the scenario with deadlines that leave the world the time it always takes.

    Windows that are compressed hold less and are as much noisier, so that an alert may be pending
    for an evaluation or two: `for` is what guards against that, and firing is what counts.
    """
    faults = {fault.name: fault for fault in scenario.plan.faults}

    def extended(expectation: Expectation) -> Expectation:
        if expectation.fires_within_s is None:
            return expectation
        cause = faults.get(expectation.cause or "")
        fade_s = cause.parameters.felt_after_end_s(scenario.topology) if cause else 0.0
        resolves_s = expectation.resolves_within_s
        if resolves_s is not None:
            resolves_s += compression.allowance_s(INERTIA_S + fade_s)
        fires_s = expectation.fires_within_s + compression.allowance_s(INERTIA_S)
        # All is measured to an evaluation, which may be minutes of a scenario.
        return replace(
            without_exact_times(expectation), fires_within_s=fires_s, resolves_within_s=resolves_s
        )

    return replace(
        scenario,
        expectations=tuple(map(extended, scenario.expectations)),
        pending_allowed=scenario.pending_allowed or compression.factor > 1,
    )
