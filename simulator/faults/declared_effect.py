"""What the faults in effect ask for together, taken from their declarations alone.

The other side of `effects`: that module makes faults happen, this one says what ought to come of
them, and shares none of its arithmetic, so that an injector that does nothing, or too little, is
found out by comparing the two. Pure; called by `measures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from simulator.faults import catalogue as f
from simulator.kernel.state import ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.faults.composition import FaultTargets
    from simulator.topology import Topology

    Reals = NDArray[np.float64]

Kind = TypeVar("Kind", bound=f.Parameters)


def strength_at(fault: f.Fault, passed_ns: int) -> float:
    """How much of its magnitude (0..1) a fault has reached `passed_ns` after its plan began."""
    since = passed_ns - ns(fault.start_s)
    if since < 0:
        return 0.0
    ramp = ns(fault.ramp_s)
    return min(1.0, since / ramp) if ramp else 1.0


class ActiveFault(NamedTuple):
    """A fault, whom it strikes, and its strength (0..1)."""

    fault: f.Fault
    aim: FaultTargets
    strength: float


@dataclass(frozen=True, slots=True)
class DeclaredEffect:
    """The faults in effect over a stretch of time. Arrays have the shape (agents,)."""

    topology: Topology
    struck: tuple[ActiveFault, ...]

    def without(self, *kinds: type[f.Parameters]) -> DeclaredEffect:
        """The same, had there been no fault of these kinds."""
        kept = (one for one in self.struck if not isinstance(one.fault.parameters, kinds))
        return DeclaredEffect(self.topology, tuple(kept))

    def of(self, kind: type[Kind]) -> Iterator[tuple[Kind, FaultTargets, float]]:
        """The parameters, aim and strength of each fault of a kind."""
        for one in self.struck:
            if isinstance(one.fault.parameters, kind):
                yield one.fault.parameters, one.aim, one.strength

    def factors(self, kind: type[f.SlowStart | f.TaskSlowdown | f.SlowConsumer]) -> Reals:
        """By how much each agent is slowed down in what `kind` slows down."""
        found = np.ones(self.topology.fleet)
        for parameters, aim, strength in self.of(kind):
            found[aim.agents] *= 1 + (parameters.factor - 1) * strength
        return np.minimum(found, f.FACTOR_MAX)

    def failing(self) -> Reals:
        """The share of each agent's tasks that fails, with the error that is always there."""
        kept = np.full(self.topology.fleet, 1 - self.topology.error_share)
        for parameters, aim, strength in self.of(f.TaskFailure):
            kept[aim.agents] *= 1 - parameters.share * strength
        calls = prod(1 - p.share * strength for p, _, strength in self.of(f.DependencyOutage))
        return 1 - kept * (1 - self.topology.dependency_share * (1 - calls))

    def latency_s(self) -> float:
        """How much longer a task waits that calls the dependency."""
        waits = (p.latency_s * strength for p, _, strength in self.of(f.DependencyOutage))
        return min(sum(waits), f.LATENCY_MAX_S)

    def traffic(self) -> float:
        """By how much the arrivals are multiplied."""
        more = prod(1 + (p.factor - 1) * strength for p, _, strength in self.of(f.TrafficSurge))
        kept = prod(1 - p.share * strength for p, _, strength in self.of(f.TrafficDrop))
        return min(more * kept, f.TRAFFIC_FACTOR_MAX)

    def flood_per_s(self) -> float:
        """Messages that floods send in a second."""
        rates = (p.rate_per_s * strength for p, _, strength in self.of(f.MessageFlood))
        return min(sum(rates), f.FLOOD_MAX_PER_S)

    def flood_of_agents(self) -> Reals:
        """Messages that floods send to each agent in a second."""
        found = np.zeros(self.topology.fleet)
        for parameters, aim, strength in self.of(f.MessageFlood):
            found[aim.agents] += parameters.rate_per_s * strength / len(aim.agents)
        return found

    def shares(self, kind: type[f.SandboxLeak | f.SandboxCrash | f.CpuContention]) -> Reals:
        """The share of each pool, or of each host, that faults of `kind` take."""
        hosts = kind is f.CpuContention
        found = np.zeros(self.topology.hosts if hosts else len(self.topology.sandboxes))
        for parameters, aim, strength in self.of(kind):
            found[list(aim.hosts if hosts else aim.pools)] += parameters.share * strength
        return np.minimum(found, 1.0)

    def looping(self) -> Reals:
        """How long each agent lives after a start, in seconds; infinite outside crash loops."""
        found = np.full(self.topology.fleet, np.inf)
        for parameters, aim, _ in self.of(f.CrashLoop):
            found[aim.agents] = parameters.alive_s
        return found
