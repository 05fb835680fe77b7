"""A scenario's past: as deep as it is read, with the incidents that still show."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from exporter.history.retention import COARSE_S, FINE_PAST_S
from exporter.target import SCRAPE_S
from tests.simulator.worlds import fault
from tests.verifier.histories import rules
from tests.verifier.simulations import (
    HEALTHY,
    NEAR,
    pack_panels,
    pack_rules,
    scenario_of,
    series,
    simulate,
    simulate_for,
    total,
    verify,
)
from verifier.pack.history_depth import depths
from verifier.servers.prometheus import Prometheus, RangeQuery
from verifier.virtual_time import past, run
from verifier.virtual_time.steady_state import ResamplingPool

SMALL = "load: {rate: 1000}\n"
INCIDENT = (
    "history: {incidents: [{name: h, fault: task_failure, ago: %s, duration: %s,"
    " parameters: {share: 0.5}}]}\n"
)


def test_each_metric_has_as_much_past_as_is_read_of_it():
    """30 days of requests, five minutes of the rest, and nothing that is never read."""
    needed = depths(pack_rules("slo", *NEAR), pack_panels("sla", "capacity", "throughput"))
    history = simulate(scenario_of("duration: 1m\n" + SMALL), needed).history
    names = {dict(labels)["__name__"] for labels in history.series}
    assert names == {name for name in names if needed.depth_s(name)} | {"up"}
    assert 0 <= needed.depth_s("http_requests_total") - 30 * 86_400 <= 3600
    assert needed.depth_s("agentaskit_agents_crashed_total") == 0
    for name in names - {"up"}:
        for _, times_s, _ in series(history, name):
            depth_s = needed.depth_s(name)
            step_s = COARSE_S if depth_s > FINE_PAST_S else SCRAPE_S
            assert -depth_s - 2 * step_s <= times_s[0] <= -depth_s, name
            steps = np.diff(times_s)
            assert (steps[times_s[1:] > -FINE_PAST_S] == SCRAPE_S).all()
            # Every scrape where a window may begin, and coarse steps between its ends.
            between = (times_s[1:] > -depth_s + 3600) & (times_s[1:] <= -FINE_PAST_S)
            assert (steps[between] == COARSE_S).all()
            begins = times_s[1:] <= -depth_s + 600
            assert depth_s <= FINE_PAST_S or (steps[begins] == SCRAPE_S).sum() >= 15


def test_a_week_on_week_rule_has_its_five_minutes(tmp_path):
    """An offset reaches far back with a narrow window, which coarse steps would leave empty."""
    ratio = "sum(rate(agentaskit_tasks_processed_total[1m] offset 1d12h)) > 900"
    before = rules(tmp_path, {"alert": "AsBefore", "expr": ratio}, interval="1m")
    verdicts = verify(scenario_of("duration: 5m\n" + SMALL), before).alerts
    (verdict,) = verdicts
    assert (verdict.alert, verdict.resolved_s) == ("AsBefore", None)
    assert verdict.firing_s is not None
    assert verdict.firing_s < 60


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("ago", "duration", "shows"),
    [("10d", "1h", False), ("4m", "2m", True), ("20m", "18m", True)],
    ids=["long over", "within what is read", "started before what is read"],
)
def test_an_incident_is_simulated_where_it_shows(ago, duration, shows):
    """With rules that read back five minutes, one ten days ago costs nothing and breaks nothing."""
    scenario = scenario_of("duration: 1m\n" + SMALL + INCIDENT % (ago, duration))
    far = simulate_for(scenario, pack_rules("slo"))
    assert far.exact_s + far.resampled_s > 29 * 86_400
    near = simulate(scenario)
    errors = total(near.history, "http_requests_total", status="500")
    assert (errors[-1] > 100) == shows
    assert (near.exact_s > 60) == shows


@pytest.mark.parametrize(
    ("starts_s", "changed"), [((), False), ((0.001,), False), ((0.0,), True), ((5.0, 0.0), True)]
)
def test_a_fault_that_starts_with_the_scenario_changes_its_start(starts_s, changed):
    """Its first minutes cannot be drawn from a healthy world."""
    faults = [fault("traffic_drop", name=str(s), share=0.5, start_s=s) for s in starts_s]
    assert past.start_changed(faults) is changed


@pytest.mark.parametrize(
    ("ago", "duration", "past_s", "start_s"),
    [
        ("20m", "18m", 1200.0, 0.0),
        ("3h", "2h", 10_800.0, 0.0),
        ("3h", "1h55m1s", 10_800.0, 0.0),
        ("3h", "1h55m", 300.0, None),
        ("20m1s", "1s", 1215.0, 14.0),
        ("2m", "1m", 300.0, 180.0),
    ],
    ids=["before", "an hour after", "just shown", "just not", "whole scrapes", "within"],
)
def test_an_incident_shows_for_an_hour_after_its_end(ago, duration, past_s, start_s):
    """Its aftermath may reach into the five minutes that are read: it is then simulated whole."""
    scenario = scenario_of("duration: 1m\n" + SMALL + INCIDENT % (ago, duration))
    simulated_s, faults = past._incidents(scenario, 300.0)
    assert simulated_s == past_s
    assert [fault.start_s for fault in faults] == ([] if start_s is None else [start_s])


def last_day(depth, tmp_path):
    """Simulate a past that reaches back so far; return what the requests of its last day were."""
    deep = rules(tmp_path, {"alert": "A", "expr": f"rate(http_requests_total[{depth}]) < 0"})
    history = simulate_for(scenario_of("duration: 1m\n" + SMALL), deep).history
    return {
        labels: np.diff(values[times_s >= -86_400])
        for labels, times_s, values in series(history, "http_requests_total")
    }


def test_what_was_drawn_of_the_last_day_is_the_same_however_deep_the_past_is(tmp_path):
    """A rule that looks further back changes nothing that other rules see."""
    shallow, deep = (last_day(depth, tmp_path) for depth in ("25h", "50h"))
    assert shallow.keys() == deep.keys()
    for labels, gained in shallow.items():
        assert gained.tolist() == deep[labels].tolist(), labels


def test_draws_by_order_would_differ_by_depth(tmp_path, monkeypatch):
    """Planted: numbers drawn from one generator in order, whatever the minute."""

    def in_order(self, scrapes, draws):
        return np.random.default_rng(draws.seed).integers(0, len(self.rows), len(scrapes))

    monkeypatch.setattr(ResamplingPool, "pick", in_order)
    shallow, deep = (last_day(depth, tmp_path) for depth in ("25h", "50h"))
    assert any(gained.tolist() != deep[labels].tolist() for labels, gained in shallow.items())


FAULTY = "duration: 10m\nfaults: [{name: f, fault: %s, start: 3m, duration: 3m%s}]\n" + SMALL
GAP = FAULTY % ("exporter_down", "")
NO_GAP = FAULTY % ("task_failure", ", parameters: {share: 0.5}")

AWAY = "history: {incidents: [{name: h, fault: exporter_down, ago: 2d, duration: 1h}]}\n"


@pytest.fixture(scope="module")
def engine():
    """Start one Prometheus for all histories; each has a label of its own."""
    with Prometheus() as server:
        yield server, count()


@pytest.fixture
def both(engine, tmp_path):
    """Return what simulates a scenario with every scrape of its past and sparingly, and asks both.

    It returns how many samples each has, and the rates of six hours that each shows.
    """
    server, numbers = engine
    needed = depths(rules(tmp_path, {"alert": "A", "expr": "rate(http_requests_total[6h]) < 0"}))

    def ask(scenario):
        sizes, rates = [], []
        for sparing in (False, True):
            history = run.simulate(scenario, needed, HEALTHY, sparing=sparing).history
            label = ("run", str(next(numbers)))
            server.push(
                replace(history, series=[tuple(sorted((*each, label))) for each in history.series])
            )
            expr = f'sum(rate(http_requests_total{{run="{label[1]}"}}[6h]))'
            epoch_s = run.epoch_s_of(scenario)
            query = RangeQuery(expr, epoch_s, epoch_s + scenario.duration_s, SCRAPE_S)
            (series,) = server.query_range(query)
            sizes.append(history.size)
            rates.append(series.values.tolist())
        return sizes, rates

    return ask


def test_a_scenario_without_gaps_stores_less_and_its_rates_are_the_same(both):
    """Both ends of every window are there; what lies between them cancels out."""
    (every, sparing), rates = both(scenario_of(NO_GAP))
    assert sparing < 0.7 * every
    assert rates[0] == rates[1]


def test_a_rate_is_carried_into_a_gap_as_far_as_with_every_scrape(both):
    """Where scrapes are missing, nothing is spared."""
    sizes, rates = both(scenario_of(GAP))
    assert sizes[0] == sizes[1]
    assert rates[0] == rates[1]


def test_coarse_steps_would_carry_a_rate_too_far_into_a_gap(both, monkeypatch):
    """Planted: as little as that of every scrape whatever the scenario's faults are."""
    monkeypatch.setattr(past, "may_have_gaps", lambda _: False)
    _, rates = both(scenario_of(GAP))
    assert rates[0] != pytest.approx(rates[1], rel=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NO_GAP, False),
        (GAP, True),
        (FAULTY % ("series_vanish", ", parameters: {share: 0.5}"), True),
        (FAULTY % ("counter_reset", ""), True),
        ("topology: {cells: 2}\n" + FAULTY % ("cell_down", ", targets: {cells: [1]}"), True),
        ("duration: 1m\n" + INCIDENT % ("2d", "1h"), False),
        ("duration: 1m\n" + AWAY, True),
        ("duration: 1m\nhistory: {depth: 6h}\n", True),
        ("duration: 26h\n", True),
        ("duration: 25h\n", False),
    ],
)
def test_a_series_may_be_interrupted_by_the_scenario_or_its_past(text, expected):
    """Nor is a window full before there is a history, or in its place after a day."""
    assert past.may_have_gaps(scenario_of(text)) is expected
