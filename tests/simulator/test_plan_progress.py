"""A plan: no two faults of one name, and an edge wherever load or faults change, and no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.arrivals import BurstChain
from simulator.bounds import BoundError
from simulator.kernel.loop import NEVER
from simulator.load import RATE_MAX_PER_S, Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.plan_progress import PlanProgress
from tests.simulator.worlds import fault

S = 10**9


def edges_of(plan, origin_s=0):
    """Return the edges of a plan in seconds since its start."""
    progress = PlanProgress.begin(plan, origin_s * S, 7)
    edges = []
    while (at_ns := progress.next_edge_ns) != NEVER:
        edges.append(at_ns / S - origin_s)
        progress.pass_edge(at_ns)
    return edges


def test_a_fault_has_an_edge_at_its_start_each_second_of_its_ramp_and_its_end():
    """Counted from the plan's origin, on the world's clock; one edge for one instant."""
    plan = Plan(
        faults=(
            fault("traffic_drop", share=0.5, start_s=2.0, ramp_s=2.5, duration_s=6.0),
            fault("memory_leak", bytes_per_s=1.0, start_s=3.0, duration_s=5.0),
        )
    )
    assert edges_of(plan) == edges_of(plan, origin_s=40) == [2, 3, 4, 4.5, 8]


def test_a_stage_of_the_load_climbs_second_by_second_and_holds_without_an_edge():
    """A ramp of two seconds, a minute at its target, a jump."""
    stages = (
        Stage(duration_s=2.0, target=20.0),
        Stage(duration_s=60.0, target=20.0),
        Stage(duration_s=0.0, target=5.0),
    )
    assert edges_of(Plan(load=Load(rate=10.0, stages=stages))) == [1, 2, 62]


def test_bursts_and_a_days_curve_add_their_next_edge_as_they_come():
    """The burst at the end of its sojourn, the day every minute."""
    load = Load(
        rate=10.0, burst=Burst(factor=4.0, every_s=5.0, last_s=5.0), daily=Daily(amplitude=0.5)
    )
    progress = PlanProgress.begin(Plan(load=load), 0, 7)
    rates = set()
    for _ in range(40):
        at_ns = progress.next_edge_ns if progress.next_edge_ns != NEVER else 0
        progress.pass_edge(at_ns)
        rates.add(round(progress.arrivals_per_s(at_ns, 1.0) / 15.0))
    assert rates == {1, 4}
    assert 60 * S in progress.edges or at_ns > 60 * S


def test_bursts_and_the_time_between_alternate_and_each_ends_at_its_instant():
    """A burst is waited for first; each length is its mean times one draw of the stream."""
    draws = np.random.default_rng(5).standard_exponential(3)
    burst = Burst(factor=4.0, every_s=6.0, last_s=2.0)
    chain = BurstChain(burst, np.random.default_rng(5))
    at_ns, factors = 0, [chain.factor]
    for mean_s, draw in zip((6.0, 2.0, 6.0), draws, strict=True):
        assert chain.step(at_ns)
        factors.append(chain.factor)
        assert chain.ends_ns == at_ns + round(mean_s * draw * 1e9)
        assert not chain.step(chain.ends_ns - 1)
        at_ns = chain.ends_ns
    assert factors == [1.0, 1.0, 4.0, 1.0]


def test_a_days_curve_changes_with_each_minute_of_the_plan():
    """Not with those of the world's clock, on which the plan began in the middle of one."""
    load = Load(rate=10.0, daily=Daily(amplitude=0.5))
    progress = PlanProgress.begin(Plan(load=load), 30 * S, 7)
    for at_s in (30, 45, 90, 150):
        progress.pass_edge(at_s * S)
        progress.arrivals_per_s(at_s * S, 1.0)
        assert progress.next_edge_ns == (90 if at_s < 90 else at_s + 60) * S


