"""A syntax tree is written as PromQL that reads as the same tree."""

from __future__ import annotations

import promql_parser as promql
import pytest

from verifier.promql.printing import (
    duration_text,
    matcher_text,
    number_of,
    quoted,
    selector_text,
    text_of,
    window_text,
)

EXPRESSIONS = (
    r'x{a="q\"uote\\d",b=~"5..",c!="e",f!~"g"}',
    "-x ^ 2",
    "(-x) ^ 2",
    "avg_over_time(x[5m:1m] offset 3m)",
    "avg_over_time(x[5m:])",
    "quantile by (a) (0.5, x)",
    "x == NaN",
    "x > Inf",
    "a - (b - c)",
    '{__name__="a.b",c="d"}',
    'label_replace(x, "a", "$1", "b", "(.*)")',
    "sum without () (x)",
    'count_values("v", x)',
    "x[1h30m] @ start() offset -5m",
    "(a or b)[5m:1m]",
    "x > bool on (q) y",
    "x / on (a) group_left () y",
    "sum by (a, b) (x) / ignoring (b) group_left (z) y",
    "x and on () y unless z",
    "time() - 1e-09 * x",
)


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_what_is_written_reads_as_the_same_tree(expr):
    """Quotes, brackets, steps and modifiers survive."""
    text = text_of(promql.parse(expr))
    assert text_of(promql.parse(text)) == text
    assert promql.parse(text).prettify() == promql.parse(expr).prettify() or "(" in text


def test_durations_can_be_made_longer():
    """Rules whose time is compressed are shown as they were written."""
    assert text_of(promql.parse("rate(x[500ms])"), 30.0) == "rate(x[15s])"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (5400, "1h30m"), (90.25, "1m30s250ms"), (-60, "-1m"), (604_800, "1w")],
)
def test_a_duration_is_written_as_promql_reads_it(seconds, text):
    """To the millisecond, the longest unit first."""
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        *[
            ("x > 123456", "x > 123456"),
            ("x > 1e14", "x > 100000000000000"),
            ("x > 1e15", "x > 1000000000000000.0"),
        ],
        *[("x > 0.5", "x > 0.5"), ("x > -Inf", "x > -Inf"), ("x > Inf", "x > Inf"), ("-x", "-x")],
        *[('x{a="b\\nc"}', 'x{a="b\\nc"}'), ('{a="b"}', '{a="b"}'), ("x{}", "x")],
        *[('{a="b" or c="d"}', '{a="b" or c="d"}'), ('x{a="b" or c="d"}', 'x{a="b" or c="d"}')],
        *[("x offset -5m", "x offset -5m"), ("x[5m:1m] offset 1h", "x[5m:1m] offset 1h")],
        *[("topk by (a) (3, x)", "topk by (a) (3, x)"), ("x[1d12h]", "x[1d12h]")],
    ],
)
def test_each_part_is_written_as_it_stands(expr, text):
    """Numbers without an exponent as far as they are read at a glance."""
    assert text_of(promql.parse(expr)) == text


def test_every_duration_is_made_longer():
    """Of a range, a step and an offset; to the nearest millisecond."""
    expr = promql.parse("max_over_time(rate(x[10s] offset 2s)[1m:5s] offset 3s)")
    assert text_of(expr, 60.0) == "max_over_time(rate(x[10m] offset 2m)[1h:5m] offset 3m)"
    assert window_text(promql.parse("x[1m:5s] offset 3s")) == "[1m:5s] offset 3s"
    assert [duration_text(s) for s in (0.0006, 0.2999, 1.0015, 59.9996)] == [
        *("1ms", "300ms", "1s2ms", "1m"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0.0, "0"), (-3.0, "-3"), (0.25, "0.25"), (-0.25, "-0.25"), (1e-9, "1e-09")],
        *[(999_999_999_999_999.0, "999999999999999"), (1e15, "1000000000000000.0")],
        *[(-999_999_999_999_999.0, "-999999999999999"), (-1e15, "-1000000000000000.0")],
        *[(float("nan"), "NaN"), (float("inf"), "Inf"), (float("-inf"), "-Inf")],
    ],
)
def test_a_number_is_written_as_promql_reads_it(value, text):
    """On both sides of zero alike."""
    assert number_of(value) == text


def test_a_selector_is_written_without_what_moves_it():
    """Each matcher by its operator, its value between quotes; alone where it has no name."""
    node = promql.parse(r'x{a="1",b!="2",c=~"3",d!~"4"} @ 7 offset 5m')
    assert selector_text(node) == r'x{a="1",b!="2",c=~"3",d!~"4"}'
    assert text_of(node).startswith(f"{selector_text(node)} @ ")
    assert text_of(node).endswith(" offset 5m")
    assert list(map(matcher_text, node.matchers.matchers)) == [
        *('a="1"', 'b!="2"', 'c=~"3"', 'd!~"4"'),
    ]
    assert selector_text(promql.parse('{a="1"}')) == '{a="1"}'
    assert selector_text(promql.parse("x")) == "x"
    assert quoted('a\\b"c\nd') == r'"a\\b\"c\nd"'
