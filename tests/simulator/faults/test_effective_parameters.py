"""Faults compose from the base anew, and leave exactly the base when they end."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.faults.declared_effect import DeclaredEffect
from simulator.faults.effective_parameters import (
    FACTOR_MAX,
    FLOOD_MAX_PER_S,
    HANDLING_MAX_S,
    LATENCY_MAX_S,
    LEAK_MAX_BYTES_PER_S,
    TRAFFIC_FACTOR_MAX,
    EffectiveParameters,
)
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import FaultTargets, Onset
from simulator.kernel import loop as k
from simulator.snapshot import ScrapePath
from tests.simulator.faults.samples import (
    OF_THE_ROUTER,
    SAMPLES,
    parameters_of,
)
from tests.simulator.kernel.laws import broken_laws, broken_ties
from tests.simulator.worlds import fault, make, small


def all_at_once(**options):
    """Return one fault of every kind."""
    return tuple(fault(kind, **numbers, **options) for kind, numbers in SAMPLES.items())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(12))
def test_faults_ended_in_any_order_leave_exactly_the_base(seed):
    """All at once, ended by hand in a random order: nothing of them remains."""
    chance = np.random.default_rng(seed)
    base = parameters_of(make())
    world = make(*all_at_once(), watchdog_s=1.0)
    world.advance(1.5)
    assert parameters_of(world) != base
    for kind in chance.permutation(list(FAULTS)):
        world.advance(world.now_s + chance.uniform(0, 0.2))
        world.end(str(kind))
        assert not broken_laws(world.snapshot(), world.topology) + broken_ties(world)
    assert parameters_of(world) == base
    assert world.snapshot().faults == ()
    world.advance(world.now_s + 15.0)  # what waits by then is worked off
    s = world.snapshot()
    assert s.active_agents.tolist() == [4, 36]
    assert s.queue_depth.sum() < 5


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_its_plan_ends_leaves_exactly_the_base(kind):
    """On, off, and the parameters are those of a world without it."""
    base = parameters_of(make())
    world = make(fault(kind, **SAMPLES[kind], duration_s=0.7))
    world.advance(1.5)
    if kind not in ("counter_reset", *OF_THE_ROUTER):
        assert parameters_of(world) != base
    world.advance(1.7)
    assert parameters_of(world) == base


@pytest.mark.sampled(2)
@pytest.mark.parametrize("seed", range(6))
def test_random_overlaps_leave_exactly_the_base(seed):
    """Thirty faults of random kinds, starts, ramps and ends, some twice at once."""
    chance = np.random.default_rng(seed)
    faults = []
    for number in range(30):
        kind = str(chance.choice(list(FAULTS)))
        duration_s = chance.uniform(0.1, 3)
        faults.append(
            fault(
                kind, name=f"{number}", **SAMPLES[kind], start_s=chance.uniform(0, 3),
                duration_s=duration_s, ramp_s=chance.uniform(0, duration_s),
                fraction=chance.uniform(0.1, 1),
            )
        )  # fmt: skip
    world = make(*faults)
    world.advance(6.0)
    assert parameters_of(world) == parameters_of(make())


def test_two_faults_of_a_kind_compose():
    """Factors multiply, failures are independent, leaks add, shares of a pool stop at the whole."""
    twice = [
        fault("task_slowdown", name="a", factor=2.0),
        fault("task_slowdown", name="b", factor=3.0, tiers=("worker",)),
        fault("task_failure", name="c", share=0.5),
        fault("task_failure", name="d", share=0.5),
        fault("memory_leak", name="e", bytes_per_s=1000.0),
        fault("memory_leak", name="f", bytes_per_s=500.0),
        fault("sandbox_crash", name="g", share=0.7),
        fault("sandbox_leak", name="h", share=0.7),
        fault("traffic_surge", name="i", factor=3.0),
        fault("traffic_drop", name="j", share=0.5),
    ]
    world = make(*twice)
    world.advance(1.0)
    s = world._state
    assert s.agent_real[:, k.SLOWNESS].tolist() == [2.0] * 4 + [6.0] * 36
    assert set(s.agent[:, k.FAILS_BELOW].tolist()) == {round(0.75 * 2**31)}
    assert set(s.agent[:, k.LEAK_PER_TICK].tolist()) == {150}
    assert s.real_head[k.RATE] * 1e9 == pytest.approx(600.0)
    world.advance(6.0)
    after = world.snapshot()
    assert (after.sandbox_available >= 0).all()
    assert (after.sandbox_down + after.sandbox_leaked == 8).all()


def test_what_faults_make_together_is_no_more_than_one_of_them_may_ask_for():
    """Factors, leaks, latencies and the load are cut off; floods keep their proportion."""
    state = make()._state
    effective = EffectiveParameters(small(), state)
    for kind, numbers in (
        ("slow_host", {"factor": FACTOR_MAX}),
        ("memory_leak", {"bytes_per_s": 0.6 * LEAK_MAX_BYTES_PER_S}),
        ("dependency_outage", {"share": 0.1, "latency_s": 0.6 * LATENCY_MAX_S}),
        ("traffic_surge", {"factor": 50.0}),
        ("message_flood", {"rate_per_s": 0.9 * FLOOD_MAX_PER_S}),
    ):
        for targets in (EVERYTHING, FIRST_PART):
            FAULTS[kind](**numbers).compose(effective, targets, 1.0)
    FAULTS["message_flood"](rate_per_s=0.2 * FLOOD_MAX_PER_S).compose(effective, FIRST_PART, 1.0)
    effective.bound()
    for factors in (effective.slowness, effective.start_slowness, effective.inbox_slowness):
        assert factors.tolist() == [FACTOR_MAX] * 40
    leaks = [LEAK_MAX_BYTES_PER_S] * 10 + [0.6 * LEAK_MAX_BYTES_PER_S] * 30
    assert effective.leak_bytes_per_s.tolist() == leaks
    assert effective.dependency_latency_s == LATENCY_MAX_S
    assert effective.traffic_factor == TRAFFIC_FACTOR_MAX
    floods = [rate / FLOOD_MAX_PER_S for rate, _ in effective.floods_per_s]
    assert floods == pytest.approx([0.45, 0.45, 0.1])
    effective = EffectiveParameters(small(), state)
    for _ in range(2):
        FAULTS["message_flood"](rate_per_s=0.6 * FLOOD_MAX_PER_S).compose(effective, EVERYTHING, 1)
    effective.bound()
    assert sum(rate for rate, _ in effective.floods_per_s) == pytest.approx(FLOOD_MAX_PER_S)


@pytest.mark.parametrize(("share", "slots"), [(0.05, 0), (0.07, 1), (0.7, 6), (1.0, 8)])
def test_a_share_of_a_pool_is_rounded_to_the_nearest_slot(share, slots):
    """Of eight, whether they leak or go down; the other pools keep theirs."""
    state = make()._state
    effective = EffectiveParameters(small(), state)
    for kind in ("sandbox_leak", "sandbox_crash"):
        FAULTS[kind](share=share).compose(effective, FIRST_PART, 1.0)
    effective.write(state, 0)
    for column in (k.LEAK_TARGET, k.DOWN_TARGET):
        assert state.pool[:, column].tolist() == [slots, 0, 0]


def test_no_message_takes_longer_to_handle_than_an_hour():
    """A minute each, and a million times as long."""
    state = make()._state
    effective = EffectiveParameters(small(inbox_service_s=60.0), state)
    FAULTS["slow_consumer"](factor=1e6).compose(effective, FIRST_PART, 1.0)
    effective.write(state, 0)
    handled_s = state.agent[:, k.INBOX_NEXT_NS] / 1e9
    assert handled_s.tolist() == [HANDLING_MAX_S] * 10 + [60.0] * 30


def test_a_loss_is_rounded_to_the_nearest_of_1024_parts():
    """Nearly all is all; a part that is gone with its fault is lost no more."""
    state = make()._state
    for losses, parts in (((0.9996, 0.0006), [1024, 1, 0]), ((0.5,), [512, 0, 0])):
        effective = EffectiveParameters(small(), state)
        for loss in losses:
            effective.add_partition(np.arange(4), loss)
        effective.write(state, 0)
        assert state.partition_loss[:3].tolist() == parts


DOUBLED, TRIPLED = {"factor": 2.0}, {"factor": 3.0}
COMPOSED = [
    # factors multiply, whatever kind they are of
    ("slowness", "task_slowdown", DOUBLED, "task_slowdown", TRIPLED, 2.0, 6.0),
    ("slowness", "task_slowdown", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("slowness", "slow_host", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("start_slowness", "slow_start", DOUBLED, "slow_start", TRIPLED, 2.0, 6.0),
    ("start_slowness", "slow_start", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("start_slowness", "slow_host", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("inbox_slowness", "slow_consumer", DOUBLED, "slow_consumer", TRIPLED, 2.0, 6.0),
    ("inbox_slowness", "slow_consumer", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("inbox_slowness", "slow_host", DOUBLED, "slow_host", TRIPLED, 2.0, 6.0),
    ("traffic_factor", "traffic_surge", DOUBLED, "traffic_surge", TRIPLED, 6.0, 6.0),
    ("traffic_factor", "traffic_surge", TRIPLED, "traffic_drop", {"share": 0.5}, 1.5, 1.5),
    # shares are of what is left
    ("failing_share", "task_failure", {"share": 0.5}, "task_failure", {"share": 0.2}, 0.55, 0.64),
    ("dependency_failing_share", "dependency_outage", {"share": 0.5},
     "dependency_outage", {"share": 0.2}, 0.6, 0.6),
    ("page_kept_share", "scrape_truncated", {"share": 0.5},
     "scrape_truncated", {"share": 0.2}, 0.4, 0.4),
    ("series_kept_share", "series_vanish", {"share": 0.5},
     "series_vanish", {"share": 0.2}, 0.4, 0.4),
    # rates, times and slots add up
    ("crashes_per_s", "agent_crash", {"rate_per_s": 40.0}, "agent_crash", {"rate_per_s": 5.0},
     1.0, 1.5),
    ("leak_bytes_per_s", "memory_leak", {"bytes_per_s": 1e3}, "memory_leak", {"bytes_per_s": 500},
     1000.0, 1500.0),
    ("dependency_latency_s", "dependency_outage", {"share": 0.5, "latency_s": 2.0},
     "dependency_outage", {"share": 0.2, "latency_s": 1.0}, 3.0, 3.0),
    ("stolen_share", "cpu_contention", {"share": 0.5}, "cpu_contention", {"share": 0.2}, 0.5, 0.7),
    ("leaked_share", "sandbox_leak", {"share": 0.5}, "sandbox_leak", {"share": 0.2}, 0.5, 0.7),
    ("down_share", "sandbox_crash", {"share": 0.5}, "sandbox_crash", {"share": 0.2}, 0.5, 0.7),
    ("scrape_delay_s", "scrape_slow", {"delay_s": 2.0}, "scrape_slow", {"delay_s": 1.0}, 3.0, 3.0),
    ("extra_series", "cardinality_burst", {"series": 20}, "cardinality_burst", {"series": 3},
     23, 23),
    # the most that is asked for
    ("reserved_agents", "capacity_demand", {"agents": 30}, "capacity_demand", {"agents": 20},
     30, 30),
]  # fmt: skip
"""What is composed, one fault on everything, another on its first part; elsewhere, and there."""
EVERYTHING = FaultTargets(np.arange(40), (0, 1, 2, 3), (0, 1, 2))
FIRST_PART = FaultTargets(np.arange(10), (0,), (0,))


@pytest.mark.parametrize("row", COMPOSED, ids=lambda row: "-".join((row[0], row[1], row[3])))
def test_where_two_faults_overlap_both_count_in_either_order(row):
    """And where they do not, the one that is there."""
    what, kind, numbers, other_kind, other_numbers, elsewhere, there = row
    both = [
        (FAULTS[kind](**numbers), EVERYTHING), (FAULTS[other_kind](**other_numbers), FIRST_PART)
    ]  # fmt: skip
    state = make()._state
    for order in (both, both[::-1]):
        effective = EffectiveParameters(small(error_share=0.1), state)
        for parameters, targets in order:
            parameters.compose(effective, targets, 1.0)
        composed = np.atleast_1d(getattr(effective, what))
        first = {40: 10, 4: 1, 3: 1, 1: 1}[len(composed)]
        assert composed[:first] == pytest.approx(np.full(first, there))
        assert composed[first:] == pytest.approx(np.full(len(composed) - first, elsewhere))


CLIMBING = [kind for kind, numbers in SAMPLES.items() if numbers and kind != "crash_loop"]
"""Those that have a strength: an agent hangs or loops, an exporter is down or up."""


def halved(numbers):
    """Return what half of a fault's strength makes of its numbers: a factor is one above 1."""
    return {
        name: 1 + (number - 1) / 2 if name == "factor" else type(number)(number / 2)
        for name, number in numbers.items()
    }


