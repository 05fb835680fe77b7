"""The kernel's arrays as tables: none overlaps another, each begins with a cache line."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.state import (
    LINE,
    aligned,
    ns,
    reads_per_event,
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


@pytest.mark.parametrize(("seconds", "expected"), [(0, 0), (1.5, 1_500_000_000), (1e-9, 1)])
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
