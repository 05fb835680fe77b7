"""Lays out the arrays of a new world from its topology: the kernel's state at time 0.

Called by `world` once per world. Fixed tiers and the floor of the scaled ones are running and idle;
everything else is stopped. Fork is a copy of every array.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.kernel import loop as k
from simulator.snapshot import DURATION_BOUNDS_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.topology import Topology

    Integers = NDArray[np.int64]
    Reals = NDArray[np.float64]

BLOCK = 1 << 14
"""Numbers a stream is laid out in at a time; any size gives the same world."""
FLOOD_TABLE = 4096
LINE = 8
"""Integers in a cache line."""
PARTITIONS = 62
"""Partitions that can be in effect at once: bits of an agent's side."""


def ns(seconds: float) -> int:
    """Whole nanoseconds."""
    return round(seconds * 1e9)


def luck_below(share: float) -> int:
    """The threshold under which a 31-bit draw falls with probability `share`."""
    return round(share * (1 << k.LUCK_BITS))


class State(NamedTuple):
    """The kernel's two arrays, and every table in them as a view with a shape."""

    w: Integers
    x: Reals
    head: Integers  # (HEAD_SIZE,)
    real_head: Reals  # (REAL_HEAD_SIZE,)
    http: Integers  # (5,) answers by status
    priority: Integers  # (4, PRIORITY_SIZE)
    lanes: Integers  # (8, LIST_SIZE) priority x class
    pool: Integers  # (3, POOL_SIZE)
    histogram: Integers  # (4, BOUND_CELLS)
    histogram_sum: Integers  # (4,)
    recent: Integers  # (4, RECENT)
    recent_count: Integers  # (4,)
    agent: Integers  # (agents, AGENT_SIZE)
    agent_real: Reals  # (agents, AGENT_REAL_SIZE)
    tier: Integers  # (tiers, TIER_SIZE)
    host: Integers  # (hosts, HOST_SIZE)
    due: Integers  # (2 * leaves,) tournament of the agents' next events
    lists: Integers  # (groups + 4, LIST_SIZE): idle by group, stopped, waiters by pool
    ring: Integers  # (8, room, QUEUED_SIZE)
    directory: Integers  # (agents,) running agents, dense
    crash_targets: Integers  # (agents,)
    flood_targets: Integers  # (table,)
    partition_loss: Integers  # (62,) of 1024, by bit of an agent's side
    groups_of_class: Integers  # (2, groups + 1), -1 ends
    classes_of_group: Integers  # (groups, 2), -1 ends
    tasks: Integers  # (room, TASK_SIZE)
    bits: Integers  # (room,) 63 random bits a message
    starts: Integers  # (room,) start-up times, ns
    crash_bits: Integers  # (room,)
    flood_bits: Integers  # (room,)
    gaps: Reals  # (room,) unit exponential gaps between arrivals
    factors: Reals  # (room,) spread of sandbox runs
    flood_gaps: Reals  # (room,)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables whose size is the topology's: name -> (column of the head, shape)."""

    integers: dict[str, tuple[int, tuple[int, ...]]]
    reals: dict[str, tuple[int, tuple[int, ...]]]


