"""The kernel's rare steps one by one, on tables set by hand: each rule at its edge."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.state import messages_waiting
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import due_at, small

WORKER = 20
"""An agent of the scaled tier."""


@pytest.fixture
def bench():
    """Return 4 leads and 36 workers, all running and idle, whose steps are called by hand."""
    return Bench(small())


def running(bench):
    """Return how many agents are in the directory."""
    return int(bench.s.head[k.RUNNING])


@pytest.mark.parametrize(
    ("desired", "stopped"),
    [(36, 3), (37, 2), (38, 1), (39, 0), (40, 0)],
    ids=str,
)
def test_the_fleet_shrinks_only_beyond_its_margin(desired, stopped):
    """More than a twenty-fifth above what is desired: of 36 to 39, one agent more is let be."""
    bench = Bench(small(active_floor=40))
    bench.s.head[k.FLOOR] = desired
    bench.scale_fleet(0)
    assert (bench.s.head[k.DESIRED], 40 - running(bench)) == (desired, stopped)


def test_the_fleet_never_stops_more_than_so_many_a_second_nor_the_fixed():
    """From the last agent on; the busy ones and those of the fixed tier stay."""
    bench = Bench(small(scale_down_per_s=3))
    bench.s.head[k.FLOOR] = 1
    bench.dispatch_task(38, work_ns=10**9)
    for _ in range(2):
        bench.scale_fleet(0)
    state = bench.s.agent[:, k.STATE]
    assert np.flatnonzero(state == k.STOPPED).tolist() == [33, 34, 35, 36, 37, 39]
    for _ in range(40):
        bench.scale_fleet(0)
    assert (state[:4] == k.IDLE).all()
    assert state[38] == k.WORKING


@pytest.mark.parametrize(
    ("floor", "reserved", "desired"), [(10, 30, 30), (30, 10, 30), (99, 9, 40)]
)
def test_the_fleet_is_the_largest_of_floor_reservation_and_demand(floor, reserved, desired):
    """They are not added, and no more is desired than there is."""
    bench = Bench(small())
    bench.s.head[[k.FLOOR, k.RESERVED]] = floor, reserved
    bench.scale_fleet(0)
    assert bench.s.head[k.DESIRED] == desired


def test_demand_is_smoothed_and_divided_by_the_target_utilisation():
    """Agents at work and tasks queued: 6 + 3, no more than the fleet; hung ones are at work."""
    bench = Bench(small())
    head, reals = bench.s.head, bench.s.real_head
    for agent in range(10, 16):
        bench.dispatch_task(agent, work_ns=10**9)
    bench.s.agent[10, k.STATE] = k.HANGING
    bench.dispatch_task(0, work_ns=10**9)
    head[[k.FLOOR, k.QUEUED]] = 1, 3
    reals[[k.SCALING_GAIN, k.UTILISATION]] = 0.25, 0.5
    bench.scale_fleet(0)
    assert reals[k.BUSY_AVERAGE] == 0.25 * 9
    assert head[k.DESIRED] == 4 + int(0.25 * 9 / 0.5) + 1
    head[k.QUEUED] = 1000
    reals[k.SCALING_GAIN] = 1.0
    bench.scale_fleet(0)
    assert reals[k.BUSY_AVERAGE] == 36.0


def test_the_fleet_starts_so_many_a_second_and_counts_those_that_are_starting():
    """Ten are missing, four start in a second, until none is missing."""
    bench = Bench(small(active_floor=20, scale_up_per_s=4))
    bench.s.head[k.FLOOR] = 30
    started = []
    for _ in range(4):
        bench.scale_fleet(0)
        started.append(int((bench.s.agent[:, k.STATE] == k.STARTING).sum()))
    assert started == [4, 8, 10, 10]


@pytest.mark.parametrize("why", [k.RESTART, k.STOP])
def test_what_waits_at_a_retired_agent_counts_as_delivered(bench, why):
    """An orderly end loses no message: none is dropped."""
    agent, inbox, head = bench.s.agent[WORKER], bench.s.inbox[WORKER], bench.s.head
    bench.unlink(WORKER)
    inbox[[k.FREE_AT, k.INBOX_NS, k.TAKEN]] = 3 * 10**6, 10**6, 8
    assert bench.waiting(WORKER, 0) == 3
    agent[k.RETIRE] = why
    bench.retire(WORKER, 0)
    assert (inbox[k.TAKEN], bench.waiting(WORKER, 0), head[k.DROPPED]) == (8, 0, 0)
    assert agent[k.STATE] == (k.STARTING if why == k.RESTART else k.STOPPED)
    assert (agent[k.PLACE], agent[k.RETIRE], running(bench)) == (-1, k.STAY, 39)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_an_inbox_handles_one_message_after_another_and_is_full_at_its_limit(bench, limit):
    """Beside a list of when each is handled; the orchestrator's own message always has a place."""
    inbox, row = bench.s.inbox[WORKER], bench.inbox_row(WORKER)
    bench.s.head[k.INBOX_LIMIT] = limit
    inbox[[k.FREE_AT, k.INBOX_NS, k.TAKEN]] = 0, 10, 0
    ends: list[int] = []
    now = taken = 0
    for passed in [0, 3, 0, 0, 9, 1, 1, 20, 0, 0, 0, 0, 0, 0, 10, 5, 5, 40, 0, 30, 9, 0, 1] * 2:
        now += passed
        ends = [at for at in ends if at > now]
        dispatched = passed == 1
        fits = dispatched or len(ends) < limit
        if fits:
            ends.append(max([now, *ends]) + 10)
            taken += 1
        answer = bench.accept(WORKER, now) if dispatched else bench.deliver(row, now)
        assert answer == (ends[-1] if dispatched else fits)
        assert (bench.waiting(WORKER, now), inbox[k.TAKEN]) == (len(ends), taken)
        assert messages_waiting(bench.s._replace(head=np.array([now])))[WORKER] == len(ends)


