"""The event kernel: one exact loop over two arrays, compiled by numba or run as it stands.

`World` owns the arrays and calls `run`; `faults` sets the columns of effective parameters. All time
is integer nanoseconds and every count an integer, so the outcome does not depend on who reads it,
or how often. The kernel draws no random number of its own: it reads those that `streams` laid out
before, and returns when they run low. It does no I/O, keeps nothing between calls and knows neither
faults nor plans, only effective parameters.

What is in progress when a parameter changes goes on at the new speed from that instant: the part
that is left is stretched or shrunk (`retime_all`), as it is at every tick for a host's demand over
its capacity. So nothing of a slowness outlives it but what follows causally.

Events at one instant are taken in this order: time-outs, control tick, agent, arrival, flood
message. Among agents the lower number goes first. The whole world is two flat arrays, `w`
(integers) and `x` (reals), because a compiled call then passes two pointers and nothing is counted
or copied; the constants below name their columns, and `state.State` shows them to Python as tables.
All of it is in one file because numba's cache watches only the file of the compiled entry: a change
elsewhere would leave stale machine code in use.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, TypeVar

from simulator.kernel import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Reals = NDArray[np.float64]

Step = TypeVar("Step", bound="Callable[..., object]")
_OPTIONS = "compilation_options"

NEVER = 1 << 62
"""An instant that is never reached, 146 years; half of an int64, so that sums do not overflow."""
CLOCK_MAX_NS = 1 << 60
"""36 years: the latest instant of a world, and the longest that work, once begun, can still take.
Everything else that is bounded for the same reason stands in ARCHITECTURE.md, "Why nothing
overflows"."""
WAIT_MAX_NS = 1e18
"""Within CLOCK_MAX_NS: a longer wait for an arrival counts as one that never ends."""
INBOX_MAX = 1 << 19
"""No more messages than these are waited for: the few beyond an inbox's limit are dispatches."""
CORES_MAX = 1 << 40
"""Thousandths of a core that messages can ask of a host: a thousand times any host."""
BYTES_MAX = 1 << 62
"""Counters of bytes stay there, at four exabytes."""
LEAKED_MAX_BYTES = 1 << 45
"""An agent leaks no more than 32 TiB."""
CARRY_NS = 1 << 61
"""Sums of durations are carried there: in a full queue they pass an int64 within days."""
NOT_NEGATIVE = (1 << 40) - 1
"""A row begins at `... & NOT_NEGATIVE`, which changes no number, for no world has 2**40 columns. It
tells the compiler that the place is not negative, and spares every access to the row the test
whether to count from the end."""
KEY_BITS = 17
"""An agent's next event is one number, the instant after EPOCH above the agent's own, so that the
least of all says when and who. More agents than that many bits can count no world has."""
KEY_MASK = (1 << KEY_BITS) - 1
FAR_NS = 1 << 44
"""Later than this after EPOCH, 4.9 hours, an agent's event is only known to be far."""
EPOCH_NS = 1 << 43
"""EPOCH is moved to the present as often as this, so that nothing far is ever next."""
TICK_NS = 100_000_000
TICKS_PER_SCALING = 10
MILLI = 1000
"""CPU is counted in thousandths of a core, so that a busy agent's hundredth is an integer."""
MICRO = 1_000_000
"""Rolling restarts are credited in millionths of an agent: a tick may earn less than a whole."""
SURPLUS_PARTS = 25
"""The fleet shrinks only when it is more than a twenty-fifth (4 %) above what it should be."""
RECENT = 1 << 16
"""How many of the last durations are kept as they were, for exact quantiles; a power of two, so
that the slot of a count is a mask."""
RECENT_MASK = RECENT - 1
BOUND_CELLS = 31
BOUND_SLOTS = 4096
BOUND_SHIFT = 19
"""A duration >> 19 (half a millisecond) is its slot in a table that says in which histogram cell
to begin; 4096 slots reach to 2.1 s, and the few longer durations walk on from there. A slot is a
byte, eight of them in each integer: the table takes 4 KB of the nearest cache, not 32."""
CELL_MASK = 255

# Which bits of a drawn 63-bit number serve what. Of a message, from the lowest: 11 bits size, 10
# bits direction, 10 bits loss, one bit unused, 31 bits the peer. A flood message uses size and
# peer, a crash draw only the highest 31. The parts do not overlap, so they are independent.
EXTRA_BYTES_MASK = (1 << 11) - 1
"""Random part of a message's size, 0 to 2047 bytes."""
UPWARD_SHIFT, LOSS_SHIFT, HIGH_SHIFT = 11, 21, 32
SHARE_PARTS = 1 << 10
SHARE_MASK = SHARE_PARTS - 1
"""Direction and loss are decided by 10 bits: their shares are of 1024 parts."""
DRAW_BITS = 31
DRAW_MASK = (1 << DRAW_BITS) - 1
"""A task's 62 bits: the higher 31 decide whether it fails, the lower 31 whether its dependency
does. A draw falls below the threshold `share * 2**31` with the probability `share`."""
COIN_BIT = 1
"""Under backpressure the lowest bit says which half of the tasks is turned away."""

# Columns. Names in _NS are durations; names in _AT are instants, in the head also the places where
# tables begin. The head of `w`, first what changes:
(
    NOW, NEXT_ARRIVAL, NEXT_CONTROL, NEXT_TICK, NEXT_EXPIRY, NEXT_FLOOD, EPOCH, TICKS, LEVEL,
    QUEUED, RUNNING,
    TOKENS_NS, TOKENS_AT, RECYCLE_AT, RECYCLE_CREDIT, RESERVED, DESIRED,
    TASK_CURSOR, BIT_CURSOR, START_CURSOR, FACTOR_CURSOR, CRASH_CURSOR, FLOOD_CURSOR,
    CRASH_TARGETS, FLOOD_TARGETS, PARTITION, DEPENDENCY_FAILS_BELOW, DEPENDENCY_NS,
    DEPENDENCY_NEXT_NS, CONTENTION,
    # totals
    SENT, DROPPED, STARTED, CRASHED, HUNG, SENT_MESSAGE_BYTES, SENT_REQUEST_BYTES,
    RECEIVED_MESSAGE_BYTES, RECEIVED_REQUEST_BYTES, FLOODED, PARTITIONED,
    # parameters of the topology
    AGENTS, LEAVES, GROUPS, SCALED_AGENTS, FIXED_AGENTS, FLOOR,
    TOKEN_COST_NS, TOKEN_LIMIT_NS, RETRIES, INBOX_LIMIT, FIRST_MESSAGES, LAST_MESSAGES,
    UPWARD_PARTS, MESSAGE_BYTES, REQUEST_BYTES, RESPONSE_BYTES, OVERHEAD_NS, MERGE_NS, WATCHDOG_NS,
    BACKOFF_NS, BACKOFF_LIMIT_NS, RECYCLE_PER_TICK, HOSTS, HOST_CAPACITY, BUSY_CORES,
    MESSAGE_CPU_NS, RING_ROOM, STARTS_PER_S, STOPS_PER_S,
    # last cursor at which a stream surely lasts for one more event
    TASK_LAST, BIT_LAST, START_LAST, FACTOR_LAST, CRASH_LAST, FLOOD_LAST,
    # where the tables begin whose size is the topology's
    AGENT_AT, INBOX_TABLE_AT, TIER_AT, HOST_AT, DUE_AT, LIST_AT, RING_AT, DIRECTORY_AT,
    CRASH_TARGETS_AT, FLOOD_TARGETS_AT, PARTITION_LOSS_AT, GROUPS_OF_CLASS_AT, CLASSES_OF_GROUP_AT,
    TASKS_AT, BITS_AT, STARTS_AT, CRASH_BITS_AT, FLOOD_BITS_AT, AGENT_REAL_AT, GAPS_AT, FACTORS_AT,
    FLOOD_GAPS_AT,
    HEAD_SIZE,
) = range(99)  # fmt: skip
# The head of `x`
(
    RATE, GAP_LEFT, BUSY_AVERAGE, FLOOD_RATE, FIRST_SHARE, UTILISATION, SCALING_GAIN,
    REAL_HEAD_SIZE,
) = range(8)  # fmt: skip
# by priority
(
    ARRIVED, REJECTED, TIMED_OUT, COMPLETED, FAILED, RETRIED, DEPTH, DEPTH_LIMIT, WAIT_NS,
    PRIORITY_SIZE,
) = range(10)  # fmt: skip
# by tier
DISPATCHED, UNDISPATCHED, TIER_COMPLETED, TIER_FAILED, TIER_SIZE = range(5)
# by agent, of its inbox: all that a message touches
FREE_AT, INBOX_NS, TAKEN = range(3)
INBOX_SIZE = 4
"""Half a cache line, so that the inboxes of a thousand agents are 32 KB."""
# by agent: what every task touches comes first, in three cache lines of a row of five
(
    STATE, STAGE, LIST, PREVIOUS_LINK, NEXT_LINK, HOST, TIER, RETIRE,
    HANGS, SLOWNESS_ON, CONTENDED, CALL_NS, READY_AT, SLOWED_NS, ENDS_AT, HELD,
    META, DRAW, ARRIVED_AT, DISPATCHED_AT, WORK_NS, FAILS_BELOW, PARENT, GROUP,
    PLACE, SIDE, RELEASE_1, RELEASE_2, RELEASE_3, STARTED_AT, BACKOFF, LEAKED_BYTES,
    LEAK_PER_TICK, CRASHES_BELOW, SCALES, LOOPS, ALIVE_NS, INBOX_NEXT_NS, FAR_AT,
) = range(39)  # fmt: skip
AGENT_SIZE = 40
"""Room for five cache lines of eight integers: every row begins with a line."""
# by agent, floating; the names with NEXT hold what is written, until `retime_all` puts it in effect
SLOWNESS, START_SLOWNESS, SLOWNESS_NEXT, START_SLOWNESS_NEXT, AGENT_REAL_SIZE = range(5)
# by host
(
    BUSY, SETTLED_AT, BACKGROUND_CORES, STOLEN_CORES, MESSAGE_CORES, HANDLED,
    TASK_ACC, MESSAGE_ACC, BACKGROUND_ACC, STOLEN_ACC, IDLE_ACC,
    TASK_NS, MESSAGE_NS, BACKGROUND_NS, STOLEN_NS, IDLE_NS, HOST_SIZE,
) = range(17)  # fmt: skip
SETTLED_PARTS = TASK_NS - TASK_ACC
# by sandbox pool
TOTAL, IN_USE, LEAKED, DOWN, LEAK_TARGET, DOWN_TARGET, EXECUTIONS, POOL_SIZE = range(8)
# by list of agents, and by lane of the queues
HEAD, TAIL, LENGTH, LIST_SIZE = range(4)
# by queued task
Q_ARRIVED_AT, Q_QUEUED_AT, Q_WORK_NS, Q_META, Q_DRAW, QUEUED_SIZE = range(6)
# by drawn task
T_KIND, T_WORK_NS, T_DRAW, TASK_SIZE = range(4)

