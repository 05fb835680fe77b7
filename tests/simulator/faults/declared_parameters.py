"""The law that the kernel's parameters are those that the faults in effect declare, together.

Composed here anew from `Parameters.declare`, which shares no arithmetic with the injectors: one
that does nothing, or too little, shows at the first reading at which its fault is in effect,
however many others are. What comes of the parameters is measured by other means (`measure`).
"""

from __future__ import annotations

from math import isclose, prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.faults.declared_effect import DeclaredEffect
from simulator.faults.effective_parameters import (
    EXTRA_SERIES_MAX,
    FACTOR_MAX,
    HANDLING_MAX_S,
    LEAK_MAX_BYTES_PER_S,
    SCRAPE_DELAY_MAX_S,
)
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from simulator.faults.parameters import Parameters
    from simulator.faults.targets import FaultTargets
    from simulator.kernel.state import State
    from simulator.snapshot import Snapshot
    from simulator.topology import Topology
    from simulator.world import World

DRAWS = 1 << k.DRAW_BITS


class StrengthNow(NamedTuple):
    """A fault in effect at the strength that its steps have now."""

    parameters: Parameters
    targets: FaultTargets
    strength: float

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.parameters.facts.name


def undeclared_parameters(world: World, s: Snapshot) -> list[str]:
    """Names of the effective parameters that are not as the faults in effect declare them."""
    progress = world._progress
    plan_ns = s.now_ns - progress.origin_ns
    active = [
        StrengthNow(record.fault.parameters, record.targets, record.fault.strength(plan_ns))
        for record in world._ledger.in_effect.values()
    ]
    declared = DeclaredEffect(world.topology, active)
    state, topology = world._state, world.topology
    laws = {
        **_work(declared, state, topology),
        **_agents(active, state),
        **_losses(declared, active, state),
        **_scrape_path(s),
        "load: as much as declared": isclose(
            world._ledger.traffic_factor, declared.traffic_factor()
        ),
    }
    return [f"a fault does what it declares: {name}" for name, holds in laws.items() if not holds]


def _work(declared: DeclaredEffect, s: State, topology: Topology) -> dict[str, bool]:
    """Speeds, failures and deaths of agents."""
    agent, real = s.agent, s.agent_real
    speeds = np.array([tier.speed for tier in topology.tiers])[agent[:, k.TIER]]
    inbox_ns = topology.inbox_service_s * 1e9 * declared.inbox_slowness()
    loops = np.isfinite(declared.alive_s)
    crashes_per_s = agent[:, k.CRASHES_BELOW].sum() / DRAWS / k.TICK_NS * 1e9
    at_limit = (agent[:, k.CRASHES_BELOW] >= DRAWS).any()
    slack_per_s = len(agent) / DRAWS / k.TICK_NS * 1e9
    missing_per_s = declared.crashes_per_s - crashes_per_s
    return {
        "agents: work takes so long": _alike(
            real[:, k.SLOWNESS], np.minimum(declared.task_factor / speeds, FACTOR_MAX)
        ),
        "agents: a start takes so long": _alike(
            real[:, k.START_SLOWNESS], declared.start_slowness()
        ),
        "agents: a message takes so long": _near(
            s.inbox[:, k.INBOX_NS], np.clip(inbox_ns, 1, HANDLING_MAX_S * 1e9)
        ),
        "agents: so many tasks fail": _near(
            agent[:, k.FAILS_BELOW], (1 - declared.tasks_kept) * DRAWS
        ),
        "agents: so many crash": at_limit or abs(missing_per_s) <= slack_per_s,
        "agents: so many are in a loop": np.array_equal(agent[:, k.LOOPS] != 0, loops)
        and _near(agent[loops, k.ALIVE_NS], declared.alive_s[loops] * 1e9),
    }


