"""Faults of memory and hosts: agents that leak, CPU that a neighbour takes, a host that is slow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from simulator.faults.effective_parameters import FACTOR_MAX, LEAK_MAX_BYTES_PER_S
from simulator.faults.kinds.tasks import TaskSlowdown, part_of_slower_work, time_tasks
from simulator.faults.measure import (
    NO_TARGET,
    NO_TASK,
    NO_TIME,
    EffectEstimate,
    Measure,
)
from simulator.faults.parameters import Bound, KindFacts, Parameters, Share, Uncompressed
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.parameters import TimeScale
    from simulator.faults.targets import FaultTargets
    from simulator.topology import Topology

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLeak(Parameters):
    """Each running target leaks `bytes_per_s` until it is restarted."""

    bytes_per_s: Annotated[
        float, Bound(above=0, most=LEAK_MAX_BYTES_PER_S), "for each running agent"
    ]

    facts: ClassVar[KindFacts] = KindFacts(
        name="memory_leak",
        aims_at="agents",
        effect_unit="leaked bytes",
        measured="bytes held by leaks",
        expected="the rate since each target's last start",
    )

    @property
    def magnitude(self) -> float:
        return self.bytes_per_s

    def compressed(self, scale: TimeScale) -> MemoryLeak:
        """As many bytes at the same time of the scenario: what builds up does so faster."""
        bytes_per_s = min(self.bytes_per_s * scale.factor, LEAK_MAX_BYTES_PER_S)
        return replace(self, bytes_per_s=bytes_per_s)

    def felt_after_end_s(self, topology: Topology) -> float:
        """What leaked goes as agents are recycled, in turn."""
        return topology.fleet / topology.recycle_per_s if topology.recycle_per_s else 0.0

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.leak_bytes_per_s[targets.agents] += self.bytes_per_s * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise no figure: what builds up depends on when each target was restarted."""

    def measures(self) -> tuple[Measure, ...]:
        measure = Measure(self._read_leaked, NO_TARGET, latest=True, buildup=self._expected_leaked)
        return (measure,)

    def _expected_leaked(self, interval: Interval, account: Account) -> Reals:
        """How many bytes each target should have leaked since its last start."""
        s, agents = interval.state, account.targets.agents
        strength = interval.declared.strength_of(account.targets)
        started = s.agent[agents, k.STARTED_AT]
        since_ns = np.maximum(started, interval.before.now_ns)
        passed_s = (interval.after.now_ns - since_ns) / 1e9
        restarted = started > interval.before.now_ns
        kept = np.where(restarted, 0.0, account.expected_buildup[agents])
        running = s.agent[agents, k.PLACE] >= 0
        leaked = np.zeros(len(account.expected_buildup))
        leaked[agents] = np.where(running, kept + self.bytes_per_s * strength * passed_s, 0.0)
        return np.minimum(leaked, k.LEAKED_MAX_BYTES)

    def _read_leaked(self, interval: Interval, account: Account) -> EffectEstimate:
        """Bytes that targets have leaked and not given back by a restart."""
        leaked = interval.state.agent[account.targets.agents, k.LEAKED_BYTES].sum()
        # Memory leaks by the tick, so at any time the last part of one is not there yet.
        of_tick = self.bytes_per_s * k.TICK_NS / 1e9
        expected = np.maximum(account.expected_buildup - of_tick, 0.0)
        return EffectEstimate(float(leaked), 0.0, float(expected.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuContention(Uncompressed):
    """A noisy neighbour takes `share` of the CPU of the target hosts."""

    share: Annotated[Share, "of the hosts' CPU"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="cpu_contention",
        aims_at="hosts",
        effect_unit="stolen CPU seconds",
        measured="CPU seconds stolen",
        expected="the share, on a host that is asked for too much in proportion",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.stolen_share[list(targets.hosts)] += self.share * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.stolen_share[list(targets.hosts)] += self.share * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._count_stolen, NO_TIME),)

    @staticmethod
    def _count_stolen(interval: Interval, account: Account) -> EffectEstimate:
        """CPU seconds stolen, against the share; on a host that is asked for too much, of its part.

        What part that is shows in the background work, which asks for the same at all times.
        """
        t, hosts = interval.topology, list(account.targets.hosts)
        asked_s = t.cpu_background_share * t.cpus_per_host * interval.seconds
        background_ns = (interval.after.background_ns - interval.before.background_ns)[hosts]
        if asked_s > 0:
            part = np.minimum(background_ns / 1e9 / asked_s, 1.0)
        else:
            part = np.ones(len(hosts))
        share = np.minimum(interval.declared.stolen_share, 1.0)[hosts]
        expected = float((share * part).sum()) * t.cpus_per_host * interval.seconds
        stolen_ns = (interval.after.stolen_ns - interval.before.stolen_ns)[hosts].sum()
        return EffectEstimate(float(stolen_ns) / 1e9, 0.0, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHost(Uncompressed):
    """Everything on the target hosts takes `factor` times as long: work, messages, starts."""

    factor: Annotated[float, Bound(least=1, most=FACTOR_MAX), "on the time that anything takes"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="slow_host",
        aims_at="hosts",
        effect_unit=TaskSlowdown.facts.effect_unit,
        measured=TaskSlowdown.facts.measured,
        expected="the factor on the work of the hosts' agents, which take fewer tasks",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        factor = 1 + (self.factor - 1) * strength
        effective.slowness[targets.agents] *= factor
        effective.inbox_slowness[targets.agents] *= factor
        effective.start_slowness[targets.agents] *= factor

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        factor = 1 + (self.factor - 1) * strength
        declared.task_factor[targets.agents] *= factor
        declared.inbox_factor[targets.agents] *= factor
        declared.start_factor[targets.agents] *= factor

    def measures(self) -> tuple[Measure, ...]:
        """By the work, which is nearly all of what a host does; messages and starts follow it."""
        estimate = time_tasks(SlowHost)
        part = part_of_slower_work(self.factor)
        return (Measure(estimate, NO_TASK, averaged=True, correct=part),)