@pytest.mark.parametrize("agent", [0, 1, 17, 39])
def test_every_node_of_the_tournament_is_the_least_of_its_children(bench, agent):
    """Earlier, later, the earliest, never: a climb that left one out would lose an event."""
    due = bench.s.due
    leaves = len(due) // 2
    for at in (500, 100, 900, 50, None, 700):
        if at is None:
            bench.await_nothing(agent)
        else:
            bench.schedule(agent, at)
        bench.schedule((agent + 3) % 40, 60 if at is None else at + 7)
        for node in range(1, leaves // 3 + 1):
            if 4 * node < 2 * leaves:
                assert due[node] == due[4 * node : 4 * node + 4].min()
        assert bench.next_at() == due_at(bench.s).min()
        assert bench.earliest() == due_at(bench.s).argmin()


def test_the_epoch_follows_the_clock_at_a_tick_before_anything_far_could_be_next(bench):
    """Not a tick too early; what waits is due when it was."""
    bench.schedule(3, k.EPOCH_NS + 5)
    bench.tick(k.EPOCH_NS - 1)
    assert (bench.s.head[k.EPOCH], bench.next_at()) == (0, k.EPOCH_NS + 5)
    for at in (k.EPOCH_NS, 2 * k.EPOCH_NS - 1):
        bench.tick(at)
        assert (bench.s.head[k.EPOCH], bench.next_at()) == (k.EPOCH_NS, k.EPOCH_NS + 5)
    assert k.EPOCH_NS + k.TICK_NS < k.FAR_NS


def test_of_two_events_at_one_instant_the_lower_agent_comes_first(bench):
    """Whoever was scheduled first."""
    for agents in ([7, 31], [31, 7], [0, 39], [39, 0]):
        for agent in agents:
            bench.schedule(agent, 1_000)
        assert (bench.next_at(), bench.earliest()) == (1_000, min(agents))
        for agent in agents:
            bench.await_nothing(agent)


def test_what_is_far_is_kept_to_the_nanosecond_when_the_epoch_moves(bench):
    """Near stays near, far comes near, never stays never; and what is next stays next."""
    hour = 3600 * 10**9
    instants = [5 * hour + 1, 4 * hour + 7, 5 * 10**17 + 3, k.CLOCK_MAX_NS]
    for agent, at in enumerate(instants):
        bench.schedule(agent, at)
    assert [bench.pending_at(agent) for agent in range(4)] == instants
    assert (due_at(bench.s)[:5] == [*instants, k.NEVER]).all()
    assert (bench.next_at(), bench.earliest()) == (4 * hour + 7, 1)
    bench.move_epoch(4 * hour)
    assert bench.s.head[k.EPOCH] == 4 * hour
    assert (due_at(bench.s)[:5] == [*instants, k.NEVER]).all()
    bench.await_nothing(1)
    assert (bench.next_at(), bench.earliest()) == (5 * hour + 1, 0)


def test_what_waits_at_a_crashed_agent_is_dropped_but_for_what_was_handled(bench):
    """One of three messages was handled before the crash."""
    agent, inbox, head = bench.s.agent[WORKER], bench.s.inbox[WORKER], bench.s.head
    inbox[[k.FREE_AT, k.INBOX_NS, k.TAKEN]] = 200, 50, 8
    bench.crash(WORKER, 120)
    assert (inbox[k.TAKEN], bench.waiting(WORKER, 120), head[k.DROPPED]) == (6, 0, 2)
    assert (agent[k.STATE], agent[k.PLACE], head[k.CRASHED]) == (k.CRASH, -1, 1)
    bench.crash(WORKER, 130)
    assert head[k.CRASHED] == 1


def test_a_backoff_doubles_up_to_its_limit_and_begins_anew_once_an_agent_stays_up():
    """Half a second, one, two, three, three; then half a second again."""
    bench = Bench(small(restart_backoff_s=0.5, restart_backoff_limit_s=3.0))
    agent = bench.s.agent[WORKER]
    agent[[k.LOOPS, k.ALIVE_NS]] = 1, 1000
    waits = []
    for loops in (1, 1, 1, 1, 0, 0):
        bench.crash(WORKER, 0)
        waits.append(int(agent[k.BACKOFF]) / 1e9)
        agent[k.LOOPS] = loops
        bench.begin_start(WORKER, 0)
        bench.come_up(WORKER, 0)
    assert waits == [0.5, 1.0, 2.0, 3.0, 3.0, 0.5]
    assert agent[k.STATE] == k.IDLE


def test_restarts_that_were_missed_are_not_saved_up(bench):
    """With nobody to restart for a minute, the credit is one restart; then one is made."""
    head, agent = bench.s.head, bench.s.agent
    head[k.RECYCLE_PER_TICK] = k.MICRO // 2
    agent[:, k.SCALES] = 0
    for _ in range(600):
        bench.recycle(0)
    assert head[k.RECYCLE_CREDIT] == k.MICRO
    agent[WORKER:, k.SCALES] = 1
    bench.recycle(0)
    assert np.flatnonzero(agent[:, k.STATE] == k.STARTING).tolist() == [WORKER]
    assert head[k.RECYCLE_CREDIT] == k.MICRO // 2


def test_restarts_go_round_the_fleet_and_a_busy_agent_restarts_after_its_task(bench):
    """The next in turn; the busy one is only asked to, and asked once."""
    head, agent = bench.s.head, bench.s.agent
    bench.dispatch_task(5, work_ns=10**9)
    head[k.RECYCLE_PER_TICK] = 2 * k.MICRO
    bench.recycle(0)
    assert (agent[4, k.STATE], agent[5, k.STATE]) == (k.STARTING, k.WORKING)
    assert (agent[5, k.RETIRE], head[k.RECYCLE_AT], head[k.RECYCLE_CREDIT]) == (k.RESTART, 6, 0)
    head[k.RECYCLE_AT] = 39
    bench.recycle(0)
    starting = np.flatnonzero(agent[:, k.STATE] == k.STARTING).tolist()
    assert starting == [4, 6, 39]


@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("retries", [0, 1, 2, 10])
def test_a_lost_task_is_tried_again_as_often_as_allowed_and_where_there_is_room(retries, room):
    """The last attempt, or one that finds its queue full, is a failure with its answer."""
    for attempt in range(retries + 2):
        bench = Bench(small(max_retries=retries))
        normal, worker = bench.s.priority[2], bench.s.agent[WORKER]
        normal[k.DEPTH_LIMIT] = int(room)
        bench.dispatch_task(WORKER, work_ns=10**9, meta=2 | attempt << k.ATTEMPT_SHIFT)
        bench.give_back(WORKER, 5)
        again = attempt < retries and room
        tier = bench.s.tier[worker[k.TIER]]
        counts = (normal[k.RETRIED], normal[k.DEPTH], normal[k.FAILED])
        assert counts == (again, again, not again)
        assert (tier[k.UNDISPATCHED], tier[k.TIER_FAILED]) == (again, not again)
        assert bench.s.http[k.ERROR] == (not again)


def test_a_task_that_comes_back_waits_a_whole_limit_anew(bench):
    """Its client has waited since it arrived: that is what the answer of its time-out says."""
    normal, limit_ns, back_ns = bench.s.priority[2], int(bench.s.priority[2, k.WAIT_NS]), 5 * 10**9
    bench.dispatch_task(WORKER, work_ns=10**10)
    bench.give_back(WORKER, back_ns)
    for now_ns, timed_out in ((limit_ns, 0), (back_ns + limit_ns - 1, 0), (back_ns + limit_ns, 1)):
        bench.expire(now_ns)
        assert (normal[k.TIMED_OUT], normal[k.DEPTH]) == (timed_out, 1 - timed_out)
        expiry_ns = k.NEVER if timed_out else back_ns + limit_ns
        assert bench.s.head[k.NEXT_EXPIRY] == expiry_ns
    answered_ns = back_ns + limit_ns + int(bench.s.head[k.OVERHEAD_NS])
    assert bench.s.w[k.HISTOGRAM_SUM + k.HTTP_DURATION] == answered_ns


@pytest.mark.parametrize(
    ("depth", "level"),
    [(0, 0), (49, 0), (50, 1), (69, 1), (70, 2), (84, 2), (85, 3), (95, 3), (96, 4), (100, 4)],
)
def test_backpressure_is_of_the_fullest_queue(bench, depth, level):
    """50, 70 and 85 per cent, and above 95; whichever priority it is."""
    for priority in range(k.PRIORITIES):
        bench.s.priority[:, [k.DEPTH, k.DEPTH_LIMIT]] = 0, 100
        bench.s.priority[priority, k.DEPTH] = depth
        bench.measure_saturation()
        assert bench.s.head[k.LEVEL] == level


def test_a_slot_that_ends_goes_down_before_it_leaks_and_is_free_after_both(bench):
    """While faults ask for one of each: a crash is at once, a leak as executions end."""
    pool, agent = bench.s.pool[0], bench.s.agent[WORKER]
    pool[[k.IN_USE, k.DOWN_TARGET, k.LEAK_TARGET]] = 3, 1, 1
    seen = []
    for _ in range(3):
        agent[k.HELD] = 1
        bench.release(WORKER, 0, 0)
        seen.append(pool[[k.IN_USE, k.DOWN, k.LEAKED]].tolist())
    assert seen == [[2, 1, 0], [1, 1, 1], [0, 1, 1]]
