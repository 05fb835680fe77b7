"""Faults of the demand: more arrivals, fewer arrivals, capacity that is reserved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import numpy as np

from simulator.bounds import require
from simulator.faults.effective_parameters import TRAFFIC_FACTOR_MAX
from simulator.faults.measure import EffectEstimate, Measure, count_provisioned
from simulator.faults.parameters import Bound, KindFacts, Share, Uncompressed
from simulator.kernel import loop as k
from simulator.topology import FLEET_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.parameters import Parameters
    from simulator.faults.targets import FaultTargets
    from simulator.topology import Topology

_NO_LOAD: Final = "the load asked for no arrivals"
_REACTION_S: Final = 2.0
"""The orchestrator scales once a second, so it has surely answered what was asked for by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSurge(Uncompressed):
    """The arrival rate is multiplied by `factor`."""

    factor: Annotated[float, Bound(least=1, most=TRAFFIC_FACTOR_MAX), "on the arrivals"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="traffic_surge",
        aims_at="nothing",
        effect_unit="arrivals per second",
        measured="arrivals a second",
        expected="those the load asks for, multiplied",
    )

    @property
    def magnitude(self) -> float:
        return self.factor

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.traffic_factor *= self.traffic_factor(strength)

    def traffic_factor(self, strength: float) -> float:
        return 1 + (self.factor - 1) * strength

    def declare(self, declared: DeclaredEffect, _: FaultTargets, strength: float) -> None:
        declared.surge_factor *= 1 + (self.factor - 1) * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(_count_arrivals(TrafficSurge), _NO_LOAD, averaged=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDrop(Uncompressed):
    """A `share` of the arrivals never comes."""

    share: Annotated[Share, "of arrivals that never come"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="traffic_drop",
        aims_at="nothing",
        effect_unit="arrivals per second",
        measured="arrivals a second",
        expected="those the load asks for, less the share",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.traffic_factor *= self.traffic_factor(strength)

    def traffic_factor(self, strength: float) -> float:
        return 1 - self.share * strength

    def declare(self, declared: DeclaredEffect, _: FaultTargets, strength: float) -> None:
        declared.arrivals_kept *= 1 - self.share * strength

    def measures(self) -> tuple[Measure, ...]:
        return (Measure(_count_arrivals(TrafficDrop), _NO_LOAD, averaged=True),)


def _count_arrivals(kind: type[Parameters]) -> Callable[[Interval, Account], EffectEstimate]:
    """Arrivals, against those the load asks for."""

    def estimate(interval: Interval, _: Account) -> EffectEstimate:
        declared, requested = interval.declared, interval.requested_tasks
        expected = requested(declared.traffic_factor())
        base = requested(declared.without(kind).traffic_factor())
        arrived = interval.after.arrived - interval.before.arrived
        return EffectEstimate(arrived, base, expected, expected, base, interval.seconds)

    return estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityDemand(Uncompressed):
    """Capacity is reserved: the orchestrator keeps at least `agents` agents active."""

    agents: Annotated[int, Bound(least=1, most=FLEET_MAX), "kept active, at most the fleet"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="capacity_demand",
        aims_at="nothing",
        effect_unit="active agents",
        measured="agents up or starting",
        expected="the reservation, as far and as fast as the fleet can grow",
    )

    @property
    def magnitude(self) -> float:
        return float(self.agents)

    def require_fit(self, topology: Topology) -> None:
        rule = f"at most the fleet of {topology.fleet}"
        fits = self.agents <= topology.fleet
        require(fits, "agents", rule, self.agents, owner=self.facts.name)

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        reserved = round(self.agents * strength)
        effective.reserved_agents = max(effective.reserved_agents, reserved)

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise no figure now: the measure asks what was reserved a reaction time ago."""

    def measures(self) -> tuple[Measure, ...]:
        idle = "the fleet was as large already, or had no time to grow"
        return (Measure(self._read_capacity, idle, latest=True),)

    @staticmethod
    def _read_capacity(interval: Interval, account: Account) -> EffectEstimate:
        """Agents up or starting, against the reservation as far as the fleet could grow."""
        answered_ns = interval.plan_ns - round(_REACTION_S * 1e9)
        reserved = max(
            round(parameters.agents * active.strength_at(answered_ns))
            for active in interval.declared.faults
            if isinstance(parameters := active.parameters, CapacityDemand)
        )
        state = interval.state.agent[:, k.STATE]
        able = (state != k.CRASH) & ~np.isfinite(interval.declared.alive_s)
        growing_s = max(account.elapsed_ns / 1e9 - _REACTION_S, 0.0)
        base = account.provisioned_at_onset
        grown = base + interval.topology.scale_up_per_s * growing_s
        expected = min(reserved, int(able.sum()), grown)
        return EffectEstimate(count_provisioned(interval.state), base, max(expected, base))
