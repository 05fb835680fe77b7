"""Faults of the message bus: messages are lost, come in floods, or wait for slow receivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import numpy as np

from simulator.faults.effective_parameters import FACTOR_MAX, FLOOD_MAX_PER_S, FLOOD_MIN_PER_S
from simulator.faults.measure import NO_TIME, EffectEstimate, Measure
from simulator.faults.parameters import Bound, KindFacts, Share, Uncompressed
from simulator.faults.workload import crossing_share, messages_per_s
from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.targets import FaultTargets

    Reals = NDArray[np.float64]

_BURST_VARIANCE: Final = 4.0
"""Tasks send several messages at once, so inboxes vary by more than those of a Poisson stream."""
_UTILISATION_MAX: Final = 0.99
"""The queue's mean is infinite at 1; inboxes that near to it are counted as overloaded anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusPartition(Uncompressed):
    """Messages between the targets and everyone else are lost, `loss` of them."""

    loss: Annotated[Share, "of messages between the targets and everyone else"] = 1.0

    facts: ClassVar[KindFacts] = KindFacts(
        name="bus_partition",
        aims_at="agents",
        effect_unit="lost messages",
        measured="messages lost between its sides",
        expected="the loss, of the messages that went from one side to the other",
    )

    @property
    def magnitude(self) -> float:
        return self.loss

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.add_partition(targets.agents, self.loss * strength)

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise no figure: what crosses the partition depends on who runs."""

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._count_lost, "no message crossed it"),)

    def _count_lost(self, interval: Interval, account: Account) -> EffectEstimate:
        """Messages lost at a partition, against those that crossed it.

        Of what overlapping partitions lose together, each expects its own part at least.
        """
        t, s, targets = interval.topology, interval.state, account.targets
        crossed = crossing_share(t, s, interval.dispatched, targets.agents)
        strength = interval.declared.strength_of(targets)
        expected = interval.messages_between_agents * crossed * self.loss * strength
        lost = interval.after.partitioned - interval.before.partitioned
        return EffectEstimate(lost, 0.0, expected, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFlood(Uncompressed):
    """The inboxes of the targets in a cell receive `rate_per_s` more messages a second."""

    rate_per_s: Annotated[
        float,
        Bound(least=FLOOD_MIN_PER_S, most=FLOOD_MAX_PER_S),
        "messages a second more to the targets of each cell",
    ]

    facts: ClassVar[KindFacts] = KindFacts(
        name="message_flood",
        aims_at="agents",
        effect_unit="flood messages",
        measured="messages sent by floods",
        expected="the rate",
    )

    @property
    def magnitude(self) -> float:
        return self.rate_per_s

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.floods_per_s.append((self.rate_per_s * strength, targets.agents))

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.floods_per_s += self.rate_per_s * strength
        of_agent_per_s = self.rate_per_s * strength / len(targets.agents)
        declared.flood_of_agents_per_s[targets.agents] += of_agent_per_s

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(self._count_flooded, NO_TIME),)

    @staticmethod
    def _count_flooded(interval: Interval, _: Account) -> EffectEstimate:
        """Messages of floods, which have a counter of their own."""
        expected = interval.declared.flood_per_s() * interval.seconds
        flooded = interval.after.flooded - interval.before.flooded
        return EffectEstimate(flooded, 0.0, expected, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowConsumer(Uncompressed):
    """The targets take `factor` times as long to handle a message."""

    factor: Annotated[float, Bound(least=1, most=FACTOR_MAX), "on the time to handle a message"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="slow_consumer",
        aims_at="agents",
        effect_unit="messages waiting, mean of a target",
        measured="messages waiting, mean of a target, read every second",
        expected="what comes less what can be handled, until inboxes are full",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(
        self, effective: EffectiveParameters, targets: FaultTargets, strength: float
    ) -> None:
        effective.inbox_slowness[targets.agents] *= 1 + (self.factor - 1) * strength

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        declared.inbox_factor[targets.agents] *= 1 + (self.factor - 1) * strength

    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure(
                self._read_inboxes,
                "no message came to its targets",
                averaged=True,
                sampled=True,
                buildup=self._expected_waiting,
            ),
        )

    @staticmethod
    def _expected_waiting(interval: Interval, account: Account) -> Reals:
        """How many messages should wait in each agent's inbox at the end of an interval.

        An agent that gets more than it can handle falls behind by the difference, until its inbox
        is full; a restart begins anew. Any other has the mean of a queue with constant service
        (M/D/1).
        """
        t, s = interval.topology, interval.state
        arrivals_per_s = messages_per_s(interval)
        service_s = t.inbox_service_s * interval.declared.inbox_slowness()
        utilisation = arrivals_per_s * service_s
        restarted = s.agent[:, k.STARTED_AT] > interval.before.now_ns
        since_ns = np.maximum(s.agent[:, k.STARTED_AT], interval.before.now_ns)
        passed_s = (interval.after.now_ns - since_ns) / 1e9
        overloaded = np.where(restarted, 0.0, account.expected_buildup)
        overloaded = overloaded + (arrivals_per_s - 1 / service_s) * passed_s
        stable = np.minimum(
            _mean_waiting(np.minimum(utilisation, _UTILISATION_MAX)),
            arrivals_per_s * account.elapsed_ns / 1e9,
        )
        waiting = np.where(utilisation < 1, stable, overloaded)
        limited: Reals = np.clip(waiting, 0.0, t.inbox_limit)
        return limited

    @staticmethod
    def _read_inboxes(interval: Interval, account: Account) -> EffectEstimate:
        """Messages that wait at a target, on average over targets and time."""
        s, t = interval.state, interval.topology
        agents = account.targets.agents
        agents = agents[s.agent[agents, k.PLACE] >= 0]
        if not len(agents):
            return EffectEstimate()
        utilisation = messages_per_s(interval)[agents] * t.inbox_service_s
        base = _mean_waiting(np.minimum(utilisation, _UTILISATION_MAX))
        base = np.minimum(base, t.inbox_limit)
        expected = account.expected_buildup[agents]
        # A queue that is far from full varies as a geometric one does; a full one hardly.
        variance = expected + np.where(expected < t.inbox_limit / 2, expected**2, 0.0)
        weight = interval.seconds
        return EffectEstimate(
            weight * float(messages_waiting(s)[agents].mean()),
            weight * float(base.mean()),
            weight * float(np.maximum(expected, base).mean()),
            weight**2 * float(variance.mean()) / len(agents),
            weight**2 * _BURST_VARIANCE * float((base + base**2).mean()) / len(agents),
            weight,
        )


def _mean_waiting(utilisation: Reals) -> Reals:
    """Mean number in an M/D/1 queue: rho + rho^2 / (2 (1 - rho)) (Pollaczek-Khinchine)."""
    return utilisation + utilisation**2 / (2 * (1 - utilisation))
