"""Faults of the router: when it checks no health, and the account of what came of that.

Held by `system`. The router's own count of health checks is what is measured; what should have been
follows from the fault's times alone. What a fault did stays when the plan has forgotten it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from simulator.fault_ledger import EFFECTS_MAX
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
    """A fault of the router; on the system's clock, when its plan and it begin, and it ends."""

    fault: Fault
    origin_ns: int
    begins_ns: int
    ends_ns: int

    @property
    def key(self) -> tuple[str, int]:
        """What its account is kept under: a name is free again once its fault is over."""
        return self.fault.name, self.begins_ns

    def is_active(self, at_ns: int) -> bool:
        """Whether the fault is in effect at an instant: its beginning is, its end is not."""
        return self.begins_ns <= at_ns < self.ends_ns


@dataclass(slots=True)
class CheckAccount:
    """What a fault of the router has come to so far; the defaults are one that is to come.

    `missed` is a number of health checks. `passed_ns` is the time in effect that was passed over
    without simulating: no check is due in it, so none can be missed. `added_ns` is when the fault
    was injected, where the plan did not begin with it.
    """

    missed: int = 0
    passed_ns: int = 0
    added_ns: int = -1


@dataclass(slots=True)
class RouterFaults:
    """Accounts of the faults of the plan, and what those did that the plan has forgotten.

    Of what is `ended` the last `EFFECTS_MAX` are kept, in the order of being forgotten.
    """

    accounts: dict[tuple[str, int], CheckAccount] = field(default_factory=dict)
    ended: tuple[FaultEffect, ...] = ()

    def active(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultTimes, ...]:
        """Return the faults that keep the router from checking health now."""
        return tuple(times for times in _of_router(plan, origin_ns) if times.is_active(now_ns))

    def note(self, active: tuple[FaultTimes, ...], *, checked: bool) -> None:
        """Take down whether a health check that was due took place, under the faults in effect."""
        for times in active:
            self._account(times).missed += not checked

    def skip_ns(self, active: tuple[FaultTimes, ...], passed_ns: int) -> None:
        """Take down that `passed_ns` are passed over, under the faults in effect."""
        for times in active:
            self._account(times).passed_ns += passed_ns

    def next_edge_ns(self, plan: Plan, origin_ns: int, now_ns: int) -> int:
        """Return the next instant after now at which a fault begins or ends, or `NEVER`."""
        edges = (
            edge
            for times in _of_router(plan, origin_ns)
            for edge in (times.begins_ns, times.ends_ns)
            if edge > now_ns
        )
        return min(edges, default=NEVER)

    def add(self, fault: Fault, plan: Plan, origin_ns: int, now_ns: int) -> None:
        """Take down that a fault is injected now, and keep what those did that are over.

        `plan` is the one before, which is about to forget them.
        """
        times = _of_router(plan, origin_ns)
        for each in sorted(times, key=lambda each: each.ends_ns):
            if each.ends_ns <= now_ns:
                self.close(each, now_ns)
        if fault.is_of_router:
            self._account(_times(fault, origin_ns)).added_ns = now_ns

    def close(self, times: FaultTimes, now_ns: int) -> None:
        """Keep what a fault did that is over, or is ended now, and close its account."""
        effect = self._effect(times, now_ns)
        # One that is ended now has missed the check of this instant.
        effect = replace(effect, ended_ns=min(times.ends_ns, now_ns))
        self.accounts.pop(times.key, None)
        self.ended = (*self.ended, effect)[-EFFECTS_MAX:]

    def withdraw(self, name: str, plan: Plan, origin_ns: int, now_ns: int) -> None:
        """Close the account of a fault to come. Raises `KeyError` when there is none."""
        times = _of_router(plan, origin_ns)
        coming = {each.fault.name: each for each in times if each.begins_ns > now_ns}
        self.accounts.pop(coming[name].key, None)

    def effects(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultEffect, ...]:
        """Return what each fault that has begun did, or did until its end: forgotten ones first."""
        begun = (times for times in _of_router(plan, origin_ns) if times.begins_ns <= now_ns)
        return (*self.ended, *(self._effect(times, now_ns) for times in begun))

    def statuses(self, plan: Plan, origin_ns: int, now_ns: int) -> tuple[FaultStatus, ...]:
        """Return the faults in effect now."""
        return tuple(
            FaultStatus(
                name=effect.name, fault=effect.fault, magnitude=1.0, declared=1.0,
                effect=effect.measured, effect_unit=effect.unit, expected=effect.expected,
                began_ns=times.begins_ns, ends_ns=times.ends_ns,
            )
            for times in self.active(plan, origin_ns, now_ns)
            for effect in (self._effect(times, now_ns),)
        )  # fmt: skip

    def _account(self, times: FaultTimes) -> CheckAccount:
        return self.accounts.setdefault(times.key, CheckAccount())

    def _effect(self, times: FaultTimes, now_ns: int) -> FaultEffect:
        fault, over = times.fault, times.ends_ns <= now_ns
        account = self.accounts.get(times.key, CheckAccount())
        # Due at every whole second in [first, end): that of the instant at which the plan began, or
        # the fault was injected, is over. Checks move with the clock where time is passed over.
        first_ns = max(times.begins_ns, times.origin_ns + 1, account.added_ns + 1)
        until_ns = (times.ends_ns if over else now_ns + 1) - account.passed_ns
        due = (until_ns - 1) // SECOND_NS - (first_ns - 1) // SECOND_NS
        return FaultEffect(
            name=fault.name, fault=fault.kind, unit=fault.parameters.facts.effect_unit,
            measured=float(account.missed),
            base=0.0, expected=float(due), least=0.5, spread=0.0, noise=0.0, idle=NOT_YET,
            began_ns=times.begins_ns, ended_ns=times.ends_ns if over else None,
        )  # fmt: skip


def _of_router(plan: Plan, origin_ns: int) -> tuple[FaultTimes, ...]:
    return tuple(_times(fault, origin_ns) for fault in plan.faults if fault.is_of_router)


def _times(fault: Fault, origin_ns: int) -> FaultTimes:
    begins_ns, ends_ns = origin_ns + ns(fault.start_s), origin_ns + ns(fault.end_s)
    return FaultTimes(fault, origin_ns, begins_ns, ends_ns)
