"""CPU of the hosts, and what a host over its capacity does to work: exact accounts and instants."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import due_at, small

WORKER = 20
"""An agent on host 0."""
MS = 10**6
PARTS = [k.TASK_ACC, k.MESSAGE_ACC, k.BACKGROUND_ACC, k.STOLEN_ACC, k.IDLE_ACC]


@pytest.fixture
def bench():
    """Return 4 hosts of two CPUs, on which each busy agent asks for a hundredth of a core."""
    return Bench(small())


def ask(bench, *, busy=0, message=0, background=0, stolen=0):
    """Let host 0 be asked for these thousandths of a core, by so many busy agents."""
    columns = [k.BUSY, k.MESSAGE_CORES, k.BACKGROUND_CORES, k.STOLEN_CORES]
    bench.s.host[0, columns] = busy, message, background, stolen


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ((3, 100, 200, 300), [30, 100, 200, 300, 1370]),
        ((100, 200, 300, 500), [1000, 200, 300, 500, 0]),
        ((100, 600, 1600, 800), [500, 300, 800, 400, 0]),
        ((1, 1000, 1000, 1000), [6, 664, 664, 664, 2]),
    ],
    ids=["within capacity", "just full", "twice the capacity", "rounded down, the rest is idle"],
)
def test_what_is_used_is_booked_by_its_kind_up_to_the_capacity(bench, asked, used):
    """Over capacity every kind gets its share of it; a second account of one instant adds none."""
    ask(bench, **dict(zip(("busy", "message", "background", "stolen"), asked, strict=True)))
    for _ in range(2):
        bench.settle(0, 10)
    assert bench.s.host[0, PARTS].tolist() == [10 * cores for cores in used]
    assert bench.s.host[:, k.SETTLED_AT].tolist() == [10, 0, 0, 0]


def test_whole_nanoseconds_are_carried_out_of_every_account(bench):
    """Of each host and each kind; what is less than a nanosecond stays."""
    host = bench.s.host
    host[:, PARTS] = np.arange(20).reshape(4, 5) * 1000 + 999
    host[:, [k.TASK_NS, k.IDLE_NS]] = 7
    bench.fold_hosts()
    expected = np.arange(20).reshape(4, 5)
    expected[:, [0, 4]] += 7
    folded = host[:, [k.TASK_NS, k.MESSAGE_NS, k.BACKGROUND_NS, k.STOLEN_NS, k.IDLE_NS]]
    assert folded.tolist() == expected.tolist()
    assert (host[:, PARTS] == 999).all()


def test_messages_cost_until_the_next_tick_what_those_of_the_last_did(bench):
    """Handled ones only, 20 microseconds each; those of one tick are not counted in the next."""
    host, inbox = bench.s.host, bench.s.inbox
    inbox[:, k.INBOX_NS] = 10
    inbox[[4, 8, 5], k.TAKEN] = 902, 100, 500
    inbox[4, k.FREE_AT] = 20
    bench.measure_hosts(0)
    assert host[:, k.MESSAGE_CORES].tolist() == [200, 100, 0, 0]
    assert host[:, k.HANDLED].tolist() == [1000, 500, 0, 0]
    inbox[5, k.TAKEN] = 550
    bench.measure_hosts(20)
    assert host[:, k.MESSAGE_CORES].tolist() == [0, 10, 0, 0]
    assert host[:, k.HANDLED].tolist() == [1002, 550, 0, 0]
    assert host[:, k.SETTLED_AT].tolist() == [20] * 4
    inbox[6, k.TAKEN] = 1 << 46
    bench.measure_hosts(20)
    assert host[:, k.MESSAGE_CORES].tolist() == [0, 0, k.CORES_MAX, 0]


def timed(bench, agent=WORKER):
    """Return when an agent's next event is, when its work ends, and for which demand."""
    row = bench.s.agent[agent]
    return int(due_at(bench.s)[agent]), int(row[k.ENDS_AT]), int(row[k.CONTENDED])


def test_a_task_is_timed_by_the_demand_over_the_capacity_of_its_host(bench):
    """Its own part of the demand included; on a host within capacity it takes what it takes."""
    ask(bench, stolen=1990)
    bench.dispatch_task(WORKER, work_ns=1000 * MS)
    assert timed(bench) == (201 * MS, 1001 * MS, 0)
    assert bench.s.head[k.CONTENTION] == 0
    ask(bench, busy=1, stolen=2980)
    bench.dispatch_task(24, work_ns=1000 * MS)
    assert timed(bench, 24) == (301 * MS, 1501 * MS, 3000)
    assert bench.s.head[k.CONTENTION] == 1
    bench.dispatch_task(21, work_ns=1000 * MS)
    assert timed(bench, 21) == (201 * MS, 1001 * MS, 0)
    bench.finish(24, 1501 * MS)
    ask(bench)
    bench.dispatch_task(24, work_ns=1000 * MS, now=2000 * MS)
    assert timed(bench, 24)[2] == 0


