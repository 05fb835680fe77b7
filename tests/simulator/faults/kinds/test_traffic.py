"""Arrivals and reserved capacity are what the faults in effect declare."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from simulator.arrivals import planned_factor
from simulator.bounds import BoundError
from simulator.faults.kinds.traffic import CapacityDemand
from simulator.kernel import loop as k
from simulator.snapshot import AGENT_STATES
from tests.simulator.faults.samples import (
    assert_near,
    between,
    effect,
)
from tests.simulator.worlds import fault, make, small


def test_traffic_surge_multiplies_the_arrivals():
    """Twice the rate is asked for, and comes, as a Poisson count."""
    before, after = between(make(fault("traffic_surge", factor=2.0)), 1.0, 31.0)
    arrived = (after.tasks_arrived - before.tasks_arrived).sum()
    assert_near(arrived, 2 * 400 * 30, sqrt(2 * 400 * 30))
    assert before.arrival_rate == after.arrival_rate == pytest.approx(800.0)
    assert effect(after, "traffic_surge") == pytest.approx(arrived / 30)


def test_traffic_drop_takes_its_share_of_the_arrivals():
    """60 % never come; a full drop leaves nothing at all."""
    before, after = between(make(fault("traffic_drop", share=0.6)), 1.0, 31.0)
    arrived = (after.tasks_arrived - before.tasks_arrived).sum()
    assert_near(arrived, 0.4 * 400 * 30, sqrt(0.4 * 400 * 30))
    assert effect(after, "traffic_drop") == pytest.approx(arrived / 30)
    before, after = between(make(fault("traffic_drop", share=1.0)), 1.0, 11.0)
    assert (after.tasks_arrived == before.tasks_arrived).all()


FAULTS = (
    fault("traffic_surge", factor=3.0, start_s=2.0, duration_s=20.0, ramp_s=8.0, name="ramp"),
    fault("traffic_drop", share=0.5, start_s=10.0, duration_s=6.0, name="drop"),
    fault("traffic_surge", factor=90.0, start_s=15.0, duration_s=3.0, name="most"),
    fault("agent_hang", start_s=5.0, duration_s=9.0),
)


@pytest.mark.parametrize(
    ("drawn", "agrees"),
    [(FAULTS, True), (FAULTS[:2], False), (FAULTS[1:], False), ((FAULTS[0], FAULTS[2]), False)],
)
def test_what_faults_of_a_plan_make_of_the_load_is_what_the_world_does(drawn, agrees):
    """At every half second, over ramps, overlaps and the most; a fault left out is noticed."""
    world = make(*FAULTS)
    worlds, planned = [], []
    for half_s in range(1, 50):
        world.advance(half_s / 2)
        worlds.append(world.snapshot().arrival_rate)
        planned.append(400.0 * planned_factor(drawn, half_s * 5 * 10**8))
    assert (worlds == pytest.approx(planned)) == agrees


def test_capacity_demand_holds_the_fleet_up_and_lets_it_go():
    """A fleet of 20 grows to the 39 that are reserved, and shrinks when none are."""
    world = make(fault("capacity_demand", agents=39, duration_s=20.0), rate=100.0, active_floor=20)
    before, after = between(world, 1.0, 11.0)
    assert before.active_agents.sum() < 25
    assert after.active_agents.sum() == 39
    assert effect(after, "capacity_demand") == 39
    assert after.agents_started - before.agents_started >= 39 - before.active_agents.sum()
    world.advance(90.0)
    assert world.snapshot().active_agents.sum() < 25


def test_of_reservations_that_overlap_the_largest_counts():
    """They are not added; when it ends, the next largest is left."""
    overlapping = (
        fault("capacity_demand", name="large", agents=30, duration_s=2.0),
        fault("capacity_demand", name="small", agents=25, duration_s=4.0),
        fault("capacity_demand", name="smaller", agents=22, duration_s=3.0),
    )
    world = make(*overlapping, rate=0.0, active_floor=20)
    reserved = []
    for instant_s in (0.5, 1.0, 3.0, 4.0, 5.0):
        world.advance(instant_s)
        reserved.append(int(world._state.head[k.RESERVED]))
    assert reserved == [0, 30, 25, 25, 0]


def test_a_reservation_beside_another_counts_from_before_the_first():
    """What the first has made of the fleet by then is no base of the second."""
    world = make(
        fault("capacity_demand", name="first", agents=30),
        fault("capacity_demand", name="second", agents=39, start_s=11.0),
        rate=100.0, active_floor=20,
    )  # fmt: skip
    world.advance(21.0)
    first, second = world.effects()
    assert first.base == second.base < 25
    assert first.measured == second.measured == first.expected == second.expected == 39


RESERVED = fault("capacity_demand", agents=39, duration_s=60.0)
LOOPING = fault("crash_loop", alive_s=0.2, tiers=("worker",), fraction=0.5)


@pytest.mark.parametrize(
    ("faults", "per_s", "reached"),
    [
        ((RESERVED,), 5, 39),
        ((replace(RESERVED, ramp_s=20.0),), 100, 39),
        ((RESERVED, LOOPING), 100, 22),
    ],
    ids=["it grows slowly", "the reservation climbs", "half of it is in a loop"],
)
def test_no_more_capacity_is_expected_than_a_fleet_that_answers_has_by_then(faults, per_s, reached):
    """At every quarter of a second; all of it at the end."""
    world = make(*faults, rate=10.0, active_floor=5, scale_up_per_s=per_s)
    for quarter in range(5, 121):
        world.advance(quarter / 4)
        effect = next(each for each in world.effects() if each.fault == "capacity_demand")
        assert effect.expected <= effect.measured, world.now_s
    assert effect.expected == reached


def test_who_has_crashed_is_no_capacity_until_it_comes_back():
    """A fifth of the workers lie there at any time; who is stopped could have come."""
    crashes = fault("agent_crash", rate_per_s=20.0, tiers=("worker",))
    world = make(RESERVED, crashes, rate=10.0, active_floor=5)
    world.advance(30.0)
    effect = next(each for each in world.effects() if each.fault == "capacity_demand")
    states = dict(zip(AGENT_STATES, world.snapshot().agents.sum(axis=0).tolist(), strict=True))
    assert 4 <= states["crashed"] <= 12
    assert effect.expected == effect.measured == 40 - states["crashed"]


def test_no_less_capacity_is_expected_than_there_was():
    """A reservation below what the load needs already asks for nothing."""
    world = make(fault("capacity_demand", agents=20), rate=100.0, active_floor=30)
    world.advance(8.0)
    (effect,) = world.effects()
    assert effect.base == effect.expected == effect.measured == 30
    CapacityDemand(agents=40).require_fit(small())
    with pytest.raises(BoundError, match="agents must be at most the fleet of 40, got 41"):
        CapacityDemand(agents=41).require_fit(small())


def test_a_reservation_is_expected_to_be_answered_within_two_seconds():
    """At the first and the second scaling after it the fleet may still grow; then it has grown."""
    world = make(fault("capacity_demand", agents=39, start_s=1.5), rate=10.0, active_floor=5)
    expected = []
    for half in range(4, 10):
        world.advance(half / 2)
        (effect,) = world.effects()
        expected.append(effect.expected > effect.base)
    assert expected == [False, False, False, False, True, True]
