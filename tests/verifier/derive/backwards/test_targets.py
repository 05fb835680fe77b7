"""Arithmetic turned round gives the value again, and a comparison holds where it is aimed to."""

from __future__ import annotations

import math
import operator
from dataclasses import replace

import promql_parser as promql
import pytest

from verifier.derive.backwards.constants import constant
from verifier.derive.backwards.targets import (
    MIRRORED,
    Goal,
    before,
    counts,
    is_clock,
    is_plain,
    left_of,
    point,
    right_of,
    weights_of,
)
from verifier.promql.parsing import parse

SIGNS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
COMPARED = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(("value", "other"), [(7.0, 4.0), (-3.0, 0.5), (0.25, -2.0)])
def test_either_side_of_a_sign_is_what_gives_the_value(sign, value, other):
    """With the other side as it is."""
    assert SIGNS[sign](left_of(sign, value, other), other) == pytest.approx(value)
    assert SIGNS[sign](other, right_of(sign, value, other)) == pytest.approx(value)


def test_what_no_side_can_give_is_something_all_the_same():
    """Nothing is divided by 0; a root is of what is not negative; another sign gives the value."""
    assert (left_of("*", 5.0, 0.0), right_of("*", 5.0, 0.0), left_of("^", 5.0, 0.0)) == (1, 1, 1)
    assert right_of("/", 0.0, 5.0) == math.inf
    assert left_of("^", 9.0, 2.0) == 3.0
    assert left_of("^", -9.0, 2.0) == 3.0
    assert (left_of("%", 7.0, 2.0), right_of("%", 7.0, 2.0)) == (7.0, 7.0)


@pytest.mark.parametrize("sign", COMPARED)
@pytest.mark.parametrize("limit", [0.0, 0.05, 0.999, 1.0, 5.0, 99.9, 100.0, -4.0, -2000.0])
@pytest.mark.parametrize("off", [0.0, 1e-6])
def test_a_comparison_holds_where_it_is_to_fire_and_nowhere_else(sign, limit, off):
    """Near and deep values are on the other side, the deep one further away but for 0."""
    goal = Goal(modes={}, off=off)
    fire, near, deep = (point(goal, (sign, limit), mode) for mode in ("fire", "near", "deep"))
    assert COMPARED[sign](fire, limit)
    assert not COMPARED[sign](near, limit)
    assert not COMPARED[sign](deep, limit)
    if sign not in ("==", "!="):
        assert abs(deep - limit) >= abs(near - limit)
        assert abs(deep - limit) > abs(near - limit) or not limit
        assert (near == limit) == (sign in (">", "<") and not off)
    mirrored = COMPARED[MIRRORED[sign]]
    assert mirrored(limit, fire)
    assert not mirrored(limit, near)


@pytest.mark.parametrize(
    ("sign", "limit", "fire", "near"),
    [
        (">", 50.0, 51.0, 50.0), (">=", 50.0, 50.0, 49.0), ("<", 20.0, 19.6, 20.0),
        ("<", 0.99, 0.9898, 0.99), (">", 99.0, 99.02, 99.0), (">", 0.0, 1.0, 0.0),
        ("<=", 0.5, 0.5, 0.51), ("==", 2.0, 2.0, 1.0), ("==", 0.0, 0.0, 1.0), ("!=", 1.0, 0.0, 1.0),
    ],
)  # fmt: skip
def test_a_step_is_a_fiftieth_of_a_limit_or_of_what_a_whole_leaves(sign, limit, fire, near):
    """Of 99 % the step is of the one that is left; of 0 it is 1."""
    goal = Goal(modes={})
    beside = (sign, limit)
    assert point(goal, beside, "fire") == pytest.approx(fire)
    assert point(goal, beside, "near") == pytest.approx(near)
    doubled = replace(goal, fire_share=0.04)
    if sign in (">", "<"):
        assert point(doubled, beside, "fire") - limit == pytest.approx(2 * (fire - limit))


