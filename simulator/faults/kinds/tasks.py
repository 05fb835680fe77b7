"""Faults of the work: tasks take longer, end in an error, or wait for a dependency that is down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from simulator.faults.effective_parameters import FACTOR_MAX, LATENCY_MAX_S
from simulator.faults.measure import NO_TASK, EffectEstimate, Measure, expect_part_of_delay
from simulator.faults.parameters import Bound, KindFacts, Share, Uncompressed
from simulator.faults.workload import mean_task_s, running
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.parameters import Parameters
    from simulator.faults.targets import FaultTargets


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSlowdown(Uncompressed):
    """Work on the targets takes `factor` times as long."""

    factor: Annotated[float, Bound(least=1, most=FACTOR_MAX), "on the time that work takes"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="task_slowdown",
        aims_at="agents",
        effect_unit="seconds, mean task",
        measured="mean time an agent holds a task",
        expected="slower agents take fewer tasks: as many as let all of them rest equally long",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.slowness[targets.agents] *= 1 + (self.factor - 1) * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.task_factor[targets.agents] *= 1 + (self.factor - 1) * strength

    def measures(self) -> tuple[Measure, ...]:
        estimate = time_tasks(TaskSlowdown)
        part = part_of_slower_work(self.factor)
        return (Measure(estimate, NO_TASK, averaged=True, correct=part),)


def part_of_slower_work(factor: float) -> Callable[[Account, EffectEstimate], EffectEstimate]:
    """Of work that takes `factor` times as long, expect what can have been had of it so far."""

    def correct(account: Account, estimate: EffectEstimate) -> EffectEstimate:
        service_s = max(task_class.mean_service_s for task_class in account.topology.classes)
        return expect_part_of_delay(account, estimate, (factor - 1) * service_s)

    return correct


def time_tasks(kind: type[Parameters]) -> Callable[[Interval, Account], EffectEstimate]:
    """Seconds that agents held tasks, those under way included, over the tasks dispatched."""

    def estimate(interval: Interval, _: Account) -> EffectEstimate:
        dispatched = interval.dispatched
        tasks = float(dispatched.sum())
        held_s = (interval.after.working_ns - interval.before.working_ns) / 1e9
        if tasks == 0 or interval.seconds == 0:
            return EffectEstimate(held_s, divisor=tasks)
        t, s, tasks_per_s = interval.topology, interval.state, dispatched / interval.seconds
        mean_s, square = mean_task_s(t, s, interval.declared, tasks_per_s)
        others = interval.declared.without(kind)
        base_s, base_square = mean_task_s(t, s, others, tasks_per_s)
        return EffectEstimate(
            held_s, base_s * tasks, mean_s * tasks, square * tasks, base_square * tasks, tasks
        )

    return estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure(Uncompressed):
    """A `share` of the tasks on the targets ends in an error (500) before its first result."""

    share: Annotated[Share, "of tasks that end in an error"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="task_failure",
        aims_at="agents",
        effect_unit="failed tasks",
        measured="failed tasks of the targets' tiers",
        expected="the share of those the targets ended, and the base error",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        failing = effective.failing_share[targets.agents]
        effective.failing_share[targets.agents] = 1 - (1 - failing) * (1 - self.share * strength)

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.tasks_kept[targets.agents] *= 1 - self.share * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(_count_failures(TaskFailure), NO_TASK),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyOutage(Uncompressed):
    """Tasks that call the dependency wait `latency_s` longer, and `share` of them fail."""

    share: Annotated[Share, "of calls that fail"]
    latency_s: Annotated[
        float, Bound(least=0, most=LATENCY_MAX_S, unit="s"), "more for every call"
    ] = 0.2

    facts: ClassVar[KindFacts] = KindFacts(
        name="dependency_outage",
        aims_at="nothing",
        effect_unit="failed tasks",
        measured="failed tasks; mean time an agent holds a task",
        expected="the share, and the latency, of those that call it",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        kept = (1 - effective.dependency_failing_share) * (1 - self.share * strength)
        effective.dependency_failing_share = 1 - kept
        effective.dependency_latency_s += self.latency_s * strength

    def declare(self, declared: DeclaredEffect, _: FaultTargets, strength: float) -> None:
        declared.calls_kept *= 1 - self.share * strength
        declared.call_latency_s += self.latency_s * strength

    def measures(self) -> tuple[Measure, ...]:
        idle = "no task called the dependency"
        failures = Measure(_count_failures(DependencyOutage), idle)
        durations = Measure(
            time_tasks(DependencyOutage),
            idle,
            unit=TaskSlowdown.facts.effect_unit,
            averaged=True,
            correct=self._part_of_delay,
        )
        return failures, durations

    def _part_of_delay(self, account: Account, estimate: EffectEstimate) -> EffectEstimate:
        return expect_part_of_delay(account, estimate, self.latency_s)


def _count_failures(kind: type[Parameters]) -> Callable[[Interval, Account], EffectEstimate]:
    """Failed tasks of the targets' tiers, against all that ended there.

    Within a tier slower agents end fewer tasks; in proportion, when there is enough to do.
    """

    def estimate(interval: Interval, account: Account) -> EffectEstimate:
        s, declared = interval.state, interval.declared
        ended = interval.after.finished - interval.before.finished
        failing, base_failing = declared.failing_share(), declared.without(kind).failing_share()
        weight = running(s) / declared.task_slowness()
        measured = expected = base = 0.0
        for tier in np.unique(s.agent[account.targets.agents, k.TIER]):
            members = s.agent[:, k.TIER] == tier
            total = weight[members].sum()
            if total == 0:
                continue
            tasks = ended[tier].sum()
            measured += ended[tier, 1]
            expected += tasks * (weight[members] * failing[members]).sum() / total
            base += tasks * (weight[members] * base_failing[members]).sum() / total
        return EffectEstimate(
            float(measured), float(base), float(expected), float(expected), float(base)
        )

    return estimate
