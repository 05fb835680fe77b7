"""The kernel's two arrays as tables: which there are, how large, and where they begin.

`initial_state` lays them out, `World` takes a `view` of a copy for a fork and shifts the instants
in them when it skips; `faults` and `streams` read and write them by the kernel's column names.
Nothing here simulates or draws a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from simulator.bounds import require
from simulator.kernel import loop as k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.topology import ClassName, Topology

    Integers = NDArray[np.int64]
    Reals = NDArray[np.float64]
    Group = tuple[ClassName, ...]  # the classes that the agents of a group take, sorted

N = TypeVar("N", bound=np.generic)

BLOCK = 1 << 14
"""Numbers a stream is laid out in at a time; any size gives the same world."""
FLOOD_TABLE = 4096
"""Least rows of the table of flood targets, which floods share in proportion to their rates."""
LINE = 8
"""Integers in a cache line of 64 bytes."""
PARTITIONS = 62
"""Partitions that can be in effect at once: the bits of an agent's SIDE, a signed integer."""
EVENT_SPARE = 300
"""More than what one event can read of a stream beside one number an agent and one a message."""
CPU_NS_MAX = 1 << 62
"""What the CPU accounts of one host can hold: 36 years of four CPUs, 52 days of a thousand."""


def ns(seconds: float) -> int:
    """`seconds` in whole nanoseconds."""
    return round(seconds * 1e9)


def require_within_clock(s: State, topology: Topology, at_ns: int) -> None:
    """Raise `BoundError` beyond the time that the clock and a host's CPU accounts can hold."""
    rule = f"at most {k.CLOCK_MAX_NS} ns since the world began"
    require(at_ns <= k.CLOCK_MAX_NS, "time", rule, at_ns)
    cpus = topology.cpus_per_host
    if at_ns * cpus <= CPU_NS_MAX:
        return
    # What was skipped used no CPU: the accounts of one host say how much was not.
    used_ns = int(s.host[0, k.TASK_NS :].sum())
    fits = used_ns + (at_ns - int(s.head[k.NOW])) * cpus <= CPU_NS_MAX
    require(fits, "time", f"at most {CPU_NS_MAX} ns simulated over a host's {cpus} CPUs", at_ns)


def durations_ns(s: State, row: int) -> int:
    """The exact sum of all durations of a histogram's row; a Python integer has no bound."""
    return int(s.histogram_carried[row]) * k.CARRY_NS + int(s.histogram_sum[row])


