"""A task on its agent, step by step: slots, first result, failure, end, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import due_at, small

WORKER, OTHER = 20, 21
MS = 10**6
TRIPLE = 2 | k.ALL_POOLS << k.NEED_SHIFT
"""The kind of a triple-verified task of normal priority."""
CALLS = 2 | k.DEPENDENCY_BIT
BELOW = 1000
"""A threshold of failure: draws below it fail."""


@pytest.fixture
def bench():
    """Return 36 idle workers, three pools of 8 slots, messages that take a millisecond."""
    return Bench(small())


def due(bench, agent=WORKER):
    """Return when an agent's next event is."""
    return int(due_at(bench.s)[agent])


def pools(bench, column):
    """Return a column of the three pools."""
    return bench.s.pool[:, column].tolist()


def waiters(bench):
    """Return how many agents wait for a slot of each pool."""
    groups = int(bench.s.head[k.GROUPS])
    return bench.s.lists[groups + 1 :, k.LENGTH].tolist()


@pytest.mark.parametrize("taken", [k.IN_USE, k.LEAKED, k.DOWN])
def test_the_last_slot_is_taken_and_then_agents_wait_in_their_order(bench, taken):
    """Slots that leaked or are down are not there; the first to come is the first to be served."""
    bench.s.pool[1, taken] = 7
    for agent in (WORKER, 10, OTHER):
        bench.dispatch_task(agent, work_ns=100 * MS, meta=2 | 2 << k.NEED_SHIFT)
    assert bench.s.agent[[WORKER, 10, OTHER], k.HELD].tolist() == [2, 0, 0]
    assert waiters(bench) == [0, 2, 0]
    assert (due(bench, 10), due(bench)) == (k.NEVER, 21 * MS)
    bench.s.pool[1, taken] -= 1
    bench.grant(1, 5 * MS)
    assert bench.s.agent[[WORKER, 10, OTHER], k.HELD].tolist() == [2, 2, 0]
    assert bench.s.agent[[10, OTHER], k.STAGE].tolist() == [k.FIRST_RESULT, k.WAITS_SLOT]
    assert (due(bench, 10), waiters(bench)) == (25 * MS, [0, 1, 0])
    assert pools(bench, k.EXECUTIONS) == [0, 2, 0]


