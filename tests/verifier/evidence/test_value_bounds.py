"""A threshold that nothing in this world can reach is found where that can be proved."""

from __future__ import annotations

import promql_parser as promql
import pytest

from verifier.evidence.value_bounds import bounds_of, unreachable

ERRORS = 'sum(rate(http_requests_total{status=~"5.."}[5m]))'
ALL = "sum(rate(http_requests_total[5m]))"
QUEUE = "agentaskit_task_queue_depth"
P99 = "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"


@pytest.mark.parametrize(
    "expr",
    [
        f"{ERRORS} / {ALL} > 1",
        f"100 * {ERRORS} / {ALL} > 100",
        f"100 * (1 - {ERRORS} / {ALL}) < 0",
        f"100 * (1 - {ERRORS} / {ALL}) > 100",
        f"{QUEUE} < 0",
        f"sum({QUEUE}) <= -1",
        "rate(http_requests_total[5m]) < 0",
        f"{P99} > 1000",
        f"{P99} * 1000 > 1e6",
        "up > 1",
        "up == 2",
        "1 < avg_over_time(up[5m])",
        f"count({QUEUE}) < 1",
        f"{QUEUE} > 5 and on() hour() > 23",
        f"avg(up) > 1 or {QUEUE} < 0",
        f"sum({QUEUE} > bool 5) / 2 < 0",
        "absent(up) > 1",
    ],
)
def test_a_threshold_out_of_reach_is_found(expr):
    """Shares, times of day, quantiles, counts."""
    assert [*unreachable(promql.parse(expr))]


@pytest.mark.parametrize(
    "expr",
    [
        f"{ERRORS} / {ALL} > 0.99",
        f"{ERRORS} / {ALL} >= 1",
        f"{ALL} / {ERRORS} > 1",
        f"{ERRORS} / sum(rate(http_requests_total[1m])) > 1",
        f"sum by (status) (rate(http_requests_total[5m])) / {ALL} > 1",
        f"{QUEUE} > 1e12",
        f"{QUEUE} <= 0",
        f"{QUEUE} - {QUEUE} offset 5m < 0",
        f"delta({QUEUE}[5m]) < 0",
        f"deriv({QUEUE}[5m]) < 0",
        f"{P99} > 0.5",
        "anything < 0",
        "up < 1",
        "log2(up) < 0",
        f"-{QUEUE} < 0",
        "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total > 1",
        f"{QUEUE} != 0",
    ],
)
def test_a_threshold_that_may_be_reached_is_not(expr):
    """Far away is not out of reach."""
    assert [*unreachable(promql.parse(expr))] == []


def test_the_finding_says_where_the_value_stays():
    """With the comparison."""
    assert [*unreachable(promql.parse("up > 1"))] == [
        "nothing in this world makes `up > 1` true: its left side stays between 0 and 1"
    ]
    assert bounds_of(promql.parse("up / sum(up)")).greatest == float("inf")
