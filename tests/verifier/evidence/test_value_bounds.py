"""A threshold that nothing in this world can reach is found where that can be proved."""

from __future__ import annotations

import promql_parser as promql
import pytest

from tests.exporter.mapping.mappings import BY_CODE, IN_MILLISECONDS, exporting
from verifier.evidence.value_bounds import (
    INF,
    UNKNOWN,
    ValueBounds,
    _never,
    bounds_of,
    unreachable,
)

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


COUNTER = "http_requests_total"
BOUNDS = [
    ("5", (5, 5)), ("-5", (-5, -5)), ("(5)", (5, 5)), ("NaN", (-INF, INF)), ("Inf", (INF, INF)),
    ('"text"', (-INF, INF)),
    ("up", (0, 1)), ('{__name__="up"}', (0, 1)), (COUNTER, (0, INF)), ("unknown", (-INF, INF)),
    ("http_request_duration_seconds_sum", (0, INF)), ("-up", (-1, 0)), ("up[5m:1m]", (0, 1)),
    ("avg_over_time(up[5m])", (0, 1)), ("max_over_time(up[5m:1m])", (0, 1)),
    ("quantile_over_time(0.5, up[5m])", (0, 1)), ("sum_over_time(up[5m])", (-INF, INF)),
    ("quantile_over_time(95, up[5m])", (-INF, INF)),
    ("quantile_over_time(NaN, up[5m])", (-INF, INF)),
    ("scalar(up)", (0, 1)), ("vector(5)", (5, 5)), ("time()", (-INF, INF)),
    ('label_replace(up, "a", "b", "c", "d")', (0, 1)), ('label_join(up, "a", "b", "c")', (0, 1)),
    ("rate(unknown[5m])", (0, INF)), ("delta(up[5m])", (-INF, INF)), ("abs(up)", (-INF, INF)),
    ("absent(up)", (1, 1)), ("absent_over_time(up[5m])", (1, 1)), ("minute()", (0, 59)),
    ("hour()", (0, 23)), ("day_of_week()", (0, 6)), ("day_of_month()", (1, 31)),
    ("month()", (1, 12)), ("year()", (-INF, INF)),
    ("max(up)", (0, 1)), ("min by (job) (up)", (0, 1)), ("topk(2, up)", (0, 1)),
    ("quantile(0.5, up)", (0, 1)), ("quantile(0, up)", (0, 1)), ("quantile(1, up)", (0, 1)),
    ("quantile(scalar(up), up)", (0, 1)), ("quantile(95, up)", (-INF, INF)),
    ("quantile(-1, up)", (-INF, INF)), ("quantile(scalar(unknown), up)", (-INF, INF)),
    ("sum(up)", (0, INF)), ("sum(-up)", (-INF, INF)),
    ("sum(unknown)", (-INF, INF)), ("count(unknown)", (1, INF)), ("group(unknown)", (1, 1)),
    ('count_values("a", unknown)', (1, INF)), ("stddev(unknown)", (0, INF)),
    ("stdvar(unknown)", (0, INF)),
    ("up + 2", (2, 3)), ("2 - up", (1, 2)), ("up - up", (-1, 1)), ("up * -3", (-3, 0)),
    ("(up - 2) * (up - 3)", (2, 6)), ("(up - 0.5) * (up - 0.25)", (-0.375, 0.375)),
    ("1 / (up + 1)", (0.5, 1)), ("1 / (up - 2)", (-1, -0.5)), ("5 / up", (0, INF)),
    ("-5 / up", (-INF, 0)), ("1 / (up - 0.5)", (-INF, INF)), ("up / 2", (0, 0.5)),
    (f"1 / ({COUNTER} + 2)", (0, 0.5)), (f"0 * {COUNTER}", (0, 0)), ("up % 2", (-INF, INF)),
    ("up ^ 2", (-INF, INF)), ("up and unknown", (0, 1)), ("up unless unknown", (0, 1)),
    ("up or vector(5)", (0, 5)), ("vector(-5) or up", (-5, 1)), ("up or unknown", (-INF, INF)),
    ("unknown > bool 5", (0, 1)), ("up > 0.5", (0, 1)), ("0.5 < up", (0, 1)),
    ("unknown > up", (-INF, INF)), ("unknown == 5", (-INF, INF)),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "ends"), BOUNDS, ids=[expr for expr, _ in BOUNDS])
def test_an_expression_stays_between_its_bounds(expr, ends):
    """Both ends of every kind of expression; what is not known has none."""
    bounds = bounds_of(promql.parse(expr))
    assert (bounds.least, bounds.greatest) == ends