def test_a_triple_verified_task_takes_what_it_lacks_and_runs_three_times(bench):
    """Each run by its own factor, none shorter than the first result; then a merge."""
    s, agent = bench.s, bench.s.agent[WORKER]
    s.pool[1, k.IN_USE] = 8
    s.factors[:6] = 0.01, 2.0, 0.5, 1.5, 0.1, 0.02
    bench.dispatch_task(WORKER, work_ns=100 * MS, meta=TRIPLE)
    assert (agent[k.HELD], agent[k.STAGE], waiters(bench)) == (1, k.WAITS_SLOT, [0, 1, 0])
    s.pool[1, k.IN_USE] = 7
    bench.grant(1, 7 * MS)
    assert (agent[k.HELD], waiters(bench)) == (7, [0, 0, 0])
    assert (pools(bench, k.IN_USE), pools(bench, k.EXECUTIONS)) == ([1, 8, 1], [1, 1, 1])
    runs = [k.RELEASE_1, k.RELEASE_2, k.RELEASE_3]
    assert agent[runs].tolist() == [27 * MS, 207 * MS, 57 * MS]
    assert (due(bench), agent[k.ENDS_AT], s.head[k.FACTOR_CURSOR]) == (27 * MS, 107 * MS, 3)
    bench.dispatch_task(OTHER, work_ns=100 * MS, meta=TRIPLE)
    s.pool[1, k.IN_USE] = 7
    bench.grant(1, 0)
    assert s.agent[OTHER, runs].tolist() == [151 * MS, 21 * MS, 21 * MS]
    assert s.head[k.FACTOR_CURSOR] == 6
    bench.first_result(WORKER, 27 * MS)
    seen = [(int(agent[k.STAGE]), due(bench), int(agent[k.HELD]))]
    for _ in range(3):
        bench.release_next(WORKER, due(bench))
        seen.append((int(agent[k.STAGE]), due(bench), int(agent[k.HELD])))
    assert seen == [
        (k.RELEASES, 27 * MS, 7), (k.RELEASES, 57 * MS, 6), (k.RELEASES, 207 * MS, 2),
        (k.ENDS, 209 * MS, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("meta", "draw", "fails"),
    [
        (2, (BELOW - 1) << k.DRAW_BITS | BELOW, True),
        (2, BELOW << k.DRAW_BITS | BELOW, False),
        (2, BELOW << k.DRAW_BITS, False),
        (CALLS, BELOW << k.DRAW_BITS | BELOW - 1, True),
        (CALLS, BELOW << k.DRAW_BITS | BELOW, False),
    ],
    ids=["below", "at it", "calls nothing", "its call fails", "its call does not"],
)
@pytest.mark.parametrize("answered", [False, True])
def test_a_task_fails_below_the_threshold_of_its_agent_or_of_what_it_calls(
    bench, meta, draw, fails, answered
):
    """At its first result, with as many messages as a success; it is answered once."""
    s, agent = bench.s, bench.s.agent[WORKER]
    meta |= 1 << k.NEED_SHIFT | k.ACKNOWLEDGED * answered
    bench.dispatch_task(WORKER, work_ns=100 * MS, meta=meta, now=50 * MS)
    agent[[k.DRAW, k.ARRIVED_AT]] = draw, 10 * MS
    agent[k.FAILS_BELOW] = s.head[k.DEPENDENCY_FAILS_BELOW] = BELOW
    bench.first_result(WORKER, 70 * MS)
    assert s.http.tolist() == [int(not (answered or fails)), 0, int(fails and not answered), 0, 0]
    assert s.histogram_sum[k.HTTP_DURATION] == (0 if answered else 60_500_000)
    assert s.histogram_sum[k.TASK_DURATION] == 20 * MS * fails
    assert s.head[[k.SENT, k.BIT_CURSOR]].tolist() == ([10, 9] if fails else [4, 3])
    assert s.priority[:, k.FAILED].tolist() == [0, 0, int(fails), 0]
    assert s.tier[:, k.TIER_FAILED].tolist() == [0, int(fails)]
    assert (s.host[0, k.BUSY], pools(bench, k.IN_USE)) == (int(not fails), [int(not fails), 0, 0])
    if fails:
        assert (agent[k.STATE], due(bench)) == (k.IDLE, k.NEVER)
    else:
        assert agent[[k.STATE, k.STAGE]].tolist() == [k.WORKING, k.ENDS]
        assert (agent[k.META], due(bench)) == (meta | k.ACKNOWLEDGED, 151 * MS)


@pytest.mark.parametrize("priority", range(k.PRIORITIES))
def test_an_end_is_counted_by_priority_and_tier_and_timed_from_the_dispatch(bench, priority):
    """With the last messages; its slot is free, its agent idle again."""
    s, agent = bench.s, bench.s.agent[WORKER]
    bench.dispatch_task(WORKER, work_ns=MS, meta=priority | 4 << k.NEED_SHIFT, now=5 * MS)
    agent[k.ARRIVED_AT] = 0
    bench.finish(WORKER, 30 * MS)
    assert s.priority[:, k.COMPLETED].tolist() == [int(p == priority) for p in range(4)]
    assert s.tier[:, k.TIER_COMPLETED].tolist() == [0, 1]
    assert s.histogram_sum[k.TASK_DURATION] == 25 * MS
    assert (s.head[k.BIT_CURSOR], s.host[0, k.BUSY], s.http.sum()) == (6, 0, 0)
    assert (pools(bench, k.IN_USE), agent[k.HELD], agent[k.STATE]) == ([0] * 3, 0, k.IDLE)


@pytest.mark.parametrize(
    ("meta", "below", "call"),
    [(CALLS, 1, 30 * MS), (CALLS, 0, 0), (2, 1, 0)],
    ids=["calls", "a dependency that never fails", "calls nothing"],
)
def test_a_failing_dependency_adds_its_latency_before_the_work(bench, meta, below, call):
    """To the millisecond in which its message is handled; work by the agent's own slowness."""
    s, agent = bench.s, bench.s.agent[WORKER]
    s.head[[k.DEPENDENCY_FAILS_BELOW, k.DEPENDENCY_NS]] = below, 30 * MS
    s.agent_real[WORKER, [k.SLOWNESS, k.START_SLOWNESS]] = 3.0, 7.0
    agent[k.SLOWNESS_ON] = 1
    bench.dispatch_task(WORKER, work_ns=100 * MS, meta=meta)
    columns = [k.CALL_NS, k.READY_AT, k.SLOWED_NS, k.ENDS_AT, k.WORK_NS]
    ready = MS + call
    assert agent[columns].tolist() == [call, ready, 300 * MS, ready + 300 * MS, 100 * MS]
    assert due(bench) == ready + 60 * MS
    counters = [k.SENT, k.SENT_MESSAGE_BYTES, k.RECEIVED_MESSAGE_BYTES]
    assert s.head[counters].tolist() == [1, 256, 256]
    assert s.tier[:, k.DISPATCHED].tolist() == [0, 1]


def test_a_hung_agent_keeps_its_task_until_the_watchdog_crashes_it(bench):
    """Its task is then given to an idle agent at once, with one attempt fewer."""
    s, agent = bench.s, bench.s.agent[WORKER]
    agent[k.HANGS] = 1
    bench.dispatch_task(WORKER, work_ns=100 * MS, now=5 * MS)
    agent[[k.RETIRE, k.LEAKED_BYTES]] = k.RESTART, 99
    assert agent[[k.STATE, k.STAGE]].tolist() == [k.HANGING, k.WATCHED]
    assert (due(bench), s.head[k.HUNG], s.host[0, k.BUSY]) == (20_005 * MS, 1, 1)
    bench.crash(WORKER, 20_005 * MS)
    assert (s.priority[2, k.RETRIED], s.head[k.QUEUED], s.host[0, k.BUSY]) == (1, 0, 1)
    assert agent[[k.STATE, k.STAGE, k.RETIRE, k.LEAKED_BYTES]].tolist() == [
        k.CRASH, k.COMES_BACK, k.STAY, 0,
    ]  # fmt: skip
    (busy,) = np.flatnonzero(s.agent[:, k.STATE] == k.WORKING)
    assert s.agent[busy, [k.META, k.ARRIVED_AT]].tolist() == [2 | 1 << k.ATTEMPT_SHIFT, 5 * MS]
    assert due(bench) == 20_505 * MS


def test_a_waiter_that_crashes_waits_no_more_and_gives_back_what_it_held(bench):
    """Its slot of the first pool goes to the next in line, and its place in the second's list."""
    s = bench.s
    s.pool[:2, k.IN_USE] = 7, 8
    bench.dispatch_task(WORKER, work_ns=100 * MS, meta=TRIPLE)
    bench.dispatch_task(OTHER, work_ns=100 * MS, meta=2 | 1 << k.NEED_SHIFT)
    assert waiters(bench) == [1, 1, 0]
    s.head[k.RETRIES] = 0
    bench.crash(WORKER, 5 * MS)
    assert (waiters(bench), pools(bench, k.IN_USE)) == ([0, 0, 0], [8, 8, 0])
    assert s.agent[[WORKER, OTHER], k.HELD].tolist() == [0, 1]
    assert (s.http[k.ERROR], s.histogram_sum[k.HTTP_DURATION]) == (1, 5_500_000)
    assert s.histogram_sum[k.TASK_DURATION] == 5 * MS


@pytest.mark.parametrize("state", [k.STOPPED, k.CRASH])
def test_what_does_not_run_cannot_crash(bench, state):
    """Nor is its way back delayed."""
    bench.s.agent[WORKER, k.STATE] = state
    bench.schedule(WORKER, 77)
    bench.crash(WORKER, 5)
    assert (bench.s.head[k.CRASHED], due(bench)) == (0, 77)


@pytest.mark.parametrize("slowness", [1.0, 2.5])
@pytest.mark.parametrize("leaked", [0, 99])
def test_a_start_takes_a_drawn_time_by_its_own_slowness(bench, slowness, leaked):
    """What it leaked is gone; it stays unless it is asked again, and its start is timed."""
    s, agent = bench.s, bench.s.agent[WORKER]
    s.starts[:2] = 40, 60
    s.agent_real[WORKER, [k.SLOWNESS, k.START_SLOWNESS]] = 9.0, slowness
    s.head[k.START_CURSOR] = 1
    agent[[k.RETIRE, k.LEAKED_BYTES]] = k.RESTART, leaked
    bench.retire(WORKER, 100)
    took = int(60 * slowness)
    columns = [k.STATE, k.STAGE, k.RETIRE, k.LEAKED_BYTES, k.STARTED_AT]
    assert agent[columns].tolist() == [k.STARTING, k.COMES_UP, k.STAY, 0, 100]
    assert (due(bench), s.head[k.START_CURSOR]) == (100 + took, 2)
    bench.come_up(WORKER, 100 + took)
    assert (s.head[k.STARTED], s.histogram_sum[k.STARTUP_DURATION]) == (1, took)
    assert agent[[k.STATE, k.STAGE, k.PLACE]].tolist() == [k.IDLE, k.NOTHING, 39]
    assert s.directory[39] == WORKER


def test_a_stopped_agent_keeps_nothing_and_one_in_a_crash_loop_is_never_in_the_directory(bench):
    """The one has leaked nothing and has nothing due; the other dies when its time is over."""
    s, agent = bench.s, bench.s.agent[WORKER]
    agent[[k.RETIRE, k.LEAKED_BYTES]] = k.STOP, 99
    bench.retire(WORKER, 0)
    assert agent[[k.STATE, k.STAGE, k.RETIRE, k.LEAKED_BYTES]].tolist() == [k.STOPPED, 0, k.STAY, 0]
    assert (due(bench), s.lists[int(s.head[k.GROUPS]), k.LENGTH]) == (k.NEVER, 1)
    agent[[k.LOOPS, k.ALIVE_NS]] = 1, 500
    bench.begin_start(WORKER, 0)
    bench.come_up(WORKER, 1000)
    assert agent[[k.STATE, k.STAGE, k.PLACE]].tolist() == [k.IDLE, k.DIES, -1]
    assert (due(bench), s.head[k.RUNNING]) == (1500, 39)


def test_a_free_agent_takes_the_first_of_the_highest_priority_of_its_classes(bench):
    """And nothing of a class that it does not take; the others stay in their order."""
    other = 1 << k.CLASS_SHIFT
    for number, meta in enumerate((3, 2 | other, 2, 0 | other, 2, 1)):
        assert bench.enqueue(number, 10 + number, MS, meta, 0)
    order = []
    for _ in range(5):
        bench.unlink(WORKER)
        bench.become_free(WORKER, 100)
        order.append(int(bench.s.agent[WORKER, k.ARRIVED_AT]))
        if bench.s.agent[WORKER, k.STATE] == k.WORKING:
            bench.change_busy(WORKER, 100, -1)
    assert order == [15, 12, 14, 10, 10]
    assert bench.s.agent[WORKER, k.STATE] == k.IDLE
    assert bench.s.priority[:, k.DEPTH].tolist() == [1, 0, 1, 0]
    assert bench.s.head[k.QUEUED] == 2


def test_the_limit_of_a_priority_is_over_both_classes_and_time_outs_of_each_lane(bench):
    """A third task finds no room; a task that was answered before is not answered at its end."""
    s, other = bench.s, 1 << k.CLASS_SHIFT
    s.priority[1, [k.DEPTH_LIMIT, k.WAIT_NS]] = 2, 50
    tasks = ((0, 1), (30, 1 | other | k.ACKNOWLEDGED), (40, 1))
    assert [bench.enqueue(now, now, MS, meta, 0) for now, meta in tasks] == [True, True, False]
    seen = []
    for now in (49, 50, 79, 80):
        bench.expire(now)
        timing = s.head[[k.NEXT_EXPIRY, k.NEXT_CONTROL]].tolist()
        seen.append((int(s.priority[1, k.TIMED_OUT]), int(s.http[k.TIMEOUT]), *timing))
    tick = k.TICK_NS
    assert seen == [(0, 0, 50, 50), (1, 1, 80, 80), (1, 1, 80, 80), (2, 1, k.NEVER, tick)]
    assert bench.enqueue(tick, tick, MS, 1, 0)
    assert s.head[[k.NEXT_EXPIRY, k.NEXT_CONTROL]].tolist() == [tick + 50, tick]


def test_an_execution_that_is_lost_leaves_its_agent_free_for_the_task_itself(bench):
    """When nobody else is idle; the slot is back, the attempt is counted."""
    s = bench.s
    for agent in range(4, 40):
        bench.dispatch_task(agent, work_ns=100 * MS, meta=2 | (agent == WORKER) << k.NEED_SHIFT)
    bench.lose_execution(WORKER, 30 * MS)
    meta = 2 | 1 << k.NEED_SHIFT | 1 << k.ATTEMPT_SHIFT
    columns = [k.STATE, k.META, k.HELD, k.DISPATCHED_AT, k.ARRIVED_AT]
    assert s.agent[WORKER, columns].tolist() == [k.WORKING, meta, 1, 30 * MS, 0]
    assert (s.priority[2, k.RETRIED], pools(bench, k.IN_USE)) == (1, [1, 0, 0])
    assert (s.head[k.QUEUED], pools(bench, k.EXECUTIONS)) == (0, [2, 0, 0])


def test_a_waiter_that_loses_the_slot_it_holds_waits_no_more(bench):
    """Its place in the line of the next pool is free too, before anybody is served."""
    s = bench.s
    s.head[k.RETRIES] = 0
    s.pool[1, k.IN_USE] = 8
    for agent in (WORKER, OTHER):
        bench.dispatch_task(agent, work_ns=100 * MS, meta=TRIPLE)
    bench.lose_execution(WORKER, 5 * MS)
    assert (waiters(bench), pools(bench, k.IN_USE)) == ([0, 1, 0], [1, 8, 0])
    assert s.agent[WORKER, [k.STATE, k.LIST]].tolist() == [k.IDLE, s.agent[WORKER, k.GROUP]]
    s.pool[1, k.IN_USE] = 6
    bench.grant(1, 6 * MS)
    assert s.agent[[WORKER, OTHER], k.HELD].tolist() == [0, 7]
