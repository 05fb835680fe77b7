"""How far back the selectors of an expression read."""

from __future__ import annotations

import pytest

from verifier.promql.reads import LOOKBACK_S, fixed_time, reads


@pytest.mark.parametrize(
    ("expr", "depth_s"),
    [
        ("m", LOOKBACK_S),
        ("rate(m[1m])", 60),
        ("rate(m[1m] offset 1h)", 3660),
        ("m offset 10m", 600 + LOOKBACK_S),
        ("rate(m[5m] offset -1h)", 0),
        ("max_over_time(rate(m[1m])[10m:30s])", 690),
        ("max_over_time(rate(m[1m])[10m:])", 720),
        ("max_over_time(sum_over_time(rate(m[1m])[10m:30s] offset 1m)[1h:1m])", 690 + 60 + 3660),
        ("sum(rate(m[6h])) / sum(rate(other[30d]))", 21600),
        ("other + on() {__name__='m'}", LOOKBACK_S),
        ("sum(rate({__name__=~'m|n'}[7m]))", 420),
        ("sum(count_over_time({job='x'}[8m]))", 480),
        ("rate(m[5m]) > 3 and m", 300),
    ],
)
def test_the_depth_of_a_metric_adds_ranges_offsets_and_subqueries(
    expr: str, depth_s: float
) -> None:
    """The longest way back over all selectors that may match `m`."""
    assert max(read.depth_s for read in reads(expr) if read.matches("m")) == depth_s


def test_a_subquery_beside_a_selector_does_not_deepen_it() -> None:
    """Only selectors inside its brackets read that far."""
    depths_s = {r.exact: r.depth_s for r in reads("max_over_time(a[1h:1m]) + rate(b[5m])")}
    assert depths_s == {"a": 3660 + LOOKBACK_S, "b": 300}


def test_an_at_modifier_is_recognised() -> None:
    """Virtual time has no fixed wall-clock time."""
    assert fixed_time("rate(m[5m] @ 1700000000)")
    assert fixed_time("max_over_time(m[1h:1m] @ end())")
    assert not fixed_time("rate(m[5m] offset 1h)")