STATUSES, PRIORITIES, CLASSES, POOLS, HISTOGRAMS = 5, 4, 2, 3, 4
LANE_COUNT, LANE_SHIFT = PRIORITIES * CLASSES, 1
"""Lane `2 * priority + class`: shifted by one it is the priority again."""
# Where the tables of fixed size begin: their places are compile-time constants.
HTTP = HEAD_SIZE
PRIORITY = HTTP + STATUSES
LANES = PRIORITY + PRIORITIES * PRIORITY_SIZE
POOL = LANES + LANE_COUNT * LIST_SIZE
HISTOGRAM = POOL + POOLS * POOL_SIZE
HISTOGRAM_SUM = HISTOGRAM + HISTOGRAMS * BOUND_CELLS
HISTOGRAM_CARRIED = HISTOGRAM_SUM + HISTOGRAMS
RECENT_COUNT = HISTOGRAM_CARRIED + HISTOGRAMS
BOUNDS = RECENT_COUNT + HISTOGRAMS
BOUND_OF = BOUNDS + BOUND_CELLS
RECENT_AT = BOUND_OF + BOUND_SLOTS // 8
TABLES_AT = RECENT_AT + HISTOGRAMS * RECENT

# Agent states, in the order of snapshot.AGENT_STATES
STOPPED, STARTING, IDLE, WORKING, HANGING, CRASH = range(6)
# Stages: what an agent's next event is.
NOTHING, COMES_UP, FIRST_RESULT, RELEASES, ENDS, WATCHED, COMES_BACK, DIES, WAITS_SLOT = range(9)
# RETIRE: what an agent does once it is free.
STAY, RESTART, STOP = range(3)
# HTTP statuses, in the order of snapshot.STATUSES, and the rows of the histograms.
OK, TOO_MANY, ERROR, UNAVAILABLE, TIMEOUT = range(5)
HTTP_DURATION, RESPONSE_DURATION, TASK_DURATION, STARTUP_DURATION = range(4)

# The kind of a task, from the lowest bit: priority (2 bits), class (1), the sandboxes that it needs
# (3: A, B, C), whether it calls the dependency (1). An agent's and a queue's META adds whether the
# request has been answered already (bit 8) and, above it, how many attempts were lost.
PRIORITY_MASK, CLASS_SHIFT, CLASS_MASK, NEED_SHIFT = 3, 2, 1, 3
ALL_POOLS = 7
"""Mask of the three sandbox bits, and the need of a triple-verified task."""
DEPENDENCY_BIT, ACKNOWLEDGED, ATTEMPT_SHIFT = 1 << 6, 1 << 8, 9

DONE, REFILL = 0, 1
"""What `run` returns: the command is carried out, or the streams run low."""


def _step(**options: bool) -> Callable[[Step], Step]:
    """Mark a step of the kernel with the options of its compilation, for `compile_kernel`."""

    def mark(step: Step) -> Step:
        setattr(step, _OPTIONS, options)
        return step

    return mark


def compile_kernel() -> None:
    """Put the compiled form of `run` in its place. To be called before the first `run`.

    Not done on import, because importing numba takes half a second, and most of what reads the
    columns of this module (the catalogue of faults, the schema of scenarios) never runs a world.
    numba compiles, or reads its cache, at the first call of `run`; a process that finds the machine
    code of another does without numba.
    """
    if isinstance(globals()["run"], FunctionType):
        kept = machine_code.load(__file__)
        if kept is not None:
            globals()["run"] = kept
    if not isinstance(globals()["run"], FunctionType):
        return
    from numba import njit  # noqa: PLC0415 - see above

    for name, step in list(globals().items()):
        # What is compiled already is no plain function any more.
        if isinstance(step, FunctionType) and hasattr(step, _OPTIONS):
            # No reference counting, for nothing is ever allocated. The error model of numpy leaves
            # out the test for a division by zero, which cannot happen here.
            options = {"error_model": "numpy", "_nrt": False, **getattr(step, _OPTIONS)}
            globals()[name] = njit(**options)(step)


# Steps are called by the kernel alone: wrappers for Python and C would only take time to compile.
_inner = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# Hot steps are copied into their callers. Cold ones are rare or long, where a copy at each of
# several calls would cost more in compilation and cache than the call does.
_hot = _step(forceinline=True, **_inner)
_cold = _step(**_inner)


# Where a row begins.


@_hot
def agent_row(w, agent):
    """An agent's columns in `w`."""
    return (w[AGENT_AT] + agent * AGENT_SIZE) & NOT_NEGATIVE


@_hot
def inbox_row(w, agent):
    """An agent's inbox."""
    return (w[INBOX_TABLE_AT] + agent * INBOX_SIZE) & NOT_NEGATIVE


@_hot
def agent_real_row(w, agent):
    """An agent's columns in `x`."""
    return (w[AGENT_REAL_AT] + agent * AGENT_REAL_SIZE) & NOT_NEGATIVE


@_hot
def tier_row(w, tier):
    """A tier's columns."""
    return (w[TIER_AT] + tier * TIER_SIZE) & NOT_NEGATIVE


@_hot
def host_row(w, host):
    """A host's columns."""
    return (w[HOST_AT] + host * HOST_SIZE) & NOT_NEGATIVE


@_hot
def list_row(w, which):
    """A list's columns."""
    return (w[LIST_AT] + which * LIST_SIZE) & NOT_NEGATIVE


@_hot
def ring_row(w, lane, slot):
    """A queued task's columns."""
    return w[RING_AT] + (lane * w[RING_ROOM] + slot) * QUEUED_SIZE


@_hot
def lane_row(lane):
    """The columns of a lane: the first-in, first-out queue of one priority and class."""
    return LANES + LIST_SIZE * lane


@_hot
def priority_row(priority):
    """A priority's columns."""
    return PRIORITY + priority * PRIORITY_SIZE


@_hot
def pool_row(pool):
    """A sandbox pool's columns."""
    return POOL + pool * POOL_SIZE


@_hot
def waiting_list(w, pool):
    """The list of agents that wait for a slot of `pool`; it follows the idle and the stopped."""
    return w[GROUPS] + 1 + pool


