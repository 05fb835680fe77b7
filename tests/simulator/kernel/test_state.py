"""The kernel's arrays as tables: none overlaps another, each begins with a cache line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.bounds import BoundError
from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.state import (
    BLOCK,
    CPU_NS_MAX,
    FLOOD_TABLE,
    LINE,
    aligned,
    ns,
    reads_per_event,
    require_within_clock,
    shift_instants,
    tables_of,
    view,
)
from simulator.topology import Topology
from tests.simulator.random_worlds import random_topology
from tests.simulator.worlds import due_at, fault, make, small

TOPOLOGIES = [
    Topology(),
    small(),
    *(random_topology(np.random.default_rng(seed)) for seed in range(20)),
]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_no_two_tables_share_a_column(topology):
    """Each table is filled with a number of its own, and all of them are there afterwards."""
    state = build(topology)
    tables = [name for name in state._fields if name not in ("w", "x")]
    for number, name in enumerate(tables):
        getattr(state, name)[:] = number
    for number, name in enumerate(tables):
        assert (getattr(state, name) == number).all(), name


def test_a_view_of_a_copy_shows_the_same_tables():
    """A fork reads where the original wrote."""
    topology = small()
    state = build(topology)
    state.directory[3] = 77
    copy = view(topology, aligned(state.w), state.x.copy())
    assert copy.directory[3] == 77
    copy.directory[3] = 5
    assert state.directory[3] == 77


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_table_begins_with_a_cache_line(topology):
    """So that an agent's row of five lines touches just five."""
    state = build(topology)
    tables = tables_of(topology)
    for column, _ in (*tables.integers.values(), *tables.reals.values()):
        assert state.head[column] % LINE == 0
    assert state.w.ctypes.data % (LINE * 8) == 0
    assert k.AGENT_SIZE % LINE == 0


def test_an_aligned_copy_is_equal_and_independent():
    """A fork's array begins with a line wherever the original's did."""
    original = np.arange(100)[3:]
    copy = aligned(original)
    assert copy.ctypes.data % (LINE * 8) == 0
    assert np.array_equal(copy, original)
    copy[0] = -1
    assert original[0] == 3


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_stream_holds_what_one_event_can_read(topology):
    """A block has room for the event that begins at its last admissible cursor."""
    state = build(topology)
    per_event = reads_per_event(topology)
    messages = topology.messages_at_first_result + topology.messages_at_completion
    assert per_event >= topology.fleet + messages
    for last, block in (
        (k.BIT_LAST, state.bits),
        (k.START_LAST, state.starts),
        (k.CRASH_LAST, state.crash_bits),
    ):
        assert 0 < state.head[last] <= len(block) - per_event
    # An arrival reads its task and the gap to the next one.
    assert 0 < state.head[k.TASK_LAST] <= len(state.tasks) - 2
    assert 0 < state.head[k.FACTOR_LAST] <= len(state.factors) - 3 * per_event


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (1.5, 1_500_000_000), (1e-9, 1), (64.1, 64_100_000_000)]
)
def test_seconds_become_whole_nanoseconds(seconds, expected):
    """Rounded to the nearest."""
    assert ns(seconds) == expected


def _instants(state, columns):
    """Some columns of every agent, when its next event is, and when its inbox is empty."""
    return np.column_stack([state.agent[:, columns], due_at(state), state.inbox[:, k.FREE_AT]])


def test_a_skip_moves_every_pending_instant_of_an_agent_with_the_clock():
    """An agent that is starting goes on starting as if no time had passed."""
    world = make(fault("agent_crash", rate_per_s=20.0, start_s=0.1))
    world.advance(1.0)
    columns = [k.ARRIVED_AT, k.DISPATCHED_AT, k.READY_AT, k.ENDS_AT, k.RELEASE_1,
               k.RELEASE_2, k.RELEASE_3, k.STARTED_AT, k.FAR_AT]  # fmt: skip
    assert (world._state.agent[:, k.STATE] == k.STARTING).any()
    before = _instants(world._state, columns)
    shift_instants(world._state, 10**12)
    after = _instants(world._state, columns)
    pending = before != k.NEVER
    assert pending.any(axis=0).all()
    assert (after[pending] == before[pending] + 10**12).all()
    assert (after[~pending] == k.NEVER).all()


