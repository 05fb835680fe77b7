"""Cells of values made by hand: near misses, absent data, no traffic."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.verifier.coverage.test_opposites import SCENARIO, course, shown
from tests.verifier.simulations import scenario_of
from verifier.coverage import value_cells as values_module
from verifier.coverage.stretches import TimeSpan
from verifier.coverage.value_cells import ValueCells, has_threshold
from verifier.evaluation.timeline import Episode


def line(values, from_s=0.0, step_s=15.0, epoch_s=1000.0, **labels):
    """Return a series as a server answers it."""
    times_s = epoch_s + from_s + step_s * np.arange(len(values))
    return SimpleNamespace(
        times_s=times_s, values=np.array(values, dtype=float), labels={"__name__": "x", **labels}
    )


def cells_of(own, answers, scenario=SCENARIO):
    """Return the cells of values, where a server answers each expression with its series."""
    scenario_span = SimpleNamespace()
    span = SimpleNamespace(
        scenario=scenario_span,
        query=lambda _: SimpleNamespace(start_s=970.0, end_s=1600.0, step_s=15.0),
    )
    stock = SimpleNamespace(over=lambda expr, _: SimpleNamespace(series=answers.get(expr, ())))
    run = SimpleNamespace(span=lambda *_: span, stock=stock, epoch_s=1000.0)
    return ValueCells(run, scenario, own)


def test_a_near_miss_of_the_threshold_is_the_longest_time_near_to_it(asked):
    """In the scenario, seen from what was healthy before the first fault, by its labels."""
    healthy = [20.0] * 4
    values = [*healthy, 5.2, 5.4, *[5.3] * 4, 5.6, *[20.0] * 6]
    own = course(expr="abs(x) < 5", rule_labels=(("team", "t"), ("made", "{{ $value }}")))
    cells = cells_of(own, {"abs(x)": [line(values, pool="x")]})
    [(cell, words)] = shown(cells.observe())
    assert cell == "near_threshold"
    assert words == "5.3 from 1m for 1m15s, threshold 5, healthy 20"
    assert asked == [[Episode(60.0, 120.0, 150.0)]]


@pytest.mark.parametrize(
    ("values", "from_s", "is_near"),
    [
        ([20.0] * 4 + [5.2] * 5, 0.0, True),
        ([20.0] * 4 + [5.2] * 4, 0.0, False),  # 45 seconds of a minute
        ([20.0] * 4 + [5.2] * 5, 15.0, True),
        ([5.2] * 9, 60.0, False),  # never seen healthy
        ([20.0] * 4 + [5.2] * 5, -120.0, False),  # before the scenario
        ([20.0] * 4 + [4.9] * 5, 0.0, False),  # it would have fired
        ([20.0] * 4 + [5.6] * 5, 0.0, False),
    ],
)
def test_near_is_long_enough_after_the_start_and_on_the_silent_side(asked, values, from_s, is_near):
    """As long as the `for`."""
    own = course(expr="abs(x) < 5")
    cells = [*cells_of(own, {"abs(x)": [line(values, from_s)]}).observe()]
    assert [each.cell for each in cells] == ["near_threshold"] * is_near
    assert len(asked) == len(cells)


def absence(*there, expr="abs(x) < 5", episodes=(), for_s=60.0):
    """Return what is said of a selector with a sample at these seconds, and the judge's words."""
    series = [
        SimpleNamespace(
            times_s=1000.0 + np.array(times_s, dtype=float), values=np.ones(len(times_s)), labels={}
        )
        for times_s in there
    ]
    return shown(cells_of(course(*episodes, expr=expr, for_s=for_s), {"x": series}).observe())


EVERY = [15.0 * step for step in range(-2, 41)]


def but(from_s, until_s):
    """Return all evaluations but those from one to another."""
    return [at_s for at_s in EVERY if not from_s <= at_s <= until_s]


@pytest.mark.parametrize(
    ("there", "for_s", "said"),
    [
        ([EVERY], 60.0, None),
        ([], 60.0, None),
        ([but(60, 120)], 60.0, "x was absent from 1m for 1m: silent"),
        ([but(60, 105)], 60.0, None),
        ([but(60, 75)], 0.0, "x was absent from 1m for 15s: silent"),
        ([but(60, 60)], 0.0, None),
        ([but(60, 120), but(105, 300)], 15.0, "x was absent from 1m45s for 15s: silent"),
        ([but(-30, 120)], 60.0, None),  # it had not been there before
        ([but(-15, 75)], 60.0, "x was absent from 0s for 1m15s: silent"),
        ([but(60, 120)], 61.0, None),
        ([but(60, 600)], 60.0, "x was absent from 1m for 9m: silent"),
    ],
)
def test_data_are_absent_where_every_series_that_was_there_is_gone(asked, there, for_s, said):
    """In the scenario, for as long as the `for`, an interval at least."""
    assert absence(*there, for_s=for_s) == ([("absent_data", said)] if said else [])
    if said:
        [[fired]] = asked
        assert fired.firing_s == fired.pending_s + for_s


def test_the_opposite_of_firing_while_data_are_absent_is_to_end_there(asked):
    """Of what fires in that time alone nothing is left; what fires elsewhere stays."""
    inside, across = Episode(50.0, 70.0, 100.0), Episode(0.0, 30.0, 100.0)
    before, after = Episode(0.0, 10.0, 60.0), Episode(200.0, 230.0, None)
    at_end, at_start = Episode(90.0, 120.0, None), Episode(50.0, 60.0, 90.0)
    pending = Episode(60.0, None, 90.0)
    every = (before, across, at_start, inside, pending, at_end, after)
    assert absence(but(60, 120), episodes=every) == [
        ("absent_data", "x was absent from 1m for 1m: firing")
    ]
    assert asked == [[before, replace(across, resolved_s=60.0), pending, after]]