@_hot
def pick(bits, count):
    """A uniform number of [0, count) from the 31 high bits of a draw.

    Multiply and shift instead of a division (Lemire, "Fast Random Integer Generation in an
    Interval", 2019); for a thousand agents its bias is below one in a million.
    """
    return ((bits >> HIGH_SHIFT) * count) >> DRAW_BITS


# A tournament tree: the earliest event over all agents. Its numbers are keys, which say when and
# who, so that the root is the answer and nobody goes down again. A node has four children, which
# lie in one cache line: a climb is a chain in which each level waits for the one before, and two
# levels of two children wait nearly twice as long as one of four.


@_hot
def climb(w, agent, key):
    """Set the key of `agent`'s next event; every node keeps the least of its four children.

    Leaves are the agents, node n has the children 4n to 4n + 3, node 1 is the root. The climb
    reads the three others beside each node, not what it has just written, so that no level waits
    for a memory that the one below has not reached yet; and it always ends at the root, for where
    it could end earlier cannot be predicted.
    """
    due = w[DUE_AT] & NOT_NEGATIVE
    node = (w[LEAVES] + agent) & NOT_NEGATIVE
    least = key
    w[due + node] = least
    while node > 1:
        others = min(w[due + (node ^ 1)], w[due + (node ^ 2)])
        others = min(others, w[due + (node ^ 3)])
        least = min(least, others)
        node >>= 2
        w[due + node] = least


@_hot
def schedule(w, agent, at):
    """Set `agent`'s next event; at one instant the lower number comes first."""
    ahead = at - w[EPOCH]
    if ahead >= FAR_NS:
        w[agent_row(w, agent) + FAR_AT] = at
        ahead = FAR_NS
    climb(w, agent, (ahead << KEY_BITS) | agent)


@_hot
def await_nothing(w, agent):
    """Let `agent` have no next event."""
    climb(w, agent, NEVER)


@_cold
def pending_at(w, agent):
    """When the next event of an agent is, which has one."""
    ahead = w[w[DUE_AT] + w[LEAVES] + agent] >> KEY_BITS
    if ahead >= FAR_NS:
        return w[agent_row(w, agent) + FAR_AT]
    return w[EPOCH] + ahead


@_hot
def next_at(w):
    """When the next event of any agent is: the root of the tournament."""
    return w[EPOCH] + (w[w[DUE_AT] + 1] >> KEY_BITS)


@_hot
def earliest(w):
    """The agent whose event that is."""
    return w[w[DUE_AT] + 1] & KEY_MASK


@_cold
def move_epoch(w, now):
    """Count from now on: the keys of all agents that wait for an event are made anew."""
    epoch = w[EPOCH]
    for agent in range(w[AGENTS]):
        key = w[w[DUE_AT] + w[LEAVES] + agent]
        if key == NEVER:
            continue
        at = pending_at(w, agent)
        w[EPOCH] = now
        schedule(w, agent, at)
        w[EPOCH] = epoch
    w[EPOCH] = now


# Linked lists of agents; an agent is in at most one.


@_hot
def append(w, which, agent):
    """Put `agent` last."""
    tail = w[list_row(w, which) + TAIL]
    w[agent_row(w, agent) + PREVIOUS_LINK] = tail
    w[agent_row(w, agent) + NEXT_LINK] = -1
    w[agent_row(w, agent) + LIST] = which
    if tail < 0:
        w[list_row(w, which) + HEAD] = agent
    else:
        w[agent_row(w, tail) + NEXT_LINK] = agent
    w[list_row(w, which) + TAIL] = agent
    w[list_row(w, which) + LENGTH] += 1


@_hot
def unlink(w, agent):
    """Take `agent` out of whatever list it is in."""
    which = w[agent_row(w, agent) + LIST]
    if which < 0:
        return
    before = w[agent_row(w, agent) + PREVIOUS_LINK]
    after = w[agent_row(w, agent) + NEXT_LINK]
    if before < 0:
        w[list_row(w, which) + HEAD] = after
    else:
        w[agent_row(w, before) + NEXT_LINK] = after
    if after < 0:
        w[list_row(w, which) + TAIL] = before
    else:
        w[agent_row(w, after) + PREVIOUS_LINK] = before
    w[agent_row(w, agent) + LIST] = -1
    w[list_row(w, which) + LENGTH] -= 1


# Durations.


@_hot
def times(duration, factor):
    """`factor` times a duration, CLOCK_MAX_NS at most: larger reals need not fit an int64."""
    return int(min(duration * factor, CLOCK_MAX_NS))


@_hot
def observe(w, row, duration):
    """Count `duration` (ns) in a histogram's first cell whose bound is not below it, and keep it.

    The last `RECENT` durations are kept in a ring, exact to the nanosecond.
    """
    slot = min(duration >> BOUND_SHIFT, BOUND_SLOTS - 1)
    cell = (w[BOUND_OF + (slot >> 3)] >> ((slot & 7) << 3)) & CELL_MASK
    while duration > w[BOUNDS + cell]:
        cell += 1
    w[HISTOGRAM + row * BOUND_CELLS + cell] += 1
    total = w[HISTOGRAM_SUM + row] + duration
    if total >= CARRY_NS:
        total -= CARRY_NS
        w[HISTOGRAM_CARRIED + row] += 1
    w[HISTOGRAM_SUM + row] = total
    count = w[RECENT_COUNT + row]
    w[RECENT_AT + row * RECENT + (count & RECENT_MASK)] = duration
    w[RECENT_COUNT + row] = count + 1


@_hot
def answer(w, status, duration):
    """End an HTTP request: one status, one observation of each of the two durations.

    The orchestrator's own duration leaves out what the gateway adds around it.
    """
    w[HTTP + status] += 1
    observe(w, HTTP_DURATION, duration)
    observe(w, RESPONSE_DURATION, max(duration - w[OVERHEAD_NS], 0))
    w[SENT_REQUEST_BYTES] += w[RESPONSE_BYTES]


# The message bus.


@_hot
def waiting(w, agent, now):
    """How many messages of an inbox are not handled yet: the last of them is at `FREE_AT`."""
    inbox = inbox_row(w, agent)
    left = w[inbox + FREE_AT] - now
    if left <= 0:
        return 0
    return (left - 1) // w[inbox + INBOX_NS] + 1


@_hot
def accept(w, agent, now):
    """Put one more message at the end of an inbox; returns when its handling will have ended.

    With a constant handling time this is Lindley's recursion (1952), kept in integers: a message
    waits for all before it, so it is done one handling time after the last of them, or after now.
    """
    inbox = inbox_row(w, agent)
    each = w[inbox + INBOX_NS]
    at = min(max(w[inbox + FREE_AT], now) + each, now + INBOX_MAX * each)
    w[inbox + FREE_AT] = at
    w[inbox + TAKEN] += 1
    return at


@_hot
def deliver(w, inbox, now):
    """A message reaches the inbox at this row (1), or is dropped because the inbox is full (0).

    Full is an inbox with `INBOX_LIMIT` messages, thus with more than one fewer. No branch: whether
    any wait cannot be predicted.
    """
    begins = max(w[inbox + FREE_AT], now)
    each = w[inbox + INBOX_NS]
    fits = int(begins - now <= (w[INBOX_LIMIT] - 1) * each)
    w[inbox + FREE_AT] = begins + fits * each
    w[inbox + TAKEN] += fits
    return fits


@_cold
def lost_between(w, sender, receiver, bits):
    """Whether a message is lost on its way; it must survive each partition that it crosses.

    Bit p of an agent's SIDE is its side of partition p. Losses are independent, so the shares that
    survive are multiplied.
    """
    apart = w[agent_row(w, sender) + SIDE] ^ w[agent_row(w, receiver) + SIDE]
    kept = SHARE_PARTS
    for partition in range(w[PARTITION]):
        if (apart >> partition) & 1 != 0:
            kept = kept * (SHARE_PARTS - w[w[PARTITION_LOSS_AT] + partition]) // SHARE_PARTS
    return ((bits >> LOSS_SHIFT) & SHARE_MASK) >= kept