def test_a_days_curve_multiplies_the_stages_and_is_held_at_the_middle_of_each_minute():
    """Half more at its peak, which is the middle of the first one; twice the load by then."""
    stages = (Stage(duration_s=0.0, target=20.0),)
    load = Load(rate=10.0, stages=stages, daily=Daily(amplitude=0.5, peak_s=30.0))
    progress = PlanProgress.begin(Plan(load=load), 0, 7)
    assert progress.arrivals_per_s(0, 1.0) == progress.arrivals_per_s(59 * S, 1.0) == 30.0
    assert progress.arrivals_per_s(60 * S, 1.0) < 30.0


def test_no_share_and_no_surge_asks_for_more_than_the_most():
    """Two million tasks a second are the end for a cell that gets twice its load, too."""
    progress = PlanProgress.begin(Plan(load=Load(rate=RATE_MAX_PER_S)), 0, 7)
    progress.share = 2.0
    assert progress.arrivals_per_s(0, 0.75) == RATE_MAX_PER_S
    assert progress.requested_tasks(4.0)(0.75) == 4.0 * RATE_MAX_PER_S
    progress.share = 0.5
    assert progress.arrivals_per_s(0, 1.5) == 0.75 * RATE_MAX_PER_S
    assert progress.requested_tasks(4.0)(1.5) == 3.0 * RATE_MAX_PER_S


@pytest.mark.parametrize(("factor", "recorded"), [(0.5, 1), (1.0, 2), (3.0, 3)])
def test_requested_tasks_are_the_rate_or_the_recorded_instants(factor, recorded):
    """Of a rate in proportion to the time, of a trace those that were played by then."""
    progress = PlanProgress.begin(Plan(load=Load(rate=10.0)), 0, 7)
    assert progress.arrivals_per_s(0, factor) == 10.0 * factor
    assert progress.requested_tasks(4.0)(factor) == 40.0 * factor
    trace = PlanProgress.begin(Plan(load=Load(trace_s=(0.5, 1.0, 2.0, 3.0, 9.0))), 0, 7)
    trace.trace_at_s = 0.5
    assert trace.requested_tasks(2.0)(factor) == recorded


def test_the_load_is_multiplied_by_what_faults_make_of_the_traffic():
    """The plan's own rate stays what it is."""
    progress = PlanProgress.begin(Plan(load=Load(rate=10.0)), 0, 7)
    assert progress.arrivals_per_s(0, 0.25) == 2.5
    assert progress.load_per_s == 10.0


def test_two_faults_of_one_name_are_refused():
    """`end` and `change` find a fault by its name."""
    same = fault("agent_hang", name="twice")
    with pytest.raises(BoundError, match="each with a name of its own") as raised:
        Plan(faults=(same, fault("counter_reset", name="twice")))
    assert raised.value.field == "faults"


@pytest.mark.parametrize(
    ("more", "begins_s", "holds"), [(0, 1.0, True), (1, 1.0, False), (1, 2.0, True)]
)
def test_so_many_faults_may_be_in_effect_at_once(more, begins_s, holds):
    """Sixty-two; one that begins as they end is none of them."""
    crowd = [fault("agent_hang", name=f"{n}", duration_s=1.0) for n in range(62)]
    crowd += [fault("agent_hang", name="more", start_s=begins_s, duration_s=1.0)] * more
    assert_fits(crowd, "at most 62 in effect at once", 63, holds=holds)


@pytest.mark.parametrize(("count", "holds"), [(10_000, True), (10_001, False)])
def test_so_many_faults_may_be_planned(count, holds):
    """Ten thousand, one after the other."""
    hang = fault("agent_hang")
    many = [replace(hang, name=f"{n}", start_s=2.0 * n, duration_s=1.0) for n in range(count)]
    assert_fits(many, "at most 10000", 10_001, holds=holds)


def assert_fits(faults, rule, value, *, holds):
    """Assert that a plan of faults can be made, or is refused by a rule for so many."""
    if holds:
        assert Plan(faults=tuple(faults)).faults == tuple(faults)
        return
    with pytest.raises(BoundError) as raised:
        Plan(faults=tuple(faults))
    assert (raised.value.field, raised.value.rule, raised.value.value) == ("faults", rule, value)
