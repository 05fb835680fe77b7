"""Faults injected into a running world: the same as planned ones, and gone without a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.faults.fault import Fault
from simulator.faults.kinds.bus import BusPartition
from simulator.faults.kinds.tasks import TaskFailure
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.load import Load
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