@_hot
def send(w, sender, now, messages):
    """Send `messages` of a task's messages: a share to the parent, the rest to running peers.

    A peer is any running agent but the sender, which is replaced by its neighbour in the directory.
    Without a running parent all of them go to peers.
    """
    running = w[RUNNING]
    directory = w[DIRECTORY_AT] & NOT_NEGATIVE
    cursor = (w[BITS_AT] + w[BIT_CURSOR]) & NOT_NEGATIVE
    parent = w[agent_row(w, sender) + PARENT]
    upward = w[UPWARD_PARTS] if w[agent_row(w, parent) + PLACE] >= 0 else 0
    sent_bytes = w[MESSAGE_BYTES] * messages
    received_bytes = 0
    taken = 0
    inboxes = w[INBOX_TABLE_AT]
    partition = w[PARTITION]
    for k in range(messages):
        bits = w[cursor + k]
        place = pick(bits, running)
        peer = w[(directory + place) & NOT_NEGATIVE]
        # Without a branch, which three messages in ten would take, no telling which.
        goes_up = int(((bits >> UPWARD_SHIFT) & SHARE_MASK) < upward)
        receiver = peer ^ ((peer ^ parent) & -goes_up)
        if receiver == sender:
            receiver = w[directory + (place + 1) % running]
        sent_bytes += bits & EXTRA_BYTES_MASK
        if partition != 0 and lost_between(w, sender, receiver, bits):
            w[PARTITIONED] += 1
        else:
            fits = deliver(w, (inboxes + receiver * INBOX_SIZE) & NOT_NEGATIVE, now)
            taken += fits
            received_bytes += fits * (bits & EXTRA_BYTES_MASK)
    w[BIT_CURSOR] += messages
    w[SENT] += messages
    w[DROPPED] += messages - taken
    w[SENT_MESSAGE_BYTES] += sent_bytes
    w[RECEIVED_MESSAGE_BYTES] += received_bytes + taken * w[MESSAGE_BYTES]


# Hosts: CPU in thousandths of a core.


@_hot
def demand(w, host):
    """Thousandths of a core that everything on `host` asks for."""
    h = host_row(w, host)
    return (
        w[h + BUSY] * w[BUSY_CORES]
        + w[h + BACKGROUND_CORES]
        + w[h + STOLEN_CORES]
        + w[h + MESSAGE_CORES]
    )


@_hot
def settle(w, host, now):
    """Book the CPU used since the last change on `host`.

    Between two changes the demand is constant, so use is demand times time, exactly. Over capacity
    every part gets capacity / demand of what it asks for; the rest is idle.
    """
    h = host_row(w, host)
    passed = now - w[h + SETTLED_AT]
    if passed == 0:
        return
    w[h + SETTLED_AT] = now
    task = w[h + BUSY] * w[BUSY_CORES]
    message = w[h + MESSAGE_CORES]
    background = w[h + BACKGROUND_CORES]
    stolen = w[h + STOLEN_CORES]
    capacity = w[HOST_CAPACITY]
    demanded = task + message + background + stolen
    if demanded > capacity:
        task = task * capacity // demanded
        message = message * capacity // demanded
        background = background * capacity // demanded
        stolen = stolen * capacity // demanded
    w[h + TASK_ACC] += task * passed
    w[h + MESSAGE_ACC] += message * passed
    w[h + BACKGROUND_ACC] += background * passed
    w[h + STOLEN_ACC] += stolen * passed
    w[h + IDLE_ACC] += (capacity - task - message - background - stolen) * passed


@_hot
def change_busy(w, agent, now, by):
    """An agent takes up (+1) or puts down (-1) work on its host."""
    host = w[agent_row(w, agent) + HOST]
    settle(w, host, now)
    w[host_row(w, host) + BUSY] += by


@_cold
def fold_hosts(w):
    """Carry whole nanoseconds out of the accumulators, so that nothing overflows in years."""
    for host in range(w[HOSTS]):
        h = host_row(w, host)
        for part in range(SETTLED_PARTS):
            w[h + TASK_NS + part] += w[h + TASK_ACC + part] // MILLI
            w[h + TASK_ACC + part] %= MILLI


# Queues.


@_cold
def expect_expiry(w, at):
    """A queued task times out at `at`: let the control event come no later."""
    if at < w[NEXT_EXPIRY]:
        w[NEXT_EXPIRY] = at
        w[NEXT_CONTROL] = min(w[NEXT_TICK], at)


@_cold
def time_out(w, lane, now):
    """Take the tasks whose wait has reached its limit off the front of a lane: 504.

    A lane is in the order of its waits, so the first task within its limit ends the search.
    """
    priority = lane >> LANE_SHIFT
    limit = w[priority_row(priority) + WAIT_NS]
    while w[lane_row(lane) + LENGTH] > 0:
        head = w[lane_row(lane) + HEAD]
        q = ring_row(w, lane, head)
        if w[q + Q_QUEUED_AT] + limit > now:
            expect_expiry(w, w[q + Q_QUEUED_AT] + limit)
            break
        leave_lane(w, lane, head)
        w[priority_row(priority) + TIMED_OUT] += 1
        if w[q + Q_META] & ACKNOWLEDGED == 0:
            answer(w, TIMEOUT, now - w[q + Q_ARRIVED_AT] + w[OVERHEAD_NS])


@_hot
def leave_lane(w, lane, head):
    """Remove the first task of a lane; its columns stay readable until the next event."""
    w[lane_row(lane) + HEAD] = (head + 1) % w[RING_ROOM]
    w[lane_row(lane) + LENGTH] -= 1
    w[priority_row(lane >> LANE_SHIFT) + DEPTH] -= 1
    w[QUEUED] -= 1


@_cold
def expire(w, now):
    """Time out every task whose wait ends now, and find when the next one's does."""
    w[NEXT_EXPIRY] = NEVER
    w[NEXT_CONTROL] = w[NEXT_TICK]
    for lane in range(LANE_COUNT):
        time_out(w, lane, now)


@_cold
def enqueue(w, now, arrived_at, work, meta, draw):
    """Queue a task, first in, first out within priority and class; False when there is no room.

    The limit is the priority's over both classes. A task that comes back waits a whole limit anew.
    """
    priority = meta & PRIORITY_MASK
    lane = CLASSES * priority + ((meta >> CLASS_SHIFT) & CLASS_MASK)
    if w[priority_row(priority) + DEPTH] >= w[priority_row(priority) + DEPTH_LIMIT]:
        return False
    capacity = w[RING_ROOM]
    slot = (w[lane_row(lane) + HEAD] + w[lane_row(lane) + LENGTH]) % capacity
    w[ring_row(w, lane, slot) + Q_ARRIVED_AT] = arrived_at
    w[ring_row(w, lane, slot) + Q_QUEUED_AT] = now
    w[ring_row(w, lane, slot) + Q_WORK_NS] = work
    w[ring_row(w, lane, slot) + Q_META] = meta
    w[ring_row(w, lane, slot) + Q_DRAW] = draw
    w[lane_row(lane) + LENGTH] += 1
    w[priority_row(priority) + DEPTH] += 1
    w[QUEUED] += 1
    expect_expiry(w, now + w[priority_row(priority) + WAIT_NS])
    return True


# Sandboxes.


@_hot
def available(w, pool):
    """Slots of a pool that can be taken now."""
    p = pool_row(pool)
    return w[p + TOTAL] - w[p + IN_USE] - w[p + LEAKED] - w[p + DOWN]


@_hot
def take_slot(w, agent, pool):
    """Take one slot of a pool, or join its waiting list; False when the agent has to wait."""
    me = agent_row(w, agent)
    if available(w, pool) <= 0:
        append(w, waiting_list(w, pool), agent)
        w[me + STAGE] = WAITS_SLOT
        await_nothing(w, agent)
        return False
    w[pool_row(pool) + IN_USE] += 1
    w[pool_row(pool) + EXECUTIONS] += 1
    w[me + HELD] |= 1 << pool
    return True


@_cold
def acquire(w, agent):
    """Take the slots an agent's task needs, always in the order A, B, C; False when it must wait.

    The fixed order makes a deadlock impossible: an agent that waits for a pool holds none of a
    later one, so no circle of waiters can close.
    """
    me = agent_row(w, agent)
    need = (w[me + META] >> NEED_SHIFT) & ALL_POOLS
    if need != ALL_POOLS:
        # One bit of three: A = 1, B = 2, C = 4, and half of it is the pool's number.
        return take_slot(w, agent, need >> 1)
    for pool in range(POOLS):
        if w[me + HELD] & (1 << pool) == 0 and not take_slot(w, agent, pool):
            return False
    return True


