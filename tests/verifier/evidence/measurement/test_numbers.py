"""The numbers of a condition, each as a whole, of series that are written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import rules
from verifier.evidence.firing_bounds import FiringWindow, HeldTime
from verifier.evidence.measurement import (
    AlertView,
    ComparisonNumbers,
    ConditionNumbers,
    DecisiveInstant,
    DecisiveValue,
    measure,
)
from verifier.evidence.silence import WatchedRun
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Series

FACTOR = 2.0
"""An evaluation each 15 s of the server is one each 30 s of the scenario."""


class Curves:
    """A server that has each expression's values by the second of the scenario; NaN is none."""

    version = "3.0"

    def __init__(self, **curves):
        """Have these series, each with a label of its own."""
        self.curves = curves

    def query_range(self, query):
        """Answer with the series whose name the expression has; a comparison as it filters."""
        times_s = np.arange(query.start_s, query.end_s + 1e-6, query.step_s)
        values = self._values(query.expr, (times_s - EPOCH_S) * FACTOR)
        there = ~np.isnan(values)
        if not there.any():
            return []
        return [Series({"__name__": "a", "x": "1"}, times_s[there], values[there])]

    def query(self, expr, at_s):
        """Answer at one instant."""
        return [Series({}, np.array([at_s]), np.array([float(expr)]))]

    def _values(self, expr, seconds):
        first, both, others = expr.partition(" and ")
        if both:
            there = ~np.isnan(self._values(others, seconds))
            return np.where(there, self._values(first, seconds), np.nan)
        for operator, holds in ((" > ", np.greater), (" < ", np.less)):
            left, _, right = expr.partition(operator)
            if right:
                values = self._values(left, seconds)
                return np.where(holds(values, self._values(right, seconds)), values, np.nan)
        left, minus, right = expr.partition(" - ")
        if minus:
            return self._values(left, seconds) - self._values(right, seconds)
        name = expr.strip("()")
        if name not in self.curves:
            return np.full(len(seconds), float(name))
        return np.array([self.curves[name](second) for second in seconds.tolist()])


def measured(tmp_path, expr, view=None, wait="0s", **curves):
    """Measure the condition of an alert over ten minutes of the scenario."""
    files = rules(tmp_path, {"alert": "A", "expr": expr, "for": wait})
    run = WatchedRun(Curves(**curves), files, EPOCH_S, 300.0, WHOLE, factor=FACTOR)
    return measure(run, *files.alerts[0], view)


def risen(second):
    """Stand at 2, rise to 7 from second 300 to 420, and stay at 4."""
    return 2.0 if second < 300 else 7.0 if second <= 420 else 4.0


CAUSED = AlertView(
    instants=(DecisiveInstant("due", 400.0), DecisiveInstant("gone", 900.0)),
    onset_s=300.0,
    window=FiringWindow(not_before_s=300.0, due_s=600.0),
    reached=HeldTime(330.0, 480.0),
)


def test_a_condition_is_measured_in_seconds_of_the_scenario(tmp_path):
    """With the `for` and the threshold that would have let it fire."""
    plateau = np.array([7.0, 7.0, 7.0, 7.0, 4.0, 4.0])
    whole = ComparisonNumbers(
        condition="a > 5", operator=">", threshold=5.0, nearest=7.0, at_s=300.0,
        labels=(("x", "1"),), held_s=120.0, last=4.0,
        readings=(DecisiveValue("due", 400.0, 7.0), DecisiveValue("gone", 900.0, None)),
        healthy=2.0, healthy_spread=0.0, sustained=4.0, firing_threshold=3.0,
        plateau=plateau.mean(), plateau_spread=pytest.approx(plateau.std()),
    )  # fmt: skip
    assert measured(tmp_path, "a > 5", CAUSED, "90s", a=risen) == ConditionNumbers(
        for_s=180.0, held_s=120.0, held_from_s=300.0, comparisons=(whole,), firing_for_s=120.0
    )
    shorter = measured(tmp_path, "a > 5", CAUSED, "1m", a=risen)
    assert (shorter.for_s, shorter.firing_for_s) == (120.0, None), "it fired"
    assert shorter.comparisons[0].sustained == 7.0
    assert measured(tmp_path, "a > 5", CAUSED, "2m", a=risen).comparisons[0].sustained == 4.0