def test_no_traffic_begins_with_the_last_request_before_it(asked):
    """A window of a minute is empty for as long as its samples are apart, less a scrape."""
    idle = line([1.0] * 5, from_s=90.0)
    for series, said in (
        ([idle], "no request was answered from 45s for 1m45s: silent"),
        ([line([1.0] * 3, from_s=15.0)], None),
        ([line([1.0] * 5, from_s=15.0)], "no request was answered from 0s for 1m15s: silent"),
        ([], None),
    ):
        answers = {values_module.NO_TRAFFIC: series}
        named = shown(cells_of(course(expr="abs(x) < 5"), answers).observe())
        assert named == ([("no_traffic", said)] if said else [])
    assert asked[0] == [Episode(45.0, 105.0, 165.0)]


def test_of_several_label_sets_each_must_be_refused_to_fire(monkeypatch):
    """One that may fire unnoticed leaves the cell open."""
    monkeypatch.setattr(
        values_module, "is_refused", lambda _s, _c, own: own[-1].labels == (("pool", "x"),)
    )
    own = course(expr="abs(x) < 5")
    gone = {"x": [line([1.0] * 6)]}
    sets = ((("pool", "x"),), (("pool", "y"),))
    for label_sets, binds in ((sets[:1], True), (sets[1:], False), (sets, False)):
        [cell] = cells_of(replace(own, label_sets=label_sets), gone).observe()
        assert (cell.cell, cell.binds) == ("absent_data", binds)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("x < 5", True), ("(x) >= 5", True), ("5 < x", True), ("sum(x) <= 5", True),
        ("x == 5", False), ("x != 5", False), ("x < y", True), ("x", False),
        ("x < 5 and y", False), ("sum(x < 5)", False), ("x < 5 or y", False),
        ("x < 5 and y > 1", False), ("(x < 5) + 1", False), ("(x > 5) * 2 > 3", True),
        ("x <", False),
    ],
)  # fmt: skip
def test_a_threshold_is_that_of_the_one_comparison_with_a_number(expr, expected):
    """By an order, or of a difference with 0; of anything else no value is near."""
    assert has_threshold(expr) is expected


def test_a_stretch_is_as_long_as_from_its_first_evaluation_to_its_last():
    """Both are in it."""
    assert TimeSpan(15.0, 75.0).length_s == 60.0


def test_the_first_of_several_faults_ends_what_was_healthy(asked):
    """In whatever order they stand in the file."""
    early, late = (
        f"- {{name: {name}, fault: traffic_drop, start: {start}, duration: 30s,"
        " parameters: {share: 0.4}}\n"
        for name, start in (("early", "1m"), ("late", "3m"))
    )
    values = [*[20.0] * 4, *[12.0] * 4, *[5.2] * 5, *[20.0] * 6]
    for faults in (early + late, late + early):
        scenario = scenario_of(f"duration: 10m\nfaults:\n{faults}expectations: []\n")
        cells = cells_of(course(expr="abs(x) < 5"), {"abs(x)": [line(values)]}, scenario)
        [(_, words)] = shown(cells.observe())
        assert words == "5.2 from 2m for 1m, threshold 5, healthy 20"
    quiet = scenario_of("duration: 10m\nexpectations: []\n")
    [(_, words)] = shown(
        cells_of(course(expr="abs(x) < 5"), {"abs(x)": [line(values)]}, quiet).observe()
    )
    assert words.startswith("5.2 from 2m for 1m, threshold 5, healthy ")
    assert len(asked) == 3


def test_an_alert_that_nearly_fired_would_have_had_the_labels_of_its_series_and_rule(monkeypatch):
    """Those that a rule sets to a text; the name of what it compares is none of them."""
    fired = []
    monkeypatch.setattr(
        values_module, "is_refused", lambda _s, _c, own: fired.append(own[-1].labels) or True
    )
    values = [*[20.0] * 4, *[5.2] * 5]
    rule_labels = (("pool", "own"), ("team", "t"), ("made", "{{ $value }}"))
    own = course(expr="abs(x) < 5", rule_labels=rule_labels)
    list(cells_of(own, {"abs(x)": [line(values, zone="z", pool="x")]}).observe())
    assert fired == [(("pool", "own"), ("team", "t"), ("zone", "z"))]


@pytest.mark.parametrize(
    ("step_s", "gap_s", "is_near"), [(15.0, 15.0, True), (30.0, 30.0, True), (15.0, 45.0, False)]
)
def test_a_stretch_goes_on_for_as_long_as_evaluations_follow_each_other(
    asked, step_s, gap_s, is_near
):
    """In the least step of the series, where few of very many evaluations were asked for."""
    near_s = [60.0, 60.0 + step_s, 60.0 + step_s + gap_s, 60.0 + 2 * step_s + gap_s]
    times_s = np.array([*np.arange(0.0, 60.0, step_s), *near_s]) + 1000.0
    values = np.array([*[20.0] * (len(times_s) - 4), *[5.2] * 4])
    series = SimpleNamespace(times_s=times_s, values=values, labels={})
    own = course(expr="abs(x) < 5", for_s=3 * step_s)
    named = [*cells_of(own, {"abs(x)": [series]}).observe()]
    assert [each.cell for each in named] == ["near_threshold"] * is_near
    assert len(asked) == is_near