def test_work_goes_on_at_the_speed_that_the_demand_of_each_tick_allows(bench):
    """Twice as slow, half as slow again, back to its own speed; other hosts and the hung stay."""
    for agent in (WORKER, 21):
        bench.dispatch_task(agent, work_ns=1000 * MS)
    bench.s.agent[24, k.HANGS] = 1
    bench.dispatch_task(24, work_ns=1000 * MS)
    watched = int(due_at(bench.s)[24])
    seen = []
    for stolen in (3980, 2980, 1980, 1980):
        ask(bench, busy=2, stolen=stolen)
        bench.retime_contended(MS)
        seen.append((*timed(bench), int(bench.s.head[k.CONTENTION])))
    usual = (201 * MS, 1001 * MS, 0, 0)
    assert seen == [(401 * MS, 2001 * MS, 4000, 1), (301 * MS, 1501 * MS, 3000, 1), usual, usual]
    assert timed(bench, 21) == (201 * MS, 1001 * MS, 0)
    assert due_at(bench.s)[24] == watched == bench.s.head[k.WATCHDOG_NS]


def test_leaks_grow_with_every_tick_of_agents_that_run_up_to_their_limit(bench):
    """The first of the directory too; a stopped one leaks nothing."""
    agent = bench.s.agent
    agent[[0, 7, 8, 9], k.LEAK_PER_TICK] = 5
    agent[[0, 7, 8, 9], k.LEAKED_BYTES] = 0, 0, k.LEAKED_MAX_BYTES - 7, k.LEAKED_MAX_BYTES - 5
    bench.leave_directory(7)
    for at in (1, 2):
        bench.tick(at * k.TICK_NS)
    leaked = agent[:, k.LEAKED_BYTES]
    limit = k.LEAKED_MAX_BYTES
    assert leaked[[0, 1, 7, 8, 9]].tolist() == [10, 0, 0, limit, limit]


def test_a_tick_bounds_every_counter_of_bytes_and_sets_the_next(bench):
    """All four; the control event is the next tick or a time-out before it."""
    head = bench.s.head
    counters = [k.SENT_MESSAGE_BYTES, k.SENT_REQUEST_BYTES,
                k.RECEIVED_MESSAGE_BYTES, k.RECEIVED_REQUEST_BYTES]  # fmt: skip
    head[counters] = k.BYTES_MAX + np.arange(1, 5)
    head[[k.FLOODED, k.DROPPED]] = k.BYTES_MAX + 1
    for expiry, control in ((k.NEVER, 2 * k.TICK_NS), (k.TICK_NS + 5, k.TICK_NS + 5)):
        head[k.NEXT_EXPIRY] = expiry
        bench.tick(k.TICK_NS)
        assert head[[k.NEXT_TICK, k.NEXT_CONTROL]].tolist() == [2 * k.TICK_NS, control]
    assert head[counters].tolist() == [k.BYTES_MAX] * 4
    assert head[[k.FLOODED, k.DROPPED, k.TICKS]].tolist() == [k.BYTES_MAX + 1] * 2 + [2]


@pytest.mark.parametrize(("below", "crashed"), [(500, 0), (501, 1)])
def test_those_targets_that_run_crash_at_the_rate_of_all(bench, below, crashed):
    """Two of four run: each crashes twice as often; a number is read for each target."""
    s = bench.s
    s.crash_targets[:4] = 0, 7, 8, 9
    s.head[k.CRASH_TARGETS] = 4
    s.agent[[0, 7, 8, 9], k.CRASHES_BELOW] = below
    for agent in (7, 9):
        bench.leave_directory(agent)
    s.crash_bits[:4] = np.array([1000, 0, 10**9, 0]) << k.HIGH_SHIFT
    bench.crash_at_random(0)
    state = s.agent[:, k.STATE]
    assert np.flatnonzero(state == k.CRASH).tolist() == [0][:crashed]
    assert s.head[[k.CRASH_CURSOR, k.CRASHED]].tolist() == [4, crashed]