@pytest.mark.parametrize(
    ("name", "value", "weights"),
    [
        ("min", 3.0, (1.0, 2.0)), ("min", -3.0, (1.0, 0.5)), ("max", 3.0, (1.0, 0.5)),
        ("max", -3.0, (1.0, 2.0)), ("topk", 3.0, (1.0, 0.5)), ("count", 3.0, (1.0,)),
    ],
)  # fmt: skip
def test_of_two_series_the_one_that_is_picked_has_the_value(name, value, weights):
    """The other one is beyond it, where the aggregation does not look."""
    assert weights_of(name, value) == weights
    values = [weight * value for weight in weights]
    assert {"min": min}.get(name, max)(values) == value


def test_shares_of_a_sum_and_of_a_mean_are_unlike_and_make_the_whole():
    """So that no other aggregation of the two series has the same value."""
    assert sum(weights_of("sum", 8.0)) == 1.0
    assert sum(weights_of("avg", 8.0)) / 2 == 1.0
    for name in ("sum", "avg"):
        assert len(set(weights_of(name, 8.0))) == 2


@pytest.mark.parametrize(
    ("expr", "value", "argument"),
    [
        ("rate(a[2m])", 3.0, 3.0), ("rate(a[2m])", -3.0, 0.0), ("increase(a[2m])", 360.0, 3.0),
        ("changes(a[2m])", -3.0, 0.0), ("resets(a[2m])", -3.0, 0.0), ("irate(a[2m])", -3.0, 0.0),
        ("increase(a[2m])", -3.0, 0.0), ("resets(a[2m])", 360.0, 3.0),
        ("idelta(a[2m])", -3.0, -3.0),
        ("delta(a[2m])", -360.0, -3.0), ("deriv(a[2m])", -3.0, -3.0),
        ("increase(a[2m:1m])", 360.0, 3.0), ("ln(a)", 0.0, 1.0), ("exp(a)", 1.0, 0.0),
        ("sqrt(a)", 3.0, 9.0), ("log2(a)", 3.0, 8.0), ("log10(a)", 3.0, 1000.0), ("sin(a)", 0, 0),
        ("deg(a)", 180.0, math.pi), ("rad(a)", math.pi, 180.0), ("cos(a)", 1, 0), ("tan(a)", 0, 0),
    ],
)  # fmt: skip
def test_what_a_window_counts_is_a_rate_of_its_series(expr, value, argument):
    """Of a counter it is never negative; a function of one number is turned round."""
    call = parse(expr)
    assert before(call.func.name, call.args[0], value) == argument


@pytest.mark.parametrize(
    ("expr", "number"),
    [
        ("14.4 * 0.001", 14.4 * 0.001), ("-(3 - 5)", 2.0), ("vector(2) + scalar(vector(1))", 3.0),
        ("2 ^ 3", 8.0), ("1 / 0", None), ("a * 2", None), ("2 * a", None), ("time()", None),
    ],
)  # fmt: skip
def test_what_reads_nothing_is_a_number(expr, number):
    """With the signs, brackets and vectors around it; what reads is none."""
    assert constant(parse(expr)) == number


@pytest.mark.parametrize(
    ("expr", "plain", "clock", "counted"),
    [
        ("((a))", True, False, False), ("(time())", False, True, False),
        ("count(a)", False, False, True), ("sum((a > 1))", False, False, True),
        ("avg(a == bool 1)", False, False, True), ("max(a > 1)", False, False, False),
        ("sum(a + 1)", False, False, False), ("day_of_week()", False, False, False),
    ],
)  # fmt: skip
def test_what_a_part_is_does_not_depend_on_brackets(expr, plain, clock, counted):
    """A selector, the clock, or an aggregation that counts what passes."""
    node = parse(expr)
    assert (is_plain(node), is_clock(node)) == (plain, clock)
    assert (isinstance(node, promql.AggregateExpr) and counts(node)) == counted