SHARES = [
    (f"{ERRORS} / {ALL}", True),
    (f"({ERRORS}) / ({ALL})", True),
    (f"{ALL} / {ALL}", True),
    (f"{ERRORS} * 100 / {ALL}", False),
    (f"{ALL} / {ERRORS}", False),
    (f"{ERRORS} / {ALL.replace('5m', '1m')}", False),
    (f"{ERRORS.replace('rate', 'increase')} / {ALL.replace('rate', 'increase')}", True),
    (f"{ERRORS.replace('rate', 'increase')} / {ALL}", False),
    (f"{ERRORS.replace('rate', 'irate')} / {ALL.replace('rate', 'irate')}", False),
    (f"{ERRORS.replace('sum', 'sum by (job)')} / {ALL.replace('sum', 'sum by (job)')}", True),
    (f"{ERRORS.replace('sum', 'sum by (job)')} / {ALL}", False),
    (f"{ERRORS.replace('sum', 'avg')} / {ALL.replace('sum', 'avg')}", False),
    (f"{ERRORS.replace('http', 'other')} / {ALL}", False),
    (f"{ERRORS.replace('[5m]', '[5m] offset 1h')} / {ALL}", False),
    (f"{ERRORS} / {ALL.replace('[5m]', '[5m] @ 5')}", False),
    ('sum({status="5"}) / sum({status="5"})', False),
    ('sum(unknown{a="b"}) / sum(unknown)', False),
    ('rate(x_total{a="b"}[5m]) / rate(x_total[5m])', True),
    ('x{a="b"} / x', True),
    ('x{a="b"} / x{a="c"}', False),
]


@pytest.mark.parametrize(("expr", "is_share"), SHARES, ids=[expr for expr, _ in SHARES])
def test_only_a_part_of_the_same_series_is_a_share(expr, is_share):
    """Counted alike, over the same window, at the same time."""
    assert (bounds_of(promql.parse(expr)).greatest == 1) is is_share


NEVER = {
    ">": (True, True, False), ">=": (True, False, False), "<": (False, True, True),
    "<=": (False, False, True), "==": (True, False, True), "!=": (False, False, False),
}  # fmt: skip


@pytest.mark.parametrize("operator", NEVER)
def test_a_comparison_is_never_true_beyond_or_at_the_end_of_its_bounds(operator):
    """Of a value of 2 alone, compared with 3, with 2 itself, and with 1."""
    value = ValueBounds(2.0, 2.0)
    assert tuple(_never(value, operator, limit) for limit in (3.0, 2.0, 1.0)) == NEVER[operator]
    assert not any(_never(UNKNOWN, operator, limit) for limit in (-1e300, 0.0, 1e300))


@pytest.mark.parametrize(
    ("expr", "stays"),
    [
        ("up > 1", ["between 0 and 1"]),
        ("1 < up", ["between 0 and 1"]),
        (f"{QUEUE} < 0", ["at 0 or above"]),
        (f"-{QUEUE} > 0", ["at 0 or below"]),
        ("up > 1 and up < 0", ["between 0 and 1"] * 2),
        ("up > 1 or up < 0", ["between 0 and 1"] * 2),
        ("(up > 1) unless (up < 0)", ["between 0 and 1"]),
        ("up > unknown", []),
        ("(up > 1) > 0", ["between 0 and 1"]),
        ("0 > up > 0.5", ["between 0 and 1"]),
        ("0.5 < up < 2", []),
        ("up > bool 1", []),
        ("sum(up > 1)", []),
        (f"{P99} > 0.5 == 2e9", ["between 0 and "]),
        ("histogram_quantile(1.5, http_request_duration_seconds_bucket) > 1e9", []),
        ("histogram_quantile(0.5, other_bucket) > 1e9", []),
    ],
)
def test_each_comparison_out_of_reach_is_named_by_where_its_side_stays(expr, stays):
    """On either side of the sign; what is excluded may be out of reach."""
    sentences = [*unreachable(promql.parse(expr))]
    assert len(sentences) == len(stays), sentences
    assert all(text in each for text, each in zip(stays, sentences, strict=True))


def test_a_metric_of_a_mapping_is_bounded_by_its_own_buckets():
    """One of our name in milliseconds passes 30, the last bound of ours in seconds."""
    over_30 = promql.parse(f"{P99} > 30")
    assert [*unreachable(over_30)] != []
    assert [*unreachable(over_30, exporting(IN_MILLISECONDS))] == []
    assert [*unreachable(promql.parse(f"{P99} > 20000"), exporting(IN_MILLISECONDS))] != []
    assert [*unreachable(over_30, exporting(BY_CODE))] == []