def test_what_never_held_is_measured_from_the_onset_on(tmp_path):
    """Where it held, a value of any time is the furthest beyond."""

    def early(second):
        return 9.0 if second == 60.0 else risen(second)

    (never,) = measured(tmp_path, "a > 20", CAUSED, a=early).comparisons
    assert (never.nearest, never.at_s, never.held_s) == (7.0, 300.0, None)
    (held,) = measured(tmp_path, "a > 5", CAUSED, a=early).comparisons
    assert (held.nearest, held.at_s, held.held_s) == (9.0, 60.0, 120.0)


@pytest.mark.parametrize(
    ("instants", "until_s", "held"),
    [
        ((-60.0, 400.0), 60.0, (120.0, -60.0)),
        ((10.0, 400.0), 60.0, (60.0, 0.0)),
        ((-60.0,), 0.0, (60.0, -60.0)),
        ((-60.0,), -30.0, (None, None)),
        ((0.0,), 0.0, (0.0, 0.0)),
    ],
)
def test_what_held_before_the_start_counts_where_an_instant_lies_there(
    tmp_path, instants, until_s, held
):
    """And where it reaches into the scenario."""
    view = AlertView(instants=tuple(DecisiveInstant("i", at_s) for at_s in instants))
    numbers = measured(
        tmp_path, "a > 5", view, "1m", a=lambda s: 7.0 if -60.0 <= s <= until_s else 1.0
    )
    assert (numbers.held_s, numbers.held_from_s) == held


def test_a_reading_of_0_is_the_furthest_of_what_must_be_little(tmp_path):
    """Before the start as well, where it decided."""
    view = AlertView(instants=(DecisiveInstant("i", -30.0),))
    (below,) = measured(
        tmp_path, "a < 5", view, "1m", a=lambda s: 0.0 if s == -30.0 else 1.0
    ).comparisons
    assert (below.nearest, below.at_s) == (0.0, -30.0)


def test_a_threshold_would_fire_only_where_one_comparison_is_the_whole_condition(tmp_path):
    """Not of a chain, and not of two vectors."""
    lines = {}
    for expr in ("a > 5", "(a > 5)", "1 < a < 8", "a > b", "a > 5 and a > 1"):
        numbers = measured(tmp_path, expr, CAUSED, "2m", a=risen, b=lambda _: 6.0)
        lines[expr] = [each.firing_threshold for each in numbers.comparisons]
    assert lines == {
        "a > 5": [3.0], "(a > 5)": [3.0], "1 < a < 8": [None, None], "a > b": [None],
        "a > 5 and a > 1": [None, None],
    }  # fmt: skip


def test_a_long_condition_is_not_measured_to_its_end(tmp_path):
    """Six of its comparisons are."""
    expr = " and ".join(f"a > {number}" for number in range(8))
    numbers = measured(tmp_path, expr, a=risen)
    assert [each.threshold for each in numbers.comparisons] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_the_last_value_is_that_of_the_last_evaluation(tmp_path):
    """A series that ended has none, and one that is no number."""
    lasts = []
    for end_s in (600.0, 570.0):
        curve = {"a": lambda s, end=end_s: 3.0 if s <= end else math.nan}
        (numbers,) = measured(tmp_path, "a > 5", **curve).comparisons
        lasts.append(numbers.last)
    assert lasts == [3.0, None]
    assert measured(tmp_path, "a > 5", a=lambda _: math.nan).comparisons == ()


@pytest.mark.parametrize(
    ("reached", "mean"),
    [
        (HeldTime(330.0, 450.0), 6.4), (HeldTime(330.0, 449.0), None),
        (HeldTime(331.0, 480.0), 5.8), (HeldTime(300.0, 420.0), 7.0), (None, None),
    ],
)  # fmt: skip
def test_a_plateau_is_of_five_evaluations_at_least(tmp_path, reached, mean):
    """Both ends are among them."""
    view = AlertView(onset_s=300.0, reached=reached)
    (numbers,) = measured(tmp_path, "a > 5", view, a=risen).comparisons
    assert numbers.plateau == (mean if mean is None else pytest.approx(mean))


def test_what_reads_states_of_alerts_has_no_other_wait(tmp_path):
    """Another `for` would change what it reads."""
    curves = {"a": risen, "ALERTS": risen}
    assert measured(tmp_path, "a > 5", CAUSED, "2m", **curves).firing_for_s == 120.0
    assert measured(tmp_path, "ALERTS > 5", CAUSED, "2m", **curves).firing_for_s is None
