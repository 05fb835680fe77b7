"""A filter by a number is recognised where it is plainly one, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.promql.filters import NumberFilter, number_filter


@pytest.mark.parametrize(
    ("expr", "compared", "operator", "limit"),
    [
        ("x > 3", "x", ">", 3.0),
        ("sum by (a) (rate(x[5m])) / 7 <= 0.05\n", "sum by (a) (rate(x[5m])) / 7", "<=", 0.05),
        ("100 * (1 - x) < 99.9", "100 * (1 - x)", "<", 99.9),
        ("x > 1 >= 1e3", "x > 1", ">=", 1000.0),
        ("x\n  ==\n  10000", "x", "==", 10000.0),
        ('x{a="> 1"} != 0', 'x{a="> 1"}', "!=", 0.0),
        ('x{a=~"5\\\\d"} > 0', 'x{a=~"5\\\\d"}', ">", 0.0),
    ],
)
def test_what_is_compared_keeps_its_text(expr, compared, operator, limit):
    """The engine is asked its author's own words."""
    assert number_filter(expr) == NumberFilter(compared, operator, limit)


@pytest.mark.parametrize(
    "expr",
    [
        "x",
        "x > y",
        "x and y > 1",
        "x or y > 1",
        "x > bool 1",
        "(x > 1)",
        "x > -1",
        "x > (1)",
        "x > 1 + 2",
        "1 < x",
        "x > 0x10",
        "x + y > 1 unless z",
        "scalar(x) > 1",
        "x >",
        "x > 1 # above 2",
        "x > 2 # x > 2",
        "# x > 1",
    ],
)
def test_anything_else_is_none(expr):
    """The engine is then asked the whole."""
    assert number_filter(expr) is None


@pytest.mark.parametrize(
    ("operator", "passes"),
    [
        (">", [False, False, True, False, True]),
        ("<", [True, False, False, False, False]),
        (">=", [False, True, True, False, True]),
        ("<=", [True, True, False, False, False]),
        ("==", [False, True, False, False, False]),
        ("!=", [True, False, True, True, True]),
    ],
)
def test_values_pass_as_in_the_engine(operator, passes):
    """What is no number passes nothing but an inequality."""
    values = np.array([0.5, 1.0, 1.5, np.nan, np.inf])
    assert NumberFilter("x", operator, 1.0).passes(values).tolist() == passes
