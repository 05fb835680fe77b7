"""What the faults in effect promise together, taken from their declarations alone.

The other side of `effective_parameters`: those make faults happen, these say what ought to come of
them. They share no arithmetic, so that an injector that does nothing, or too little, shows when
the two are compared. Each kind adds to it in `Parameters.declare`; measures read it. Pure.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from simulator.faults.effective_parameters import (
    FACTOR_MAX,
    FLOOD_MAX_PER_S,
    LATENCY_MAX_S,
    TRAFFIC_FACTOR_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from simulator.faults.targets import FaultTargets
    from simulator.topology import Topology

    Reals = NDArray[np.float64]


class Declaring(Protocol):
    """The numbers of a fault, as far as they declare an effect."""

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Add what the fault promises at `strength` (0..1)."""


class ActiveFault(NamedTuple):
    """A fault in effect, its targets, when it starts and how long its ramp is, in the plan's time.

    `plan_ns` is the instant for which it is asked.
    """

    parameters: Declaring
    targets: FaultTargets
    start_ns: int
    ramp_ns: int
    plan_ns: int

    @property
    def strength(self) -> float:
        """The share (0..1) of its magnitude that it promises at `plan_ns`."""
        return self.strength_at(self.plan_ns)

    def strength_at(self, plan_ns: int) -> float:
        """The same, `plan_ns` after its plan began.

        A straight ramp, where `Fault.strength` climbs in steps.
        """
        since_ns = plan_ns - self.start_ns
        if since_ns < 0:
            return 0.0
        return min(1.0, since_ns / self.ramp_ns) if self.ramp_ns else 1.0


def _promises_as_much(fault: ActiveFault, other: ActiveFault) -> bool:
    """Say whether two are the same fault, at the same strength."""
    same = fault.parameters is other.parameters and fault.targets is other.targets
    times = (fault.start_ns, fault.ramp_ns) == (other.start_ns, other.ramp_ns)
    return same and times and fault.strength == other.strength


class DeclaredEffect:
    """What faults in effect promise over an interval. Arrays by agent, host or pool.

    Kinds write the sums and products in `declare`; the methods keep them within their limits.
    """

    def __init__(self, topology: Topology, faults: Iterable[ActiveFault]) -> None:
        """Add up what each of the `faults` in effect declares, in their order."""
        self.topology = topology
        self.faults = tuple(faults)
        self._without: dict[type[Declaring], DeclaredEffect] = {}
        fleet = topology.fleet
        self.start_factor = np.ones(fleet)
        self.task_factor = np.ones(fleet)
        self.inbox_factor = np.ones(fleet)
        self.tasks_kept = np.full(fleet, 1.0 - topology.error_share)
        self.calls_kept = 1.0
        self.call_latency_s = 0.0
        self.surge_factor = 1.0
        self.arrivals_kept = 1.0
        self.flood_of_agents_per_s = np.zeros(fleet)
        self.floods_per_s = 0.0
        self.crashes_per_s = 0.0
        self.crash_targets = np.zeros(fleet, bool)
        self.alive_s = np.full(fleet, inf)
        self.leaked_share = np.zeros(len(topology.sandboxes))
        self.down_share = np.zeros(len(topology.sandboxes))
        self.stolen_share = np.zeros(topology.hosts)
        for active in self.faults:
            active.parameters.declare(self, active.targets, active.strength)

    def without(self, kind: type[Declaring]) -> DeclaredEffect:
        """The same, had there been no fault of this kind; added up once, then kept."""
        if kind not in self._without:
            # By type and not by `isinstance`, which is slow for abstract classes.
            others = (active for active in self.faults if type(active.parameters) is not kind)
            self._without[kind] = DeclaredEffect(self.topology, others)
        return self._without[kind]

    def at(self, faults: tuple[ActiveFault, ...]) -> DeclaredEffect:
        """What `faults` promise: this, where they are the same at the same strengths, kept."""
        same = len(faults) == len(self.faults) and all(map(_promises_as_much, faults, self.faults))
        return self if same else DeclaredEffect(self.topology, faults)

    def strength_of(self, targets: FaultTargets) -> float:
        """The strength of the fault that resolved these very targets."""
        return max(active.strength for active in self.faults if active.targets is targets)

    def start_slowness(self) -> Reals:
        """How many times as long each agent takes to start."""
        return np.minimum(self.start_factor, FACTOR_MAX)

    def task_slowness(self) -> Reals:
        """How many times as long each agent works on a task."""
        return np.minimum(self.task_factor, FACTOR_MAX)

    def inbox_slowness(self) -> Reals:
        """How many times as long each agent takes to handle a message."""
        return np.minimum(self.inbox_factor, FACTOR_MAX)

    def failing_share(self) -> Reals:
        """The share of each agent's tasks that fails, with the error that is always there."""
        called = self.topology.dependency_share
        return 1 - self.tasks_kept * (1 - called * (1 - self.calls_kept))

    def latency_s(self) -> float:
        """How much longer a task waits that calls the dependency."""
        return min(self.call_latency_s, LATENCY_MAX_S)

    def traffic_factor(self) -> float:
        """By how much the arrivals are multiplied."""
        return min(self.surge_factor * self.arrivals_kept, TRAFFIC_FACTOR_MAX)

    def flood_per_s(self) -> float:
        """Messages that floods send in a second."""
        return min(self.floods_per_s, FLOOD_MAX_PER_S)
