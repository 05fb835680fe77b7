"""What a condition compares, when each side holds, and which values are the same."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from verifier.engines.causes.conditions import ConditionSide, _agree, _sides, is_nearly, query_of
from verifier.evaluation.timeline import Grid
from verifier.servers.prometheus import RangeQuery


@pytest.mark.parametrize(
    ("expr", "sides"),
    [
        ("x > 5", [("x", "x", ">", 5.0)]),
        ("5 < rate(x[1m])", [("rate(x[1m])", "rate(x[1m])", ">", 5.0)]),
        ("(x) >= 2 * 3", [("(x)", "(x)", ">=", 6.0)]),
        ("x > 5 and y < 2", [("x", "x", ">", 5.0), ("y", "y", "<", 2.0)]),
        ("x > y", [("(x) - (y)", "(x) - (y)", ">", 0.0)]),
        ("x", []),
        ("x > scalar(y)", [("(x) - (scalar(y))", "(x) - (scalar(y))", ">", 0.0)]),
    ],
)
def test_each_comparison_is_a_side_as_it_was_written(expr, sides):
    """Whichever stands on the left; of two that both vary the difference is."""
    assert [(s.expr, s.written, s.operator, s.threshold) for s in _sides(expr)] == sides


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        (">", 5.1, True), (">", 5.0, False), (">=", 5.0, True), ("<", 5.0, False),
        ("<", 4.9, True), (">", math.nan, False), (">", None, False),
        ("", 0.0, True), ("", math.nan, True), ("", None, False),
    ],
)  # fmt: skip
def test_a_side_holds_by_its_threshold_and_a_whole_condition_where_it_has_a_value(
    operator, value, holds
):
    """What is not there holds nowhere."""
    assert ConditionSide("x", "x", operator, 5.0).says(value) is holds


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (None, None, True), (None, 0.0, False), (0.0, None, False), (None, math.nan, False),
        (math.nan, math.nan, True), (math.nan, 1.0, False), (1.0, math.nan, False),
        (1.0, 1.0 + 9e-13, True), (1.0, 1.0 + 2e-12, False), (0.0, 1e-300, False),
        (math.inf, math.inf, True), (math.inf, -math.inf, False),
    ],
)  # fmt: skip
def test_values_are_the_same_but_for_rounding(first, second, same):
    """What is no number is no other number."""
    assert is_nearly(first, second) is same


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        ((("a", "1"),), (("a", "1"), ("b", "2")), True),
        ((("a", "1"), ("c", "3")), (("a", "1"),), True),
        ((("a", "1"),), (("a", "2"),), False),
        ((), (("a", "2"),), True),
    ],
)
def test_labels_agree_where_none_has_two_values(first, second, agree):
    """One that stands on one side alone contradicts nothing."""
    assert _agree(first, second) is _agree(second, first) is agree


def test_a_condition_is_asked_at_the_evaluations_of_its_group():
    """So much earlier as the group asks, from its first to its last."""
    group = SimpleNamespace(query_offset_s=20.0)
    query = query_of("x", group, Grid(4.0, 64.0, 15.0), 1000.0)
    assert query == RangeQuery("x", 984.0, 1044.0, 15.0)
