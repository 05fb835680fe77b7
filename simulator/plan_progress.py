"""Where a world stands in its plan: what is still to change, and the load that is asked for now.

Held by `world`, which advances to each edge and then composes anew. It knows no kernel: the
instants here are plain numbers on the world's clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from simulator.arrivals import (
    DAILY_STEP_NS,
    BurstChain,
    recorded_per_s,
    requested_per_s,
    trace_rate,
)
from simulator.faults.fault import RAMP_STEP_NS
from simulator.kernel.loop import NEVER
from simulator.kernel.state import ns
from simulator.kernel.streams import generator
from simulator.load import RATE_MAX_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.faults.fault import Fault
    from simulator.load import Load, LoadChange
    from simulator.plan import Plan


@dataclass(slots=True)
class PlanProgress:
    """A plan that began at `origin_ns`; `edges` is a heap of the instants at which it changes.

    Of a ramp, a pair of `ramps`, it holds the next step alone: a ramp may take years.

    `load_per_s` is what the load asks for since the last edge, and 0 for a recorded trace, of
    which `trace_at_s` says how far it has been played. `load_change` is the last that was asked
    for, over or not. A cell gets `share` times the load.
    """

    plan: Plan
    origin_ns: int
    edges: list[int] = field(default_factory=list)
    ramps: list[tuple[int, int]] = field(default_factory=list)
    burst: BurstChain | None = None
    load_per_s: float = 0.0
    trace_at_s: float = 0.0
    load_change: LoadChange | None = None
    share: float = 1.0

    @classmethod
    def begin(cls, plan: Plan, origin_ns: int, seed: int) -> PlanProgress:
        """Return the progress of a plan that begins at `origin_ns`."""
        spans = [*_load_spans(plan.load)]
        for fault in plan.faults:
            spans += _fault_spans(fault)
        edges = {edge for span in spans for edge in span if edge > 0}
        progress = cls(plan, origin_ns, [origin_ns + edge for edge in edges])
        heapify(progress.edges)
        for begins_ns, ends_ns in spans:
            progress.add_ramp(origin_ns + begins_ns, origin_ns + ends_ns)
        if plan.load.burst is not None:
            progress.burst = BurstChain(plan.load.burst, generator(seed, "burst"))
        return progress

    @property
    def next_edge_ns(self) -> int:
        """The next instant at which load or faults change, or `NEVER`."""
        return self.edges[0] if self.edges else NEVER

    def start_ns(self, fault: Fault) -> int:
        """When, on the world's clock, a fault of the plan begins."""
        return self.origin_ns + ns(fault.start_s)

    def end_ns(self, fault: Fault) -> int:
        """When, on the world's clock, a fault of the plan is over."""
        return self.origin_ns + ns(fault.end_s)

    def pass_edge(self, at_ns: int) -> None:
        """Take the edges of this instant off the heap."""
        while self.edges and self.edges[0] == at_ns:
            heappop(self.edges)
        self.ramps = [ramp for ramp in self.ramps if ramp[1] > at_ns]
        for begins_ns, ends_ns in self.ramps:
            if begins_ns <= at_ns:
                passed_ns = at_ns - begins_ns
                step_ns = at_ns - passed_ns % RAMP_STEP_NS + RAMP_STEP_NS
                if step_ns < ends_ns and step_ns not in self.edges:
                    self.add_edge(step_ns)

    def add_ramp(self, begins_ns: int, ends_ns: int) -> None:
        """Let a ramp change the world every second; its two ends are edges already."""
        if ends_ns - begins_ns > RAMP_STEP_NS:
            self.ramps.append((begins_ns, ends_ns))
            if begins_ns <= self.origin_ns:
                self.add_edge(begins_ns + RAMP_STEP_NS)

    def add_edge(self, at_ns: int) -> None:
        """Let something change at `at_ns`."""
        heappush(self.edges, at_ns)

    def add_edges_of(self, fault: Fault) -> None:
        """Let a fault that is added to the plan begin, climb and end."""
        for begins_ns, ends_ns in _fault_spans(fault):
            self.add_edge(self.origin_ns + begins_ns)
            self.add_edge(self.origin_ns + ends_ns)
            self.add_ramp(self.origin_ns + begins_ns, self.origin_ns + ends_ns)

    def change_load(self, change: LoadChange) -> None:
        """Let a change of the load begin, climb and end; one that begins now is an edge of now."""
        self.load_change = change
        starts_ns = self.origin_ns + ns(change.start_s)
        for begins_ns, ends_ns in [(0, ns(change.duration_s)), *_load_spans(change.load)]:
            self.add_edge(starts_ns + begins_ns)
            self.add_edge(starts_ns + ends_ns)
        for begins_ns, ends_ns in _load_spans(change.load):
            self.add_ramp(starts_ns + begins_ns, starts_ns + ends_ns)

    def load_change_at(self, now_ns: int) -> LoadChange | None:
        """The change of the load in effect at `now_ns`."""
        change, plan_ns = self.load_change, now_ns - self.origin_ns
        if change is None:
            return None
        starts_ns = ns(change.start_s)
        return change if starts_ns <= plan_ns < starts_ns + ns(change.duration_s) else None

    def arrivals_per_s(self, now_ns: int, traffic_factor: float) -> float:
        """The rate of arrivals from now to the next edge, which bursts and a day's curve may add.

        `traffic_factor` is what faults make of the load.
        """
        load, plan_ns = self.plan.load, now_ns - self.origin_ns
        if load.trace_s is not None:
            return trace_rate(traffic_factor)
        if self.burst is not None and self.burst.step(now_ns):
            self.add_edge(self.burst.ends_ns)
        if load.daily is not None:
            step_ns = now_ns - plan_ns % DAILY_STEP_NS + DAILY_STEP_NS
            if step_ns not in self.edges:
                self.add_edge(step_ns)
        burst_factor = self.burst.factor if self.burst is not None else 1.0
        if (change := self.load_change_at(now_ns)) is not None:
            # Bursts and the day's curve go on unseen, so that they are where they would have been.
            self.load_per_s = requested_per_s(change.load, plan_ns - ns(change.start_s), 1.0)
        else:
            self.load_per_s = requested_per_s(load, plan_ns, burst_factor)
        return min(self.load_per_s * self.share * traffic_factor, RATE_MAX_PER_S)

    def rate_now_per_s(self, kernel_per_s: float, arrived: int) -> float:
        """The rate of arrivals of this instant, after so many of them, by the kernel's rate.

        That of a recorded trace says only how fast it is played.
        """
        trace_s = self.plan.load.trace_s
        if trace_s is None:
            return kernel_per_s
        speed = kernel_per_s / trace_rate(1.0)
        return min(recorded_per_s(trace_s, arrived) * speed, RATE_MAX_PER_S)

    def requested_tasks(self, elapsed_s: float) -> Callable[[float], float]:
        """How many tasks the load sends in `elapsed_s` since the last edge, by its factor."""
        trace_s, load_per_s = self.plan.load.trace_s, self.load_per_s * self.share
        if trace_s is None:
            return lambda factor: min(load_per_s * factor, RATE_MAX_PER_S) * elapsed_s
        played_s = self.trace_at_s
        played = bisect_right(trace_s, played_s)
        return lambda factor: float(bisect_right(trace_s, played_s + factor * elapsed_s) - played)


def _fault_spans(fault: Fault) -> Iterator[tuple[int, int]]:
    """When a fault's ramp begins and is done, and its end twice, as a ramp that takes no time."""
    starts_ns, ends_ns = ns(fault.start_s), ns(fault.end_s)
    yield starts_ns, starts_ns + ns(fault.ramp_s)
    yield ends_ns, ends_ns


def _load_spans(load: Load) -> Iterator[tuple[int, int]]:
    """When each stage begins and ends; one that holds changes at its end alone."""
    rate_per_s = load.rate
    begins_ns = 0
    ends_s = 0.0
    for stage in load.stages:
        ends_s += stage.duration_s
        ends_ns = ns(ends_s)
        yield (ends_ns if stage.target == rate_per_s else begins_ns), ends_ns
        rate_per_s = stage.target
        begins_ns = ends_ns
