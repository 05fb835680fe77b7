"""The load of a running world changed by hand: exact in time, bounded, and gone without a trace."""

from __future__ import annotations

import pytest

from simulator.bounds import BoundError
from simulator.faults.fault import Fault
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.load import Burst, Load, Stage
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.worlds import small

RATE = 400.0
HOLD = (Stage(duration_s=0.0, target=100.0), Stage(duration_s=10.0, target=100.0))
CLIMB = (Stage(duration_s=10.0, target=100.0), Stage(duration_s=5.0, target=100.0))


@pytest.fixture
def world():
    """Return a world at its fifth second."""
    return begin()


def begin(**plan):
    """Return a world at its fifth second, with more in its plan."""
    world = World(small(), Plan(**{"load": Load(rate=RATE), **plan}), 7)
    world.advance(5.0)
    return world


def rates(world, *, until_s, step_s=1.0):
    """Return what the load asks for after each step."""
    asked = []
    while world.now_s < until_s:
        world.advance(world.now_s + step_s)
        asked.append(world.snapshot().arrival_rate)
    return asked


def test_a_change_is_in_effect_at_once_and_ends_by_itself(world):
    """For its ten seconds, then the plan's load is back, to the second."""
    assert world.load_change is None
    world.change_load(HOLD)
    assert world.snapshot().arrival_rate == pytest.approx(100.0)
    assert rates(world, until_s=18.0) == pytest.approx([100.0] * 9 + [RATE] * 4)
    assert world.load_change is None


def test_a_change_may_begin_with_the_world_and_says_when_it_ends(world):
    """At time 0, and at the fifth second: ten later in either case."""
    at_0 = World(small(), Plan(load=Load(rate=RATE)), 7)
    assert (at_0.change_load(HOLD).end_s, world.change_load(HOLD).end_s) == (10.0, 15.0)
    assert rates(at_0, until_s=11.0) == pytest.approx([100.0] * 9 + [RATE] * 2)


def test_a_climb_begins_at_the_load_of_now_in_steps_of_a_second(world):
    """As the stages of a plan: held over steps at their middle."""
    world.change_load(CLIMB)
    asked = rates(world, until_s=21.0)
    assert asked[:3] == pytest.approx([RATE - 30 * (step + 0.5) for step in (1, 2, 3)])
    assert asked[9:14] == pytest.approx([100.0] * 5)
    assert asked[14:] == pytest.approx([RATE] * 2)


def test_a_climb_is_to_the_byte_the_one_that_was_planned():
    """It makes no difference whether a plan or a caller asked for it."""
    stages = (Stage(duration_s=5.0, target=RATE), *CLIMB)
    planned = World(small(), Plan(load=Load(rate=RATE, stages=stages)), 7)
    planned.advance(19.9)
    world = begin()
    world.change_load(CLIMB)
    world.advance(19.9)
    assert world.fingerprint() == planned.fingerprint()


def test_arrivals_follow_what_is_asked_for(world):
    """The tasks that came, counted, within what chance leaves open."""
    before = int(world.snapshot().tasks_arrived.sum())
    world.change_load(HOLD)
    world.advance(15.0)
    assert int(world.snapshot().tasks_arrived.sum()) - before == pytest.approx(1000, abs=130)


def test_a_change_replaces_the_one_before_and_can_be_ended(world):
    """The second climbs from where the first had come."""
    world.change_load(HOLD)
    world.advance(7.0)
    second = world.change_load(CLIMB)
    assert second.from_per_s == pytest.approx(100.0)
    world.end_load_change()
    assert world.snapshot().arrival_rate == pytest.approx(RATE)
    assert rates(world, until_s=25.0) == pytest.approx([RATE] * 18)
    with pytest.raises(KeyError):
        world.end_load_change()


def test_bursts_of_the_plan_are_where_they_would_have_been():
    """A change hides them; afterwards the world asks for the same load as one without a change."""
    load = Load(rate=RATE, burst=Burst(factor=2.0, every_s=2.0, last_s=2.0))
    plain, changed = begin(load=load), begin(load=load)
    hold = (Stage(duration_s=0.0, target=100.0), Stage(duration_s=30.0, target=100.0))
    changed.change_load(hold)
    assert set(rates(plain, until_s=34.0, step_s=0.25)) == {RATE, 2 * RATE}
    assert rates(changed, until_s=34.0, step_s=0.25) == pytest.approx([100.0] * 116)
    for world in (plain, changed):
        world.advance(36.0)
    after = rates(changed, until_s=66.0, step_s=0.25)
    assert after == rates(plain, until_s=66.0, step_s=0.25)
    assert len(set(after)) == 2


def test_faults_of_the_load_act_on_the_changed_load(world):
    """A drop takes its share of it."""
    world.change_load(HOLD)
    drop = Fault(name="gone", parameters=TrafficDrop(share=0.5), start_s=world.plan_s, duration_s=5)
    world.inject(drop)
    world.advance_ns(world.now_ns)
    assert world.snapshot().arrival_rate == pytest.approx(50.0)
    assert world.requested_per_s == pytest.approx(100.0)
    world.advance(9.0)
    (status,) = world.snapshot().faults
    assert status.effect == pytest.approx(status.expected, rel=0.35)


def test_what_cannot_be_is_refused_and_changes_nothing(world):
    """No time at all, more than ten years, a rate beyond all; and a trace has its own times."""
    before = world.fingerprint(), world.next_change_ns()
    with pytest.raises(BoundError, match="duration_s"):
        world.change_load((Stage(duration_s=0.0, target=5.0),))
    with pytest.raises(BoundError, match="duration_s"):
        world.change_load((Stage(duration_s=3e8, target=5.0),) * 2)
    with pytest.raises(BoundError, match="stage"):
        Stage(duration_s=1.0, target=3e6)
    assert (world.fingerprint(), world.next_change_ns()) == before
    traced = World(small(), Plan(load=Load(trace_s=(0.1, 0.2))), 7)
    with pytest.raises(BoundError, match="trace"):
        traced.change_load(HOLD)


def test_a_fork_takes_its_change_with_it(world):
    """Both go on alike."""
    world.change_load(CLIMB)
    world.advance(8.0)
    other = world.fork()
    world.advance(30.0)
    other.advance(30.0)
    assert other.fingerprint() == world.fingerprint()


def test_a_planned_fault_can_be_withdrawn_until_it_begins():
    """Then it never happens; what has begun is ended, not withdrawn."""
    drop = Fault(name="gone", parameters=TrafficDrop(share=0.5), start_s=9.0, duration_s=5.0)
    world = begin(faults=(drop,))
    world.withdraw("gone")
    world.advance(10.0)
    assert world.snapshot().faults == ()
    begun = begin(faults=(drop,))
    begun.advance(9.0)
    with pytest.raises(KeyError):
        begun.withdraw("gone")