def _tables(topology: Topology) -> Tables:
    agents = topology.fleet
    groups = len(_groups(topology))
    leaves = 1 << max(agents - 1, 1).bit_length()
    per_event = _per_event(topology)
    room = max(BLOCK, 4 * per_event)
    messages = max(topology.messages_at_first_result + topology.messages_at_completion, 1)
    queue = max(p.queue_limit for p in topology.priorities) + 1
    return Tables(
        integers={
            "agent": (k.AGENT_AT, (agents, k.AGENT_SIZE)),
            "tier": (k.TIER_AT, (len(topology.tiers), k.TIER_SIZE)),
            "host": (k.HOST_AT, (topology.hosts, k.HOST_SIZE)),
            "due": (k.DUE_AT, (2 * leaves,)),
            "lists": (k.LIST_AT, (groups + 4, k.LIST_SIZE)),
            "ring": (k.RING_AT, (k.LANE_COUNT, queue, k.QUEUED_SIZE)),
            "directory": (k.DIRECTORY_AT, (agents,)),
            "crash_targets": (k.CRASH_TARGETS_AT, (agents,)),
            "flood_targets": (k.FLOOD_TARGETS_AT, (max(FLOOD_TABLE, agents),)),
            "partition_loss": (k.PARTITION_LOSS_AT, (PARTITIONS,)),
            "groups_of_class": (k.GROUPS_OF_CLASS_AT, (2, groups + 1)),
            "classes_of_group": (k.CLASSES_OF_GROUP_AT, (groups, 2)),
            "tasks": (k.TASKS_AT, (BLOCK, k.TASK_SIZE)),
            "bits": (k.BITS_AT, (max(BLOCK * messages, room),)),
            "starts": (k.STARTS_AT, (room,)),
            "crash_bits": (k.CRASH_BITS_AT, (room,)),
            "flood_bits": (k.FLOOD_BITS_AT, (BLOCK,)),
        },
        reals={
            "agent_real": (k.AGENT_REAL_AT, (agents, k.AGENT_REAL_SIZE)),
            "gaps": (k.GAPS_AT, (BLOCK,)),
            "factors": (k.FACTORS_AT, (room,)),
            "flood_gaps": (k.FLOOD_GAPS_AT, (BLOCK,)),
        },
    )


def _per_event(topology: Topology) -> int:
    """At most this many numbers of one stream are read by one event (a tick reads the most)."""
    per_task = topology.messages_at_first_result + topology.messages_at_completion
    return topology.fleet + per_task + 300


def _groups(topology: Topology) -> list[tuple[str, ...]]:
    """Agents that take the same classes share one list of the idle."""
    return sorted({tuple(sorted(tier.takes)) for tier in topology.tiers})


def view(topology: Topology, w: Integers, x: Reals) -> State:
    """Every table of a world's two arrays as a view; nothing is copied."""
    tables = _tables(topology)
    shown: dict[str, Any] = {
        "head": w[: k.HEAD_SIZE],
        "real_head": x[: k.REAL_HEAD_SIZE],
        "http": w[k.HTTP : k.PRIORITY],
        "priority": w[k.PRIORITY : k.LANES].reshape(4, k.PRIORITY_SIZE),
        "lanes": w[k.LANES : k.POOL].reshape(k.LANE_COUNT, k.LIST_SIZE),
        "pool": w[k.POOL : k.HISTOGRAM].reshape(3, k.POOL_SIZE),
        "histogram": w[k.HISTOGRAM : k.HISTOGRAM_SUM].reshape(4, k.BOUND_CELLS),
        "histogram_sum": w[k.HISTOGRAM_SUM : k.RECENT_COUNT],
        "recent_count": w[k.RECENT_COUNT : k.BOUNDS],
        "recent": w[k.RECENT_AT : k.TABLES_AT].reshape(4, k.RECENT),
    }
    for array, found in ((w, tables.integers), (x, tables.reals)):
        for name, (column, shape) in found.items():
            begins = int(w[column])
            shown[name] = array[begins : begins + prod(shape)].reshape(shape)
    return State(w=w, x=x, **shown)


