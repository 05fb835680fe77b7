"""A threshold that nothing in this world can reach is found where that can be proved."""

from __future__ import annotations

import promql_parser as promql
import pytest

from tests.exporter.mapping.mappings import BY_CODE, IN_MILLISECONDS, exporting
from verifier.evidence.value_bounds import KnownFacts, bounds_of, unreachable
from verifier.promql.intervals import INF

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
    ("rate(unknown[5m])", (-INF, INF)), (f"rate({COUNTER}[5m])", (0, INF)),
    ("changes(unknown[5m])", (0, INF)), ("delta(up[5m])", (-INF, INF)), ("abs(up)", (-INF, INF)),
    ("absent(up)", (1, 1)), ("absent_over_time(up[5m])", (1, 1)), ("minute()", (0, 59)),
    ("hour()", (0, 23)), ("day_of_week()", (0, 6)), ("day_of_month()", (1, 31)),
    ("month()", (1, 12)), ("year()", (-INF, INF)),
    ("max(up)", (0, 1)), ("min by (job) (up)", (0, 1)), ("topk(2, up)", (0, 1)),
    ("quantile(0.5, up)", (0, 1)), ("quantile(0, up)", (0, 1)), ("quantile(1, up)", (0, 1)),
    ("quantile(scalar(up), up)", (0, 1)), ("quantile(95, up)", (-INF, INF)),
    ("quantile(-1, up)", (-INF, INF)), ("quantile(scalar(unknown), up)", (-INF, INF)),
    ("sum(up)", (0, INF)), ("sum(-up)", (-INF, 0)), ("sum(up + 2)", (2, INF)),
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
    ('x{a="b"} / on(c) group_left x', False),
]


@pytest.mark.parametrize(("expr", "is_share"), SHARES, ids=[expr for expr, _ in SHARES])
def test_only_a_part_of_the_same_series_is_a_share(expr, is_share):
    """Counted alike, over the same window, at the same time."""
    assert (bounds_of(promql.parse(expr)).greatest == 1) is is_share


