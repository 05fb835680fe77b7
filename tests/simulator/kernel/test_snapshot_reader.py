"""A snapshot is a frozen copy of the arrays, not a view of them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting
from simulator.snapshot import AGENT_STATES, CPU_MODES, DurationHistogram
from tests.simulator.worlds import fault, make


def arrays(snapshot):
    """Yield every array of a snapshot with its name."""
    for field in fields(snapshot):
        value = getattr(snapshot, field.name)
        if isinstance(value, DurationHistogram):
            value = value.counts
        if isinstance(value, np.ndarray):
            yield field.name, value


def test_no_array_of_a_snapshot_can_be_written():
    """Reading changes nothing in the world, and a snapshot cannot be changed."""
    names = []
    for name, array in arrays(make().snapshot()):
        names.append(name)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert len(names) > 20


def test_a_snapshot_stays_as_it_was_while_the_world_goes_on():
    """Its arrays are copies of the kernel's."""
    world = make()
    world.advance(1)
    snapshot = world.snapshot()
    before = {name: array.copy() for name, array in arrays(snapshot)}
    world.advance(2)
    assert all(np.array_equal(array, before[name]) for name, array in arrays(snapshot))
    assert (world.snapshot().tasks_arrived > snapshot.tasks_arrived).all()


def test_axes_are_as_long_as_their_names():
    """A reader pairs each array with the tuple that names its axis."""
    snapshot = make().snapshot()
    assert snapshot.agents.shape == (len(snapshot.tiers), len(AGENT_STATES))
    assert snapshot.cpu_ns.shape[1] == len(CPU_MODES)
    assert len(snapshot.tasks_arrived) == len(snapshot.priorities)
    assert len(snapshot.sandbox_total) == len(snapshot.sandboxes)


def test_memory_is_agents_messages_and_leaks():
    """Idle at time 0 each agent holds its base; a planted leak and message add to their tiers."""
    world = make()
    topology = world.topology
    base = [tier.base_memory_bytes * tier.agents for tier in topology.tiers]
    assert world.snapshot().memory_bytes.tolist() == base
    world._state.agent[0, k.LEAKED_BYTES] = 1000
    world._state.inbox[5, k.FREE_AT] = 1
    message = topology.message_bytes_min + k.EXTRA_BYTES_MASK // 2
    assert world.snapshot().memory_bytes.tolist() == [base[0] + 1000, base[1] + message]


def test_hung_agents_hold_their_memory_and_their_tasks():
    """They are there; the crashed and the stopped are not."""
    world = make(
        fault("agent_hang", fraction=0.3, start_s=0.5), fault("agent_crash", rate_per_s=20.0),
        messages_at_first_result=0, messages_at_completion=0,
    )  # fmt: skip
    world.advance(2.0)
    topology, snapshot = world.topology, world.snapshot()
    of = {name: snapshot.agents[:, place] for place, name in enumerate(AGENT_STATES)}
    assert of["hung"].sum() > 0
    at_work = of["busy"] + of["hung"]
    there = of["starting"] + of["idle"] + at_work
    waiting = messages_waiting(world._state).sum()
    expected = sum(
        tier.base_memory_bytes * there[place] + tier.task_memory_bytes * at_work[place]
        for place, tier in enumerate(topology.tiers)
    )
    expected += waiting * (topology.message_bytes_min + k.EXTRA_BYTES_MASK // 2)
    expected += snapshot.queue_depth.sum() * topology.queued_task_bytes
    assert snapshot.memory_bytes.sum() == expected
