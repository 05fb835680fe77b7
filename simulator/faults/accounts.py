"""Accounts of what faults do, kept stretch by stretch of a world's life.

Which kind is measured how stands in `measures`.

`world` books the stretch between two changes of its plan for every fault in effect: the counters at
its two ends, and what was declared in between. Pure: booking makes a new account, so whoever looks
in between changes nothing. Time is lived time: what `World.skip_ns` passes over does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.kernel import loop as k
from simulator.snapshot import FaultEffect

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.faults import catalogue as f
    from simulator.faults.composition import FaultTargets
    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.kernel.state import State
    from simulator.topology import Topology

    Integers = NDArray[np.int64]

SAMPLE_NS = 10**9
"""How often the world looks at faults whose measure asks for it."""


class CounterReading(NamedTuple):
    """The counters at one instant; tables by tier, host or pool. Durations hold what is running."""

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


def mark(s: State) -> CounterReading:
    """Read the counters now; the kernel must be settled."""
    now = int(s.head[k.NOW])
    state = s.agent[:, k.STATE]
    starting, working = state == k.STARTING, state == k.WORKING
    startup, task = s.histogram[k.STARTUP_DURATION], s.histogram_sum
    return CounterReading(
        now_ns=now,
        crashed=int(s.head[k.CRASHED]),
        hung=int(s.head[k.HUNG]),
        partitioned=int(s.head[k.PARTITIONED]),
        flooded=int(s.head[k.FLOODED]),
        sent=int(s.head[k.SENT]),
        arrived=int(s.priority[:, k.ARRIVED].sum()),
        starts=int(startup.sum() + starting.sum()),
        starting_ns=int(task[k.STARTUP_DURATION] + (now - s.agent[starting, k.STARTED_AT]).sum()),
        working_ns=int(task[k.TASK_DURATION] + (now - s.agent[working, k.DISPATCHED_AT]).sum()),
        dispatched=s.tier[:, k.DISPATCHED].copy(),
        finished=s.tier[:, [k.TIER_COMPLETED, k.TIER_FAILED]].copy(),
        stolen_ns=s.host[:, k.STOLEN_NS].copy(),
        background_ns=s.host[:, k.BACKGROUND_NS].copy(),
        executions=s.pool[:, k.EXECUTIONS].copy(),
        in_use=s.pool[:, k.IN_USE].copy(),
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """Time in which neither load nor faults changed, from `before` to `after`, where `s` stands.

    `asked` returns how many tasks the load sends in it when arrivals are multiplied by a factor.
    """

    topology: Topology
    s: State
    before: CounterReading
    after: CounterReading
    declared: DeclaredEffect
    passed_ns: int
    asked: Callable[[float], float]

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.after.now_ns - self.before.now_ns) / 1e9


class EffectEstimate(NamedTuple):
    """What was measured, what it is without faults of the kind, and what it is with them.

    `spread` and `noise` are the variances of the latter two. For means, all are sums, over `over`.
    """

    measured: float = 0.0
    base: float = 0.0
    expected: float = 0.0
    spread: float = 0.0
    noise: float = 0.0
    over: float = 0.0

    def divided(self) -> EffectEstimate:
        """The means; nothing over nothing."""
        n = self.over
        if n <= 0:
            return EffectEstimate()
        means = (self.measured / n, self.base / n, self.expected / n)
        return EffectEstimate(*means, self.spread / n**2, self.noise / n**2, n)


@dataclass(frozen=True, slots=True)
class Account:
    """What one fault did so far, in each of its `measures`.

    At its onset `standing` of its targets were up, `hanging` of them hung already; `provisioned`
    agents of the fleet were up or starting, but for what an overlapping fault of the kind had asked
    for. `due` is what should have built up by now, agent by agent.
    """

    topology: Topology
    fault: f.Fault
    aim: FaultTargets
    measures: tuple[Measure, ...]
    onset: CounterReading
    standing: int
    hanging: int
    provisioned: int
    amounts: tuple[EffectEstimate, ...]
    due: NDArray[np.float64]
    lived_ns: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """How the effect of a kind is measured, and from which share of what was declared it counts.

    `adds` says whether stretches add up, else the last one counts; `mean` whether amounts are to be
    divided by what they are `over`; `idle` what it means when nothing was to be expected; `unit`
    is the kind's own unless given. `due` renews the account's before `book` reads it, and `expect`
    corrects what is to be expected of the whole. `sampled` asks for a look
    every `SAMPLE_NS`: for states that fluctuate, which no counter adds up.
    """

    book: Callable[[Interval, Account], EffectEstimate]
    idle: str
    unit: str = ""
    least: float = 0.5
    adds: bool = True
    mean: bool = False
    sampled: bool = False
    due: Callable[[Interval, Account], NDArray[np.float64]] | None = None
    expect: Callable[[Account, EffectEstimate], EffectEstimate] | None = None


def book(account: Account, stretch: Interval) -> Account:
    """Return the account with `stretch` added."""
    lived = stretch.after.now_ns - stretch.before.now_ns
    account = replace(account, lived_ns=account.lived_ns + lived)
    amounts = []
    for measure, old in zip(account.measures, account.amounts, strict=True):
        if measure.due is not None:
            account = replace(account, due=measure.due(stretch, account))
        new = measure.book(stretch, account)
        added = EffectEstimate(*(a + b for a, b in zip(old, new, strict=True)))
        amounts.append(added if measure.adds else new)
    return replace(account, amounts=tuple(amounts))


def effects_of(account: Account, began_ns: int, ended_ns: int | None) -> tuple[FaultEffect, ...]:
    """What the fault did, in each of its measures; the first is the one that people are shown."""
    found = []
    for measure, amount in zip(account.measures, account.amounts, strict=True):
        of_all = amount.divided() if measure.mean else amount
        if measure.expect is not None:
            of_all = measure.expect(account, of_all)
        found.append(
            FaultEffect(
                name=account.fault.name,
                fault=account.fault.kind,
                measured=float(of_all.measured),
                base=float(of_all.base),
                expected=float(of_all.expected),
                unit=measure.unit or account.fault.parameters.effect_unit,
                least=measure.least,
                spread=float(np.sqrt(of_all.spread)),
                noise=float(np.sqrt(of_all.noise)),
                idle=measure.idle,
                began_ns=began_ns,
                ended_ns=ended_ns,
            )
        )
    return tuple(found)


def count_provisioned(s: State) -> int:
    """How many agents are up or starting."""
    state = s.agent[:, k.STATE]
    return int(((state >= k.STARTING) & (state <= k.HANGING)).sum())