@pytest.mark.parametrize(
    ("expr", "stays"),
    [
        ("up > 1", ["between 0 and 1"]),
        ("1 < up", ["its right side stays between 0 and 1"]),
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
        ("histogram_quantile(0.5, http_request_duration_seconds_bucket or o_bucket) > 1e9", []),
        ("up > on() group_left() (count(up) + 1)", ["its right one at 2 or above"]),
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
    assert [*unreachable(over_30, KnownFacts(exporting(IN_MILLISECONDS)))] == []
    assert [
        *unreachable(promql.parse(f"{P99} > 20000"), KnownFacts(exporting(IN_MILLISECONDS)))
    ] != []
    assert [*unreachable(over_30, KnownFacts(exporting(BY_CODE)))] == []


STRICT = [
    # What a filter lets through, from either side; of three series in a group at most.
    ("up == 0", (0, 0)), ("0 == up", (0, 0)), ("up > 0.5", (0.5, 1)), ("0.5 < up", (0.5, 1)),
    ("up <= 0.5", (0, 0.5)), ("up < 0.5", (0, 0.5)), ("up >= 0.5", (0.5, 1)), ("up != 1", (0, 1)),
    ("unknown == 5", (5, 5)), ("sum(up == 0)", (0, 0)), ("max(up == 0) + 1", (1, 1)),
    ("unknown > up", (0, INF)), ("up > unknown", (0, 1)),
    ("count(up)", (1, 3)), ("count(up) + count(up)", (2, 6)), ("sum(up)", (0, 3)),
    ("sum(-up)", (-3, 0)), ("sum(up + 2)", (2, 9)), ("sum(up - 2)", (-6, -1)),
    ("sum(unknown)", (-INF, INF)), ('count_values("a", up)', (1, INF)), ("group(up)", (1, 1)),
    # Nothing passes, so nothing has a value.
    *((expr, (INF, -INF)) for expr in (
        "up == 2", "up > 1", "up < 0", "up >= 2", "up <= -1", "(up > 0.5) < 0.5",
        "count(up == 2)", "group(up == 2)", "sum by (cell) (up == 2)", "topk(3, up == 2)",
        "quantile(95, up == 2)", "-(up == 2)", "(up == 2) + 1", "up * on() group_left() (up == 2)",
        "up and on() (up == 2)", "(up == 2) or (up == 3)", "(up == 2) unless unknown",
        "count(up == 2) > bool 0", "(up == 2) > 0", "abs(up == 2)", "rate((up == 2)[5m:])",
        "max_over_time((up == 2)[5m:])", 'label_replace(up == 2, "a", "b", "c", "d")',
        "hour(up == 2)", "count(sum(up == 2) > unknown)", "unknown > scalar(up == 2)",
        "unknown > on() (unknown == scalar(up == 2) + 1)",
    )),
    # These have one all the same.
    ("absent(up == 2)", (1, 1)), ("absent_over_time((up == 2)[5m:])", (1, 1)),
    ("count(up == 2) or vector(0)", (0, 0)), ("(up == 2) or up", (0, 1)),
    ("up unless (up == 2)", (0, 1)), ("up == bool 2", (0, 1)), ("scalar(up == 2)", (-INF, INF)),
    ("count(vector(scalar(up == 2)))", (1, 3)), ("unknown != scalar(up == 2)", (-INF, INF)),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "ends"), STRICT, ids=[expr for expr, _ in STRICT])
def test_what_filters_let_through_is_narrowed_where_series_are_counted(expr, ends):
    """To nothing, where nothing can pass."""
    bounds = bounds_of(promql.parse(expr), KnownFacts(series_max=lambda _: 3.0))
    assert (bounds.least, bounds.greatest) == ends


@pytest.mark.parametrize(
    ("written", "ends"),
    [
        (["up"], (0, 1)),
        (["up", "up - 2"], (-2, 1)),
        (["unknown"], (-INF, INF)),
        (["mine + 1"], (-INF, INF)),
        (["other * 2"], (0, 10)),
    ],
)
def test_a_recording_is_bounded_by_what_it_records(written, ends):
    """By all rules of its name; one that reads itself by nothing; whatever its name is."""
    for name in ("mine", QUEUE):
        trees = [promql.parse(expr.replace("mine", name)) for expr in written]
        facts = KnownFacts(recordings={name: trees, "other": [promql.parse("up * 5")]})
        bounds = bounds_of(promql.parse(name), facts)
        assert (bounds.least, bounds.greatest) == ends


@pytest.mark.parametrize(
    ("expr", "ends"),
    [
        ("clamp_max(up, 0.5)", (0.0, 0.5)),
        ("clamp_min(up, 0.5)", (0.5, 1.0)),
        ("clamp(up, 0.2, 0.5)", (0.2, 0.5)),
        ("time() - timestamp(up)", (0.0, 300.0)),
        ("time() - timestamp(up offset 1h)", (-INF, INF)),
        ("timestamp(up) - time()", (-INF, INF)),
        ("-up", (-1.0, 0.0)),
        ("up - 1", (-1.0, 0.0)),
    ],
)
def test_the_bounds_of_an_expression_are_those_of_its_parts(expr, ends):
    """What is clamped, and how old a sample can be that an instant finds."""
    bounds = bounds_of(promql.parse(expr))
    assert (bounds.least, bounds.greatest) == ends


@pytest.mark.parametrize("expr", ["0 >= up", "1 <= up", "0 == up", "up >= 1", "up <= 0"])
def test_the_ends_of_the_bounds_are_reached_from_either_side(expr):
    """Whichever side the number stands on."""
    assert list(unreachable(promql.parse(expr))) == []
    beyond = expr.replace("0", "-1") if "0" in expr else expr.replace("1", "2")
    assert len(list(unreachable(promql.parse(beyond)))) == 1
