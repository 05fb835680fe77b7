"""How an effect is measured: counters at two instants, the interval between, and an estimate.

A kind's `measures` are made of these; `accounts` adds the estimates up. Half of what was declared
counts as an effect. That is far from what random draws, rounding and limits take away from an
honest fault, and far from nothing. Where less must be expected for a reason (a loop's backoff, a
full inbox, the fleet's end), the expectation itself says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.state import durations_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.targets import FaultTargets
    from simulator.kernel.state import State
    from simulator.topology import Topology

    Integers = NDArray[np.int64]
    Reals = NDArray[np.float64]

NO_TARGET: Final = "none of its targets was running, or too briefly"
NO_TASK: Final = "no task came to its targets"
NO_TIME: Final = "it lasted no time"
"""Reasons why nothing was to be expected, where several kinds share one."""


class CounterReading(NamedTuple):
    """The counters at one instant; tables by tier, host or pool.

    Durations hold what is under way.
    """

    now_ns: int
    crashed: int
    hung: int
    partitioned: int
    flooded: int
    sent: int
    arrived: int
    starts: int
    starting_ns: int
    working_ns: int
    dispatched: Integers
    finished: Integers
    stolen_ns: Integers
    background_ns: Integers
    executions: Integers
    in_use: Integers


def read_counters(s: State) -> CounterReading:
    """Read the counters now; the kernel must be settled."""
    now_ns = int(s.head[k.NOW])
    state = s.agent[:, k.STATE]
    starting, working = state == k.STARTING, state == k.WORKING
    starting_ns = _exact_sum(now_ns - s.agent[starting, k.STARTED_AT])
    working_ns = _exact_sum(now_ns - s.agent[working, k.DISPATCHED_AT])
    return CounterReading(
        now_ns=now_ns,
        crashed=int(s.head[k.CRASHED]),
        hung=int(s.head[k.HUNG]),
        partitioned=int(s.head[k.PARTITIONED]),
        flooded=int(s.head[k.FLOODED]),
        sent=int(s.head[k.SENT]),
        arrived=int(s.priority[:, k.ARRIVED].sum()),
        starts=int(s.histogram[k.STARTUP_DURATION].sum() + starting.sum()),
        starting_ns=durations_ns(s, k.STARTUP_DURATION) + starting_ns,
        working_ns=durations_ns(s, k.TASK_DURATION) + working_ns,
        dispatched=s.tier[:, k.DISPATCHED].copy(),
        finished=s.tier[:, [k.TIER_COMPLETED, k.TIER_FAILED]].copy(),
        stolen_ns=s.host[:, k.STOLEN_NS].copy(),
        background_ns=s.host[:, k.BACKGROUND_NS].copy(),
        executions=s.pool[:, k.EXECUTIONS].copy(),
        in_use=s.pool[:, k.IN_USE].copy(),
    )


def _exact_sum(durations_ns: Integers) -> int:
    """The sum of many durations: whole seconds apart, for all of a large fleet fit no int64."""
    seconds, rest = np.divmod(durations_ns, 10**9)
    return int(seconds.sum()) * 10**9 + int(rest.sum())


@dataclass(frozen=True, slots=True)
class Interval:
    """Time in which neither load nor faults changed, from `before` to `after`.

    `state` is the kernel's at its end.

    It ends `plan_ns` after the plan began. `requested_tasks` returns how many tasks the load sends
    in it when arrivals are multiplied by a factor.
    """

    topology: Topology
    state: State
    before: CounterReading
    after: CounterReading
    declared: DeclaredEffect
    plan_ns: int
    requested_tasks: Callable[[float], float]

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.after.now_ns - self.before.now_ns) / 1e9

    @property
    def dispatched(self) -> Integers:
        """Tasks that were given to agents, by tier."""
        return self.after.dispatched - self.before.dispatched

    @property
    def messages_between_agents(self) -> int:
        """Messages that agents sent one another: neither dispatches nor floods."""
        flooded = self.after.flooded - self.before.flooded
        return self.after.sent - self.before.sent - int(self.dispatched.sum()) - flooded


class EffectEstimate(NamedTuple):
    """What was measured, what it is without faults of the kind, and what it is with them.

    `spread` and `noise` are the variances of the latter two. For averages, all are sums, over
    `divisor`.
    """

    measured: float = 0.0
    base: float = 0.0
    expected: float = 0.0
    spread: float = 0.0
    noise: float = 0.0
    divisor: float = 0.0

    def averaged(self) -> EffectEstimate:
        """The averages; all 0 over nothing."""
        n = self.divisor
        if n <= 0:
            return EffectEstimate()
        means = (self.measured / n, self.base / n, self.expected / n)
        return EffectEstimate(*means, self.spread / n**2, self.noise / n**2, n)


@dataclass(frozen=True, slots=True)
class Account:
    """What one fault did so far: an estimate for each of its measures.

    At its onset `running_at_onset` of its targets were running, of which `hung_at_onset` hung;
    `provisioned_at_onset` agents of the fleet were running or starting, but for what an overlapping
    fault of the kind had asked for. `expected_buildup` is what should be there by now, by agent.
    """

    topology: Topology
    targets: FaultTargets
    onset: CounterReading
    running_at_onset: int
    hung_at_onset: int
    provisioned_at_onset: int
    estimates: tuple[EffectEstimate, ...]
    expected_buildup: Reals
    elapsed_ns: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """How the effect of a kind is measured, and from which share of what was declared it counts.

    `estimate` reads one interval. Intervals are summed unless `latest` says that the last one
    stands for all; `averaged` divides by their `divisor`. `buildup` renews the account's
    `expected_buildup` before `estimate` reads it; `correct` amends the expectation of the whole.
    `idle` says what it means when nothing was to be expected; `unit` is the kind's unless given.
    `sampled` asks for an interval every second: for states that fluctuate, which no counter sums.
    """

    estimate: Callable[[Interval, Account], EffectEstimate]
    idle: str
    unit: str = ""
    least_share: float = 0.5
    latest: bool = False
    averaged: bool = False
    sampled: bool = False
    buildup: Callable[[Interval, Account], Reals] | None = None
    correct: Callable[[Account, EffectEstimate], EffectEstimate] | None = None


def count_provisioned(s: State) -> int:
    """How many agents are running or starting."""
    state = s.agent[:, k.STATE]
    return int(((state >= k.STARTING) & (state <= k.HANGING)).sum())


def expect_part_of_delay(
    account: Account, estimate: EffectEstimate, delay_s: float
) -> EffectEstimate:
    """Expect only the part of a delay that work can have had so far.

    Work that began evenly over the elapsed time has not waited for all of its delay by then.
    """
    elapsed_s = account.elapsed_ns / 1e9
    if delay_s <= 0 or elapsed_s <= 0:
        return estimate
    part = 1 - delay_s / (2 * elapsed_s) if delay_s < elapsed_s else elapsed_s / (2 * delay_s)
    expected = estimate.base + (estimate.expected - estimate.base) * part
    return estimate._replace(expected=expected)
