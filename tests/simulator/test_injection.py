"""Faults injected into a running world: the same as planned ones, and gone without a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.faults.fault import Fault
from simulator.faults.kinds.bus import BusPartition
from simulator.faults.kinds.tasks import TaskFailure
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.load import Load, Stage
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.worlds import small

LOAD = Load(rate=400.0)
DROP = Fault(
    name="gone", parameters=TrafficDrop(share=0.5), start_s=5.0, duration_s=10.0, ramp_s=2.0
)


@pytest.fixture
def world():
    """Return a world without faults at its fifth second."""
    world = World(small(), Plan(load=LOAD), 7)
    world.advance(5.0)
    return world


def inject_now(world, fault):
    """Inject a fault that is in effect at once."""
    world.inject(fault)
    world.advance_ns(world.now_ns)


def test_an_injected_fault_is_to_the_byte_the_one_that_was_planned(world):
    """It makes no difference whether a plan or a caller began it."""
    planned = World(small(), Plan(load=LOAD, faults=(DROP,)), 7)
    planned.advance(20.0)
    inject_now(world, DROP)
    world.advance(20.0)
    assert world.fingerprint() == planned.fingerprint()


def test_a_change_keeps_onset_targets_and_what_was_done_so_far(world):
    """Only the numbers and the end are new, and from now on."""
    fault = Fault(name="ill", parameters=TaskFailure(share=0.5), start_s=5.0, duration_s=10.0)
    inject_now(world, fault)
    world.advance(8.0)
    (before,) = world.snapshot().faults
    world.change(replace(fault, parameters=TaskFailure(share=0.1), duration_s=20.0))
    (after,) = world.snapshot().faults
    assert before.effect > 0
    assert after == replace(before, magnitude=0.1, declared=0.1, ends_ns=25 * 10**9)
    world.advance(24.9)
    assert len(world.snapshot().faults) == 1
    world.advance(25.0)
    assert world.snapshot().faults == ()


def test_a_plan_that_begins_later_counts_its_own_seconds(world):
    """Faults by hand and a change of the load in a fork, which began its plan at the fifth second.

    The drop climbs from 6 s of the world to 8 s, and is expected to.
    """
    fork = world.fork(Plan(load=LOAD))
    fork.inject(replace(DROP, start_s=1.0))
    assert (fork.origin_s, fork.next_change_ns()) == (5.0, 6 * 10**9)
    for until_s, magnitude, expected in ((7.0, 0.375, 350.0), (8.0, 0.5, 300.0)):
        fork.advance(until_s)
        (status,) = fork.snapshot().faults
        assert (status.magnitude, status.expected) == pytest.approx((magnitude, expected))
        assert fork.snapshot().arrival_rate == pytest.approx(400.0 * (1 - magnitude))
    assert (status.began_ns, status.ends_ns) == (6 * 10**9, 16 * 10**9)
    with pytest.raises(ValueError, match="now or later"):
        fork.inject(replace(DROP, name="late", start_s=2.9))
    with pytest.raises(ValueError, match="end must be later than now"):
        fork.change(replace(DROP, start_s=1.0, duration_s=2.0))
    for duration_s in (4.0, 10.0):
        fork.change(replace(DROP, start_s=1.0, duration_s=duration_s))
    stages = (Stage(duration_s=0.0, target=100.0), Stage(duration_s=2.0, target=100.0))
    change = fork.change_load(stages)
    assert (change.start_s, change.end_s) == (3.0, 5.0)
    rates = []
    for until_s in (8.0, 9.9, 10.0, 15.9, 16.0):
        fork.advance(until_s)
        rates.append(fork.snapshot().arrival_rate)
    assert rates == pytest.approx([50.0, 50.0, 200.0, 200.0, 400.0])


def test_no_fork_begins_with_a_recorded_trace(world):
    """Neither where the world has one, nor where the plan would bring one."""
    trace = Plan(load=Load(trace_s=(1.0, 2.0)))
    for each, plan in ((world, trace), (World(small(), trace, 7), Plan())):
        with pytest.raises(ValueError, match="without a recorded trace"):
            each.fork(plan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": BusPartition()}, "the one in effect but for parameters and duration"),
        ({"start_s": 6.0}, "the one in effect but for parameters and duration"),
        ({"duration_s": 2.0}, "fault gone: end must be later than now"),
    ],
)
def test_a_change_of_anything_else_is_refused(world, changes, message):
    """Another fault, another onset, an end that is over."""
    inject_now(world, DROP)
    world.advance(8.0)
    before = world.fingerprint(), world.plan
    with pytest.raises(ValueError, match=message):
        world.change(replace(DROP, **changes))
    with pytest.raises(KeyError):
        world.change(replace(DROP, name="other"))
    assert (world.fingerprint(), world.plan) == before


def test_an_ended_fault_does_not_come_back_with_the_next_change_of_the_same_instant(world):
    """Each change composes anew from the plan, so the plan must have forgotten it."""
    for name in ("a", "b"):
        inject_now(world, replace(DROP, name=name, ramp_s=0.0))
    assert world.snapshot().arrival_rate == 100.0
    world.end("a")
    world.end("b")
    assert (world.snapshot().faults, world.snapshot().arrival_rate) == ((), 400.0)


def test_a_fault_that_is_over_is_forgotten_and_its_name_free(world):
    """A plan does not grow with everything that ever was injected."""
    for second in range(5, 60):
        inject_now(world, replace(DROP, start_s=float(second), duration_s=0.5, ramp_s=0.0))
        world.advance(second + 1.0)
    assert len(world.plan.faults) == 1


def test_a_fault_that_ends_at_this_instant_is_over(world):
    """Its name is free from that nanosecond on, and not one before."""
    inject_now(world, replace(DROP, duration_s=1.0, ramp_s=0.0))
    again = replace(DROP, start_s=7.0, duration_s=1.0, ramp_s=0.0)
    world.advance_ns(6 * 10**9 - 1)
    assert len(world.snapshot().faults) == 1
    with pytest.raises(ValueError, match="each with a name of its own"):
        world.inject(again)
    world.advance_ns(6 * 10**9)
    assert (world.snapshot().faults, world.snapshot().arrival_rate) == ((), 400.0)
    world.inject(again)
    assert world.plan.faults == (again,)


def test_a_change_cannot_end_a_fault_at_this_instant(world):
    """That is `end`; a nanosecond later is the earliest."""
    inject_now(world, replace(DROP, ramp_s=0.0))
    world.advance(8.0)
    with pytest.raises(ValueError, match="end must be later than now"):
        world.change(replace(DROP, duration_s=3.0, ramp_s=0.0))
    world.change(replace(DROP, duration_s=3.000000001, ramp_s=0.0))
    assert len(world.snapshot().faults) == 1
    world.advance_ns(8 * 10**9 + 1)
    assert world.snapshot().faults == ()


def test_a_second_fault_of_a_name_is_refused_and_changes_nothing(world):
    """As in a plan."""
    inject_now(world, DROP)
    before = world.fingerprint(), world.plan, world.next_change_ns()
    with pytest.raises(ValueError, match="each with a name of its own"):
        world.inject(replace(DROP, start_s=7.0))
    assert (world.fingerprint(), world.plan, world.next_change_ns()) == before