@pytest.mark.parametrize("kind", CLIMBING)
def test_at_half_its_strength_a_fault_does_and_declares_what_one_of_half_its_numbers_does(kind):
    """On a ramp; every parameter of the kernel, and every promise, by name."""
    numbers = {name: 38 if name == "agents" else value for name, value in SAMPLES[kind].items()}
    topology, state = small(error_share=0.1), make()._state
    sums = []
    for parameters, strength in (
        (FAULTS[kind](**numbers), 0.5),
        (FAULTS[kind](**halved(numbers)), 1.0),
        (FAULTS[kind](**numbers), 1.0),
    ):
        effective, declared = EffectiveParameters(topology, state), DeclaredEffect(topology, ())
        parameters.compose(effective, FIRST_PART, strength)
        parameters.declare(declared, FIRST_PART, strength)
        sums.append([
            repr({name: value for name, value in vars(each).items() if name != "topology"})
            for each in (effective, declared)
        ])  # fmt: skip
    half, of_half, whole = sums
    assert half == of_half
    assert whole[0] != half[0]


def test_a_fault_changes_nothing_but_what_follows_from_it():
    """A leak on half the workers: every byte of the world but theirs of the leak is the same."""
    leak = fault("memory_leak", bytes_per_s=1e6, tiers=("worker",), fraction=0.5)
    world, calm = make(leak), make()
    for each in (world, calm):
        each.advance(10.0)
        each.snapshot()
    columns = [c for c in range(k.AGENT_SIZE) if c not in (k.LEAKED_BYTES, k.LEAK_PER_TICK)]
    mine, theirs = world._state, calm._state
    assert (mine.agent[:, columns] == theirs.agent[:, columns]).all()
    first = int(mine.head[k.AGENT_AT])
    last = first + mine.agent.size
    for begins, ends in ((0, first), (last, len(mine.w))):
        assert (mine.w[begins:ends] == theirs.w[begins:ends]).all()
    assert (mine.x == theirs.x).all()
    assert (mine.agent[:, k.LEAKED_BYTES] > 0).sum() == 18


def interrupts(parameters):
    """Whether a fault takes scrapes or series, adds series or lets counters begin anew."""
    state = make()._state
    effective = EffectiveParameters(small(), state)
    parameters.compose(effective, EVERYTHING, 1.0)
    onset = Onset(EVERYTHING, state, lambda *_: None)
    parameters.at_onset(onset)
    whole = effective.exporter_up and effective.scrape_path() == ScrapePath()
    return not whole or onset.exporter_restarts > 0


@pytest.mark.parametrize("kind", FAULTS)
def test_a_kind_that_interrupts_series_says_so(kind):
    """A judge keeps less history where none does."""
    parameters = FAULTS[kind](**SAMPLES[kind])
    assert parameters.interrupts_series == interrupts(parameters)


def test_a_kind_that_keeps_silent_about_it_is_noticed():
    """Planted: a dead exporter that says nothing of it."""

    class Silent(FAULTS["exporter_down"]):
        interrupts_series = False

    assert interrupts(Silent()) != Silent().interrupts_series
