"""What a trial of the swarm reached: the states, stages and branches that must be seen at times.

A search that never comes to a branch shows nothing about it. `EXPECTED` names everything that must
be reached in at least one seed of a hundred; `reached_by` reads it off a snapshot and the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting
from simulator.snapshot import AGENT_STATES, STATUSES
from tests.swarm.drawing import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.cells.system import CellSystem
    from simulator.snapshot import Snapshot
    from simulator.world import World

LEAST_SHARE = 0.01
LEAST_SEEDS = 1000
"""With fewer seeds a share of one in a hundred cannot be told from none."""
STAGES = {
    k.NOTHING: "nothing", k.COMES_UP: "comes up", k.FIRST_RESULT: "first result",
    k.RELEASES: "releases", k.ENDS: "ends", k.WATCHED: "watched", k.COMES_BACK: "comes back",
    k.DIES: "dies", k.WAITS_SLOT: "waits for a slot",
}  # fmt: skip


def reached_by(world: World, s: Snapshot) -> set[str]:
    """Return everything that this instant of a world shows."""
    state = world._state
    stages = np.unique(state.agent[:, k.STAGE]).tolist()
    kinds = [fault.fault for fault in s.faults]
    reached = {f"fault: {kind}" for kind in kinds}
    reached |= {f"agent: {AGENT_STATES[n]}" for n in np.flatnonzero(s.agents.sum(axis=0))}
    reached |= {f"stage: {STAGES[stage]}" for stage in stages}
    reached |= {f"answer: {STATUSES[n]}" for n in np.flatnonzero(s.http_requests)}
    reached.add(f"backpressure: level {s.backpressure_level}")
    branches = {**_faults(kinds, world, s), **_tasks(world, s), **_fleet(world, s)}
    return reached | {name for name, seen in branches.items() if seen}


def reached_of_router(system: CellSystem) -> set[str]:
    """Return what this instant shows of the router in front of several cells."""
    router = system.router
    branches = {
        "cells: several": True,
        "cells: one that is down": 0.0 in router.health,
        "cells: one is worse than another": any(0 < health < 1 for health in router.health),
        "cells: of unequal weight": len(set(router.weights)) > 1,
    }
    return {name for name, seen in branches.items() if seen}


def _faults(kinds: list[str], world: World, s: Snapshot) -> dict[str, bool]:
    head = world._state.head
    return {
        "faults: none": not kinds,
        "faults: two at once": len(kinds) >= 2,
        "faults: four at once": len(kinds) >= 4,
        "faults: as many as can be": len(kinds) >= 32,
        "faults: two of a kind at once": len(set(kinds)) < len(kinds),
        "faults: on a ramp": any(fault.magnitude < fault.declared for fault in s.faults),
        "messages: lost at a partition": head[k.PARTITIONED] > 0,
        "messages: two partitions at once": head[k.PARTITION] >= 2,
        "messages: of a flood": head[k.FLOODED] > 0,
        "agents: crashed at random": head[k.CRASH_TARGETS] > 0 and s.agents_crashed > 0,
        "agents: hung ones": head[k.HUNG] > 0,
        "dependency: fails": head[k.DEPENDENCY_FAILS_BELOW] > 0,
        "fleet: capacity reserved": head[k.RESERVED] > 0,
        "exporter: down": not s.exporter_up,
        "exporter: restarted": s.exporter_restarts > 0,
    }


def _tasks(world: World, s: Snapshot) -> dict[str, bool]:
    state = world._state
    agent, pool = state.agent, state.pool
    groups = int(state.head[k.GROUPS])
    limits = state.priority[:, k.DEPTH_LIMIT]
    return {
        "tasks: failed": s.tasks_processed[:, 1].any(),
        "tasks: timed out": s.tasks_timed_out.any(),
        "tasks: retried": s.tasks_retried.any(),
        "tasks: tried a third time": (agent[:, k.META] >> k.ATTEMPT_SHIFT >= 2).any(),
        "queue: full": (s.queue_depth == limits).any(),
        "gateway: no token left": state.head[k.TOKENS_NS] < state.head[k.TOKEN_COST_NS],
        "load: none": s.arrival_rate == 0,
        "messages: dropped": s.messages_dropped > 0,
        "messages: an inbox is full": (messages_waiting(state) >= state.head[k.INBOX_LIMIT]).any(),
        "sandboxes: held by three": (agent[:, k.HELD] == k.ALL_POOLS).any(),
        "sandboxes: none free": (s.sandbox_available == 0).any(),
        "sandboxes: leaked": s.sandbox_leaked.any(),
        "sandboxes: down": s.sandbox_down.any(),
        "sandboxes: all down": (pool[:, k.DOWN] == pool[:, k.TOTAL]).any(),
        **{
            f"sandboxes: waited for, pool {name}": state.lists[groups + 1 + number, k.LENGTH] > 0
            for number, name in enumerate(s.sandboxes)
        },
    }


def _fleet(world: World, s: Snapshot) -> dict[str, bool]:
    state = world._state
    agent, head, host = state.agent, state.head, state.host
    asked = (
        host[:, k.BUSY] * head[k.BUSY_CORES]
        + host[:, [k.BACKGROUND_CORES, k.STOLEN_CORES, k.MESSAGE_CORES]].sum(axis=1)
    )  # fmt: skip
    initial = max(int(head[k.FIXED_AGENTS]), int(head[k.FLOOR]))
    return {
        "fleet: grown": head[k.DESIRED] > initial,
        "fleet: shrinks": (agent[:, k.RETIRE] == k.STOP).any() or s.agents[:, 0].any(),
        "fleet: an agent restarts once it is free": (agent[:, k.RETIRE] == k.RESTART).any(),
        "fleet: nobody runs": head[k.RUNNING] == 0,
        "agents: backoff doubled": (agent[:, k.BACKOFF] > head[k.BACKOFF_NS]).any(),
        "agents: backoff at its limit": (
            agent[:, k.BACKOFF] == head[k.BACKOFF_LIMIT_NS]
        ).any(),
        "agents: memory leaked": (agent[:, k.LEAKED_BYTES] > 0).any(),
        "hosts: asked for too much": (asked > head[k.HOST_CAPACITY]).any(),
        "hosts: CPU stolen": (host[:, k.STOLEN_CORES] > 0).any(),
        "streams: drawn anew": s.tasks_arrived.sum() > len(state.gaps),
    }  # fmt: skip


EXPECTED = frozenset({
    *(f"fault: {kind}" for kind in (*KINDS, "router_stale")),
    "cells: several", "cells: one that is down", "cells: one is worse than another",
    "cells: of unequal weight",
    *(f"agent: {state}" for state in AGENT_STATES),
    *(f"stage: {stage}" for stage in STAGES.values()),
    *(f"answer: {status}" for status in STATUSES),
    *(f"backpressure: level {level}" for level in range(5)),
    *(f"by hand: {event}" for event in ("inject", "change", "end", "end all", "skip", "fork")),
    *(f"done by hand: {event}" for event in ("inject", "change", "end", "end all")),
    "refused: in effect", "refused: planned", "refused: too many", "refused: end, KeyError",
    "refused: change, KeyError",
    "world: forked from a healthy one", "heal: ends faults", "healed: probe compared to the task",
    "effect: effective", "effect: idle", "effect: inconclusive",
    "faults: none", "faults: two at once", "faults: four at once", "faults: as many as can be",
    "faults: two of a kind at once", "faults: on a ramp", "messages: lost at a partition",
    "messages: two partitions at once", "messages: of a flood", "agents: crashed at random",
    "agents: hung ones", "dependency: fails", "fleet: capacity reserved", "exporter: down",
    "exporter: restarted", "tasks: failed", "tasks: timed out", "tasks: retried",
    "tasks: tried a third time", "queue: full", "gateway: no token left", "load: none",
    "messages: dropped", "messages: an inbox is full", "sandboxes: held by three",
    "sandboxes: none free", "sandboxes: leaked", "sandboxes: down", "sandboxes: all down",
    "sandboxes: waited for, pool A", "sandboxes: waited for, pool B",
    "sandboxes: waited for, pool C", "fleet: grown", "fleet: shrinks",
    "fleet: an agent restarts once it is free", "fleet: nobody runs", "agents: backoff doubled",
    "agents: backoff at its limit", "agents: memory leaked", "hosts: asked for too much",
    "hosts: CPU stolen", "streams: drawn anew",
})  # fmt: skip


def rarely(counts: dict[str, int], seeds: int) -> list[str]:
    """Return what was expected and reached in fewer than `LEAST_SHARE` of the seeds."""
    return sorted(name for name in EXPECTED if counts.get(name, 0) < LEAST_SHARE * seeds)


def count_reached(all_reached: Iterable[frozenset[str]]) -> dict[str, int]:
    """Return in how many trials each thing was reached."""
    counts: dict[str, int] = {}
    for reached in all_reached:
        for name in reached:
            counts[name] = counts.get(name, 0) + 1
    return counts
