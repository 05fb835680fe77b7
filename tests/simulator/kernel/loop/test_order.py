"""The order of events at one instant, arrivals and their gaps, and when a refill is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.topology import Tier
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import due_at, small

MS = 10**6
AT = 50 * MS
"""The instant of the events; no tick is before it."""
LEAD, WORKER = 0, 1


@pytest.fixture
def bench():
    """Return one lead and one worker, with room for a task in each queue."""
    tiers = (
        Tier(name="lead", agents=1, takes=("coordination",)),
        Tier(name="worker", agents=1, takes=("work",), scales=True),
    )
    bench = Bench(small(tiers=tiers, active_floor=2))
    bench.s.priority[:, k.DEPTH_LIMIT] = 1
    return bench


def arrives(bench, at, kind=2, work_ns=10**9):
    """Let one task arrive at `at`, and none after it."""
    s = bench.s
    s.tasks[s.head[k.TASK_CURSOR]] = kind, work_ns, (1 << 62) - 1
    s.head[k.NEXT_ARRIVAL], s.real_head[k.RATE] = at, 0.0


def busy_until(bench, at):
    """Let the worker be at the end of a task at `at`."""
    bench.dispatch_task(WORKER, work_ns=10**9)
    agent = bench.s.agent[WORKER]
    agent[[k.STAGE, k.ENDS_AT]] = k.ENDS, at
    bench.schedule(WORKER, at)


def test_an_agent_is_free_for_the_task_that_arrives_as_it_ends_another(bench):
    """Its event comes before the arrival: the task is not queued, not even for no time."""
    bench.s.priority[:, k.DEPTH_LIMIT] = 0
    busy_until(bench, AT)
    arrives(bench, AT)
    bench.advance(AT)
    s = bench.s
    assert s.priority[2, [k.ARRIVED, k.REJECTED, k.COMPLETED]].tolist() == [1, 0, 1]
    assert s.agent[WORKER, [k.STATE, k.ARRIVED_AT]].tolist() == [k.WORKING, AT]


def test_a_task_whose_wait_ends_as_an_agent_becomes_free_has_timed_out(bench):
    """Time-outs come first of all."""
    s = bench.s
    s.priority[2, k.WAIT_NS] = AT
    assert bench.enqueue(0, 0, MS, 2, 0)
    busy_until(bench, AT)
    bench.advance(AT)
    assert s.priority[2, [k.TIMED_OUT, k.COMPLETED]].tolist() == [1, 1]
    assert s.agent[WORKER, k.STATE] == k.IDLE


def test_a_tick_measures_the_queues_without_those_whose_wait_ends_at_it(bench):
    """And before an agent that ends then has taken the next task."""
    s = bench.s
    s.priority[2:, k.WAIT_NS] = k.TICK_NS, 2 * k.TICK_NS
    assert bench.enqueue(0, 0, MS, 2, 0)
    bench.advance(k.TICK_NS)
    assert s.head[[k.LEVEL, k.TICKS, k.QUEUED]].tolist() == [0, 1, 0]
    assert bench.enqueue(k.TICK_NS, k.TICK_NS, MS, 3, 0)
    busy_until(bench, 2 * k.TICK_NS)
    bench.advance(2 * k.TICK_NS)
    assert s.head[[k.LEVEL, k.TICKS, k.QUEUED]].tolist() == [4, 2, 0]


def test_a_task_is_handed_over_before_a_flood_message_of_the_same_instant(bench):
    """The inbox of one message is full when the flood comes."""
    s = bench.s
    s.head[[k.INBOX_LIMIT, k.FLOOD_TARGETS, k.NEXT_FLOOD]] = 1, 1, AT
    s.flood_targets[0], s.real_head[k.FLOOD_RATE] = WORKER, 1e-30
    arrives(bench, AT)
    bench.advance(AT)
    assert s.head[[k.FLOODED, k.DROPPED, k.SENT]].tolist() == [1, 1, 2]
    assert s.inbox[WORKER, k.TAKEN] == 1


@pytest.mark.parametrize(("until", "arrived"), [(AT - 1, 0), (AT, 1)])
def test_what_is_due_at_the_very_end_of_an_advance_has_happened(bench, until, arrived):
    """And nothing that is due later; the clock is at the end."""
    arrives(bench, AT)
    bench.advance(until)
    assert bench.s.priority[2, k.ARRIVED] == arrived
    assert bench.s.head[k.NOW] == until


@pytest.mark.parametrize(
    ("gap", "rate", "next_at", "left"),
    [
        (3.0, 0.5, 7 + 6, np.inf),
        (3.0, 0.0, k.NEVER, 3.0),
        (k.WAIT_MAX_NS, 1.0, k.NEVER, k.WAIT_MAX_NS),
        (k.WAIT_MAX_NS - 128, 1.0, 10**18 - 128 + 7, np.inf),
        (np.inf, 1.0, k.NEVER, np.inf),
    ],
    ids=["a load", "no load", "beyond any wait", "a long wait", "the end of a recording"],
)
def test_a_gap_is_over_the_rate_and_is_kept_while_there_is_none(bench, gap, rate, next_at, left):
    """For the rate that follows; the next task's gap is read, and no other."""
    s = bench.s
    s.head[k.TASK_CURSOR] = 3
    s.gaps[2:5] = 99.0, gap, 77.0
    s.real_head[[k.RATE, k.GAP_LEFT]] = rate, np.inf
    bench.next_gap(7)
    assert (s.head[k.NEXT_ARRIVAL], s.real_head[k.GAP_LEFT]) == (next_at, left)


