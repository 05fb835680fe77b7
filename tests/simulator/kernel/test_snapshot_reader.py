"""A snapshot is a frozen copy of the arrays, each number that of its own column."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.snapshot_reader import read
from simulator.kernel.state import messages_waiting
from simulator.snapshot import (
    AGENT_STATES,
    CPU_MODES,
    DurationHistogram,
    FaultStatus,
    ScrapePath,
)
from tests.simulator.worlds import fault, make, small

FAULTS = (FaultStatus("f", "agent_hang", 0.5, 0.25, "agents", 0.5, 7, 9),)
PATH = ScrapePath(delay_s=1.0, cut_share=0.25, vanished_share=0.5, extra_series=3)
OF_PRIORITY = {
    "tasks_arrived": k.ARRIVED, "tasks_rejected": k.REJECTED, "tasks_timed_out": k.TIMED_OUT,
    "tasks_retried": k.RETRIED, "queue_depth": k.DEPTH,
}  # fmt: skip
OF_POOL = {
    "sandbox_total": k.TOTAL, "sandbox_in_use": k.IN_USE, "sandbox_leaked": k.LEAKED,
    "sandbox_down": k.DOWN, "sandbox_executions": k.EXECUTIONS,
}  # fmt: skip
OF_HEAD = {
    "now_ns": k.NOW, "backpressure_level": k.LEVEL, "agents_started": k.STARTED,
    "agents_crashed": k.CRASHED, "messages_sent": k.SENT, "messages_dropped": k.DROPPED,
}  # fmt: skip
OF_HISTOGRAM = {
    "http_request_duration": k.HTTP_DURATION, "response_duration": k.RESPONSE_DURATION,
    "task_duration": k.TASK_DURATION, "startup_duration": k.STARTUP_DURATION,
}  # fmt: skip


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


@pytest.fixture
def state():
    """Return the state of 4 leads and 36 workers in which no two columns are alike."""
    s = build(small())
    s.http[:], s.inbox[:, k.INBOX_NS] = [11, 12, 13, 14, 15], 10
    for table, by in ((s.priority, 1000), (s.tier, 100), (s.pool, 100), (s.histogram, 100)):
        table[:] = np.arange(table.shape[1]) + by * np.arange(1, len(table) + 1)[:, None]
    s.priority[:, k.DEPTH_LIMIT] = [2012, 2012, 4024, 16048]
    s.pool[:, k.TOTAL] = 1000
    s.histogram_sum[:] = [21, 22, 23, 24]
    for place, column in enumerate(OF_HEAD.values()):
        s.head[column] = 501 + place
    s.head[[k.SENT_MESSAGE_BYTES, k.SENT_REQUEST_BYTES]] = 601, 602
    s.head[[k.RECEIVED_MESSAGE_BYTES, k.RECEIVED_REQUEST_BYTES]] = 603, 604
    return s


def snapshot_of(state):
    """Return what is read of it."""
    return read(
        state, small(), 7, arrival_rate=410.0, faults=FAULTS, exporter_up=False,
        exporter_restarts=5, scrape_path=PATH,
    )  # fmt: skip


def test_every_count_is_that_of_its_column(state):
    """By status, priority, outcome, tier, pool, histogram and of the whole."""
    snapshot = snapshot_of(state)
    assert snapshot.http_requests.tolist() == [11, 12, 13, 14, 15]
    for name, column in OF_PRIORITY.items():
        expected = [1000 + column, 2000 + column, 3000 + column, 4000 + column]
        assert getattr(snapshot, name).tolist() == expected, name
    done = [[p + k.COMPLETED, p + k.FAILED] for p in (1000, 2000, 3000, 4000)]
    assert snapshot.tasks_processed.tolist() == done
    assert snapshot.dispatched.tolist() == [100 + k.DISPATCHED, 200 + k.DISPATCHED]
    assert snapshot.undispatched.tolist() == [100 + k.UNDISPATCHED, 200 + k.UNDISPATCHED]
    assert snapshot.finished.tolist() == [
        [tier + k.TIER_COMPLETED, tier + k.TIER_FAILED] for tier in (100, 200)
    ]
    for name, column in OF_POOL.items():
        expected = [100 + column, 200 + column, 300 + column] if column != k.TOTAL else [1000] * 3
        assert getattr(snapshot, name).tolist() == expected, name
    taken = k.IN_USE + k.LEAKED + k.DOWN
    assert snapshot.sandbox_available.tolist() == [700 - taken, 400 - taken, 100 - taken]
    for name, row in OF_HISTOGRAM.items():
        histogram = getattr(snapshot, name)
        first = 100 * (row + 1)
        assert histogram.counts.tolist() == list(range(first, first + k.BOUND_CELLS)), name
        assert histogram.sum_ns == 21 + row, name
    assert [getattr(snapshot, name) for name in OF_HEAD] == [501, 502, 503, 504, 505, 506]
    assert snapshot.network_sent_bytes.tolist() == [601, 602]
    assert snapshot.network_received_bytes.tolist() == [603, 604]
    assert snapshot.saturation == (2000 + k.DEPTH) / 2012


def test_what_is_of_the_world_and_of_its_system_is_handed_on(state):
    """Names, seed, load, faults and the path of scrapes."""
    snapshot = snapshot_of(state)
    assert (snapshot.seed, snapshot.arrival_rate, snapshot.faults) == (7, 410.0, FAULTS)
    assert (snapshot.exporter_up, snapshot.exporter_restarts) == (False, 5)
    assert snapshot.scrape_path == PATH
    assert snapshot.tiers == ("lead", "worker")
    assert snapshot.priorities == ("critical", "high", "normal", "low")
    assert snapshot.sandboxes == ("A", "B", "C")


def test_agents_and_what_they_hold_are_counted_by_state_tier_and_priority(state):
    """Two leads at work, workers in every state; their messages, memory and leaks."""
    agent, inbox, head = state.agent, state.inbox, state.head
    agent[:, k.STATE] = k.IDLE
    agent[[0, 1], k.STATE] = k.WORKING, k.HANGING
    agent[4:14, k.STATE] = [
        k.STOPPED, k.STARTING, k.STARTING, k.WORKING, k.WORKING, k.WORKING,
        k.HANGING, k.CRASH, k.CRASH, k.CRASH,
    ]  # fmt: skip
    agent[[0, 1, 7, 8, 9, 10, 11], k.META] = [0, 1 | k.ACKNOWLEDGED, 3, 3, 2, 3, 0]
    agent[[0, 4, 39], k.LEAKED_BYTES] = 1, 10, 100
    inbox[[1, 4, 5], k.TAKEN] = 9, 7, 4
    inbox[[1, 4], k.FREE_AT] = head[k.NOW] + 15, head[k.NOW] + 10
    head[k.QUEUED] = 3
    snapshot = snapshot_of(state)
    states = dict(zip(AGENT_STATES, snapshot.agents.T.tolist(), strict=True))
    assert list(states.values()) == [[0, 1], [0, 2], [2, 26], [1, 3], [1, 1], [0, 3]]
    assert snapshot.tasks_in_flight.tolist() == [1, 1, 1, 3]
    assert snapshot.in_flight_by_tier.tolist() == [2, 4]
    assert snapshot.messages_waiting == 2 + 1
    assert snapshot.messages_delivered.tolist() == [7, 10]
    topology = small()
    lead, worker = topology.tiers
    message = topology.message_bytes_min + 1023
    assert snapshot.memory_bytes.tolist() == [
        4 * lead.base_memory_bytes + 2 * lead.task_memory_bytes + 2 * message + 1
        + 3 * topology.queued_task_bytes,
        32 * worker.base_memory_bytes + 4 * worker.task_memory_bytes + message + 110,
    ]  # fmt: skip


def test_what_a_host_spent_is_spread_over_its_processors_by_mode(state):
    """Of the background 60, 25, 10 and 5 per cent; each host's two processors alike."""
    spent = [k.TASK_NS, k.MESSAGE_NS, k.BACKGROUND_NS, k.STOLEN_NS, k.IDLE_NS]
    state.host[1, spent] = 2000, 400, 1150, 60, 8000
    rows = [dict(zip(CPU_MODES, row, strict=True)) for row in snapshot_of(state).cpu_ns.tolist()]
    # A hundredth is 11; of the rest, 50, each mode has its own whole part.
    used = {
        "idle": 4000, "user": (2000 + 660 + 30) // 2, "system": (400 + 275 + 12) // 2,
        "iowait": (110 + 5) // 2, "softirq": (55 + 2) // 2, "steal": 30,
    }  # fmt: skip
    nothing = dict.fromkeys(used, 0)
    shown = [{mode: row[mode] for mode in used} for row in rows]
    assert shown == [nothing, nothing, used, used, *[nothing] * 4]