@pytest.mark.parametrize(
    ("cpus", "now", "used", "latest"),
    [
        (4, 0, 0, k.CLOCK_MAX_NS),
        (2, 10**9, 2 * 10**9, k.CLOCK_MAX_NS),
        (1024, 0, 0, CPU_NS_MAX // 1024),
        (1024, 10**9, 1024 * 10**9, CPU_NS_MAX // 1024),
        (1024, 10**9, 1024 * 10**6, CPU_NS_MAX // 1024 + 10**9 - 10**6),
    ],
    ids=["four CPUs", "two", "a thousand", "of which some time passed", "and most was skipped"],
)
def test_the_clock_and_the_accounts_of_a_host_hold_so_much_and_no_more(cpus, now, used, latest):
    """To the nanosecond; what was skipped used no CPU."""
    topology = small(cpus_per_host=cpus)
    state = build(topology)
    state.head[k.NOW] = now
    state.host[0, [k.TASK_ACC, k.TASK_NS, k.IDLE_NS]] = 10**12, 1, used - 1
    require_within_clock(state, topology, latest)
    with pytest.raises(BoundError) as refused:
        require_within_clock(state, topology, latest + 1)
    assert (refused.value.field, refused.value.value) == ("time", latest + 1)


SHIFTED = [
    k.NOW, k.NEXT_ARRIVAL, k.NEXT_CONTROL, k.NEXT_TICK, k.NEXT_EXPIRY, k.NEXT_FLOOD, k.EPOCH,
    k.TOKENS_AT,
]  # fmt: skip


@pytest.mark.parametrize("pending", [True, False])
def test_a_skip_moves_every_instant_of_the_clock_the_queues_and_the_hosts(pending):
    """And no count, no duration and nothing that never comes."""
    state = build(small())
    state.w[:] = np.arange(len(state.w)) % 1000
    laid_out = build(small()).head
    state.head[k.AGENT_AT : k.HEAD_SIZE] = laid_out[k.AGENT_AT : k.HEAD_SIZE]
    columns = SHIFTED if pending else []
    state.head[SHIFTED] = 5 if pending else k.NEVER
    before = state.w.copy()
    shift_instants(state, 10**6)
    assert np.flatnonzero(state.head != before[: k.HEAD_SIZE]).tolist() == sorted(columns)
    assert (state.head[columns] == 10**6 + 5).all()
    old = view(small(), before, state.x)
    for name, moved in (
        ("ring", [k.Q_ARRIVED_AT, k.Q_QUEUED_AT]), ("host", [k.SETTLED_AT]),
        ("inbox", [k.FREE_AT]), ("priority", []), ("lanes", []), ("tier", []), ("lists", []),
    ):  # fmt: skip
        gained = (getattr(state, name) - getattr(old, name)).reshape(
            -1, getattr(old, name).shape[-1]
        )
        expected = np.isin(np.arange(gained.shape[1]), moved) * 10**6
        assert (gained == expected).all(), name


@pytest.mark.parametrize(
    ("agents", "leaves"), [(1, 4), (2, 4), (4, 4), (5, 16), (16, 16), (17, 64), (65, 256)]
)
def test_the_tournament_has_a_leaf_for_every_agent(agents, leaves):
    """The least power of four that is enough."""
    tier = replace(small().tiers[1], agents=agents, takes=("work", "coordination"))
    state = build(small(tiers=(tier,), active_floor=1))
    assert (state.head[k.LEAVES], len(state.due)) == (leaves, 2 * leaves)


def test_tables_have_room_for_the_longest_queue_the_largest_fleet_and_every_message():
    """A queue's ring has a slot more than its limit; a system without messages has a block too."""
    topology = small(messages_at_first_result=0, messages_at_completion=0)
    limits = (3, 9, 500, 20)
    priorities = tuple(
        replace(entry, queue_limit=limit)
        for entry, limit in zip(topology.priorities, limits, strict=True)
    )
    state = build(replace(topology, priorities=priorities))
    assert state.ring.shape == (8, 501, k.QUEUED_SIZE)
    assert (len(state.bits), len(state.flood_targets)) == (BLOCK, FLOOD_TABLE)
    large = replace(topology.tiers[1], agents=5000)
    state = build(replace(topology, tiers=(topology.tiers[0], large), messages_at_completion=2))
    assert (len(state.bits), len(state.flood_targets)) == (2 * BLOCK, 5004)
    assert len(state.starts) == len(state.factors) == 4 * (5004 + 2 + 300)
