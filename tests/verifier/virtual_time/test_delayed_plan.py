"""A scenario scraped at an offset of its own begins between two scrapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from tests.verifier.simulations import HEALTHY, scenario_of, series, total
from verifier.pack.history_depth import HistoryDepths
from verifier.promql.reads import all_reads
from verifier.virtual_time.delayed_plan import delayed, lead_s
from verifier.virtual_time.run import simulate

SMALL = "rate: 1000"
NEEDED = HistoryDepths(
    tuple(all_reads("http_requests_total + up + agentaskit_sim_load_tasks_per_second"))
)


def run(text, offset_s, *, exact=False):
    """Simulate a scenario whose scrapes come at an offset; return its history."""
    scenario = scenario_of(text)
    return simulate(scenario, NEEDED, HEALTHY, exact=exact, scrape_offset_s=offset_s).history


@pytest.mark.parametrize("offset_s", [0.001, 4.5, 14.999])
def test_scrapes_come_at_the_offset_and_none_after_the_end(offset_s):
    """Through the past as well; whatever the duration."""
    history = run(f"duration: 100s\nload: {{{SMALL}}}\n", offset_s)
    ((_, times_s, values),) = series(history, "up")
    assert (np.rint(times_s * 1000) % 15_000 == offset_s * 1000).all()
    assert 85 < times_s[-1] <= 100
    assert np.diff(times_s) == pytest.approx(15)
    assert times_s[0] < -300
    assert (values == 1).all()


@pytest.mark.parametrize("offset_s", [0.001, 5.0, 14.999])
def test_a_fault_begins_at_its_own_instant_wherever_scrapes_fall(offset_s):
    """A restart at 3:07 leaves what arrived since then in the counters of the next scrape."""
    reset = "faults: [{name: r, fault: counter_reset, start: 187s, duration: 1m}]\n"
    history = run(f"duration: 5m\nload: {{{SMALL}}}\n" + reset, offset_s)
    ((_, times_s, _),) = series(history, "up")
    counted = total(history, "http_requests_total")
    (after,) = np.flatnonzero(np.diff(counted) < 0) + 1
    since_s = times_s[-len(counted) :][after] - 187
    assert 0 < since_s <= 15
    assert counted[after] == pytest.approx(1000 * since_s, abs=250)


def test_an_offset_moves_no_reading_but_those_around_a_change():
    """Before the fault the same scrapes are the same, at whatever instant they are stamped."""
    drop = (
        "faults: [{name: d, fault: traffic_drop, start: 3m, duration: 1m,"
        " parameters: {share: 0.5}}]\n"
    )
    text = f"duration: 5m\nload: {{{SMALL}}}\n" + drop
    at_once, later = (run(text, offset_s, exact=True) for offset_s in (5.0, 10.0))
    ((_, times_s, _),) = series(at_once, "up")
    before = times_s[times_s > -300] < 170
    first, second = (total(history, "http_requests_total") for history in (at_once, later))
    begins = len(first) - len(before)
    assert first[begins:][before].tolist() == second[begins:][before].tolist()
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize(
    "load",
    [
        "{rate: 1000, stages: [{duration: 2m, target: 500}, {duration: 2m, target: 2000}]}",
        "{rate: 1000, daily: {amplitude: 1, peak: 3m}}",
    ],
    ids=["stages", "daily"],
)
def test_a_load_that_follows_the_clock_is_delayed_with_its_plan(load):
    """What the load asks for at an instant of the scenario is the same at every offset."""
    asked = []
    for offset_s in (0.0, 6.0):
        history = run(f"duration: 5m\nload: {load}\n", offset_s, exact=True)
        ((_, times_s, values),) = series(history, "agentaskit_sim_load_tasks_per_second")
        # Not where it turns: between two scrapes a turn cannot be seen.
        at_s = np.array([30.0, 50, 70, 90, 140, 160, 180, 200, 220, 260])
        asked.append(np.interp(at_s, times_s, values))
    assert np.allclose(asked[0], asked[1], rtol=0.01, atol=2)


def test_recorded_arrivals_are_delayed_too():
    """Each comes at the second that the trace gives it."""
    scenario = scenario_of("duration: 1m\n")
    plan = scenario.plan
    trace = type(plan.load)(trace_s=(0.0, 1.5, 2.5))
    later = delayed(type(plan)(load=trace, faults=plan.faults), 4.0)
    assert later.load.trace_s == (4.0, 5.5, 6.5)


@pytest.mark.parametrize("by_s", [0.001, 4.0, 14.999])
@pytest.mark.parametrize("peak_s", [0.0, 180.0, -600.0])
def test_the_peak_of_a_day_is_delayed_with_its_plan(by_s, peak_s):
    """A day is too long for a simulation to show it; the amplitude stays."""
    daily = Daily(amplitude=0.5, peak_s=peak_s)
    later = delayed(Plan(load=Load(daily=daily)), by_s)
    assert later.load.daily == Daily(amplitude=0.5, peak_s=peak_s + by_s)


def test_a_load_holds_its_first_rate_until_its_stages_begin():
    """One more stage, of the delay; all else of it stays as it is."""
    stages = (Stage(duration_s=60.0, target=5.0), Stage(duration_s=0.0, target=7.0))
    load = Load(rate=3.0, stages=stages, burst=Burst(factor=2.0, every_s=9.0, last_s=1.0))
    later = delayed(Plan(load=load), 4.0).load
    assert later == replace(load, stages=(Stage(duration_s=4.0, target=3.0), *stages))
    assert delayed(Plan(load=Load(rate=3.0)), 4.0).load == Load(rate=3.0)


def test_every_fault_is_delayed_and_lasts_as_long():
    """Those that begin with the plan, too."""
    faults = "faults: [{name: a, fault: agent_hang, start: 0s, duration: 1m}, {name: b,"
    more = " fault: counter_reset, start: 30s, duration: 10s}]\n"
    plan = scenario_of(f"duration: 2m\n{faults}{more}").plan
    later = delayed(plan, 4.0).faults
    assert [(f.name, f.start_s, f.duration_s) for f in later] == [("a", 4, 60), ("b", 34, 10)]
    assert [replace(f, start_s=f.start_s - 4) for f in later] == [*plan.faults]


def test_a_plan_without_a_delay_is_the_same_plan():
    """Scrapes at whole intervals need none."""
    plan = scenario_of("duration: 1m\n").plan
    assert delayed(plan, lead_s(0.0)) is plan
    assert [lead_s(at_s) for at_s in (0.001, 4.5, 14.999)] == pytest.approx([14.999, 10.5, 0.001])
