"""The measured effect of every fault is what it declares, and the base without its injector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.faults.effect_accounts import open_account
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.measure import (
    EffectEstimate,
    _exact_sum,
    expect_part_of_delay,
    read_counters,
)
from simulator.faults.targets import FaultTargets
from simulator.kernel import loop as k
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.faults.injectors import disarm
from tests.simulator.faults.samples import IN_THE_WORLD, SAMPLES, TARGETS, world_with
from tests.simulator.random_worlds import random_scenario
from tests.simulator.worlds import fault, make, small


def effects_at(world, until_s=40.0):
    """Return the effects of the faults of a world, simulated until `until_s`."""
    world.advance(until_s)
    return world.effects()


def test_every_kind_has_a_measure():
    """Two where a fault does two things."""
    measures = {kind: FAULTS[kind](**numbers).measures() for kind, numbers in SAMPLES.items()}
    assert list(measures) == list(FAULTS)
    assert {kind for kind, each in measures.items() if len(each) != 1} == {"dependency_outage"}


@pytest.mark.sampled(18)
@pytest.mark.parametrize("ramp_s", [0.0, 12.0])
@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_a_fault_that_works_has_the_effect_that_it_declared(kind, ramp_s):
    """Within random spread and a few per cent; a target hangs again after its watchdog restart."""
    for effect in effects_at(world_with(kind, ramp_s=ramp_s)):
        assert effect.ended_ns == effect.began_ns + 30 * 10**9
        due = effect.expected - effect.base
        if kind == "agent_hang":
            assert effect.measured >= effect.expected == 40
            continue
        assert abs(due) > 4 * effect.noise, effect
        assert abs(effect.measured - effect.expected) <= 4 * effect.spread + 0.06 * abs(due), effect


@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_a_fault_without_its_injector_measures_the_base(kind, monkeypatch):
    """The expectation stays, and the measured effect does not come near it."""
    disarm(monkeypatch, kind)
    for effect in effects_at(world_with(kind)):
        due = abs(effect.expected - effect.base)
        assert due > 4 * effect.noise, effect
        assert abs(effect.measured - effect.base) <= 4 * effect.noise + 0.05 * due, effect


@pytest.mark.sampled(9)
@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_an_effect_is_fixed_at_its_end_and_reading_it_changes_nothing(kind):
    """Read every third of a second or never, in a fork or not: the same to the bit."""
    unseen, watched = world_with(kind, ramp_s=3.0), world_with(kind, ramp_s=3.0)
    for step in range(1, 110):
        watched.advance(step / 3)
        watched.snapshot()
        watched.effects()
    fork = watched.fork()
    effects = effects_at(unseen)
    assert effects == effects_at(watched) == effects_at(fork)
    assert effects == effects_at(unseen, 70.0)
    assert all(effect.ended_ns is not None for effect in effects)


@pytest.mark.sampled(9)
@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_faults_of_a_kind_that_overlap_are_measured_together(kind):
    """They cannot be distinguished, so each has the effect of all of them in its time."""
    for effect in effects_at(world_with(kind, times=3, duration_s=20.0)):
        due = effect.expected - effect.base
        assert (effect.measured - effect.base) / due > 0.8, effect


def test_kinds_that_share_a_measure_are_each_others_base():
    """Half of twice the traffic; task failures beside a failing dependency."""
    faults = (
        fault("traffic_surge", factor=2.0),
        fault("traffic_drop", share=0.5),
        fault("task_failure", share=0.2),
        fault("dependency_outage", share=1.0, latency_s=0.0),
    )
    surge, drop, failure, outage, _ = effects_at(make(*faults), 31.0)
    assert (surge.base, surge.expected) == pytest.approx((200, 400))
    assert (drop.base, drop.expected) == pytest.approx((800, 400))
    assert surge.measured == drop.measured == pytest.approx(400, rel=0.05)
    assert failure.measured == outage.measured == pytest.approx(failure.expected, rel=0.05)
    assert failure.expected == pytest.approx(outage.expected)
    assert failure.base / failure.expected == pytest.approx(0.08 / 0.264, rel=0.01)
    assert outage.base / outage.expected == pytest.approx(0.2 / 0.264, rel=0.01)


def test_a_leak_is_expected_anew_after_each_restart():
    """A restart frees the memory, and the expected effect takes that into account."""
    calm = effects_at(world_with("memory_leak"), 31.0)[0]
    leak = fault("memory_leak", bytes_per_s=1e6, hosts=(1,), duration_s=30.0)
    still = effects_at(make(leak), 31.0)[0]
    assert calm.measured < 0.7 * still.measured
    assert calm.measured == pytest.approx(calm.expected, rel=0.05)
    assert still.measured == pytest.approx(still.expected, rel=0.01)


def test_noise_is_that_of_the_base_and_spread_that_of_the_expectation():
    """Arrivals are a Poisson process: a rate measured for 30 s has the variance rate / 30."""
    for kind, times in (("traffic_surge", 2.0), ("traffic_drop", 0.4)):
        (effect,) = effects_at(world_with(kind))
        assert effect.noise**2 == pytest.approx(effect.base / 30)
        assert effect.spread**2 == pytest.approx(times * effect.base / 30)


@pytest.mark.parametrize(("kind", "least", "most"), [("slow_start", 3.7, 4.01),
                                                     ("cell_brownout", 2.5, 3.01),
                                                     ("slow_host", 1.05, 3.01)])  # fmt: skip
def test_what_takes_so_many_times_as_long_spreads_so_many_times_as_far(kind, least, most):
    """All starts by four, all work by three, or that of some hosts."""
    (effect,) = effects_at(world_with(kind))
    assert least < effect.spread / effect.noise < most


def test_hangs_and_waiting_messages_spread_as_counts_do():
    """Every target hangs once; of a short inbox the variance is that of a geometric count."""
    (hangs,) = effects_at(world_with("agent_hang"))
    assert hangs.spread == pytest.approx(hangs.expected**0.5)
    (waiting,) = effects_at(make(fault("slow_consumer", factor=1.5, tiers=("lead",))), 31.0)
    mean = waiting.expected
    assert 0.1 < mean < 5.0
    assert waiting.spread**2 == pytest.approx((mean + mean**2) / 4 / 30, rel=0.25)
    assert waiting.noise**2 > (waiting.base + waiting.base**2) / 4 / 30


def test_half_of_what_was_declared_counts_as_an_effect():
    """Of every kind, by each of its measures."""
    kinds = [FAULTS[kind](**numbers) for kind, numbers in SAMPLES.items()]
    assert {measure.least_share for kind in kinds for measure in kind.measures()} == {0.5}


@pytest.mark.parametrize(
    ("kind", "changes"), [("slow_start", {"recycle_per_s": 1.0}), ("task_slowdown", {})]
)
def test_what_has_not_ended_by_now_counts_as_far_as_it_has_come(kind, changes):
    """A thousand times 45 ms: nothing that began under the fault is done before 46 s."""
    slow = fault(kind, factor=1000.0, start_s=10.0)
    for until_s in (20.0, 40.0):
        (effect,) = effects_at(make(slow, **changes), until_s)
        assert effect.measured > 10 * effect.base
        assert effect.measured > 0.7 * effect.expected


def test_who_hangs_is_not_at_work():
    """Once everybody hangs no time is held by work any more."""
    world = make(fault("agent_hang", start_s=0.0), rate=800.0)
    held_ns = []
    for until_s in (3.0, 6.0):
        world.advance(until_s)
        assert world.snapshot().agents[:, 4].sum() == 40
        held_ns.append(read_counters(world._state).working_ns)
    assert held_ns[0] == held_ns[1]


def test_durations_of_a_large_fleet_are_summed_exactly():
    """A hundred thousand agents, each at it for ten years."""
    assert _exact_sum(np.full(100_000, (1 << 58) + 1)) == 100_000 * ((1 << 58) + 1)


def test_an_account_begins_with_who_runs_hangs_and_is_about_to_run():
    """Six of the workers, one in each state; an overlapping fault saw a smaller fleet."""
    world = make()
    world._state.agent[4:10, k.STATE] = range(6)
    leak = fault("memory_leak", bytes_per_s=1.0)
    targets = FaultTargets(np.arange(4, 10), (0,), (0,))
    opened = open_account(world.topology, leak, targets, world._state, peers=())
    assert (opened.running_at_onset, opened.hung_at_onset) == (3, 1)
    assert opened.provisioned_at_onset == 38
    peers = [replace(opened, provisioned_at_onset=other) for other in (39, 20)]
    again = open_account(world.topology, leak, targets, world._state, peers=peers)
    assert again.provisioned_at_onset == 20


@pytest.mark.parametrize(
    ("kind", "numbers", "delay_s"),
    [
        ("slow_start", {"factor": 4.0}, 3 * 0.045),
        ("task_slowdown", {"factor": 3.0}, 2 * 0.1),
        ("slow_host", {"factor": 3.0}, 2 * 0.1),
        ("cell_brownout", {"factor": 3.0}, 2 * 0.1),
        ("dependency_outage", {"share": 0.5, "latency_s": 0.3}, 0.3),
    ],
)
def test_of_which_delay_only_a_part_is_expected_at_first(kind, numbers, delay_s):
    """That of the longest work: what is beyond its usual time, after half a second."""
    classes = tuple(
        replace(entry, mean_service_s=mean_s)
        for entry, mean_s in zip(small().classes, (0.1, 0.045), strict=True)
    )
    world = make(fault("agent_hang", start_s=0.0), classes=classes)
    account = replace(world._ledger.in_effect["agent_hang"].account, elapsed_ns=5 * 10**8)
    correct = FAULTS[kind](**numbers).measures()[-1].correct
    part = correct(account, EffectEstimate(base=1.0, expected=2.0))
    assert part.expected == pytest.approx(2.0 - delay_s / (2 * 0.5))


def test_a_flood_beside_a_partition_is_no_message_between_agents():
    """Of the messages that agents send one another some are lost, of those of a flood none."""
    partition = fault("bus_partition", loss=1.0, fraction=0.3, duration_s=30.0)
    flood = fault("message_flood", rate_per_s=5000.0, duration_s=30.0)
    alone, beside = (effects_at(make(*faults))[0] for faults in ((partition,), (partition, flood)))
    assert beside.expected == pytest.approx(alone.expected, rel=0.1)
    assert beside.measured == pytest.approx(beside.expected, rel=0.1)


def test_skipped_time_does_not_count():
    """A skipped interval moves no counter, so it must not lower a rate."""
    for kind in ("traffic_drop", "message_flood", "memory_leak", "slow_consumer", "cpu_contention"):
        world = make(fault(kind, **SAMPLES[kind], **TARGETS.get(kind, {}), duration_s=9000.0))
        before = effects_at(world, 20.0)
        world.skip_ns(1000 * 10**9)
        assert world.effects() == before
        (effect,) = effects_at(world, 1030.0)
        assert effect.measured == pytest.approx(effect.expected, rel=0.05), effect


def test_a_recorded_load_is_counted_in_its_trace():
    """Arrivals of a trace that is played twice as fast."""
    trace = tuple(np.linspace(0.0, 60.0, 6000).tolist())
    surge = fault("traffic_surge", factor=2.0, start_s=10.0, duration_s=10.0)
    world = World(small(), Plan(load=Load(trace_s=trace), faults=(surge,)), 7)
    (effect,) = effects_at(world, 25.0)
    assert (effect.base, effect.expected, effect.measured) == pytest.approx(
        (100, 200, 200), rel=0.01
    )


def test_a_changed_fault_is_expected_to_change_from_then_on():
    """Ten seconds at half the load, ten at a tenth; then ended by hand."""
    world = make(fault("traffic_drop", share=0.5))
    world.advance(11.0)
    world.change(fault("traffic_drop", share=0.9, duration_s=500.0))
    world.advance(21.0)
    (before,) = world.effects()
    world.end("traffic_drop")
    (after,) = effects_at(world, 30.0)
    assert after.expected == before.expected == pytest.approx((200 + 40) / 2)
    assert after.measured == before.measured == pytest.approx(120, rel=0.1)
    assert (before.ended_ns, after.ended_ns) == (None, 21 * 10**9)


def test_a_status_shows_the_expected_beside_the_measured_effect():
    """The first measure of a fault with two."""
    world = make(fault("dependency_outage", share=0.5, latency_s=0.3))
    world.advance(21.0)
    (status,) = world.snapshot().faults
    first = world.effects()[0]
    assert (status.effect, status.expected) == (first.measured, first.expected)
    assert status.effect_unit == first.unit == "failed tasks"
    assert world.effects()[1].unit == "seconds, mean task"


@pytest.mark.sampled(15)
@pytest.mark.parametrize("seed", range(40))
def test_random_faults_in_random_systems_have_finite_effects(seed):
    """Whatever overlaps: every figure is a number, and every fault has one."""
    topology, plan = random_scenario(seed)
    world = World(topology, plan, seed)
    for instant_s in (0.7, 2.1, 3.3, 6.0):
        effects = effects_at(world, instant_s)
        numbers = [(o.measured, o.base, o.expected, o.spread, o.noise) for o in effects]
        assert np.isfinite(numbers).all()
    assert {effect.name for effect in effects} == {planned.name for planned in plan.faults}


@pytest.mark.parametrize("elapsed_s", [0.1, 1.0, 1.5, 1.999, 2.0, 2.001, 3.0, 60.0])
def test_of_a_delay_so_much_is_expected_as_work_that_began_evenly_has_waited(elapsed_s):
    """The mean over work of all ages, added up one by one; shorter than the delay, and longer."""
    (effect,) = make(fault("task_slowdown", factor=2.0, start_s=0.0))._ledger.in_effect.values()
    account = replace(effect.account, elapsed_ns=round(elapsed_s * 1e9))
    ages_s = (np.arange(10_000) + 0.5) / 10_000 * elapsed_s
    waited_s = np.minimum(ages_s, 2.0).mean()
    part = expect_part_of_delay(account, EffectEstimate(base=1.0, expected=3.0), 2.0)
    assert part.expected == pytest.approx(1.0 + waited_s, rel=1e-3)
