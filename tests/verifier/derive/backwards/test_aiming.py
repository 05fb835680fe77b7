"""Levels solved backwards: what each selector's series do so that a condition holds, or not."""

from __future__ import annotations

import pytest

from tests.verifier.alerts import recording
from verifier.derive.backwards.aiming import Aiming
from verifier.derive.backwards.targets import Goal
from verifier.derive.problem import problem_leaves
from verifier.derive.series.leaves import Layout, plan_series
from verifier.promql.parsing import parse

HOLDING = [
    ("a > 5", ["a gauge 5.1"]),
    ("5 < a", ["a gauge 5.1"]),
    ("a >= bool 5", ["a gauge 5"]),
    ("(a) < 20", ["a gauge 19.6"]),
    ("-a > 5", ["a gauge -5.1"]),
    ("a > 1 > 2", ["a gauge 2.04"]),
    ("(a > bool 5) > 0.5", ["a gauge 5.1"]),
    ("(a > bool 5) < 0.5", ["a gauge 0"]),
    ("vector(1) > a", ["a gauge 0.98"]),
    ("a", ["a gauge 1"]),
    # Windows: of a counter how fast it grows, in whole steps where changes are counted.
    ("rate(a[2m]) > 5", ["a counter 5.1"]),
    ("irate(a[2m]) < 5", ["a counter 4.9"]),
    ("increase(a[2m]) > 600", ["a counter 5.1"]),
    ("delta(a[2m]) < -600", ["a counter -5.1"]),
    ("idelta(a[2m]) > 5", ["a counter 5.1"]),
    ("deriv(a[2m]) > 5", ["a counter 5.1"]),
    ("changes(a[2m]) > 6", ["a stairs 0.051"]),
    ("resets(a[2m]) > 6", ["a stairs 0.051"]),
    ("quantile_over_time(0.9, a[5m]) > 5", ["a gauge 5.1"]),
    ("max_over_time(rate(a[5m])[10m:1m]) > 5", ["a counter 5.1"]),
    ("sqrt(a) > 4", ["a gauge 16.6464"]),
    ("histogram_quantile(0.9, sum by (le) (rate(a[5m]))) > 0.5",
     ["a histogram 0.51 x0.25/0.75 q0.9 at 0.51"]),
    ("histogram_quantile(0.9, rate(a[5m])) < 0.5", ["a histogram 0.49 q0.9 at 0.49"]),
    # Aggregations: how two series share the value, or how many of them pass.
    ("sum(a) > 8", ["a gauge 8.16 x0.25/0.75"]),
    ("avg(a) > 8", ["a gauge 8.16 x0.5/1.5"]),
    ("min(a) < 10", ["a gauge 9.8 x1/2"]),
    ("topk(2, a) > 10", ["a gauge 10.2 x1/0.5"]),
    ("stddev(a) > 10", ["a gauge 10.2"]),
    ("group(a) > 0.5", ["a gauge 1 x1/0.5"]),
    ("group(a * 3) == 1", ["a gauge 0.333333 x1/0.5"]),
    ("count(a) > 2", ["a gauge 1 hot 1 cold None"]),
    ("count(a == 0) > 2", ["a gauge 0 hot 1 cold 1"]),
    ("count((a > 5)) > 2", ["a gauge 5.1 hot 1 cold 0"]),
    ("sum(a > bool 5) > 2", ["a gauge 5.1 hot 1 cold 0"]),
    ("avg(a < 5) > 2", ["a gauge 4.9 hot 1 cold 15"]),
    ("count(up == 0) / count(up) > 0.3", ["up gauge 0 hot 1 cold 1"]),
    ("count(up) / count(up == 0) > 0.3", ["up gauge 0 hot 1 cold 1"]),
    ("sum(a and b)", ["a gauge 1 x0.25/0.75", "b gauge 1 x0.25/0.75"]),
    # Arithmetic: one side as it is already, or at its base.
    ("a + 2 > 10", ["a gauge 8.2"]),
    ("2 - a > 10", ["a gauge -8.2"]),
    ("-(a + 3) > 4", ["a gauge -7.08"]),
    ("a / b > 0.1", ["b gauge 100", "a gauge 10.2"]),
    ("a / (a + b) > 0.1", ["a gauge 10.2", "b gauge 89.8"]),
    ("a * b > 10", ["b gauge 1", "a gauge 10.2"]),
    ("a + b > 10", ["b gauge 5.1", "a gauge 5.1"]),
    ("a - b > 10", ["b gauge 100", "a gauge 110.2"]),
    ("a - a / b > 10", ["b gauge 100", "a gauge 10000"]),
    ("a ^ 2 > 100", ["a gauge 10.0995"]),
    ("a % 7 > 3", ["a gauge 3.06"]),
    ("rate(a[2m]) * on (x) b > 10", ["b gauge 1", "a counter 10.2"]),
    ("a * on (x) rate(b[2m]) > 10", ["a gauge 1", "b counter 10.2"]),
    ("(a == 3) / b > 10", ["a gauge 3", "b gauge 0.294118"]),
    ("a / (b == 4) > 10", ["b gauge 4", "a gauge 40.8"]),
    ("a / (b == bool 4) > 10", ["b gauge 4", "a gauge 1020"]),
    ("a / (b > 4) > 10", ["b gauge 100", "a gauge 1020"]),
    ("time() - a > 300", ["a clock -306"]),
    ("a - time() < 300", ["a clock 294"]),
    ("time() > a", ["a gauge -1"]),
    ("a < time()", ["a gauge -1"]),
    ("a > b", ["b gauge 100", "a gauge 102"]),
    ("a > b + 10", ["b gauge 90", "a gauge 102"]),
    ('h{code="5"} / h > 0.1', ["h gauge 89.8", 'h{code="5"} gauge 10.2']),
    # Absence, and what is joined.
    ("absent(a)", ["a absent 0"]),
    ("absent(sum(rate(a[5m])))", ["a absent 0"]),
    ("absent_over_time(a[5m])", ["a absent 0"]),
    ("absent(a) > 0.5", ["a absent 0"]),
    ("absent_over_time(a[5m]) < 0.5", ["a gauge 1"]),
    ("absent(a > 5)", ["a gauge 0"]),
    ("absent(histogram_quantile(0.5, a))", ["a absent 0"]),
    ("absent(a + b)", ["a absent 0", "b absent 0"]),
    ("absent(a * 2)", ["a absent 0"]),
    ("absent(a and b)", ["a absent 0", "b absent 0"]),
    ("absent(a unless b)", ["a absent 0", "b absent 0"]),
    ("absent(a or b)", ["a absent 0", "b absent 0"]),
    ("absent(quantile_over_time(0.9, a[5m]))", ["a absent 0"]),
    ("absent(-(a > 5))", ["a gauge 0"]),
    ("absent(absent(a))", ["a gauge 1"]),
    ("a unless b", ["a gauge 1", "b absent 0"]),
    ("a > 5 and b < 3", ["a gauge 5.1", "b gauge 2.94"]),
    ("a > 5 or b < 3", ["a gauge 5.1", "b gauge 9"]),
    ("a > 5 unless b < 3", ["a gauge 5.1", "b gauge 9"]),
    ("(a > 5) > 7", ["a gauge 7.14"]),
    ("(5 < a) > 7", ["a gauge 7.14"]),
    ("(a > b) > 7", ["a gauge 7.14", "b gauge 100"]),
    ("(a > 5 and b) > 7", ["a gauge 7.14", "b gauge 1"]),
    ("(a > 5 unless b) > 7", ["a gauge 7.14", "b absent 0"]),
    ("(a > 5 or b > 3) > 7", ["a gauge 7.14", "b gauge 0"]),
]  # fmt: skip


