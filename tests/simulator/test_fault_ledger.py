"""The ledger of a world's faults: which are in effect, what each did, and what is kept of it."""

from __future__ import annotations

import pytest

from simulator import fault_ledger
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.worlds import fault, make, small


def effects_at(world, until_s):
    """Return the effects of the faults of a world, simulated until `until_s`."""
    world.advance(until_s)
    return world.effects()


def test_a_limited_number_of_ended_faults_is_kept(monkeypatch):
    """For a world that runs for weeks; the last ones stay."""
    monkeypatch.setattr(fault_ledger, "EFFECTS_MAX", 3)
    faults = (
        fault("traffic_drop", name=f"{n}", share=0.5, start_s=n, duration_s=0.5) for n in range(8)
    )
    assert [effect.name for effect in effects_at(make(*faults), 9.0)] == ["5", "6", "7"]


def test_faults_are_listed_while_they_are_in_effect_and_their_effects_for_ever():
    """Two that overlap: the statuses come and go, the effects stay, in the order of their ends."""
    first = fault("traffic_drop", name="first", share=0.5, start_s=1.0, duration_s=4.0)
    second = fault("memory_leak", name="second", bytes_per_s=1e3, start_s=3.0, duration_s=4.0)
    world = make(first, second)
    for instant_s, in_effect, begun in (
        (0.5, [], []),
        (1.0, ["first"], ["first"]),
        (3.0, ["first", "second"], ["first", "second"]),
        (5.0, ["second"], ["first", "second"]),
        (7.0, [], ["first", "second"]),
    ):
        effects = effects_at(world, instant_s)
        assert [status.name for status in world.snapshot().faults] == in_effect
        assert [effect.name for effect in effects] == begun
        assert {effect.name for effect in effects if effect.ended_ns is None} == set(in_effect)


def test_a_fault_whose_measure_is_sampled_is_recorded_every_second_of_its_time():
    """An inbox is read each second; a count needs no reading between two changes of the plan."""
    sampled = make(fault("slow_consumer", factor=50.0, tiers=("lead",), duration_s=5.0))
    counted = make(fault("traffic_drop", share=0.5, duration_s=5.0))
    for world, recorded_s in ((sampled, [2, 3, 4, 5, 6, 6]), (counted, [1, 1, 1, 1, 6, 6])):
        readings = []
        for second in range(2, 8):
            world.advance(second + 0.5)
            readings.append(world._ledger.last_reading.now_ns / 1e9)
        assert readings == recorded_s


def test_a_sampled_fault_is_read_every_second_also_after_another_has_begun():
    """From the beginning or the end of the other one on."""
    drop = fault("traffic_drop", share=0.5, start_s=2.25, duration_s=2.0)
    world = make(fault("slow_consumer", factor=50.0, tiers=("lead",)), drop)
    readings = []
    for until_s in (2.2, 3.3, 4.26, 5.3):
        world.advance(until_s)
        readings.append(world._ledger.last_reading.now_ns / 1e9)
    assert readings == [2.0, 3.25, 4.25, 5.25]


def test_a_reservation_is_measured_from_the_fleet_that_others_of_its_kind_left():
    """One that is over counts no more, nor does another kind of fault that saw a smaller one."""
    world = make(
        fault("memory_leak", bytes_per_s=1.0),
        fault("capacity_demand", name="first", agents=39, duration_s=10.0),
        fault("capacity_demand", name="second", agents=40, start_s=11.5),
        rate=100.0, active_floor=20, scale_down_per_s=1,
    )  # fmt: skip
    world.advance(16.0)
    bases = {effect.name: effect.base for effect in world.effects()}
    assert bases["first"] < 25
    assert bases["second"] > 35


def test_a_skip_moves_the_next_reading_of_a_sampled_fault_and_the_last():
    """By as much as the clock: read at 2 s, then at 12.25, at 13.25 and every second after."""
    world = make(fault("slow_consumer", factor=50.0, tiers=("lead",)))
    world.advance(2.5)
    world.skip_ns(10_250_000_000)
    readings = [world._ledger.last_reading.now_ns / 1e9]
    for until_s in (13.2, 13.3, 14.3):
        world.advance(until_s)
        readings.append(world._ledger.last_reading.now_ns / 1e9)
    assert readings == [12.25, 12.25, 13.25, 14.25]
    assert [effect.began_ns for effect in world.effects()] == [10**9]


@pytest.mark.parametrize("kind", ["cpu_contention", "slow_consumer"])
def test_effects_are_read_of_the_very_instant(kind):
    """Between two ticks: what the kernel settles lazily is settled, whoever reads first."""
    world = make(fault(kind, **SAMPLES[kind]))
    world.advance(4.06)
    effects = world.effects()
    world.snapshot()
    assert effects == world.effects()


def test_a_ramp_is_expected_to_do_what_it_does_second_by_second():
    """A hundred messages a second, reached in 4 s: half of them until then, all of them after."""
    world = make(fault("message_flood", rate_per_s=100.0, start_s=1.0, ramp_s=4.0))
    for until_s, expected in ((2.0, 12.5), (3.0, 50.0), (5.0, 200.0), (8.0, 500.0)):
        (effect,) = effects_at(world, until_s)
        assert effect.expected == pytest.approx(expected)


def test_of_a_recorded_trace_is_expected_what_comes_of_it_by_where_it_is_by_then():
    """A surge has played it a second ahead: there are 500 a second at four seconds, not 100."""
    trace = (*(n / 100 for n in range(1, 501)), *(5.0 + n / 500 for n in range(1, 2001)))
    faults = (
        fault("traffic_surge", factor=2.0, start_s=1.0, duration_s=1.0),
        fault("traffic_drop", share=0.5, start_s=4.0, duration_s=1.0),
    )
    world = World(small(), Plan(load=Load(trace_s=trace), faults=faults), 7)
    surge, drop = effects_at(world, 8.0)
    assert (surge.measured, surge.base, surge.expected) == (200.0, 100.0, 200.0)
    assert (drop.measured, drop.base, drop.expected) == (250.0, 500.0, 250.0)


def test_an_exporter_begins_anew_where_its_cell_comes_back():
    """Once, and not when it goes down."""
    world, restarts = make(fault("cell_down", start_s=1.0, duration_s=3.0)), []
    for until_s in (0.9, 1.0, 3.9, 4.0, 9.0):
        world.advance(until_s)
        restarts.append(world.snapshot().exporter_restarts)
    assert restarts == [0, 0, 0, 1, 1]
