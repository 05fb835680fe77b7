"""What happens at each tick and once a second, and who serves and is served in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.kernel import loop as k
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import small

LEAD, WORKER, OTHER = 0, 20, 21
MS = 10**6
COORDINATION = 2 | 1 << k.CLASS_SHIFT


@pytest.fixture
def bench():
    """Return 4 leads and 36 workers, all running and idle, and no load."""
    return Bench(small())


def test_the_fleet_is_scaled_at_every_tenth_tick_and_at_no_other(bench):
    """Once a second, the first time after a second."""
    scaled = []
    for tick in range(1, 31):
        bench.s.head[k.DESIRED] = -1
        bench.advance(tick * k.TICK_NS)
        if bench.s.head[k.DESIRED] != -1:
            scaled.append(tick)
    assert scaled == [10, 20, 30]


def test_at_a_tick_agents_crash_at_random_before_others_restart_in_turn(bench):
    """Each of both once a tick; whoever crashed is passed over by the restarts."""
    s = bench.s
    s.head[[k.CRASH_TARGETS, k.RECYCLE_PER_TICK, k.RECYCLE_AT]] = 1, k.MICRO, WORKER
    s.crash_targets[0], s.agent[WORKER, k.CRASHES_BELOW] = WORKER, 1 << k.DRAW_BITS
    bench.advance(k.TICK_NS - 1)
    assert (s.agent[:, k.STATE] == k.IDLE).all()
    bench.advance(k.TICK_NS)
    assert s.agent[WORKER : WORKER + 3, k.STATE].tolist() == [k.CRASH, k.STARTING, k.IDLE]
    assert s.head[[k.CRASHED, k.CRASH_CURSOR, k.RECYCLE_AT]].tolist() == [1, 1, WORKER + 2]


def test_the_directory_stays_dense_and_each_in_it_knows_its_place(bench):
    """Whoever leaves: one in the middle, who took its place, the first, the last, one twice."""
    s = bench.s
    for gone in (3, 39, 0, 37, 38, 3, 20):
        bench.leave_directory(gone)
        running = int(s.head[k.RUNNING])
        assert s.agent[gone, k.PLACE] == -1
        assert s.agent[s.directory[:running], k.PLACE].tolist() == list(range(running))
    assert running == 34


@pytest.mark.parametrize("before_end", [2, 200])
def test_a_lane_is_first_in_first_out_round_the_end_of_its_room(bench, before_end):
    """However many agents there are."""
    s = bench.s
    lane = s.lanes[4]
    lane[k.HEAD] = (s.head[k.RING_ROOM] - before_end) % s.head[k.RING_ROOM]
    for number in range(90):
        assert bench.enqueue(number, number, MS, 2, 0)
    order = []
    for _ in range(90):
        bench.unlink(WORKER)
        assert bench.take_next(WORKER, 100)
        order.append(int(s.agent[WORKER, k.ARRIVED_AT]))
    assert order == list(range(90))
    assert (lane[k.LENGTH], s.head[k.QUEUED], s.priority[2, k.DEPTH]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("retire", "state"),
    [(k.STAY, k.WORKING), (k.RESTART, k.STARTING), (k.STOP, k.STOPPED)],
    ids=["stays", "restarts", "stops"],
)
@pytest.mark.parametrize("by", ["finish", "first_result", "lose_execution"])
def test_an_agent_that_is_to_retire_does_so_as_soon_as_it_is_free(bench, retire, state, by):
    """Though a task waits, which it takes if it stays, however its own came to an end."""
    s = bench.s
    bench.dispatch_task(WORKER, work_ns=100 * MS)
    for agent in range(4, 40):
        if agent != WORKER:
            bench.unlink(agent)
    assert bench.enqueue(7, 7, MS, 2, 0)
    s.agent[WORKER, [k.RETIRE, k.FAILS_BELOW]] = retire, 1 << k.DRAW_BITS
    getattr(bench, by)(WORKER, 30 * MS)
    assert s.agent[WORKER, [k.STATE, k.RETIRE]].tolist() == [state, k.STAY]
    assert s.head[k.QUEUED] == int(retire != k.STAY) + int(by == "lose_execution")


@pytest.mark.parametrize("step", ["lose_execution", "crash"])
def test_a_task_that_its_agent_cannot_keep_goes_to_the_next_idle_one_at_once(bench, step):
    """Its agent restarts."""
    s = bench.s
    bench.dispatch_task(WORKER, work_ns=100 * MS)
    s.agent[WORKER, k.RETIRE] = k.RESTART
    getattr(bench, step)(WORKER, 30 * MS)
    (busy,) = np.flatnonzero(s.agent[:, k.STATE] == k.WORKING)
    assert (busy, s.head[k.QUEUED]) == (4, 0)
    assert s.agent[4, [k.DISPATCHED_AT, k.META]].tolist() == [30 * MS, 2 | 1 << k.ATTEMPT_SHIFT]


def test_a_class_is_served_by_every_tier_that_takes_it_in_their_order():
    """Coordination by the leads while one is idle, then by workers; work by workers alone."""
    lead, worker = small().tiers
    bench = Bench(small(tiers=(lead, replace(worker, takes=("work", "coordination")))))
    s = bench.s
    s.real_head[k.RATE] = 0.0
    for number in range(6):
        s.tasks[number] = 2 if number == 5 else COORDINATION, MS, 0
        bench.arrive(0)
    assert np.flatnonzero(s.agent[:, k.STATE] == k.WORKING).tolist() == [0, 1, 2, 3, 4, 5]
    for agent in range(6, 40):
        bench.unlink(agent)
    for kind in (2, COORDINATION):
        assert bench.enqueue(kind, kind, MS, kind, 0)
    seen = []
    for agent in (4, 5):
        bench.finish(agent, 9 * MS)
        seen.append(int(s.agent[agent, k.META]))
    assert seen == [2, COORDINATION]


def test_cpu_is_accounted_to_the_nanosecond_at_which_the_demand_changes(bench):
    """One nanosecond is time as well."""
    s = bench.s
    s.host[0, k.BACKGROUND_CORES] = 0
    for at, by in ((1, 1), (2, 1), (3, -1), (5, -1)):
        bench.change_busy(WORKER, at, by)
        assert s.host[0, k.SETTLED_AT] == at
    assert s.host[0, [k.BUSY, k.TASK_ACC]].tolist() == [0, 10 * (1 + 2 + 2)]


def test_restarts_go_round_the_whole_fleet_once_a_tick_at_most(bench):
    """Past those that do not run, from the last to the first; one who restarts is passed over."""
    s = bench.s
    s.head[[k.RECYCLE_PER_TICK, k.RECYCLE_AT]] = k.MICRO, 38
    for gone in (4, 5):
        bench.leave_directory(gone)
    seen = []
    for _ in range(4):
        bench.recycle(0)
        seen.append(int(s.head[k.RECYCLE_AT]))
    assert seen == [39, 0, 7, 8]
    s.agent[8:, k.SCALES], s.head[k.RECYCLE_AT] = np.arange(8, 40) == 20, 21
    bench.recycle(0)
    assert (s.agent[20, k.STATE], s.head[k.RECYCLE_AT]) == (k.STARTING, 21)


def test_an_agent_of_a_fixed_tier_that_is_starting_counts_among_the_fleet():
    """None is started in its place."""
    bench = Bench(small(active_floor=20))
    bench.s.head[k.FLOOR] = 20
    bench.leave_directory(LEAD)
    bench.begin_start(LEAD, 0)
    bench.scale_fleet(0)
    assert np.flatnonzero(bench.s.agent[:, k.STATE] == k.STARTING).tolist() == [LEAD]


@pytest.mark.parametrize("duration", [2**31 - 1, 2**31, 3 * 10**9], ids=str)
def test_a_long_duration_is_counted_in_the_cell_of_its_bound_whatever_came_before(bench, duration):
    """Two seconds and more are beyond the table that says in which cell to begin."""
    w = bench.s.w
    for each in (255, duration):
        bench.observe(0, each)
    bounds = w[k.BOUNDS : k.BOUNDS + k.BOUND_CELLS]
    cell = int(np.searchsorted(bounds, duration))
    assert np.flatnonzero(bench.s.histogram[0]).tolist() == [0, cell]