@_cold
def start_sandboxed(w, x, agent, now):
    """Start work in sandboxes; a triple-verified task runs three times and merges after the last.

    Each of the three runs takes the work times a drawn factor, but no less than the first result.
    """
    me = agent_row(w, agent)
    begins = max(w[me + READY_AT], now)
    work = w[me + SLOWED_NS]
    first = begins + int(work * x[FIRST_SHARE])
    w[me + ENDS_AT] = begins + work
    if w[me + HELD] == ALL_POOLS:
        ends_a = max(begins + times(work, x[w[FACTORS_AT] + w[FACTOR_CURSOR]]), first)
        ends_b = max(begins + times(work, x[w[FACTORS_AT] + w[FACTOR_CURSOR] + 1]), first)
        ends_c = max(begins + times(work, x[w[FACTORS_AT] + w[FACTOR_CURSOR] + 2]), first)
        w[FACTOR_CURSOR] += 3
        w[me + RELEASE_1] = ends_a
        w[me + RELEASE_2] = ends_b
        w[me + RELEASE_3] = ends_c
    w[me + STAGE] = FIRST_RESULT
    schedule(w, agent, first)


@_cold
def grant(w, x, pool, now):
    """Give free slots of a pool to those who wait for it, first come first served."""
    which = waiting_list(w, pool)
    while available(w, pool) > 0 and w[list_row(w, which) + HEAD] >= 0:
        agent = w[list_row(w, which) + HEAD]
        unlink(w, agent)
        if acquire(w, agent):
            start_sandboxed(w, x, agent, now)


@_cold
def release(w, x, agent, pool, now):
    """An execution ends: its slot is free, or goes down or leaks while a fault asks for more."""
    p = pool_row(pool)
    w[agent_row(w, agent) + HELD] &= ~(1 << pool)
    w[p + IN_USE] -= 1
    if w[p + DOWN] < w[p + DOWN_TARGET]:
        w[p + DOWN] += 1
    elif w[p + LEAKED] < w[p + LEAK_TARGET]:
        w[p + LEAKED] += 1
    if w[list_row(w, waiting_list(w, pool)) + HEAD] >= 0:
        grant(w, x, pool, now)


@_cold
def release_all(w, x, agent, now):
    """Release every slot that an agent still holds."""
    held = w[agent_row(w, agent) + HELD]
    for pool in range(POOLS):
        if held & (1 << pool) != 0:
            release(w, x, agent, pool, now)


# Tasks on agents.


@_hot
def dispatch(w, x, agent, now, arrived_at, work, meta, draw):
    """Hand a task to an idle agent: a message in its inbox, sandbox slots, then work.

    Work takes longer by the agent's slowness and by the host's demand over its capacity, both as
    they are now: when they change, `retime` moves what is left. A failing dependency adds its
    latency before. A hanging agent never begins to work.
    """
    me = agent_row(w, agent)
    w[tier_row(w, w[me + TIER]) + DISPATCHED] += 1
    change_busy(w, agent, now, 1)
    w[me + ARRIVED_AT] = arrived_at
    w[me + DISPATCHED_AT] = now
    w[me + META] = meta
    w[me + DRAW] = draw
    w[me + WORK_NS] = work
    w[me + HELD] = 0
    w[SENT] += 1
    w[SENT_MESSAGE_BYTES] += w[MESSAGE_BYTES]
    w[RECEIVED_MESSAGE_BYTES] += w[MESSAGE_BYTES]
    # One place in every inbox is kept for the orchestrator: a dispatch is never dropped.
    ready = accept(w, agent, now)
    if w[me + HANGS] != 0:
        w[me + STATE] = HANGING
        w[me + STAGE] = WATCHED
        w[HUNG] += 1
        schedule(w, agent, now + w[WATCHDOG_NS])
        return
    w[me + STATE] = WORKING
    if w[me + SLOWNESS_ON] != 0:
        work = times(work, x[agent_real_row(w, agent) + SLOWNESS])
    demanded = demand(w, w[me + HOST])
    w[me + CONTENDED] = 0
    if demanded > w[HOST_CAPACITY]:
        work = times(work, demanded / w[HOST_CAPACITY])
        w[me + CONTENDED] = demanded
        w[CONTENTION] = 1
    w[me + CALL_NS] = 0
    if meta & DEPENDENCY_BIT != 0 and w[DEPENDENCY_FAILS_BELOW] > 0:
        w[me + CALL_NS] = w[DEPENDENCY_NS]
        ready += w[DEPENDENCY_NS]
    w[me + READY_AT] = ready
    w[me + SLOWED_NS] = work
    if (meta >> NEED_SHIFT) & ALL_POOLS != 0:
        if acquire(w, agent):
            start_sandboxed(w, x, agent, now)
        return
    w[me + ENDS_AT] = ready + work
    w[me + STAGE] = FIRST_RESULT
    schedule(w, agent, ready + int(work * x[FIRST_SHARE]))


@_cold
def take_next(w, x, agent, now):
    """Give a free agent the next task it may take, strictly by priority; False when none waits."""
    if w[QUEUED] == 0:
        return False
    group = w[agent_row(w, agent) + GROUP]
    for priority in range(PRIORITIES):
        for k in range(CLASSES):
            task_class = w[w[CLASSES_OF_GROUP_AT] + CLASSES * group + k]
            if task_class < 0:
                break
            lane = CLASSES * priority + task_class
            if w[lane_row(lane) + LENGTH] > 0:
                head = w[lane_row(lane) + HEAD]
                leave_lane(w, lane, head)
                q = ring_row(w, lane, head)
                dispatch(
                    w,
                    x,
                    agent,
                    now,
                    w[q + Q_ARRIVED_AT],
                    w[q + Q_WORK_NS],
                    w[q + Q_META],
                    w[q + Q_DRAW],
                )
                return True
    return False


@_cold
def leave_directory(w, agent):
    """Take an agent out of the directory: it gets no more messages.

    The last entry moves into its place, so that the directory stays dense.
    """
    place = w[agent_row(w, agent) + PLACE]
    if place < 0:
        return
    last = w[RUNNING] - 1
    mover = w[w[DIRECTORY_AT] + last]
    w[w[DIRECTORY_AT] + place] = mover
    w[agent_row(w, mover) + PLACE] = place
    w[agent_row(w, agent) + PLACE] = -1
    w[RUNNING] = last


@_cold
def begin_start(w, x, agent, now):
    """Start an agent; the next drawn start-up time says how long it takes."""
    unlink(w, agent)
    took = w[w[STARTS_AT] + w[START_CURSOR]]
    w[START_CURSOR] += 1
    if x[agent_real_row(w, agent) + START_SLOWNESS] != 1.0:
        took = times(took, x[agent_real_row(w, agent) + START_SLOWNESS])
    w[agent_row(w, agent) + STATE] = STARTING
    w[agent_row(w, agent) + STAGE] = COMES_UP
    w[agent_row(w, agent) + STARTED_AT] = now
    w[agent_row(w, agent) + RETIRE] = STAY
    w[agent_row(w, agent) + LEAKED_BYTES] = 0
    schedule(w, agent, now + took)


@_cold
def retire(w, x, agent, now):
    """Restart or stop a free agent in good order: what waits in its inbox counts as delivered."""
    w[inbox_row(w, agent) + FREE_AT] = now
    leave_directory(w, agent)
    unlink(w, agent)
    if w[agent_row(w, agent) + RETIRE] == RESTART:
        begin_start(w, x, agent, now)
    else:
        w[agent_row(w, agent) + STATE] = STOPPED
        w[agent_row(w, agent) + STAGE] = NOTHING
        w[agent_row(w, agent) + RETIRE] = STAY
        w[agent_row(w, agent) + LEAKED_BYTES] = 0
        append(w, w[GROUPS], agent)
        await_nothing(w, agent)


@_hot
def become_free(w, x, agent, now):
    """After a task: retire if asked to, else take the next one, else wait among the idle."""
    if w[agent_row(w, agent) + RETIRE] != STAY:
        retire(w, x, agent, now)
        return
    if take_next(w, x, agent, now):
        return
    w[agent_row(w, agent) + STATE] = IDLE
    w[agent_row(w, agent) + STAGE] = NOTHING
    append(w, w[agent_row(w, agent) + GROUP], agent)
    await_nothing(w, agent)


@_cold
def give_back(w, x, agent, now):
    """Take an agent's task away: queued again where a retry and room are left, else failed."""
    me = agent_row(w, agent)
    change_busy(w, agent, now, -1)
    if w[me + STAGE] == WAITS_SLOT:
        unlink(w, agent)
    release_all(w, x, agent, now)
    meta = w[me + META]
    priority = meta & PRIORITY_MASK
    attempt = meta >> ATTEMPT_SHIFT
    if attempt < w[RETRIES] and enqueue(
        w, now, w[me + ARRIVED_AT], w[me + WORK_NS], meta + (1 << ATTEMPT_SHIFT), w[me + DRAW]
    ):
        w[priority_row(priority) + RETRIED] += 1
        w[tier_row(w, w[me + TIER]) + UNDISPATCHED] += 1
        return
    w[priority_row(priority) + FAILED] += 1
    w[tier_row(w, w[me + TIER]) + TIER_FAILED] += 1
    observe(w, TASK_DURATION, now - w[me + DISPATCHED_AT])
    if meta & ACKNOWLEDGED == 0:
        answer(w, ERROR, now - w[me + ARRIVED_AT] + w[OVERHEAD_NS])


