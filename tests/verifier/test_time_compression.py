"""Tempo: what is divided, what grows, and what stays when time is compressed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.faults.fault import Fault
from simulator.faults.kinds.resources import MemoryLeak
from simulator.faults.kinds.scrape_path import ScrapeSlow
from simulator.faults.kinds.tasks import TaskFailure
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.topology import Topology
from tests.verifier.simulations import scenario_of
from verifier.time_compression import FACTOR_MAX, INERTIA_S, TimeCompression, allow_for_inertia


def fault(parameters):
    """A fault from the third minute, for ten, reaching its strength in one."""
    return Fault(name="it", parameters=parameters, start_s=180.0, duration_s=600.0, ramp_s=60.0)


def test_real_time_leaves_a_plan_as_it_is():
    """Fast-forward goes through here as well: not a bit may change."""
    plan = Plan(
        load=Load(stages=(Stage(duration_s=7.0, target=9.0),), daily=Daily(amplitude=0.1)),
        faults=(fault(MemoryLeak(bytes_per_s=3.3)),),
    )
    assert TimeCompression().plan(plan) == plan
    assert TimeCompression().topology(Topology()) == Topology()
    assert TimeCompression().allowance_s(15.0) == 0


def test_times_are_divided_and_come_after_the_lead():
    """Onset, length and ramp of a fault; stages of the load; sojourns of a burst."""
    load = Load(
        rate=100.0,
        stages=(Stage(duration_s=60.0, target=50.0),),
        burst=Burst(factor=2.0, every_s=300.0, last_s=30.0),
    )
    plan = TimeCompression(30).plan(
        Plan(load=load, faults=(fault(TaskFailure(share=0.1)),)), lead_s=10.0
    )
    (compressed,) = plan.faults
    assert (compressed.start_s, compressed.duration_s, compressed.ramp_s) == (16.0, 20.0, 2.0)
    assert compressed.parameters == TaskFailure(share=0.1)
    assert plan.load.stages == (
        Stage(duration_s=10.0, target=100.0),
        Stage(duration_s=2.0, target=50.0),
    )
    assert plan.load.burst == Burst(factor=2.0, every_s=10.0, last_s=1.0)
    assert plan.load.rate == 100.0


def test_what_builds_up_does_so_faster_by_the_factor():
    """A leak is as large at the same time of the scenario; a scrape as late for its timeout."""
    (leak,) = TimeCompression(30).plan(Plan(faults=(fault(MemoryLeak(bytes_per_s=1e5)),))).faults
    assert leak.parameters == MemoryLeak(bytes_per_s=3e6)
    (slow,) = TimeCompression(30).plan(Plan(faults=(fault(ScrapeSlow(delay_s=12.0)),))).faults
    assert slow.parameters.delay_s == pytest.approx(0.6)


def test_the_fleet_is_scaled_faster_by_the_factor_and_all_else_stays():
    """Service, queues and starts are what rates and latencies are made of."""
    topology, base = TimeCompression(30).topology(Topology()), Topology()
    assert topology.scaling_memory_s == pytest.approx(base.scaling_memory_s / 30)
    assert topology.scale_up_per_s == 30 * base.scale_up_per_s
    assert topology.scale_down_per_s == 30 * base.scale_down_per_s
    assert (topology.tiers, topology.classes, topology.recycle_per_s) == (
        base.tiers,
        base.classes,
        base.recycle_per_s,
    )


@pytest.mark.parametrize(
    ("factor", "scrape_s", "timeout_s"),
    [(1, 15.0, 10.0), (7, 2.142, 2.142), (30, 0.5, 0.5), (100, 0.5, 0.5)],
)
def test_scrapes_come_as_often_as_the_smallest_window_needs(factor, scrape_s, timeout_s):
    """Four in a minute's window up to factor 30, and never more often than twice a second."""
    compression = TimeCompression(factor)
    assert compression.scrape_s == scrape_s
    assert compression.scrape_timeout_s == pytest.approx(timeout_s)
    assert compression.step_ns == round(15e9 / factor)


@pytest.mark.parametrize("factor", [0.5, 0, 1001, float("nan")])
def test_an_impossible_time_compression_is_refused(factor):
    """Slower than real time, and faster than anything can be scraped."""
    with pytest.raises(ValueError, match="compress must be 1 to 1000"):
        TimeCompression(factor)


