"""Where the order of the series decides the last digit, and where it does not."""

from __future__ import annotations

import pytest

from verifier.derive.problem import problem_leaves
from verifier.derive.series.leaves import Layout, plan_series
from verifier.derive.series.levels import Level
from verifier.derive.series.rounding import order_counts
from verifier.promql.parsing import parse


@pytest.mark.parametrize(
    ("expr", "level", "expected"),
    [
        ('sum(rate(h{code="5"}[1h])) / sum(rate(h[1h])) > 0.1', Level("counter", 0.1), True),
        ("sum(rate(h[5m])) > 100", Level("counter", 50.0), False),  # a + b is b + a
        ("avg(rate(h[5m])) > 100", Level("counter", 50.0), True),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("gauge", 0.1), True),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("gauge", 12.5), False),
        ('sum(h{code="5"}) / sum(h / 3) > 0.1', Level("gauge", 12.0), True),
        ('max(rate(h{code="5"}[1h])) / max(rate(h[1h])) > 0.1', Level("counter", 0.1), False),
        ('sum(changes(h{code="5"}[1h])) / sum(changes(h[1h])) > 0', Level("stairs", 0.1), False),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("absent", 0.1), False),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("clock", 1.0), True),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("gauge", 2.0**34), True),
        ('sum(h{code="5"}) / sum(h) > 0.1', Level("gauge", 2.0**32), False),
        ("stddev(h) > 0.1", Level("gauge", 0.1), True),
        ("stdvar(abs(h)) > 0.1", Level("gauge", 1.0), True),
        ("count(h) > 0.1", Level("gauge", 0.1), False),
        ("rate(h[5m]) > 0.1", Level("counter", 0.1), False),
        ("avg(h) > 0.1", Level("gauge", float("nan")), False),
    ],
)
def test_order_counts_where_more_than_two_are_added_up_and_rounded(expr, level, expected):
    """Of whole numbers, and of halves of them, every sum is exact."""
    leaves = problem_leaves(parse(expr), {})
    series = plan_series(leaves, Layout(2, 1))
    assert order_counts(leaves, series, dict.fromkeys(series, level)) is expected
