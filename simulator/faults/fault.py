"""A fault of a plan: its parameters, its times, and the part of the system that it targets.

`resolve_targets` turns the targets that a person wrote into agents, hosts and pools. What may be
injected, and what may change of a fault in effect, is the same for a world and a router. What a
fault does is up to its kind, see `parameters`; nothing here changes a world.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.bounds import TIME_MAX_S, require, require_positive, require_within
from simulator.faults.targets import FaultTargets, Targets
from simulator.kernel import loop as k
from simulator.kernel.state import ns
from simulator.kernel.streams import generator

if TYPE_CHECKING:
    from simulator.faults.parameters import Parameters
    from simulator.kernel.state import State
    from simulator.topology import Topology

RAMP_STEP_NS = 10**9
"""A ramp climbs in steps of one second: it changes the kernel no more often than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault in a plan: from `start_s` for `duration_s`, reaching full strength in `ramp_s`."""

    name: str
    parameters: Parameters
    start_s: float
    duration_s: float
    ramp_s: float = 0.0
    targets: Targets = field(default_factory=Targets)

    def __post_init__(self) -> None:
        """Refuse times that cannot be."""
        owner = f"fault {self.name}"
        require(bool(self.name), "name", "a non-empty word", self.name, owner="fault")
        require_within("start_s", self.start_s, (0, TIME_MAX_S), owner=owner, unit="s")
        require_positive("duration_s", self.duration_s, owner=owner)
        require_within("duration_s", self.duration_s, (0, TIME_MAX_S), owner=owner, unit="s")
        climbs = 0 <= self.ramp_s <= self.duration_s
        require(climbs, "ramp_s", "between 0 and its duration", self.ramp_s, owner=owner)

    @property
    def kind(self) -> str:
        """The name of its kind in the catalogue."""
        return self.parameters.facts.name

    @property
    def is_of_router(self) -> bool:
        """Whether it is for the router in front of several cells, and for none of them."""
        return self.parameters.facts.aims_at == "router"

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.start_s + self.duration_s

    def strength(self, plan_ns: int) -> float:
        """The share (0..1) of its magnitude that is injected `plan_ns` after the plan began."""
        return climbed(plan_ns - ns(self.start_s), ns(self.ramp_s))


def require_to_come(fault: Fault, plan_ns: int) -> None:
    """Raise `BoundError` for a fault that begins before `plan_ns` of the plan: before now."""
    later = ns(fault.start_s) >= plan_ns
    require(later, "start_s", "now or later", fault.start_s, owner=f"fault {fault.name}")


def require_change(fault: Fault, old: Fault, plan_ns: int) -> None:
    """Raise `BoundError` unless `old`, in effect at `plan_ns` of the plan, can become `fault`.

    Only parameters and duration may differ, and it must not be over.
    """
    same = replace(fault, parameters=old.parameters, duration_s=old.duration_s)
    alike = same == old and type(fault.parameters) is type(old.parameters)
    owner = f"fault {fault.name}"
    require(alike, owner, "the one in effect but for parameters and duration", fault)
    require(ns(fault.end_s) > plan_ns, "end", "later than now", fault.end_s, owner=owner)


def climbed(passed_ns: int, length_ns: int) -> float:
    """How far (0..1) a ramp of `length_ns` has come: held over steps of 1 s at their middle.

    Over whole steps that is the ramp's exact mean; within a step it is always the same.
    """
    if passed_ns >= length_ns:
        return 1.0
    begins = passed_ns // RAMP_STEP_NS * RAMP_STEP_NS
    return (begins + min(begins + RAMP_STEP_NS, length_ns)) / (2 * length_ns)


def resolve_targets(fault: Fault, topology: Topology, state: State, seed: int) -> FaultTargets:
    """Resolve a fault's targets; a fraction is drawn from the fault's own stream.

    Raises `BoundError` for a tier, host, pool or cell that is not there, or when no agent is left.
    """
    owner = f"fault {fault.name}"
    tiers = [tier.name for tier in topology.tiers]
    pools = [pool.name for pool in topology.sandboxes]
    every_host = range(topology.hosts)
    for key, names, known in (
        ("tiers", fault.targets.tiers, tiers),
        ("hosts", fault.targets.hosts, every_host),
        ("sandboxes", fault.targets.sandboxes, pools),
        ("cells", fault.targets.cells, range(topology.cells)),
    ):
        known_all = set(names) <= set(known)
        require(known_all, key, f"among {known}", names, owner=owner)
    selected = np.ones(len(state.agent), bool)
    if fault.targets.tiers:
        indices = [tiers.index(name) for name in fault.targets.tiers]
        selected &= np.isin(state.agent[:, k.TIER], indices)
    hosts = fault.targets.hosts or tuple(every_host)
    selected &= np.isin(state.agent[:, k.HOST], hosts)
    candidates = np.flatnonzero(selected)
    require(len(candidates) > 0, "targets", "at least one agent", 0, owner=owner)
    count = max(1, round(fault.targets.fraction * len(candidates)))
    # A stream of its own: another fault in the plan leaves these targets as they are.
    stream = generator(seed, f"fault:{fault.name}:targets")
    agents = np.sort(stream.permutation(candidates)[:count]).astype(np.int64)
    indices = [pools.index(name) for name in fault.targets.sandboxes]
    return FaultTargets(agents, hosts, tuple(indices) or (0, 1, 2))
