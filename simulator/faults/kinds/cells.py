"""Faults of whole cells, and of the router in front of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from simulator.bounds import require
from simulator.faults.effective_parameters import FACTOR_MAX
from simulator.faults.kinds.agents import ALIVE_MIN_S
from simulator.faults.kinds.tasks import part_of_slower_work, time_tasks
from simulator.faults.measure import (
    NO_TARGET,
    NO_TASK,
    EffectEstimate,
    Measure,
)
from simulator.faults.parameters import Bound, KindFacts, Uncompressed
from simulator.faults.workload import running
from simulator.kernel import loop as k
from simulator.kernel.state import ns

if TYPE_CHECKING:
    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.targets import FaultTargets, Onset
    from simulator.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDown(Uncompressed):
    """Every agent dies and none comes up before the end; the exporter is down, then begins anew."""

    facts: ClassVar[KindFacts] = KindFacts(
        name="cell_down",
        aims_at="cells",
        effect_unit="agents fewer",
        measured="by how many agents fewer run than ran or started at the onset",
        expected="all of them",
        fails_scrapes=True,
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, _: FaultTargets, __: float) -> None:
        # Whoever is starting goes on doing so until the end, and is up soon after it.
        effective.start_slowness[:] = FACTOR_MAX
        effective.loops[:] = 1
        effective.alive_ns[:] = ns(ALIVE_MIN_S)
        effective.exporter_up = effective.cell_up = False

    def declare(self, declared: DeclaredEffect, _: FaultTargets, __: float) -> None:
        declared.start_factor[:] = FACTOR_MAX
        declared.alive_s[:] = ALIVE_MIN_S

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._count_missing, NO_TARGET, latest=True),)

    def at_onset(self, onset: Onset) -> None:
        """Crash everybody who runs."""
        for agent in running(onset.state).nonzero()[0].tolist():
            onset.command(k.CRASH_AGENT, agent)

    @staticmethod
    def _count_missing(interval: Interval, account: Account) -> EffectEstimate:
        """Those who start count at the onset: under another fault of the kind, that is all."""
        there, left = account.provisioned_at_onset, int(running(interval.state).sum())
        return EffectEstimate(there - left, 0.0, there)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellBrownout(Uncompressed):
    """Everything in the cell takes `factor` times as long: tasks, messages and starts."""

    factor: Annotated[float, Bound(least=1, most=FACTOR_MAX), "on the time that everything takes"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="cell_brownout",
        aims_at="cells",
        effect_unit="seconds, mean task",
        measured="mean time an agent holds a task",
        expected="the mean of a healthy cell, times the factor",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        by = 1 + (self.factor - 1) * strength
        effective.slowness *= by
        effective.start_slowness *= by
        effective.inbox_slowness *= by

    def declare(self, declared: DeclaredEffect, _: FaultTargets, strength: float) -> None:
        declared.task_factor *= 1 + (self.factor - 1) * strength
        declared.start_factor *= 1 + (self.factor - 1) * strength
        declared.inbox_factor *= 1 + (self.factor - 1) * strength

    def measures(self) -> tuple[Measure, ...]:
        estimate = time_tasks(CellBrownout)
        part = part_of_slower_work(self.factor)
        return (Measure(estimate, NO_TASK, averaged=True, correct=part),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterStale(Uncompressed):
    """The router does not see the health of the cells: shares stay as they are."""

    facts: ClassVar[KindFacts] = KindFacts(
        name="router_stale",
        aims_at="router",
        effect_unit="health checks missed",
        measured="health checks of its cells that the router missed",
        expected="all in its time",
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, targets: FaultTargets, _: float) -> None:
        """Change nothing in a cell: the router is in front of them."""

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise nothing of a cell."""

    def measures(self) -> tuple[Measure, ...]:
        """One, which stays at nothing in a cell: the router itself counts."""
        return (Measure(self._counted_by_router, "no router is in front of it"),)

    @staticmethod
    def _counted_by_router(_: Interval, __: Account) -> EffectEstimate:
        return EffectEstimate()

    def require_fit(self, topology: Topology) -> None:
        fits = topology.cells > 1
        require(fits, "cells", "at least 2, for a router", topology.cells, owner="topology")
