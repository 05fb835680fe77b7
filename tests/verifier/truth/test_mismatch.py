"""The whole sentence on a panel that disagrees with the world: figures first, then why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.verifier.truth.records import answer_of, counts, run_on
from verifier.truth.declared import PanelTruth
from verifier.truth.judged_panels import compared

CELLS = np.zeros(31, np.int64)
CELLS[10] = 100  # (0.04, 0.05]
CELLS[16] = 100  # (0.1, 0.2]
RUN = run_on(
    counts(
        agents_started=30, agents_crashed=15, tasks_waiting=[1, 2, 3, 4],
        tasks_in_flight=[5, 6, 7, 8], requests=[90, 0, 10, 0, 0], messages_waiting=7,
        response_durations=CELLS, bytes_sent=[15_000, 45_000], memory=[1000, 2000, 3000, 0, 0, 0],
    )
)  # fmt: skip
RATE = PanelTruth(
    dashboard="D", panel="P", quantity="agents started", take="rate", unit="ops", window_s=60.0
)
WAITING = replace(RATE, quantity="tasks waiting", take="value", unit="none", window_s=0.0)
BY = replace(WAITING, by="priority")
INCREASE = replace(RATE, take="increase")
QUARTER = replace(RATE, quantity="response durations", take="quantile", quantile=0.25, unit="s")
BUCKETS = replace(RATE, quantity="response durations", take="buckets", unit="s")
FAILED = replace(
    RATE, quantity="requests", of="requests", where=(("status", "5.."),), unit="percentunit"
)
PRIORITIES = ("critical", "high", "normal", "low")


def each(*values, names=PRIORITIES):
    """Return values by priority."""
    return list(zip(names, values, strict=False))


def verdict(truth, values, **fields):
    """Return the answer that shows these values, compared."""
    (answer,) = compared([answer_of(values, **fields)], [truth], RUN)
    return answer


@pytest.mark.parametrize(
    ("truth", "values", "unit", "sentence"),
    [
        (RATE, 1, "ops", ("shows 1, the world had 2, the rate of agents started;"
         " it shows the rate of agents crashed: wrong metric or matcher")),
        (RATE, 3, "ops", ("shows 3, the world had 2, the rate of agents started;"
         " every value is 1.5 times what the world had")),
        (RATE, 2.03, "ops", ("shows 2.03, the world had 2, the rate of agents started;"
         " every value is 1.015 times what the world had")),
        (RATE, 2.015, "ops", ("shows 2.015, the world had 2, the rate of agents started;"
         " wrong at 5 of 5 instants")),
        (RATE, 0, "ops", ("shows 0, the world had 2, the rate of agents started;"
         " wrong at 5 of 5 instants")),
        (RATE, -2, "ops", ("shows -2, the world had 2, the rate of agents started;"
         " wrong at 5 of 5 instants")),
        (RATE, 7, "ops", ("shows 7, the world had 2, the rate of agents started;"
         " it shows messages waiting: wrong metric or matcher")),
        (WAITING, 2, "none", ("shows 2, the world had 10, tasks waiting;"
         " it shows the rate of agents started: wrong metric or matcher")),
        (WAITING, 60, "none", ("shows 60, the world had 10, tasks waiting;"
         " it shows the increase of agents crashed: wrong metric or matcher")),
        (replace(WAITING, where=(("priority", "high"),)), 10, "none", ("shows 10, the world had 2,"
         " tasks waiting with priority=high; it shows tasks waiting: wrong metric or matcher")),
        (INCREASE, 2, "none", ("shows 2, the world had 120, the increase of agents started;"
         " every value is 0.01667 times what the world had")),
        (INCREASE, 600, "none", ("shows 600, the world had 120, the increase of agents started;"
         " it shows the increase of agents started over 5m, not over 1m: wrong window")),
        (QUARTER, 0.045, "ms", ("shows 0.000045, the world had 0.045,"
         " the 0.25 quantile of response durations; its values are in s, its unit is ms")),
        (QUARTER, 0.05, "s", ("shows 0.05, the world had 0.045,"
         " the 0.25 quantile of response durations;"
         " it shows the 0.5 quantile of response durations: wrong metric or matcher")),
        (FAILED, 10, "percentunit", ("shows 10, the world had 0.1,"
         " the rate of requests with status=5.. of requests;"
         " its values are in percent, its unit is percentunit")),
        (FAILED, 1, "percentunit", ("shows 1, the world had 0.1,"
         " the rate of requests with status=5.. of requests;"
         " it shows the rate of requests of requests: wrong metric or matcher")),
    ],
)  # fmt: skip
def test_one_series_that_is_wrong_is_explained(truth, values, unit, sentence):
    """A unit, another window, quantile or quantity, a factor, in this order; else how often."""
    shown = verdict(replace(truth, unit=unit), [("", values)], unit=unit)
    assert not shown.ok
    assert shown.reason == shown.truth.reason == f"at 0s it {sentence}"
    assert (shown.truth.shows, shown.truth.instants_s) == (truth.words, (0, 150, 300, 450, 600))


@pytest.mark.parametrize(
    ("truth", "values", "label", "sentence"),
    [
        (BY, each(1, 2, 3, 5), "priority", ("5 of priority low, the world had 4, tasks waiting;"
         " wrong at 5 of 5 instants")),
        (BY, each(2, 4, 6, 8), "priority", ("2 of priority critical, the world had 1,"
         " tasks waiting; every value is 2 times what the world had")),
        (BY, each(5, 6, 7, 8), "priority", ("5 of priority critical, the world had 1,"
         " tasks waiting; it shows tasks in flight: wrong metric or matcher")),
        (BY, each(1, 2, 3), "priority", ("nothing of priority low, the world had 4, tasks waiting;"
         " wrong at 5 of 5 instants")),
        (BY, each(1, 2, 3, 4, 5, names=(*PRIORITIES, "new")), "priority", ("5 of priority new,"
         " the world had none, tasks waiting; it shows 5 series where 4 are due:"
         " is `sum by (priority)` missing?")),
        (BY, each(1, 2, 3, 4, 1, names=(*PRIORITIES, "critical")), "priority", ("5 series,"
         " the world had 4, tasks waiting; it shows 5 series where 4 are due:"
         " is `sum by (priority)` missing?")),
        (BY, [("", 10)], "", ("nothing of priority critical, the world had 1, tasks waiting;"
         " its series have no label priority: is `by (priority)` missing?")),
        (WAITING, each(1, 2, 3, 4), "priority", ("4, the world had 10, tasks waiting;"
         " it shows 4 series where 1 are due: is `sum` missing?")),
        (RATE, [("a", 2), ("b", 2)], "x", ("2 series, the world had 1, the rate of agents started;"
         " it shows 2 series where 1 are due: is `sum` missing?")),
        (QUARTER, [("a", 0.045), ("b", 0.045)], "x", ("2 series, the world had 1,"
         " the 0.25 quantile of response durations; it shows 2 series where 1 are due:"
         " is `sum by (le)` missing?")),
        (BUCKETS, [("", 2)], "", ("nothing of le 0.05, the world had 6.667,"
         " the buckets of response durations; its series have no label le:"
         " is `by (le)` missing?")),
    ],
)  # fmt: skip
def test_series_by_a_label_that_are_wrong_are_explained(truth, values, label, sentence):
    """Labels come before all else; the first that is wrong is named."""
    shown = verdict(truth, values, unit=truth.unit, label=label)
    assert (shown.ok, shown.reason) == (False, f"at 0s it shows {sentence}")


@pytest.mark.parametrize(
    ("truth", "values", "label"),
    [
        (RATE, [("", 2)], ""),
        (INCREASE, [("", 120)], ""),
        (QUARTER, [("", 0.045)], ""),
        (FAILED, [("", 0.1)], ""),
        (replace(FAILED, scale=-1.0, offset=1.0), [("", 0.9)], ""),
        (BY, each(1, 2, 3, 4), "priority"),
        (replace(BY, scale=2.0, offset=1.0), each(3, 5, 7, 9), "priority"),
    ],
)
def test_what_agrees_keeps_its_reason(truth, values, label):
    """It is said with what it was compared, and at which instants."""
    shown = verdict(truth, values, unit=truth.unit, label=label)
    assert (shown.ok, shown.reason, shown.truth.reason) == (True, "before", "")
    assert (shown.truth.shows, shown.truth.agrees) == (truth.words, True)


@pytest.mark.parametrize(
    ("declared", "unit", "sentence"),
    [("ops", "s", "its unit is s, and it shows"), ("ops", "", "its unit is not set, and it shows")],
)
def test_a_unit_of_another_kind_is_said_at_once(declared, unit, sentence):
    """No figure is needed for it."""
    shown = verdict(replace(RATE, unit=declared), [("", 2)], unit=unit)
    assert shown.reason == f"{sentence} the rate of agents started, in ops"


def test_a_panel_that_is_wrong_for_a_while_says_how_often():
    """With the figures of the first instant that is wrong."""
    answer = answer_of([("", 2)], unit="ops")
    answer.series[0].values[10:21] = 5.0
    (shown,) = compared([answer], [RATE], RUN)
    assert shown.reason == (
        "at 2m30s it shows 5, the world had 2, the rate of agents started; wrong at 2 of 5 instants"
    )


def test_what_has_no_truth_or_nothing_to_compare_stays_as_it_is():
    """The first truth that is of a query is taken."""
    wrong = replace(RATE, quantity="agents crashed")
    other = replace(wrong, panel="Q")
    answers = [answer_of([("", 2)], unit="ops"), answer_of([("", 9)], ok=False), answer_of([])]
    assert compared(answers, [other], RUN) == tuple(answers)
    assert compared(answers[1:], [RATE], RUN) == tuple(answers[1:])
    assert [each.ok for each in compared(answers[:1], [other, RATE, wrong], RUN)] == [True]
    assert [each.ok for each in compared(answers[:1], [other, wrong, RATE], RUN)] == [False]
