"""What an answer shows beside what the world counted, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from documents.mistakes import Place
from tests.verifier.simulations import scenario_of
from verifier.pack.panels import Panel, Query
from verifier.panels.answers import PanelAnswer, PanelWindow
from verifier.servers.prometheus.client import Series
from verifier.truth.comparison import (
    INSTANTS_MAX,
    ComparedInstant,
    ShownValue,
    TruthOfRun,
    instants_of,
    shown_at,
)
from verifier.truth.declared import PanelTruth
from verifier.truth.measures import TruthRange
from verifier.truth.mismatch import reason_of

EPOCH_S = 1e9
TRUTH = PanelTruth(
    dashboard="D", panel="P", quantity="tasks waiting", take="value", unit="none", by="priority"
)
QUERY = Query("up", "", Place("board.json"))


def answer(*series, unit="none", step_s=15.0):
    """Return the answer of a panel with such a unit."""
    raw = {"fieldConfig": {"defaults": {"unit": unit}}}
    panel = Panel("D", "P", "timeseries", (QUERY,), Place("board.json"), raw)
    return PanelAnswer(panel, QUERY, ok=True, reason="", series=series, step_s=step_s)


def series(values, **labels):
    """Return a series with a value every 15 s from the epoch on."""
    return Series(labels, EPOCH_S + 15.0 * np.arange(len(values)), np.array(values, float))


def instant(shown, expected, *, count=None):
    """Return what is shown beside the ranges that are expected."""
    ranges = {key: TruthRange(low, high, high) for key, (low, high) in expected.items()}
    return ComparedInstant(ShownValue(0.0, shown, count or len(shown)), ranges)


@pytest.mark.parametrize(
    ("shown", "expected", "wrong"),
    [
        ({"a": 1.0}, {"a": (1.0, 2.0)}, ()),
        ({"a": 3.0}, {"a": (1.0, 2.0)}, ("a",)),
        ({}, {"a": (0.0, 2.0)}, ("a",)),
        ({}, {"a": (0.0, 0.0)}, ()),
        ({"a": 1.0, "b": 1.0}, {"a": (1.0, 2.0)}, ("b",)),
    ],
    ids=["the same", "another value", "missing", "none of it in the world", "not in the world"],
)
def test_a_label_is_wrong_where_its_value_is_not_that_of_the_world(shown, expected, wrong):
    """What the world may have some of is missed, and what it has none of need not be shown."""
    assert instant(shown, expected).wrong == wrong
    assert instant(shown, expected).agrees == (not wrong)


def test_more_series_than_the_world_has_are_a_reason_of_their_own():
    """The values of two series that share a label are not told apart by it."""
    twice = instant({"a": 1.0}, {"a": (1.0, 1.0)}, count=2)
    assert not twice.agrees
    assert "2 series where 1 are due" in reason_of(answer(), TRUTH, [twice], None)
    once = instant({"a": 1.0}, {"a": (1.0, 1.0)})
    assert reason_of(answer(), TRUTH, [once], None) == ""
    assert "its unit is s" in reason_of(answer(unit="s"), TRUTH, [once], None)


def run_of(text, end_s):
    """Return a run of a scenario that lasts so long."""
    window = PanelWindow(EPOCH_S, EPOCH_S + end_s, 15.0)
    return TruthOfRun(None, scenario_of(text), EPOCH_S, window)


def test_a_panel_is_looked_at_before_during_and_after_every_fault():
    """And once its windows of five minutes have left the fault behind, and at the end."""
    fault = "faults: [{name: f, fault: exporter_down, start: 20m, duration: 10m}]\n"
    looked_at = instants_of(answer(), run_of("duration: 60m\n" + fault, 3600.0))
    assert looked_at == [0.0, 1200.0, 1500.0, 1800.0, 2100.0, 2700.0, 3600.0]
    assert instants_of(answer(step_s=0.0), run_of("duration: 60m\n" + fault, 3600.0)) == [3600.0]


def test_a_run_without_faults_is_looked_at_all_along():
    """At five instants from its start to its end."""
    looked_at = instants_of(answer(), run_of("duration: 60m\n", 3600.0))
    assert looked_at == [0.0, 900.0, 1800.0, 2700.0, 3600.0]


def test_many_faults_are_looked_at_until_the_last():
    """There are at most so many instants, and they do not leave out the end of a run."""
    faults = ", ".join(
        f"{{name: f{n}, fault: exporter_down, start: {10 * n}m, duration: 3m}}" for n in range(1, 9)
    )
    looked_at = instants_of(answer(), run_of(f"duration: 2h\nfaults: [{faults}]\n", 7200.0))
    assert len(looked_at) <= INSTANTS_MAX
    assert looked_at[0] < 600.0
    assert looked_at[-1] > 4800.0


@pytest.mark.parametrize(("unit", "factor"), [("none", 1.0), ("ms", 1e-3), ("percent", 0.01)])
def test_what_is_shown_is_that_of_the_instant_in_the_units_of_the_world(unit, factor):
    """Every series counts, but one without a value there."""
    shown = answer(
        series([1, 2, 3], priority="low"),
        series([4, 5, 6], priority="low"),
        series([7, np.nan, 9], priority="high"),
        unit=unit,
    )
    at = shown_at(shown, TRUTH, EPOCH_S, 15.0)
    assert at.values == {"low": pytest.approx(5.0 * factor)}
    assert at.series == 2
    assert shown_at(shown, TRUTH, EPOCH_S, 60.0) == ShownValue(60.0, {}, 0)


def test_the_values_of_buckets_have_no_unit():
    """The unit of a heatmap is that of its bounds."""
    truth = PanelTruth(
        dashboard="D", panel="P", quantity="response durations", take="buckets", unit="ms"
    )
    at = shown_at(answer(series([8], le="0.5"), unit="ms"), truth, EPOCH_S, 0.0)
    assert list(at.values.values()) == [8.0]


def test_a_panel_may_show_the_world_in_another_unit_of_the_same_kind():
    """Milliseconds where seconds are declared; its values are taken for what they are."""
    truth = PanelTruth(dashboard="D", panel="P", quantity="CPU time", take="rate", unit="s")
    assert reason_of(answer(unit="ms"), truth, [instant({"": 1.0}, {"": (1.0, 1.0)})], None) == ""


def test_an_instant_between_two_points_is_that_of_the_point_before():
    """Before the first point it is the first."""
    run = TruthOfRun(None, scenario_of("duration: 100s\n"), EPOCH_S,
                     PanelWindow(EPOCH_S, EPOCH_S + 100.0, 15.0))  # fmt: skip
    assert instants_of(answer(), run) == [10.0, 25.0, 40.0, 70.0, 100.0]