@_cold
def offer_queued(w, x, now):
    """Give tasks that came back to idle agents of their class at once."""
    for group in range(w[GROUPS]):
        while w[QUEUED] > 0 and w[list_row(w, group) + HEAD] >= 0:
            agent = w[list_row(w, group) + HEAD]
            unlink(w, agent)
            if not take_next(w, x, agent, now):
                append(w, group, agent)
                break


@_cold
def crash(w, x, agent, now):
    """An agent crashes: its task goes back, its inbox is lost, it restarts after its backoff."""
    me, inbox = agent_row(w, agent), inbox_row(w, agent)
    if w[me + STATE] == STOPPED or w[me + STATE] == CRASH:
        return
    busy = w[me + STATE] == WORKING or w[me + STATE] == HANGING
    if busy:
        give_back(w, x, agent, now)
    unlink(w, agent)
    leave_directory(w, agent)
    lost = waiting(w, agent, now)
    w[DROPPED] += lost
    w[inbox + TAKEN] -= lost
    w[inbox + FREE_AT] = now
    w[CRASHED] += 1
    w[me + STATE] = CRASH
    w[me + STAGE] = COMES_BACK
    w[me + RETIRE] = STAY
    w[me + LEAKED_BYTES] = 0
    # Doubled with every crash up to its limit; an agent that comes up and stays starts at 0 again.
    w[me + BACKOFF] = min(max(2 * w[me + BACKOFF], w[BACKOFF_NS]), w[BACKOFF_LIMIT_NS])
    schedule(w, agent, now + w[me + BACKOFF])
    if busy:
        offer_queued(w, x, now)


@_cold
def lose_execution(w, x, agent, now):
    """A sandbox dies under a task: the task goes back, its agent is free."""
    give_back(w, x, agent, now)
    become_free(w, x, agent, now)
    offer_queued(w, x, now)


@_cold
def come_up(w, x, agent, now):
    """A start is done: counted and timed; the agent joins, or crashes again in `ALIVE_NS`."""
    me = agent_row(w, agent)
    w[STARTED] += 1
    observe(w, STARTUP_DURATION, now - w[me + STARTED_AT])
    if w[me + LOOPS] != 0:
        w[me + STATE] = IDLE
        w[me + STAGE] = DIES
        schedule(w, agent, now + w[me + ALIVE_NS])
        return
    w[me + BACKOFF] = 0
    w[me + PLACE] = w[RUNNING]
    w[w[DIRECTORY_AT] + w[RUNNING]] = agent
    w[RUNNING] += 1
    become_free(w, x, agent, now)


@_hot
def first_result(w, x, agent, now):
    """The first result is back at the gateway: the request is answered, or the task fails here.

    The task fails when its high bits fall below the agent's failure threshold, or its low bits
    below the dependency's. A retried task keeps its draw.
    """
    me = agent_row(w, agent)
    meta = w[me + META]
    draw = w[me + DRAW]
    fails = (draw >> DRAW_BITS) < w[me + FAILS_BELOW]
    if meta & DEPENDENCY_BIT != 0 and (draw & DRAW_MASK) < w[DEPENDENCY_FAILS_BELOW]:
        fails = True
    if fails:
        # A failure is a result too: as many messages report it.
        send(w, agent, now, w[FIRST_MESSAGES] + w[LAST_MESSAGES])
        change_busy(w, agent, now, -1)
        release_all(w, x, agent, now)
        w[priority_row(meta & PRIORITY_MASK) + FAILED] += 1
        w[tier_row(w, w[me + TIER]) + TIER_FAILED] += 1
        observe(w, TASK_DURATION, now - w[me + DISPATCHED_AT])
        if meta & ACKNOWLEDGED == 0:
            answer(w, ERROR, now - w[me + ARRIVED_AT] + w[OVERHEAD_NS])
        become_free(w, x, agent, now)
        return
    if meta & ACKNOWLEDGED == 0:
        w[me + META] = meta | ACKNOWLEDGED
        answer(w, OK, now - w[me + ARRIVED_AT] + w[OVERHEAD_NS])
    send(w, agent, now, w[FIRST_MESSAGES])
    if w[me + HELD] == ALL_POOLS:
        w[me + STAGE] = RELEASES
        schedule(w, agent, min(w[me + RELEASE_1], w[me + RELEASE_2], w[me + RELEASE_3]))
    else:
        w[me + STAGE] = ENDS
        schedule(w, agent, max(w[me + ENDS_AT], now))


@_cold
def release_next(w, x, agent, now):
    """One of a triple-verified task's three runs is done; after the last comes the merge."""
    me = agent_row(w, agent)
    for pool in range(POOLS):
        if w[me + HELD] & (1 << pool) != 0 and w[me + RELEASE_1 + pool] <= now:
            w[me + RELEASE_1 + pool] = NEVER
            release(w, x, agent, pool, now)
    if w[me + HELD] == 0:
        w[me + STAGE] = ENDS
        schedule(w, agent, now + w[MERGE_NS])
    else:
        schedule(w, agent, min(w[me + RELEASE_1], w[me + RELEASE_2], w[me + RELEASE_3]))


@_hot
def finish(w, x, agent, now):
    """A task is done: last messages, slots back, counted and timed; the agent is free."""
    me = agent_row(w, agent)
    send(w, agent, now, w[LAST_MESSAGES])
    change_busy(w, agent, now, -1)
    if w[me + HELD] != 0:
        release_all(w, x, agent, now)
    w[priority_row(w[me + META] & PRIORITY_MASK) + COMPLETED] += 1
    w[tier_row(w, w[me + TIER]) + TIER_COMPLETED] += 1
    observe(w, TASK_DURATION, now - w[me + DISPATCHED_AT])
    become_free(w, x, agent, now)


# Speeds that change while something is in progress.


@_hot
def moved(at, old, new, factor):
    """When what was to come `at`, of work that begins at `old`, comes when it begins at `new`.

    What is left of the work takes `factor` times as long. What has passed stays.
    """
    if at < old or at == NEVER:
        return at
    return new + times(at - old, factor)


@_cold
def retime(w, agent, now, ready, factor):
    """Move the rest of a task that an agent works on: it begins when `ready`, not at READY_AT.

    What is left of the work then takes `factor` times as long. The merge of a triple-verified task
    takes its time at any speed.
    """
    me = agent_row(w, agent)
    old = max(w[me + READY_AT], now)
    new = max(ready, now)
    w[me + READY_AT] = ready
    stage = w[me + STAGE]
    if stage == WAITS_SLOT:
        w[me + SLOWED_NS] = times(w[me + SLOWED_NS], factor)
        return
    if stage == ENDS and (w[me + META] >> NEED_SHIFT) & ALL_POOLS == ALL_POOLS:
        return
    w[me + ENDS_AT] = moved(w[me + ENDS_AT], old, new, factor)
    for pool in range(POOLS):
        if w[me + HELD] & (1 << pool) != 0:
            w[me + RELEASE_1 + pool] = moved(w[me + RELEASE_1 + pool], old, new, factor)
    if stage == FIRST_RESULT:
        at = moved(pending_at(w, agent), old, new, factor)
    elif stage == RELEASES:
        at = min(w[me + RELEASE_1], w[me + RELEASE_2], w[me + RELEASE_3])
    else:
        at = max(w[me + ENDS_AT], now)
    schedule(w, agent, at)


@_cold
def retime_inbox(w, agent, now):
    """Handle what waits in an inbox in INBOX_NEXT_NS a message; returns when its task is handled.

    That is READY_AT without the dependency's latency. The task's own message keeps its place.
    """
    me, inbox = agent_row(w, agent), inbox_row(w, agent)
    handled_at = w[me + READY_AT] - w[me + CALL_NS]
    old, new = w[inbox + INBOX_NS], w[me + INBOX_NEXT_NS]
    beyond_first = waiting(w, agent, now) - 1
    if beyond_first >= 0 and new != old:
        first = w[inbox + FREE_AT] - beyond_first * old
        at = moved(first, now, now, new / old)
        w[inbox + FREE_AT] = at + beyond_first * new
        if handled_at > now:
            handled_at = at + (handled_at - first) // old * new
    w[inbox + INBOX_NS] = new
    return handled_at