def _agents(active: list[StrengthNow], s: State) -> dict[str, bool]:
    """What a kind declares of each of its targets, and no other kind does."""
    hangs, leaks = np.zeros(len(s.agent), bool), np.zeros(len(s.agent))
    for fault in active:
        if fault.kind == "agent_hang":
            hangs[fault.targets.agents] = True
        elif fault.kind == "memory_leak":
            leaks[fault.targets.agents] += fault.parameters.magnitude * fault.strength
    leaks = np.minimum(leaks, LEAK_MAX_BYTES_PER_S)
    return {
        "agents: so many hang": np.array_equal(s.agent[:, k.HANGS] != 0, hangs),
        "agents: so much leaks": _near(s.agent[:, k.LEAK_PER_TICK], leaks * k.TICK_NS / 1e9),
    }


def _losses(declared: DeclaredEffect, active: list[StrengthNow], s: State) -> dict[str, bool]:
    """Slots, CPU, messages, and calls of the dependency."""
    total = s.pool[:, k.TOTAL]
    cores = 1000 * declared.topology.cpus_per_host * np.minimum(declared.stolen_share, 1)
    partitions = [fault for fault in active if fault.kind == "bus_partition"]
    losses = [fault.parameters.magnitude * fault.strength * k.SHARE_PARTS for fault in partitions]
    return {
        "sandboxes: so many leak": _near(
            s.pool[:, k.LEAK_TARGET], np.minimum(declared.leaked_share, 1) * total
        ),
        "sandboxes: so many are down": _near(
            s.pool[:, k.DOWN_TARGET], np.minimum(declared.down_share, 1) * total
        ),
        "hosts: so much CPU is stolen": _near(s.host[:, k.STOLEN_CORES], cores),
        "messages: so many flood": isclose(
            s.real_head[k.FLOOD_RATE] * 1e9, declared.flood_per_s(), rel_tol=1e-9, abs_tol=1e-9
        ),
        "messages: so many are lost": s.head[k.PARTITION] == len(partitions)
        and _near(s.partition_loss[: len(losses)], np.array(losses)),
        "dependency: so many calls fail": _near(
            s.head[k.DEPENDENCY_FAILS_BELOW], (1 - declared.calls_kept) * DRAWS
        ),
        "dependency: a call takes so long": _near(
            s.head[k.DEPENDENCY_NS], declared.latency_s() * 1e9
        ),
    }


def _scrape_path(s: Snapshot) -> dict[str, bool]:
    """What stands between the world and its scrapes."""

    def magnitudes(kind: str) -> list[float]:
        return [fault.magnitude for fault in s.faults if fault.fault == kind]

    kept, shown = (
        prod(1 - share for share in magnitudes(kind))
        for kind in ("scrape_truncated", "series_vanish")
    )
    delay_s = min(sum(magnitudes("scrape_slow")), SCRAPE_DELAY_MAX_S)
    series = min(sum(map(round, magnitudes("cardinality_burst"))), EXTRA_SERIES_MAX)
    down = any(fault.fault in ("exporter_down", "cell_down") for fault in s.faults)
    path = s.scrape_path
    return {
        "scrapes: wait so long": isclose(path.delay_s, delay_s),
        "scrapes: so much is cut": isclose(path.cut_share, 1 - kept, abs_tol=1e-9),
        "scrapes: so many series vanish": isclose(path.vanished_share, 1 - shown, abs_tol=1e-9),
        "scrapes: so many series more": path.extra_series == series,
        "exporter: down": s.exporter_up != down,
        # Restarts of faults that have ended are counted too.
        "exporter: begun anew": s.exporter_restarts >= len(magnitudes("counter_reset")),
    }


def _alike(ours: np.ndarray, declared: np.ndarray) -> bool:
    """Whether real numbers agree but for the order in which they were multiplied."""
    return bool(np.allclose(ours, declared, rtol=1e-9, atol=0))


def _near(ours: np.ndarray, declared: np.ndarray) -> bool:
    """Whether whole numbers are what was declared, rounded; at a half either way."""
    return bool((np.abs(ours - declared) <= 0.5 + 1e-9 * np.abs(declared) + 1e-6).all())
