"""Small worlds for the tests: quick to build and to simulate, deterministic from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.faults.fault import Fault
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import Targets
from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.topology import (
    PRIORITIES,
    SANDBOXES,
    Priority,
    SandboxPool,
    TaskClass,
    Tier,
    Topology,
)
from simulator.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.kernel.state import State

MEAN_S = 0.01
"""Mean service time of a `station`."""
PATIENT = {"queue_limit": 20_000, "wait_limit_s": 1e6}


def small(**changes: Any) -> Topology:
    """Return 4 leads and 36 workers on 4 hosts, about half used by 400 tasks a second."""
    tiers = (
        Tier(name="lead", agents=4, takes=("coordination",)),
        Tier(name="worker", agents=36, takes=("work",), scales=True),
    )
    pools = tuple(SandboxPool(name=name, slots=8, share=0.1) for name in SANDBOXES)
    base = Topology(
        tiers=tiers, sandboxes=pools, hosts=4, active_floor=40, recycle_per_s=0.0, error_share=0.0
    )
    return replace(base, **changes)


def station(agents, *, distribution="exponential", sigma=0.5, shares=(0, 0, 1, 0), **changes):
    """Return a bare queueing station: `agents` servers, and nothing that costs time but service."""
    settings = {
        "tiers": (Tier(name="server", agents=agents, takes=("work",)),),
        "classes": (
            TaskClass(
                name="work", share=1, mean_service_s=MEAN_S, sigma=sigma, distribution=distribution
            ),
            TaskClass(name="coordination", share=0, mean_service_s=MEAN_S),
        ),
        "priorities": tuple(
            Priority(name=name, share=share, **PATIENT)
            for name, share in zip(PRIORITIES, shares, strict=True)
        ),
        "sandboxes": tuple(SandboxPool(name=name, slots=8, share=0) for name in SANDBOXES),
        "triple_share": 0.0, "first_result_share": 0.0, "gateway_overhead_s": 0.0,
        "rate_limit_per_s": 1e9, "rate_limit_burst": 10_000_000, "dependency_share": 0.0,
        "messages_at_first_result": 0, "messages_at_completion": 0, "inbox_service_s": 1e-9,
        "hosts": 1, "cpus_per_host": 1024, "active_floor": 1,
    }  # fmt: skip
    return small(**{**settings, **changes})


def load(rate: float = 400.0, **changes: Any) -> Load:
    """Return a load that `small` handles with ease."""
    return Load(rate=rate, **changes)


def fault(kind: str, *, name: str = "", start_s=1.0, duration_s=1000.0, **options: Any) -> Fault:
    """Return a fault by its catalogue name; options are ramp, targets and parameters."""
    own = {key: options.pop(key) for key in ("ramp_s",) if key in options}
    targets = {
        key: options.pop(key)
        for key in ("cells", "tiers", "hosts", "sandboxes", "fraction")
        if key in options
    }
    return Fault(
        name=name or kind,
        parameters=FAULTS[kind](**options),
        start_s=start_s,
        duration_s=duration_s,
        targets=Targets(**targets),
        **own,
    )


def make(*faults: Fault, seed: int = 7, rate: float = 400.0, **changes: Any) -> World:
    """Return a world of `small(**changes)` with `faults` in its plan."""
    return World(small(**changes), Plan(load=load(rate), faults=faults), seed)


def recent_durations_s(world: World, which: int) -> np.ndarray:
    """Return the last durations (at most `k.RECENT`) of a histogram row, unordered, exact."""
    observed = int(world._state.recent_count[which])
    return world._state.recent[which, : min(observed, k.RECENT)] / 1e9


def due_at(s: State) -> NDArray[np.int64]:
    """When each agent's next event is, NEVER where none is to come."""
    keys = s.due[len(s.due) // 2 :][: len(s.agent)]
    ahead = keys >> k.KEY_BITS
    at = np.where(ahead < k.FAR_NS, s.head[k.EPOCH] + ahead, s.agent[:, k.FAR_AT])
    return np.where(keys == k.NEVER, k.NEVER, at)