@_cold
def retime_all(w, x):
    """Put in effect the speeds that are written, also for what is in progress.

    The rest of each start, message, call of the dependency and task takes as many times as long as
    the new speed is slower. A call that was made while there was no latency has none.
    """
    now = w[NOW]
    latency = w[DEPENDENCY_NEXT_NS] / max(w[DEPENDENCY_NS], 1)
    for agent in range(w[AGENTS]):
        me = agent_row(w, agent)
        real = agent_real_row(w, agent)
        handled_at = retime_inbox(w, agent, now)
        if w[me + STATE] == STARTING:
            start = x[real + START_SLOWNESS_NEXT] / x[real + START_SLOWNESS]
            if start != 1.0:
                schedule(w, agent, moved(pending_at(w, agent), now, now, start))
        elif w[me + STATE] == WORKING:
            waited = min(max(now - handled_at, 0), w[me + CALL_NS])
            if w[DEPENDENCY_NEXT_NS] != w[DEPENDENCY_NS]:
                w[me + CALL_NS] = waited + int((w[me + CALL_NS] - waited) * latency)
            ready = handled_at + w[me + CALL_NS]
            work = x[real + SLOWNESS_NEXT] / x[real + SLOWNESS]
            if work != 1.0 or ready != w[me + READY_AT]:
                retime(w, agent, now, ready, work)
        x[real + SLOWNESS] = x[real + SLOWNESS_NEXT]
        x[real + START_SLOWNESS] = x[real + START_SLOWNESS_NEXT]
    w[DEPENDENCY_NS] = w[DEPENDENCY_NEXT_NS]


@_cold
def retime_contended(w, now):
    """Let work go on at the speed that its host's demand over capacity allows until the next tick.

    CONTENDED is the demand for which a task is timed, 0 within capacity. CONTENTION says that there
    may be such a task: while no host is over capacity, nothing is looked at.
    """
    capacity = w[HOST_CAPACITY]
    contention = w[CONTENTION]
    for host in range(w[HOSTS]):
        contention |= int(demand(w, host) > capacity)
    if contention == 0:
        return
    w[CONTENTION] = 0
    for agent in range(w[AGENTS]):
        me = agent_row(w, agent)
        if w[me + STATE] != WORKING:
            continue
        demanded = max(demand(w, w[me + HOST]), capacity)
        timed = max(w[me + CONTENDED], capacity)
        if demanded != timed:
            retime(w, agent, now, w[me + READY_AT], demanded / timed)
        w[me + CONTENDED] = demanded if demanded > capacity else 0
        w[CONTENTION] |= int(demanded > capacity)


# The gateway.


@_cold
def reject(w, priority, status):
    """Turn a request away at the gateway."""
    w[priority_row(priority) + REJECTED] += 1
    answer(w, status, w[OVERHEAD_NS])


@_hot
def refusal(w, priority, draw, now):
    """The status with which admission turns a task away, or OK.

    A token bucket limits the rate (429). Backpressure spares high and critical: level 2 turns
    away every second low task (429), level 3 sheds low (503) and every second normal one (429),
    level 4 sheds both (503).
    """
    # Tokens are kept as the nanoseconds that earned them: refilling is an addition, exact.
    tokens = w[TOKENS_NS] + now - w[TOKENS_AT]
    tokens = min(tokens, w[TOKEN_LIMIT_NS])
    w[TOKENS_AT] = now
    if tokens < w[TOKEN_COST_NS]:
        w[TOKENS_NS] = tokens
        return TOO_MANY
    w[TOKENS_NS] = tokens - w[TOKEN_COST_NS]
    level = w[LEVEL]
    if level < 2 or priority < 2:
        return OK
    # 1 at the level where every second task of this priority is turned away (low, which is 3, at
    # level 2; normal, which is 2, at level 3), and 2 or more where all of them are.
    over = level - 2 + (priority - 2)
    if over >= 2:
        return UNAVAILABLE
    if over == 1 and draw & COIN_BIT == 0:
        return TOO_MANY
    return OK


@_hot
def next_gap(w, x, now):
    """Set when the next task arrives: a unit exponential gap over the load's rate (per ns).

    At a rate of 0 the gap is kept in GAP_LEFT for the rate that follows.
    """
    gap = x[(w[GAPS_AT] + w[TASK_CURSOR]) & NOT_NEGATIVE]
    rate = x[RATE]
    if rate > 0.0:
        wait = gap / rate
        if wait < WAIT_MAX_NS:
            w[NEXT_ARRIVAL] = now + int(wait)
            return
    x[GAP_LEFT] = gap
    w[NEXT_ARRIVAL] = NEVER


@_hot
def arrive(w, x, now):
    """A task arrives: admitted to an idle agent or a queue, or turned away with its status."""
    row = (w[TASKS_AT] + w[TASK_CURSOR] * TASK_SIZE) & NOT_NEGATIVE
    kind = w[row + T_KIND]
    work = w[row + T_WORK_NS]
    draw = w[row + T_DRAW]
    # The next task's row holds the gap before it.
    w[TASK_CURSOR] += 1
    next_gap(w, x, now)
    priority = kind & PRIORITY_MASK
    w[priority_row(priority) + ARRIVED] += 1
    w[RECEIVED_REQUEST_BYTES] += w[REQUEST_BYTES]
    status = refusal(w, priority, draw, now)
    if status != OK:
        reject(w, priority, status)
        return
    task_class = (kind >> CLASS_SHIFT) & CLASS_MASK
    for k in range(w[GROUPS]):
        group = w[w[GROUPS_OF_CLASS_AT] + task_class * (w[GROUPS] + 1) + k]
        if group < 0:
            break
        agent = w[list_row(w, group) + HEAD]
        if agent >= 0:
            unlink(w, agent)
            dispatch(w, x, agent, now, now, work, kind, draw)
            return
    if not enqueue(w, now, now, work, kind, draw):
        reject(w, priority, UNAVAILABLE)


@_cold
def flood(w, x, now):
    """Send one message of a flood to a random target, and set when the next one is sent."""
    cursor = w[FLOOD_CURSOR]
    bits = w[w[FLOOD_BITS_AT] + cursor]
    target = pick(bits, w[FLOOD_TARGETS])
    receiver = w[w[FLOOD_TARGETS_AT] + target]
    size = w[MESSAGE_BYTES] + (bits & EXTRA_BYTES_MASK)
    w[FLOODED] += 1
    w[SENT] += 1
    w[SENT_MESSAGE_BYTES] += size
    if w[agent_row(w, receiver) + PLACE] >= 0 and deliver(w, inbox_row(w, receiver), now):
        w[RECEIVED_MESSAGE_BYTES] += size
    else:
        w[DROPPED] += 1
    w[FLOOD_CURSOR] = cursor + 1
    w[NEXT_FLOOD] = now + int(min(x[w[FLOOD_GAPS_AT] + cursor] / x[FLOOD_RATE], WAIT_MAX_NS))


# The control tick.


@_cold
def scale_fleet(w, x, now):
    """Once a second: follow demand between the floor and the whole fleet.

    Demand is the scaled agents at work and the tasks queued, smoothed exponentially with
    `scaling_memory_s`; divided by the target utilisation it gives the fleet that is desired.
    """
    demanded = float(w[QUEUED])
    provisioned = 0
    for agent in range(w[AGENTS]):
        state = w[agent_row(w, agent) + STATE]
        if w[agent_row(w, agent) + SCALES] != 0 and state in (WORKING, HANGING):
            demanded += 1.0
        if state == STARTING or (
            w[agent_row(w, agent) + PLACE] >= 0 and w[agent_row(w, agent) + RETIRE] != STOP
        ):
            provisioned += 1
    demanded = min(demanded, float(w[SCALED_AGENTS]))
    x[BUSY_AVERAGE] += x[SCALING_GAIN] * (demanded - x[BUSY_AVERAGE])
    desired = w[FIXED_AGENTS] + int(x[BUSY_AVERAGE] / x[UTILISATION]) + 1
    desired = max(desired, w[FLOOR], w[RESERVED])
    desired = min(desired, w[FIXED_AGENTS] + w[SCALED_AGENTS])
    w[DESIRED] = desired
    stopped = w[GROUPS]
    steps = 0
    while provisioned < desired and steps < w[STARTS_PER_S] and w[list_row(w, stopped) + HEAD] >= 0:
        begin_start(w, x, w[list_row(w, stopped) + HEAD], now)
        provisioned += 1
        steps += 1
    # Stop only what is clearly too much, a few a second: a fleet that follows every wave of the
    # load does nothing but start and stop.
    surplus = provisioned - desired - desired // SURPLUS_PARTS
    steps = 0
    agent = w[AGENTS] - 1
    while surplus > 0 and steps < w[STOPS_PER_S] and agent >= 0:
        if (
            w[agent_row(w, agent) + SCALES] != 0
            and w[agent_row(w, agent) + STATE] == IDLE
            and (w[agent_row(w, agent) + STAGE] == NOTHING)
        ):
            w[agent_row(w, agent) + RETIRE] = STOP
            retire(w, x, agent, now)
            surplus -= 1
            steps += 1
        agent -= 1