def test_loads_that_go_by_the_clock_cannot_be_compressed():
    """A recorded trace and a day's curve have times of their own."""
    for load, what in (
        (Load(trace_s=(0.1, 0.2)), "trace"),
        (Load(daily=Daily(amplitude=0.1)), "daily"),
    ):
        for compression, lead_s in ((TimeCompression(2), 0.0), (TimeCompression(), 1.0)):
            with pytest.raises(ValueError, match=f"load: {what} must be left out"):
                compression.plan(Plan(load=load), lead_s=lead_s)


def test_the_world_keeps_its_own_inertia():
    """15 s of filling queues are 450 s of a scenario run 30 times as fast, of which 15 were in."""
    assert TimeCompression(30).allowance_s(15.0) == 435.0


FAULTS = """
  - {name: leak, fault: memory_leak, parameters: {bytes_per_s: 1000}, start: 2m, duration: 5m}
  - {name: failures, fault: task_failure, parameters: {share: 0.1}, start: 2m, duration: 5m}
"""
DUE, ENDS = "fires_within: 60s", "resolves_within: 90s"
FADE_S = Topology().fleet / Topology().recycle_per_s


def judged_faults(expectation):
    """A scenario with a leak and a share of failures, and one expectation."""
    return scenario_of(f"duration: 1h\nfaults: {FAULTS}\nexpectations: [{expectation}]\n")


@pytest.mark.parametrize(
    ("expectation", "fires_s", "resolves_s"),
    [
        (f"{{alert: A, cause: leak, {DUE}, {ENDS}}}", 15, 15 + FADE_S),
        (f"{{alert: A, cause: failures, {DUE}, {ENDS}}}", 15, 15),
        (f"{{alert: A, cause: leak, {DUE}}}", 15, None),
        ("{alert: A, silent: true}", None, None),
    ],
)
@pytest.mark.parametrize("factor", [1, 30])
def test_deadlines_leave_the_world_its_inertia(expectation, fires_s, resolves_s, factor):
    """Filling queues before an alert; also the fading of what a fault leaves, after its end."""
    scenario = judged_faults(expectation)
    (before,) = scenario.expectations
    (after,) = allow_for_inertia(scenario, TimeCompression(factor)).expectations
    for was_s, is_s, inertia_s in (
        (before.fires_within_s, after.fires_within_s, fires_s),
        (before.resolves_within_s, after.resolves_within_s, resolves_s),
    ):
        assert (is_s is None) is (was_s is None) is (inertia_s is None)
        assert is_s is None or is_s == was_s + inertia_s * (factor - 1)
    assert INERTIA_S == 15


@pytest.mark.parametrize(("recycle_per_s", "felt_s"), [(10.0, 1.0), (0.0, 0.0)])
def test_a_leak_is_felt_until_every_agent_was_recycled(recycle_per_s, felt_s):
    """Without recycling nothing is waited for: what leaked stays."""
    tiers = tuple(replace(tier, agents=10) for tier in Topology().tiers)
    topology = replace(Topology(), tiers=tiers, recycle_per_s=recycle_per_s)
    assert MemoryLeak(bytes_per_s=1.0).felt_after_end_s(topology) == felt_s * len(tiers)
    assert TaskFailure(share=0.1).felt_after_end_s(topology) == 0


@pytest.mark.parametrize(
    ("pending", "factor", "then"),
    [
        ("forbidden", 1, False),
        ("allowed", 1, True),
        ("forbidden", 1.5, True),
        ("allowed", 1.5, True),
    ],
)
def test_an_alert_may_be_pending_in_every_compressed_run(pending, factor, then):
    """Its windows are noisier; in real time only where the scenario says so."""
    scenario = scenario_of(f"duration: 1h\npending: {pending}\n")
    assert allow_for_inertia(scenario, TimeCompression(factor)).pending_allowed is then


@pytest.mark.parametrize("factor", [1.0, FACTOR_MAX])
def test_both_ends_of_what_may_be_compressed_are_allowed(factor):
    """And nothing beyond them."""
    assert TimeCompression(factor).factor == factor
    for beyond in (0.999, FACTOR_MAX + 0.5):
        with pytest.raises(ValueError, match="1 to 1000"):
            TimeCompression(beyond)


def test_uncompressed_and_without_a_lead_a_plan_is_what_it_was():
    """Also one whose faults are bounded by how long a scrape may take; a lead adds no stage."""
    fault = "{name: f, fault: scrape_slow, start: 1m, duration: 1m, parameters: {delay: 2s}}"
    plan = scenario_of(f"duration: 6m\nload: {{rate: 100}}\nfaults: [{fault}]\n").plan
    assert TimeCompression().plan(plan) == plan
    assert TimeCompression().plan(plan, lead_s=7.0).load == plan.load