def test_an_arrival_is_dispatched_queued_or_turned_away_and_answered(bench):
    """To the idle agent of its class; else to its queue; else 503, half a millisecond later."""
    s = bench.s
    for _ in range(4):
        arrives(bench, AT)
        bench.arrive(AT)
    arrives(bench, AT, kind=2 | 1 << k.CLASS_SHIFT)
    bench.arrive(AT)
    columns = [k.ARRIVED, k.REJECTED, k.DEPTH]
    assert s.priority[:, columns].tolist() == [[0, 0, 0], [0, 0, 0], [5, 2, 1], [0, 0, 0]]
    assert s.http.tolist() == [0, 0, 0, 2, 0]
    assert s.histogram_sum[k.HTTP_DURATION] == MS
    assert s.agent[[LEAD, WORKER], k.STATE].tolist() == [k.WORKING, k.WORKING]
    assert s.head[[k.RECEIVED_REQUEST_BYTES, k.SENT_REQUEST_BYTES]].tolist() == [10_240, 16_384]
    s.head[k.LEVEL] = 4
    arrives(bench, AT, kind=3)
    bench.arrive(AT)
    assert s.priority[3, columns].tolist() == [1, 1, 0]
    assert s.http.tolist() == [0, 0, 0, 3, 0]


STREAMS = [
    (k.TASK_CURSOR, k.TASK_LAST), (k.BIT_CURSOR, k.BIT_LAST), (k.START_CURSOR, k.START_LAST),
    (k.FACTOR_CURSOR, k.FACTOR_LAST), (k.CRASH_CURSOR, k.CRASH_LAST),
    (k.FLOOD_CURSOR, k.FLOOD_LAST),
]  # fmt: skip


@pytest.mark.parametrize(("cursor", "last"), STREAMS, ids=range(len(STREAMS)))
def test_a_refill_is_asked_for_as_soon_as_one_stream_might_not_last(bench, cursor, last):
    """Before an event or a command that draws; what draws nothing is carried out."""
    head, kernel = bench.s.head, bench.kernel
    head[cursor] = head[last]
    assert not bench.low_on_draws()
    head[cursor] += 1
    assert bench.low_on_draws()
    for command in (k.CRASH_AGENT, k.LOSE_EXECUTION, k.GRANT_POOL):
        assert bench.run(command, WORKER) == kernel.REFILL
    for command, which in ((k.ADVANCE, k.TICK_NS - 1), (k.SETTLE, 0), (k.RETIME, 0)):
        assert bench.run(command, which) == kernel.DONE
    assert bench.run(k.ADVANCE, k.TICK_NS) == kernel.REFILL
    assert head[[k.NOW, k.CRASHED, k.TICKS]].tolist() == [k.TICK_NS - 1, 0, 0]


