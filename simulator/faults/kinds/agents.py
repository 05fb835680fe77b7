"""Faults of the agents themselves: they die, die again, hang, start slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from simulator.faults.effective_parameters import FACTOR_MAX
from simulator.faults.measure import (
    NO_TARGET,
    NO_TASK,
    EffectEstimate,
    Measure,
    expect_part_of_delay,
)
from simulator.faults.parameters import Bound, KindFacts, Uncompressed
from simulator.faults.workload import agents_by_tier
from simulator.kernel import loop as k
from simulator.kernel.state import ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.parameters import Parameters
    from simulator.faults.targets import FaultTargets, Onset

ALIVE_MIN_S = 0.001
ALIVE_MAX_S = 86_400
CRASHES_MAX_PER_S = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCrash(Uncompressed):
    """Running agents die at random, `rate_per_s` of them a second over all targets of a cell."""

    rate_per_s: Annotated[
        float, Bound(above=0, most=CRASHES_MAX_PER_S), "crashes a second over all targets of a cell"
    ]

    facts: ClassVar[KindFacts] = KindFacts(
        name="agent_crash",
        aims_at="agents",
        effect_unit="crashes",
        measured="crashes",
        expected="the rate, but no agent crashes again before backoff and start are over",
    )

    @property
    def magnitude(self) -> float:
        return self.rate_per_s

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.crashes_per_s[targets.agents] += self.rate_per_s * strength / len(targets.agents)

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.crashes_per_s += self.rate_per_s * strength
        declared.crash_targets[targets.agents] = True

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(_count_crashes(AgentCrash), NO_TARGET),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashLoop(Uncompressed):
    """Targets die `alive_s` after every start and start again after their backoff."""

    alive_s: Annotated[
        float,
        Bound(least=ALIVE_MIN_S, most=ALIVE_MAX_S, unit="s"),
        "from every start to the next death",
    ] = 0.2

    facts: ClassVar[KindFacts] = KindFacts(
        name="crash_loop",
        aims_at="agents",
        effect_unit="crashes",
        measured="crashes",
        expected=(
            "every target at the onset, then one for each backoff (at its longest), start and life"
        ),
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, targets: FaultTargets, _: float) -> None:
        effective.loops[targets.agents] = 1
        effective.alive_ns[targets.agents] = ns(self.alive_s)

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, _: float) -> None:
        declared.alive_s[targets.agents] = self.alive_s

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(_count_crashes(CrashLoop), NO_TARGET, correct=self._with_onset),)

    def at_onset(self, onset: Onset) -> None:
        """Crash every target that is running."""
        agents = onset.targets.agents
        for agent in agents[onset.state.agent[agents, k.PLACE] >= 0]:
            onset.command(k.CRASH_AGENT, agent)

    @staticmethod
    def _with_onset(account: Account, estimate: EffectEstimate) -> EffectEstimate:
        """A crash loop begins with a crash of every target that is running."""
        return estimate._replace(expected=estimate.expected + account.running_at_onset)


def _count_crashes(kind: type[Parameters]) -> Callable[[Interval, Account], EffectEstimate]:
    """Crashes of the whole fleet, against those that random crashes and loops make."""

    def estimate(interval: Interval, _: Account) -> EffectEstimate:
        measured = interval.after.crashed - interval.before.crashed
        declared = interval.declared
        expected = _crashes_per_s(interval, declared) * interval.seconds
        base = _crashes_per_s(interval, declared.without(kind)) * interval.seconds
        return EffectEstimate(measured, base, expected, expected, base)

    return estimate


def _crashes_per_s(interval: Interval, declared: DeclaredEffect) -> float:
    """Crashes a second: no agent crashes again before its backoff and its start are over.

    A loop's backoff is taken at its longest, so the first rounds may be quicker than this.
    """
    t = interval.topology
    in_fleet = interval.state.agent[:, k.STATE] != k.STOPPED
    start_s = t.startup_mean_s * declared.start_slowness()
    loops = in_fleet & np.isfinite(declared.alive_s)
    rounds_s = t.restart_backoff_limit_s + start_s + declared.alive_s
    in_loops = float((1 / rounds_s[loops]).sum())
    targets = declared.crash_targets & in_fleet & ~loops
    backoff_s = min(t.restart_backoff_s, t.restart_backoff_limit_s)
    rounds_s = backoff_s + start_s + k.TICK_NS / 1e9
    return in_loops + min(declared.crashes_per_s, float((1 / rounds_s[targets]).sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHang(Uncompressed):
    """Targets take one more task and never finish it; the watchdog restarts them."""

    facts: ClassVar[KindFacts] = KindFacts(
        name="agent_hang",
        aims_at="agents",
        effect_unit="hangs",
        measured="hangs",
        expected="every target to which a task came",
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, targets: FaultTargets, _: float) -> None:
        effective.hangs[targets.agents] = 1

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise no figure: what is to be expected follows from the tasks that come."""

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._count_hangs, NO_TASK, correct=self._once_each),)

    @staticmethod
    def _count_hangs(interval: Interval, account: Account) -> EffectEstimate:
        """Hangs, against the tasks that came to the tiers of the targets, in proportion.

        Each target hangs with its first task: `_once_each` cuts this off at those who ran.
        """
        s, agents = interval.state, account.targets.agents
        running = agents_by_tier(s, interval.topology)
        tiers = s.agent[agents[s.agent[agents, k.PLACE] >= 0], k.TIER]
        targets = np.bincount(tiers, minlength=len(running))
        tasks_of_agent = interval.dispatched / np.maximum(running, 1)
        expected = float(np.where(running > 0, tasks_of_agent * targets, 0.0).sum())
        hung = interval.after.hung - interval.before.hung
        return EffectEstimate(hung, 0.0, expected, expected)

    @staticmethod
    def _once_each(account: Account, estimate: EffectEstimate) -> EffectEstimate:
        """A target hangs at its first task, or did already; later rounds are not counted on."""
        expected = min(estimate.expected + account.hung_at_onset, account.running_at_onset)
        measured = estimate.measured + account.hung_at_onset
        return estimate._replace(measured=measured, expected=expected, spread=expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStart(Uncompressed):
    """Starting an agent takes `factor` times as long."""

    factor: Annotated[float, Bound(least=1, most=FACTOR_MAX), "on the time that a start takes"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="slow_start",
        aims_at="agents",
        effect_unit="seconds, mean start-up",
        measured="mean start-up, starts under way included",
        expected="the base mean, times the factor for those who started",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.start_slowness[targets.agents] *= 1 + (self.factor - 1) * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.start_factor[targets.agents] *= 1 + (self.factor - 1) * strength

    def measures(self) -> tuple[Measure, ...]:
        idle = "none of its targets started"
        return (Measure(self._time_starts, idle, averaged=True, correct=self._part_of_delay),)

    @staticmethod
    def _time_starts(interval: Interval, _: Account) -> EffectEstimate:
        """Seconds that starts took, those under way included, over the starts that began."""
        t, declared = interval.topology, interval.declared
        starts = interval.after.starts - interval.before.starts
        started = interval.state.agent[:, k.STARTED_AT] > interval.before.now_ns
        slow = declared.start_slowness()[started]
        factor, square = (float(slow.mean()), float((slow**2).mean())) if len(slow) else (1.0, 1.0)
        mean_s = t.startup_mean_s
        # A start in progress at the onset, or at the end, may still have most of its time to take.
        variance = 2 * mean_s**2 * float(np.exp(t.startup_sigma**2))
        return EffectEstimate(
            (interval.after.starting_ns - interval.before.starting_ns) / 1e9,
            starts * mean_s,
            starts * mean_s * factor,
            starts * variance * square,
            starts * variance,
            starts,
        )

    def _part_of_delay(self, account: Account, estimate: EffectEstimate) -> EffectEstimate:
        delay_s = (self.factor - 1) * account.topology.startup_mean_s
        return expect_part_of_delay(account, estimate, delay_s)