@_cold
def recycle(w, x, now):
    """Rolling restarts, agent by agent: the steady trickle of starts that every real fleet has."""
    w[RECYCLE_CREDIT] += w[RECYCLE_PER_TICK]
    visited = 0
    while w[RECYCLE_CREDIT] >= MICRO and visited < w[AGENTS]:
        agent = w[RECYCLE_AT]
        w[RECYCLE_AT] = (agent + 1) % w[AGENTS]
        visited += 1
        me = agent_row(w, agent)
        if w[me + SCALES] == 0 or w[me + RETIRE] != STAY or w[me + PLACE] < 0:
            continue
        if w[me + STATE] == IDLE:
            w[me + RETIRE] = RESTART
            retire(w, x, agent, now)
        elif w[me + STATE] == WORKING:
            w[me + RETIRE] = RESTART
        else:
            continue
        w[RECYCLE_CREDIT] -= MICRO
    # Restarts for which there was no agent are not made up for all at once.
    w[RECYCLE_CREDIT] = min(w[RECYCLE_CREDIT], MICRO)


@_cold
def measure_hosts(w, now):
    """Set what messages cost in CPU until the next tick: what those of the last tick cost.

    So a host's demand changes at ticks and with tasks, not with every message.
    """
    for host in range(w[HOSTS]):
        settle(w, host, now)
        w[host_row(w, host) + MESSAGE_CORES] = -w[host_row(w, host) + HANDLED]
    fold_hosts(w)
    for agent in range(w[AGENTS]):
        host = w[agent_row(w, agent) + HOST]
        handled = w[inbox_row(w, agent) + TAKEN] - waiting(w, agent, now)
        w[host_row(w, host) + MESSAGE_CORES] += handled
    for host in range(w[HOSTS]):
        handled = w[host_row(w, host) + MESSAGE_CORES]
        w[host_row(w, host) + HANDLED] += handled
        cores = handled * w[MESSAGE_CPU_NS] // (TICK_NS // MILLI)
        w[host_row(w, host) + MESSAGE_CORES] = min(cores, CORES_MAX)


@_cold
def measure_saturation(w):
    """Backpressure level 0 to 4 by the fullest queue: 50, 70, 85 and (above) 95 per cent."""
    level = 0
    for priority in range(PRIORITIES):
        depth = w[priority_row(priority) + DEPTH] * 100
        limit = w[priority_row(priority) + DEPTH_LIMIT]
        level = max(
            level,
            int(depth >= 50 * limit)
            + int(depth >= 70 * limit)
            + int(depth >= 85 * limit)
            + int(depth > 95 * limit),
        )
    w[LEVEL] = level


@_cold
def tick(w, now):
    """What the orchestrator does ten times a second: measure hosts and queues, let leaks grow."""
    w[NEXT_TICK] = now + TICK_NS
    w[NEXT_CONTROL] = min(w[NEXT_TICK], w[NEXT_EXPIRY])
    w[TICKS] += 1
    if now - w[EPOCH] >= EPOCH_NS:
        move_epoch(w, now)
    measure_hosts(w, now)
    retime_contended(w, now)
    measure_saturation(w)
    for agent in range(w[AGENTS]):
        me = agent_row(w, agent)
        if w[me + LEAK_PER_TICK] != 0 and w[me + PLACE] >= 0:
            leaked = w[me + LEAKED_BYTES] + w[me + LEAK_PER_TICK]
            w[me + LEAKED_BYTES] = min(leaked, LEAKED_MAX_BYTES)
    for counter in range(SENT_MESSAGE_BYTES, RECEIVED_REQUEST_BYTES + 1):
        w[counter] = min(w[counter], BYTES_MAX)


@_cold
def crash_at_random(w, x, now):
    """Each running target of a crash fault may crash in this tick; together at the fault's rate.

    CRASHES_BELOW is the threshold for the case that all targets run; times targets / running, those
    that do run crash at the rate of all. One number is read for each target, running or not, so
    that which number is whose does not depend on who runs.
    """
    targets = w[CRASH_TARGETS]
    running = 0
    for target in range(targets):
        running += int(w[agent_row(w, w[w[CRASH_TARGETS_AT] + target]) + PLACE] >= 0)
    for target in range(targets):
        bits = w[w[CRASH_BITS_AT] + w[CRASH_CURSOR]]
        w[CRASH_CURSOR] += 1
        agent = w[w[CRASH_TARGETS_AT] + target]
        me = agent_row(w, agent)
        if w[me + PLACE] >= 0 and (bits >> HIGH_SHIFT) * running < w[me + CRASHES_BELOW] * targets:
            crash(w, x, agent, now)


@_hot
def low_on_draws(w):
    """True when a stream might not last for one more event (a cursor is past its `*_LAST`)."""
    return (
        w[TASK_CURSOR] > w[TASK_LAST]
        or w[BIT_CURSOR] > w[BIT_LAST]
        or w[START_CURSOR] > w[START_LAST]
        or w[FACTOR_CURSOR] > w[FACTOR_LAST]
        or w[CRASH_CURSOR] > w[CRASH_LAST]
        or w[FLOOD_CURSOR] > w[FLOOD_LAST]
    )


ADVANCE, SETTLE, RETIME, CRASH_AGENT, LOSE_EXECUTION, GRANT_POOL = range(6)
"""Commands to the kernel."""


@_cold
def settle_all(w):
    """Bring every account that is kept lazily up to now; when this is done changes no number."""
    now = w[NOW]
    for host in range(w[HOSTS]):
        settle(w, host, now)
    fold_hosts(w)


@_step(cache=True, nogil=True)
def run(w: Integers, x: Reals, command: int, which: int) -> int:
    """Carry out a command: advance to `which` (ns), settle, retime, or act on agent or pool.

    Returns DONE, or REFILL when the drawn numbers run low before the instant is reached: the caller
    tops them up and repeats the command. One entry for all commands, and the loop in it, because
    compiling takes longer with every layer of calls above the work.
    """
    if command == SETTLE:
        settle_all(w)
        return DONE
    if command == RETIME:
        retime_all(w, x)
        return DONE
    if command != ADVANCE and low_on_draws(w):
        return REFILL
    if command == CRASH_AGENT:
        crash(w, x, which, w[NOW])
    elif command == LOSE_EXECUTION:
        lose_execution(w, x, which, w[NOW])
    elif command == GRANT_POOL:
        grant(w, x, which, w[NOW])
    if command != ADVANCE:
        return DONE
    while True:
        # Two by two: `min` of four is a call, that of two an instruction.
        ours, theirs = min(w[NEXT_CONTROL], next_at(w)), min(w[NEXT_ARRIVAL], w[NEXT_FLOOD])
        now = min(ours, theirs)
        if now > which:
            break
        if low_on_draws(w):
            return REFILL
        w[NOW] = now
        if now == w[NEXT_CONTROL]:
            if now == w[NEXT_EXPIRY]:
                # Before a tick of the same instant, which then measures the queues without them.
                expire(w, now)
                continue
            tick(w, now)
            crash_at_random(w, x, now)
            recycle(w, x, now)
            if w[TICKS] % TICKS_PER_SCALING == 0:
                scale_fleet(w, x, now)
        elif now == next_at(w):
            # What the earliest agent was waiting for has come; the most frequent stages come first.
            agent = earliest(w)
            stage = w[agent_row(w, agent) + STAGE]
            if stage == FIRST_RESULT:
                first_result(w, x, agent, now)
            elif stage == ENDS:
                finish(w, x, agent, now)
            elif stage == RELEASES:
                release_next(w, x, agent, now)
            elif stage == COMES_UP:
                come_up(w, x, agent, now)
            elif stage == COMES_BACK:
                begin_start(w, x, agent, now)
            else:  # WATCHED by the watchdog, or DIES of its crash loop
                crash(w, x, agent, now)
        elif now == w[NEXT_ARRIVAL]:
            arrive(w, x, now)
        else:
            flood(w, x, now)
    w[NOW] = which
    return DONE