def aligned(array: Integers) -> Integers:
    """A copy of `array` that begins at a cache line, so that a row of six lines is in just six."""
    room = np.empty(len(array) + LINE, np.int64)
    begins = -(room.ctypes.data // room.itemsize) % LINE
    copy = room[begins : begins + len(array)]
    copy[:] = array
    return copy


def build(topology: Topology) -> State:
    """The state of `topology` at time 0; streams are not yet filled."""
    tables = _tables(topology)
    head = np.zeros(k.HEAD_SIZE, np.int64)
    sizes = []
    for begins, found in ((k.TABLES_AT, tables.integers), (k.REAL_HEAD_SIZE, tables.reals)):
        at = begins
        for column, shape in found.values():
            at = -(-at // LINE) * LINE
            head[column] = at
            at += prod(shape)
        sizes.append(at)
    w = aligned(np.zeros(sizes[0], np.int64))
    w[: k.HEAD_SIZE] = head
    state = view(topology, w, np.zeros(sizes[1]))
    _set_head(state, topology)
    bounds = np.array([ns(b) for b in DURATION_BOUNDS_S] + [k.NEVER], np.int64)
    w[k.BOUNDS : k.BOUND_OF] = bounds
    slots = np.arange(k.BOUND_SLOTS, dtype=np.int64) << k.BOUND_SHIFT
    w[k.BOUND_OF : k.RECENT_AT] = np.searchsorted(bounds, slots)
    state.due[:] = k.NEVER
    state.agent_real[:] = 1.0
    for table in (state.lists, state.groups_of_class, state.classes_of_group):
        table[:] = -1
    _set_agents(state, topology, _groups(topology))
    for row, priority in enumerate(topology.priorities):
        state.priority[row, k.DEPTH_LIMIT] = priority.queue_limit
        state.priority[row, k.WAIT_NS] = ns(priority.wait_limit_s)
    for row, pool in enumerate(topology.sandboxes):
        state.pool[row, k.TOTAL] = pool.slots
    background = round(topology.cpu_background_share * topology.cpus_per_host * 1000)
    state.host[:, k.BACKGROUND_CORES] = background
    return state


def _set_head(state: State, topology: Topology) -> None:
    per_event = _per_event(topology)
    scaled = sum(tier.agents for tier in topology.tiers if tier.scales)
    token_cost = round(1e9 / topology.rate_limit_per_s)
    values = {
        k.NEXT_ARRIVAL: k.NEVER,
        k.NEXT_FLOOD: k.NEVER,
        k.NEXT_CONTROL: k.TICK_NS,
        k.NEXT_TICK: k.TICK_NS,
        k.NEXT_EXPIRY: k.NEVER,
        k.TOKENS_NS: token_cost * topology.rate_limit_burst,
        k.DESIRED: topology.active_floor,
        k.AGENTS: topology.fleet,
        k.LEAVES: len(state.due) // 2,
        k.GROUPS: len(state.classes_of_group),
        k.SCALED_AGENTS: scaled,
        k.FIXED_AGENTS: topology.fleet - scaled,
        k.FLOOR: topology.active_floor,
        k.TOKEN_COST_NS: token_cost,
        k.TOKEN_LIMIT_NS: token_cost * topology.rate_limit_burst,
        k.RETRIES: topology.max_retries,
        k.INBOX_LIMIT: topology.inbox_limit,
        k.FIRST_MESSAGES: topology.messages_at_first_result,
        k.LAST_MESSAGES: topology.messages_at_completion,
        k.UPWARD_BITS: round(topology.message_upward_share * 1024),
        k.MESSAGE_BYTES: topology.message_bytes_min,
        k.REQUEST_BYTES: topology.request_bytes,
        k.RESPONSE_BYTES: topology.response_bytes,
        k.OVERHEAD_NS: ns(topology.gateway_overhead_s),
        k.MERGE_NS: ns(topology.merge_s),
        k.WATCHDOG_NS: ns(topology.watchdog_s),
        k.BACKOFF_NS: ns(topology.restart_backoff_s),
        k.BACKOFF_LIMIT_NS: ns(topology.restart_backoff_limit_s),
        k.RECYCLE_PER_TICK: round(topology.recycle_per_s * k.TICK_NS / 1000),
        k.HOSTS: topology.hosts,
        k.HOST_CAPACITY: 1000 * topology.cpus_per_host,
        k.BUSY_CORES: round(1000 * topology.cpu_per_busy_agent),
        k.MESSAGE_CPU_NS: ns(topology.cpu_per_message_s),
        k.RING_ROOM: state.ring.shape[1],
        k.STARTS_PER_S: topology.scale_up_per_s,
        k.STOPS_PER_S: topology.scale_down_per_s,
    }
    for cursor, last, block, spare in (
        (k.TASK_CURSOR, k.TASK_LAST, state.gaps, 2),
        (k.BIT_CURSOR, k.BIT_LAST, state.bits, per_event),
        (k.START_CURSOR, k.START_LAST, state.starts, per_event),
        (k.FACTOR_CURSOR, k.FACTOR_LAST, state.factors, 3 * per_event),
        (k.CRASH_CURSOR, k.CRASH_LAST, state.crash_bits, per_event),
        (k.FLOOD_CURSOR, k.FLOOD_LAST, state.flood_gaps, 2),
    ):
        values[cursor] = len(block)
        values[last] = len(block) - spare
    for column, value in values.items():
        state.head[column] = value
    state.real_head[k.GAP_LEFT] = np.inf
    state.real_head[k.FIRST_SHARE] = topology.first_result_share
    state.real_head[k.UTILISATION] = topology.target_utilisation
    # The fleet is scaled once a second: a shorter memory than that is none.
    state.real_head[k.SCALING_GAIN] = min(1.0, 1.0 / topology.scaling_memory_s)


def _set_agents(state: State, topology: Topology, groups: list[tuple[str, ...]]) -> None:
    names = [one.name for one in topology.classes]
    for group, takes in enumerate(groups):
        for slot, name in enumerate(sorted(takes, key=names.index)):  # type: ignore[arg-type]
            state.classes_of_group[group, slot] = names.index(name)  # type: ignore[arg-type]
    for number, name in enumerate(names):
        able = [group for group, takes in enumerate(groups) if name in takes]
        # Those who take nothing else come first: generalists are kept for the other class.
        able.sort(key=lambda group: (len(groups[group]), group))
        state.groups_of_class[number, : len(able)] = able
    agent = state.agent
    state.lists[:, k.LENGTH] = 0
    agent[:, k.LIST] = agent[:, k.PLACE] = -1
    agent[:, k.HOST] = np.arange(len(agent)) % topology.hosts
    fixed = sum(tier.agents for tier in topology.tiers if not tier.scales)
    to_run = max(topology.active_floor - fixed, 0)
    first = 0
    above = (0, 0)
    for number, tier in enumerate(topology.tiers):
        rows = slice(first, first + tier.agents)
        agent[rows, k.TIER] = number
        agent[rows, k.GROUP] = groups.index(tuple(sorted(tier.takes)))
        agent[rows, k.SCALES] = int(tier.scales)
        local = np.arange(tier.agents)
        if number == 0:
            agent[rows, k.PARENT] = (local + 1) % tier.agents
        else:
            agent[rows, k.PARENT] = above[0] + local * above[1] // tier.agents
        above = (first, tier.agents)
        running = tier.agents if not tier.scales else min(to_run, tier.agents)
        to_run -= running if tier.scales else 0
        running_of_tier = np.arange(first, first + running)
        agent[running_of_tier, k.STATE] = k.IDLE
        agent[running_of_tier, k.PLACE] = state.head[k.RUNNING] + local[:running]
        state.directory[agent[running_of_tier, k.PLACE]] = running_of_tier
        state.head[k.RUNNING] += running
        first += tier.agents
    for group in range(len(groups)):
        idle = (agent[:, k.GROUP] == group) & (agent[:, k.STATE] == k.IDLE)
        _link(state, group, np.flatnonzero(idle))
    _link(state, len(groups), np.flatnonzero(agent[:, k.STATE] == k.STOPPED))


def _link(state: State, which: int, members: Integers) -> None:
    """Make `members` the list `which`, in their order."""
    state.lists[which, k.LENGTH] = len(members)
    if not len(members):
        return
    state.lists[which, [k.HEAD, k.TAIL]] = members[[0, -1]]
    state.agent[members, k.LIST] = which
    state.agent[members, k.PREVIOUS_LINK] = np.append(-1, members[:-1])
    state.agent[members, k.NEXT_LINK] = np.append(members[1:], -1)