def test_commands_act_on_whom_they_name_at_the_present(bench):
    """A crash, an execution that is lost, slots that are granted, accounts that are settled."""
    s = bench.s
    bench.advance(AT)
    s.pool[0, k.DOWN] = 8
    bench.dispatch_task(WORKER, work_ns=10**9, meta=2 | 1 << k.NEED_SHIFT, now=AT)
    s.pool[:, k.DOWN] = 0
    bench.run(k.GRANT_POOL, 1)
    assert s.agent[WORKER, k.STAGE] == k.WAITS_SLOT
    bench.run(k.GRANT_POOL, 0)
    assert s.agent[WORKER, [k.STAGE, k.HELD]].tolist() == [k.FIRST_RESULT, 1]
    bench.run(k.LOSE_EXECUTION, WORKER)
    assert s.priority[2, [k.RETRIED, k.FAILED]].tolist() == [1, 0]
    assert s.agent[WORKER, k.META] >> k.ATTEMPT_SHIFT == 1
    bench.run(k.CRASH_AGENT, WORKER)
    assert s.agent[:, k.STATE].tolist() == [k.IDLE, k.CRASH]
    bench.run(k.SETTLE, 0)
    assert s.host[:, k.SETTLED_AT].tolist() == [AT] * 4
    assert s.host[0, [k.BACKGROUND_NS, k.BACKGROUND_ACC]].tolist() == [160 * AT // 1000, 0]


def test_the_last_idle_agent_is_stopped_too_where_every_tier_scales():
    """Agent 0 is an agent as any other; one in a crash loop is not idle, however it looks."""
    tiers = (Tier(name="worker", agents=40, takes=("work", "coordination"), scales=True),)
    bench = Bench(small(tiers=tiers, scale_down_per_s=100))
    bench.s.agent[5, k.STAGE] = k.DIES
    bench.s.head[k.FLOOR] = 0
    bench.s.agent[1:3, k.STATE] = k.WORKING
    bench.s.agent[6:, k.PLACE] = -1
    bench.s.agent[6:, k.STATE] = k.CRASH
    bench.scale_fleet(0)
    assert bench.s.agent[:6, k.STATE].tolist() == [
        k.STOPPED, k.WORKING, k.WORKING, k.STOPPED, k.STOPPED, k.IDLE,
    ]  # fmt: skip


def test_those_that_are_to_stop_are_not_counted_among_the_fleet():
    """One is started in the place of each, though all are still at work."""
    bench = Bench(small(active_floor=20))
    bench.s.head[k.FLOOR] = 20
    bench.s.agent[10:13, k.RETIRE] = [k.STOP, k.STOP, k.RESTART]
    bench.scale_fleet(0)
    assert (bench.s.agent[:, k.STATE] == k.STARTING).sum() == 2
    assert due_at(bench.s).min() > 0


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]], ids=str)
@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_list_keeps_its_order_whoever_is_in_it(order, gone):
    """The first agent of all is one as any other, and so is the first list."""
    bench = Bench(small())
    s = bench.s
    for agent in range(4):
        bench.unlink(agent)
        bench.unlink(agent)
    for agent in order:
        bench.append(0, agent)
    bench.unlink(gone)
    left = [agent for agent in order if agent != gone]
    assert s.lists[0, [k.HEAD, k.TAIL, k.LENGTH]].tolist() == [left[0], left[1], 2]
    assert s.agent[left, k.NEXT_LINK].tolist() == [left[1], -1]
    assert s.agent[left, k.PREVIOUS_LINK].tolist() == [-1, left[0]]
    assert s.agent[[*left, gone], k.LIST].tolist() == [0, 0, -1]


def test_a_task_that_came_back_is_offered_to_the_first_agent_too(bench):
    """A lead takes what is of its class, at once; its draw, work and arrival are what they were."""
    s, kind = bench.s, 2 | 1 << k.CLASS_SHIFT
    s.agent_real[LEAD, k.SLOWNESS], s.agent[LEAD, k.SLOWNESS_ON] = 3.0, 1
    assert bench.enqueue(5, 3, 10 * MS, kind, 77)
    bench.offer_queued(9)
    columns = [k.STATE, k.META, k.DRAW, k.WORK_NS, k.ARRIVED_AT, k.DISPATCHED_AT]
    assert s.agent[LEAD, columns].tolist() == [k.WORKING, kind, 77, 10 * MS, 3, 9]
    bench.give_back(LEAD, 20)
    ring = s.ring[5, s.lanes[5, k.HEAD]]
    assert ring[[k.Q_ARRIVED_AT, k.Q_QUEUED_AT, k.Q_WORK_NS, k.Q_DRAW]].tolist() == [
        3, 20, 10 * MS, 77,
    ]  # fmt: skip


def test_what_bounds_a_world_is_what_is_documented():
    """32 TiB leaked by an agent, 65,536 durations kept, 4 exabytes counted, ten ticks a second."""
    limits = k.LEAKED_MAX_BYTES, k.RECENT, k.BYTES_MAX, k.CORES_MAX, k.INBOX_MAX, k.SURPLUS_PARTS
    assert limits == (32 * 2**40, 65_536, 2**62, 2**40, 2**19, 25)
    assert (k.TICK_NS * k.TICKS_PER_SCALING, k.CLOCK_MAX_NS, k.NEVER) == (10**9, 2**60, 2**62)
    assert (k.EPOCH_NS, k.FAR_NS, k.CARRY_NS, k.WAIT_MAX_NS) == (2**43, 2**44, 2**61, 10**18)