def levels(expr, recordings=None, anchors=None, **goal):
    """Return the levels with which an expression holds, in the order in which they are solved."""
    tree = parse(expr)
    series = plan_series(problem_leaves(tree, recordings or {}), Layout(2, 3))
    aiming = Aiming(
        Goal(**({"modes": {}} | goal)), series, recordings or {}, {} if anchors is None else anchors
    )
    return [f"{key} {line(level)}" for key, level in aiming.solve(tree).items()]


def line(level):
    """Return a level on one line, without what it does not have."""
    parts = [level.kind, f"{level.value:.6g}"]
    if level.weights != (1.0,):
        parts.append("x" + "/".join(f"{weight:g}" for weight in level.weights))
    if level.hot is not None:
        cold = None if level.cold is None else f"{level.cold:g}"
        parts.append(f"hot {level.hot} cold {cold}")
    parts += [f"q{level.quantile:g}"] if level.quantile else []
    parts += [f"at {level.anchor:g}"] if level.anchor else []
    return " ".join(parts)


@pytest.mark.parametrize(("expr", "solved"), HOLDING)
def test_a_condition_holds_by_the_levels_of_its_selectors(expr, solved):
    """A fiftieth beyond a threshold, whatever stands between it and the series."""
    assert levels(expr) == solved


