"""Faults of the router: when it checks no health, and the account of what came of that.

Held by `system`. The router's own count of health checks is what is measured; what should have been
follows from the fault's times alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulator.kernel.loop import NEVER
from simulator.kernel.state import ns
from simulator.snapshot import FaultEffect, FaultStatus

if TYPE_CHECKING:
    from simulator.faults.fault import Fault
    from simulator.plan import Plan

SECOND_NS: Final = 10**9
NOT_YET: Final = "no health check had been due"


@dataclass(frozen=True, slots=True)
class FaultTimes:
    """A fault of the router, and when, on the system's clock, it begins and ends."""

    fault: Fault
    begins_ns: int
    ends_ns: int

    def is_active(self, at_ns: int) -> bool:
        """Whether the fault is in effect at an instant: its beginning is, its end is not."""
        return self.begins_ns <= at_ns < self.ends_ns


@dataclass(slots=True)
class RouterFaults:
    """Health checks missed so far, by fault: its name and its beginning.

    `passed_ns` is the time in effect that was passed over without simulating: no check is due in
    it, so none can be missed.
    """

    missed: dict[tuple[str, int], int] = field(default_factory=dict)
    passed_ns: dict[tuple[str, int], int] = field(default_factory=dict)

    def active(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultTimes, ...]:
        """Return the faults that keep the router from checking health now."""
        return tuple(times for times in _of_router(plan, origin_ns) if times.is_active(now_ns))

    def note(self, active: tuple[FaultTimes, ...], *, checked: bool) -> None:
        """Take down whether a health check that was due took place, under the faults in effect."""
        for times in active:
            key = times.fault.name, times.begins_ns
            self.missed[key] = self.missed.get(key, 0) + (not checked)

    def skip_ns(self, active: tuple[FaultTimes, ...], passed_ns: int) -> None:
        """Take down that `passed_ns` are passed over, under the faults in effect."""
        for times in active:
            key = times.fault.name, times.begins_ns
            self.passed_ns[key] = self.passed_ns.get(key, 0) + passed_ns

    def next_edge_ns(self, plan: Plan, origin_ns: int, now_ns: int) -> int:
        """Return the next instant after now at which a fault begins or ends, or `NEVER`."""
        edges = (
            edge
            for times in _of_router(plan, origin_ns)
            for edge in (times.begins_ns, times.ends_ns)
            if edge > now_ns
        )
        return min(edges, default=NEVER)

    def effects(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultEffect, ...]:
        """Return what each fault that has begun did, or did until its end."""
        begun = (times for times in _of_router(plan, origin_ns) if times.begins_ns <= now_ns)
        return tuple(
            self._effect(times, max(times.begins_ns, origin_ns + 1), now_ns) for times in begun
        )

    def statuses(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultStatus, ...]:
        """Return the faults in effect now."""
        return tuple(
            FaultStatus(
                name=effect.name, fault=effect.fault, magnitude=1.0, declared=1.0,
                effect=effect.measured, effect_unit=effect.unit, expected=effect.expected,
                began_ns=times.begins_ns, ends_ns=times.ends_ns,
            )
            for times in self.active(plan, origin_ns, now_ns)
            for effect in (self._effect(times, max(times.begins_ns, origin_ns + 1), now_ns),)
        )  # fmt: skip

    def _effect(self, times: FaultTimes, first_ns: int, now_ns: int) -> FaultEffect:
        fault, over = times.fault, times.ends_ns <= now_ns
        key = fault.name, times.begins_ns
        # Due at every whole second in [first, end): that of the plan's own start is over. Checks
        # move with the clock where time is passed over.
        until_ns = (times.ends_ns if over else now_ns + 1) - self.passed_ns.get(key, 0)
        due = (until_ns - 1) // SECOND_NS - (first_ns - 1) // SECOND_NS
        return FaultEffect(
            name=fault.name, fault=fault.kind, unit=fault.parameters.facts.effect_unit,
            measured=float(self.missed.get(key, 0)),
            base=0.0, expected=float(due), least=0.5, spread=0.0, noise=0.0, idle=NOT_YET,
            began_ns=times.begins_ns, ended_ns=times.ends_ns if over else None,
        )  # fmt: skip


def _of_router(plan: Plan, origin_ns: int) -> tuple[FaultTimes, ...]:
    return tuple(
        FaultTimes(fault, origin_ns + ns(fault.start_s), origin_ns + ns(fault.end_s))
        for fault in plan.faults
        if fault.is_of_router
    )
