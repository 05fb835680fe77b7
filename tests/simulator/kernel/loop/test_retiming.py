"""What is in progress when a speed changes goes on at the new one: exact instants, stage by stage.

All at one instant, NOW, of a task whose work began or begins at a known one.
"""

from __future__ import annotations

import pytest

from simulator.kernel import loop as k
from tests.simulator.kernel.uncompiled import Bench
from tests.simulator.worlds import due_at, small

WORKER = 20
TRIPLE = k.ALL_POOLS << k.NEED_SHIFT
RUNS = [k.RELEASE_1, k.RELEASE_2, k.RELEASE_3]


@pytest.fixture
def bench():
    """Return a fleet that is idle at time 0."""
    return Bench(small())


def set_columns(bench, columns, due=None, agent=WORKER):
    """Write an agent's columns and its next event."""
    for column, value in columns.items():
        bench.s.agent[agent, column] = value
    if due is not None:
        bench.schedule(agent, due)


def due(bench, agent=WORKER):
    """Return when an agent's next event is."""
    return int(due_at(bench.s)[agent])


@pytest.mark.parametrize(
    ("duration", "factor", "expected"),
    [
        (10, 2.5, 25), (7, 0.5, 3), (k.CLOCK_MAX_NS, 2.0, k.CLOCK_MAX_NS),
        (k.CLOCK_MAX_NS, 1e9, k.CLOCK_MAX_NS), (k.CLOCK_MAX_NS // 2, 1.0, k.CLOCK_MAX_NS // 2),
    ],
)  # fmt: skip
def test_a_duration_that_is_stretched_stays_within_the_clock(bench, duration, factor, expected):
    """Rounded down to the nanosecond."""
    assert bench.times(duration, factor) == expected


@pytest.mark.parametrize(
    ("at", "expected"), [(9, 9), (10, 40), (11, 42), (15, 50), (k.NEVER, k.NEVER)]
)
def test_what_is_left_after_the_old_beginning_is_left_after_the_new_one(bench, at, expected):
    """Twice as long, from 40 instead of 10; what was before stays, and what never comes."""
    assert bench.moved(at, 10, 40, 2.0) == expected


@pytest.mark.parametrize(
    ("stage", "meta", "held", "expected"),
    [
        (k.FIRST_RESULT, 0, 0, (140, 180, [150, 160, 170])),
        (k.FIRST_RESULT, TRIPLE, 7, (140, 180, [200, 220, 240])),
        (k.RELEASES, TRIPLE, 6, (220, 180, [k.NEVER, 220, 240])),
        (k.ENDS, 0, 0, (180, 180, [150, 160, 170])),
        (k.ENDS, 1 << k.NEED_SHIFT, 1, (180, 180, [200, 160, 170])),
        (k.ENDS, TRIPLE, 0, (120, 140, [150, 160, 170])),
    ],
    ids=["first result", "first of three", "runs", "end", "end of one sandbox", "merge"],
)
def test_the_rest_of_a_task_takes_twice_as_long_in_every_stage(bench, stage, meta, held, expected):
    """It began at 50; at 100, what was to come at 140 comes at 180. A merge has one speed."""
    released = [150 if held & 1 or held == 0 else k.NEVER, 160, 170]
    columns = dict(zip(RUNS, released, strict=True))
    columns |= {k.STATE: k.WORKING, k.STAGE: stage, k.META: meta, k.HELD: held}
    set_columns(bench, columns | {k.READY_AT: 50, k.ENDS_AT: 140}, due=120)
    bench.retime(WORKER, 100, 50, 2.0)
    agent = bench.s.agent[WORKER]
    assert (due(bench), agent[k.ENDS_AT], agent[RUNS].tolist()) == expected
    assert agent[k.READY_AT] == 50


def test_work_that_has_not_begun_moves_with_its_beginning(bench):
    """Ready at 200 instead of 150: its first result and end move, and stretch from there."""
    columns = {k.STATE: k.WORKING, k.STAGE: k.FIRST_RESULT, k.META: 0, k.HELD: 0}
    set_columns(bench, columns | {k.READY_AT: 150, k.ENDS_AT: 190}, due=160)
    bench.retime(WORKER, 100, 200, 0.5)
    agent = bench.s.agent[WORKER]
    assert (due(bench), agent[k.ENDS_AT], agent[k.READY_AT]) == (205, 220, 200)


def test_a_task_that_waits_for_a_slot_will_work_at_the_new_speed(bench):
    """Nothing of it is due before it has one."""
    bench.await_nothing(WORKER)
    columns = {k.STATE: k.WORKING, k.STAGE: k.WAITS_SLOT, k.SLOWED_NS: 1000, k.ENDS_AT: 7}
    set_columns(bench, columns | {k.META: TRIPLE, k.HELD: 0, k.READY_AT: 150})
    bench.retime(WORKER, 100, 130, 1.5)
    agent = bench.s.agent[WORKER]
    assert agent[[k.SLOWED_NS, k.READY_AT, k.ENDS_AT]].tolist() == [1500, 130, 7]
    assert due(bench) == k.NEVER


@pytest.mark.parametrize(
    ("free_at", "handled_at", "new", "expected"),
    [
        (124, 90, 20, (148, 90)),
        (124, 114, 20, (148, 128)),
        (124, 124, 20, (148, 148)),
        (124, 104, 20, (148, 108)),
        (104, 104, 20, (108, 108)),
        (104, 90, 20, (108, 90)),
        (124, 124, 5, (112, 112)),
        (100, 90, 20, (100, 90)),
        (124, 124, 10, (124, 124)),
    ],
    ids=[
        "handled before", "second of three", "last of three", "first of three", "the only one",
        "only one, of another", "twice as fast", "empty", "no change",
    ],
)  # fmt: skip
def test_what_waits_in_an_inbox_is_handled_at_the_new_speed(
    bench, free_at, handled_at, new, expected
):
    """Ten nanoseconds a message until 100: of the first, four are left, of the others all."""
    bench.s.inbox[WORKER, [k.FREE_AT, k.INBOX_NS]] = free_at, 10
    call = 3000
    columns = {k.READY_AT: handled_at + call, k.CALL_NS: call, k.INBOX_NEXT_NS: new}
    set_columns(bench, columns)
    assert bench.retime_inbox(WORKER, 100) == expected[1]
    assert bench.s.inbox[WORKER, [k.FREE_AT, k.INBOX_NS]].tolist() == [expected[0], new]


@pytest.mark.parametrize(
    ("handled_at", "call", "latency", "expected"),
    [
        (200, 40, 80, (280, 80)),
        (90, 40, 80, (160, 70)),
        (90, 40, 20, (115, 25)),
        (90, 40, 0, (100, 10)),
        (40, 40, 80, (80, 40)),
        (90, 0, 80, (90, 0)),
        (90, 40, 40, (130, 40)),
    ],
    ids=["not yet made", "slower", "faster", "at once", "over", "made without", "no change"],
)
def test_the_rest_of_a_call_takes_the_new_latency(bench, handled_at, call, latency, expected):
    """Of 40 that a call takes: what it has waited until 100 stays, the rest takes its part."""
    s, ready = bench.s, handled_at + call
    s.head[[k.NOW, k.DEPENDENCY_NS, k.DEPENDENCY_NEXT_NS]] = 100, 40, latency
    columns = {k.STATE: k.WORKING, k.STAGE: k.FIRST_RESULT, k.META: 0, k.HELD: 0, k.CALL_NS: call}
    set_columns(bench, columns | {k.READY_AT: ready, k.ENDS_AT: ready + 500}, due=ready + 100)
    begins = max(ready, 100)
    bench.retime_all()
    agent = s.agent[WORKER]
    assert tuple(agent[[k.READY_AT, k.CALL_NS]].tolist()) == expected
    moved = max(expected[0], 100) - begins
    assert (due(bench), agent[k.ENDS_AT]) == (ready + 100 + moved, ready + 500 + moved)
    assert s.head[k.DEPENDENCY_NS] == latency


def test_speeds_that_are_written_are_in_effect_for_each_agent_at_once(bench):
    """A start by its own slowness, work by its own; who is idle or hangs is left as it is."""
    s = bench.s
    s.head[k.NOW] = 100
    s.agent_real[:, k.SLOWNESS], s.agent_real[:, k.START_SLOWNESS] = 2.0, 4.0
    s.agent_real[:, k.SLOWNESS_NEXT], s.agent_real[:, k.START_SLOWNESS_NEXT] = 3.0, 2.0
    set_columns(bench, {k.STATE: k.STARTING, k.STAGE: k.COMES_UP}, due=140, agent=10)
    columns = {k.STAGE: k.ENDS, k.META: 0, k.HELD: 0, k.READY_AT: 50, k.CALL_NS: 0, k.ENDS_AT: 140}
    for agent, state in ((11, k.WORKING), (12, k.HANGING), (13, k.CRASH)):
        set_columns(bench, columns | {k.STATE: state}, due=140, agent=agent)
    bench.retime_all()
    assert [due(bench, agent) for agent in (9, 10, 11, 12, 13)] == [k.NEVER, 120, 160, 140, 140]
    assert s.agent_real.tolist() == [[3.0, 2.0, 3.0, 2.0]] * 40
    bench.retime_all()
    assert [due(bench, agent) for agent in (9, 10, 11, 12, 13)] == [k.NEVER, 120, 160, 140, 140]


def test_an_event_at_the_very_edge_of_what_is_near_is_kept_to_the_nanosecond(bench):
    """And one on each side of it."""
    for beside in (-1, 0, 1):
        bench.schedule(WORKER, k.FAR_NS + beside)
        assert bench.pending_at(WORKER) == due(bench) == k.FAR_NS + beside