@pytest.mark.parametrize(
    ("expr", "goal", "solved"),
    [
        ("a > 5 and b < 20", {"modes": {(0,): "near"}}, ["a gauge 5", "b gauge 19.6"]),
        ("a > 5 and b < 20", {"modes": {(1,): "deep"}}, ["a gauge 5.1", "b gauge 60"]),
        ("a > 5", {"modes": {(): "near"}, "near_share": 0.1}, ["a gauge 4.5"]),
        ("a > 5", {"modes": {}, "fire_share": 0.1}, ["a gauge 5.5"]),
        ("a / b > 0.1", {"modes": {(): "deep"}}, ["b gauge 100", "a gauge 0"]),
        ("a > b", {"modes": {(): "near"}}, ["b gauge 100", "a gauge 100"]),
        ("time() > a", {"modes": {(): "near"}}, ["a gauge 0"]),
        ("absent(a)", {"modes": {(): "near"}}, ["a gauge 1"]),
        ("absent(a)", {"modes": {(): "deep"}}, ["a gauge 1"]),
        ("a > 5 or b > 3", {"second": frozenset({()})}, ["b gauge 3.06", "a gauge 0"]),
        ("a > 5 or b > 3 or c > 1", {"second": frozenset({(0,)})},
         ["b gauge 3.06", "a gauge 0", "c gauge 0"]),
        ("(a > 5 or b > 3) > 7", {"second": frozenset({(0, 0)})}, ["b gauge 7.14", "a gauge 0"]),
        ("count(a > 5) > 2", {"hot": 2}, ["a gauge 5.1 hot 2 cold 0"]),
        ("count(a) > 2", {"hot": 2}, ["a gauge 1 hot 2 cold None"]),
        ("a - b > 10", {"base": 0.0}, ["b gauge 0", "a gauge 10.2"]),
        ("a / b > 10", {"base": 0.0}, ["b gauge 100", "a gauge 1020"]),
    ],
)  # fmt: skip
def test_each_condition_is_aimed_at_by_its_path(expr, goal, solved):
    """Near it or far from it, and an `or` by its other side."""
    assert levels(expr, **goal) == solved


def test_what_is_recorded_is_solved_through_its_rule():
    """As a value, as what must not be there, and with the quantile of a histogram below it."""
    recordings = {
        "r": (recording("r", "sum(rate(a[5m]))"),),
        "q": (recording("q", "sum by (le) (rate(b[5m]))"),),
    }
    assert levels("r > 5", recordings) == ["a counter 5.1 x0.25/0.75"]
    assert levels("max_over_time(r[5m]) * 2 > 5", recordings) == ["a counter 2.55 x0.25/0.75"]
    assert levels("absent(r)", recordings) == ["a absent 0"]
    assert levels("histogram_quantile(0.9, q) > 5", recordings) == [
        "b histogram 5.1 x0.25/0.75 q0.9 at 5.1"
    ]


def test_the_bounds_of_a_histogram_stay_over_all_solutions():
    """About where the first of them was; of 0 about 1."""
    anchors = {}
    expr = "histogram_quantile(0.5, rate(a[5m])) > 0.5"
    assert levels(expr, anchors=anchors, modes={(): "near"}) == ["a histogram 0.5 q0.5 at 0.5"]
    assert levels(expr, anchors=anchors) == ["a histogram 0.51 q0.5 at 0.5"]
    zero = "histogram_quantile(0.5, rate(a[5m])) > 0"
    assert levels(zero, modes={(): "near"}) == ["a histogram 0 q0.5 at 1"]


def test_a_total_is_never_less_than_what_its_parts_give():
    """What reads a part of itself gives the rest, not below 0; of another kind nothing is taken."""
    assert levels('h{code="5"} / h > 1.5') == ["h gauge 0", 'h{code="5"} gauge 153']
    assert levels('rate(h{code="5"}[5m]) / h > 0.1') == ["h gauge 100", 'h{code="5"} counter 10.2']
    assert levels('absent(h) or h{code="5"} > 3', second=frozenset({()})) == [
        'h{code="5"} gauge 3.06', "h gauge 0"]  # fmt: skip