def messages_waiting(s: State) -> Integers:
    """(agents,) messages in each inbox that are not handled yet."""
    left_ns = s.inbox[:, k.FREE_AT] - s.head[k.NOW]
    waiting: Integers = np.maximum(-(-left_ns // s.inbox[:, k.INBOX_NS]), 0)
    return waiting


def draw_threshold(share: float) -> int:
    """The threshold under which a 31-bit draw falls with probability `share`."""
    return round(share * (1 << k.DRAW_BITS))


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
    histogram_sum: Integers  # (4,) ns, less what was carried
    histogram_carried: Integers  # (4,) how often CARRY_NS was
    recent: Integers  # (4, RECENT)
    recent_count: Integers  # (4,)
    agent: Integers  # (agents, AGENT_SIZE)
    inbox: Integers  # (agents, INBOX_SIZE)
    agent_real: Reals  # (agents, AGENT_REAL_SIZE)
    tier: Integers  # (tiers, TIER_SIZE)
    host: Integers  # (hosts, HOST_SIZE)
    due: Integers  # (2 * leaves,) tournament of keys, four children a node
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


def tables_of(topology: Topology) -> Tables:
    """Every table whose size is the topology's, in the order in which they lie in memory."""
    agents = topology.fleet
    groups = len(groups_of(topology))
    leaves = 4 ** max(1, -(-(agents - 1).bit_length() // 2))
    room = max(BLOCK, 4 * reads_per_event(topology))
    # A block of tasks and the messages of all of them last equally long: one refill serves both.
    messages = max(topology.messages_at_first_result + topology.messages_at_completion, 1)
    queue = max(priority.queue_limit for priority in topology.priorities) + 1
    return Tables(
        integers={
            "agent": (k.AGENT_AT, (agents, k.AGENT_SIZE)),
            "inbox": (k.INBOX_TABLE_AT, (agents, k.INBOX_SIZE)),
            "tier": (k.TIER_AT, (len(topology.tiers), k.TIER_SIZE)),
            "host": (k.HOST_AT, (topology.hosts, k.HOST_SIZE)),
            "due": (k.DUE_AT, (2 * leaves,)),
            "lists": (k.LIST_AT, (groups + 1 + k.POOLS, k.LIST_SIZE)),
            "ring": (k.RING_AT, (k.LANE_COUNT, queue, k.QUEUED_SIZE)),
            "directory": (k.DIRECTORY_AT, (agents,)),
            "crash_targets": (k.CRASH_TARGETS_AT, (agents,)),
            "flood_targets": (k.FLOOD_TARGETS_AT, (max(FLOOD_TABLE, agents),)),
            "partition_loss": (k.PARTITION_LOSS_AT, (PARTITIONS,)),
            "groups_of_class": (k.GROUPS_OF_CLASS_AT, (k.CLASSES, groups + 1)),
            "classes_of_group": (k.CLASSES_OF_GROUP_AT, (groups, k.CLASSES)),
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


def reads_per_event(topology: Topology) -> int:
    """At most this many numbers of one stream are read by one event (a tick reads the most)."""
    per_task = topology.messages_at_first_result + topology.messages_at_completion
    return topology.fleet + per_task + EVENT_SPARE


def groups_of(topology: Topology) -> list[Group]:
    """The sets of classes that tiers take: agents of one group share one list of the idle."""
    return sorted({tuple(sorted(tier.takes)) for tier in topology.tiers})


def view(topology: Topology, w: Integers, x: Reals) -> State:
    """Every table of a world's two arrays as a view; nothing is copied."""
    tables = tables_of(topology)

    def integers(name: str) -> Integers:
        column, shape = tables.integers[name]
        return _table(w, int(w[column]), shape)

    def reals(name: str) -> Reals:
        column, shape = tables.reals[name]
        return _table(x, int(w[column]), shape)

    return State(
        w=w,
        x=x,
        head=w[: k.HEAD_SIZE],
        real_head=x[: k.REAL_HEAD_SIZE],
        http=w[k.HTTP : k.PRIORITY],
        priority=w[k.PRIORITY : k.LANES].reshape(k.PRIORITIES, k.PRIORITY_SIZE),
        lanes=w[k.LANES : k.POOL].reshape(k.LANE_COUNT, k.LIST_SIZE),
        pool=w[k.POOL : k.HISTOGRAM].reshape(k.POOLS, k.POOL_SIZE),
        histogram=w[k.HISTOGRAM : k.HISTOGRAM_SUM].reshape(k.HISTOGRAMS, k.BOUND_CELLS),
        histogram_sum=w[k.HISTOGRAM_SUM : k.HISTOGRAM_CARRIED],
        histogram_carried=w[k.HISTOGRAM_CARRIED : k.RECENT_COUNT],
        recent_count=w[k.RECENT_COUNT : k.BOUNDS],
        recent=w[k.RECENT_AT : k.TABLES_AT].reshape(k.HISTOGRAMS, k.RECENT),
        agent=integers("agent"),
        inbox=integers("inbox"),
        tier=integers("tier"),
        host=integers("host"),
        due=integers("due"),
        lists=integers("lists"),
        ring=integers("ring"),
        directory=integers("directory"),
        crash_targets=integers("crash_targets"),
        flood_targets=integers("flood_targets"),
        partition_loss=integers("partition_loss"),
        groups_of_class=integers("groups_of_class"),
        classes_of_group=integers("classes_of_group"),
        tasks=integers("tasks"),
        bits=integers("bits"),
        starts=integers("starts"),
        crash_bits=integers("crash_bits"),
        flood_bits=integers("flood_bits"),
        agent_real=reals("agent_real"),
        gaps=reals("gaps"),
        factors=reals("factors"),
        flood_gaps=reals("flood_gaps"),
    )


def _table(array: NDArray[N], first: int, shape: tuple[int, ...]) -> NDArray[N]:
    return array[first : first + prod(shape)].reshape(shape)


def aligned(array: Integers) -> Integers:
    """A copy of `array` that begins at a cache line, so that five lines of a row are just five."""
    copy = _from_a_line(np.empty(len(array) + LINE, np.int64))
    copy[:] = array
    return copy


def aligned_zeros(length: int) -> Integers:
    """Zeros that begin at a cache line; a page of memory that nobody writes to is never there."""
    return _from_a_line(np.zeros(length + LINE, np.int64))


def _from_a_line(room: Integers) -> Integers:
    begins = -(room.ctypes.data // room.itemsize) % LINE
    return room[begins : begins + len(room) - LINE]


def shift_instants(s: State, passed_ns: int) -> None:
    """Move every pending instant of the kernel's tables by `passed_ns`."""
    for scalar in (k.NOW, k.NEXT_ARRIVAL, k.NEXT_CONTROL, k.NEXT_TICK, k.NEXT_EXPIRY,
                   k.NEXT_FLOOD, k.EPOCH, k.TOKENS_AT):  # fmt: skip
        if s.head[scalar] != k.NEVER:
            s.head[scalar] += passed_ns
    s.inbox[:, k.FREE_AT] += passed_ns
    for column in (k.ARRIVED_AT, k.DISPATCHED_AT, k.READY_AT, k.ENDS_AT,
                   k.RELEASE_1, k.RELEASE_2, k.RELEASE_3, k.STARTED_AT, k.FAR_AT):  # fmt: skip
        pending = s.agent[:, column] != k.NEVER
        s.agent[pending, column] += passed_ns
    s.ring[:, :, [k.Q_ARRIVED_AT, k.Q_QUEUED_AT]] += passed_ns
    s.host[:, k.SETTLED_AT] += passed_ns
