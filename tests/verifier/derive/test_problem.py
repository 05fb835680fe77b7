"""How long an alert's tests must be, how often there is a sample, where its conditions are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.alerts import recording, rule_files
from verifier.derive.problem import (
    FILL_MAX,
    UNFILLED,
    AlertProblem,
    condition_paths,
    or_paths,
    problem_leaves,
    reads_clock,
    timing_of,
)
from verifier.promql.parsing import parse


def problem_of(expr, evaluation_s=60.0, recordings=None, **changes):
    """Return an alert as a problem."""
    rule = replace(rule_files("Deep", expr=expr).alerts[0][1], **changes)
    tree = parse(expr)
    leaves = problem_leaves(tree, recordings or {})
    timing = timing_of(leaves, evaluation_s)
    return AlertProblem(rule, (rule,), tree, leaves, recordings or {}, timing)


@pytest.mark.parametrize(
    ("expr", "steps"),
    [
        ("a > 1", 2),
        ("rate(a[5m]) > 1", 7),
        ("rate(a[90s]) > 1", 4),
        ("rate(a[5m] offset 10m) > 1", 17),
        ("a offset 10m > b", 12),
        ("a offset -10m > b", 2),
        ("rate(a[5m]) > rate(b[9m])", 11),
        ("max_over_time(rate(a[5m])[10m:1m] offset 3m) > 1", 20),
        ("r offset 4m > 1", 11),
        (f"rate(a[{FILL_MAX}m]) > 1", FILL_MAX + 2),
        (f"rate(a[{FILL_MAX + 1}m]) > 1", UNFILLED),
        ("vector(1)", 2),
    ],
)
def test_a_test_shows_something_when_its_windows_are_full(expr, steps):
    """All that is around a selector added up, offsets too; what is too long is never full."""
    problem = problem_of(expr, recordings={"r": (recording("r", "rate(a[5m])"),)})
    assert problem.fill_steps == steps
    assert problem.start_steps == steps
    assert replace(problem, lead_s=90.0).start_steps == steps + 2


@pytest.mark.parametrize(
    ("waited_s", "steps"), [(0.0, 0), (30.0, 1), (60.0, 1), (61.0, 2), (0.1 * 3 * 200, 1)]
)
def test_an_alert_waits_for_whole_evaluations(waited_s, steps):
    """Rounded up, but for what is no more than rounding; it is kept firing by the same rule."""
    problem = problem_of("a > 1", for_s=waited_s, keep_firing_for_s=waited_s + 60)
    assert (problem.wait_steps, problem.keep_steps) == (steps, steps + 1)


@pytest.mark.parametrize(("evaluation_s", "steps"), [(60.0, 5), (15.0, 20), (45.0, 7)])
def test_a_value_may_be_five_minutes_old(evaluation_s, steps):
    """In evaluations."""
    assert problem_of("a > 1", evaluation_s).lookback_steps == steps


@pytest.mark.parametrize(
    ("expr", "sample_s"),
    [
        ("a > 1", 60.0),
        ("rate(a[4m]) > 1", 60.0),
        ("rate(a[3m]) > 1", 30.0),
        ("rate(a[1m]) > 1", 15.0),
        ("rate(a[1m]) > rate(b[10m])", 15.0),
        ("rate(a[50s]) > 1", 12.0),
        ("max_over_time(a[1m:10s]) > 1", 60.0),
        ("rate(a[1s]) > 1", 1.0),
    ],
)
def test_every_window_holds_four_samples(expr, sample_s):
    """Of the shortest one, in whole parts of an evaluation."""
    assert problem_of(expr).timing.sample_s == sample_s
    assert problem_of(expr).timing.evaluation_s == 60.0


@pytest.mark.parametrize(
    ("expr", "paths"),
    [
        ("a > 1", [()]),
        ("a", []),
        ("(a >= 1) and b <= 2 unless c != 3", [(0, 0, 0), (0, 1), (1,)]),
        ("sum(a == 1) < 3", [(), (0, 0)]),
        ("absent(a)", [()]),
        ("absent_over_time(a[5m]) or b > 1", [(0,), (1,)]),
        ("abs(a > 1)", [(0,)]),
        ("r", [(0,)]),
        ("r + 1 > 5", [(), (0, 0, 0)]),
    ],
)
def test_conditions_stand_where_comparisons_and_absences_do(expr, paths):
    """From the outside in, through what is recorded."""
    recordings = {"r": (recording("r", "a > 1"),)}
    assert list(condition_paths(parse(expr), recordings)) == paths


@pytest.mark.parametrize(
    ("expr", "paths", "clock"),
    [
        ("a or b", [()], False),
        ("(a or b) > 1 or c and hour() > 8", [(), (0, 0, 0)], True),
        ("a and b unless c", [], False),
        ("hour(a) > 8", [], False),
        ("year() > 2000", [], True),
        ("a > time()", [], False),
    ],
)
def test_either_side_of_an_or_and_the_hour_of_the_day_are_noticed(expr, paths, clock):
    """The hour of a series' own time is none of the evaluation's."""
    assert list(or_paths(parse(expr))) == paths
    assert reads_clock(parse(expr)) is clock
