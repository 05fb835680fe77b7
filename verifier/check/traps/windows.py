"""Ranges: too short for the scrapes, longer than what is kept, or hanging on their left end.

Which functions need two samples is the engine's; how often a series has one is the scrape interval,
and for what a rule records the interval of its group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.durations import format_duration
from verifier.evidence.relaxed import name_of
from verifier.promql.reads import SUBQUERY_STEP_S, all_reads
from verifier.promql.walker import nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

TWO_SAMPLES: Final = (
    *("rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"),
    *("double_exponential_smoothing", "resets", "changes"),
)
COUNTED: Final = ("count_over_time", "sum_over_time")
"""Functions whose value has a part of each sample in the window."""
SCRAPES_SAFE: Final = 4


def windows(
    expression: CheckedExpression,
    scrape_interval_s: float,
    retention_s: float,
    recorded_s: Mapping[str, float],
) -> Iterator[CheckFinding]:
    """Yield each range that is too short, too long, or depends on its left end.

    `recorded_s` is the interval of the group of each metric that a rule records.
    """
    for node, parents in nodes_with_parents(expression.tree):
        outer = parents[-1] if parents else None
        function = outer.func.name if isinstance(outer, promql.Call) else ""
        if isinstance(node, promql.MatrixSelector):
            metric = name_of(node.vector_selector)
            interval_s = recorded_s.get(metric, scrape_interval_s)
            range_s = node.range.total_seconds()
            yield from _short(expression, function, range_s, interval_s)
            if metric in recorded_s:
                yield from _left_end(expression, function, range_s, interval_s)
        elif isinstance(node, promql.SubqueryExpr):
            step_s = node.step.total_seconds() if node.step else SUBQUERY_STEP_S
            range_s = node.range.total_seconds() if node.range else 0.0
            yield from _left_end(expression, function, range_s, step_s)
    depth_s = max((read.depth_s for read in all_reads(expression.text)), default=0.0)
    if depth_s > retention_s:
        kept = format_duration(retention_s)
        reason = f"it reads {format_duration(depth_s)} back, {kept} are kept"
        yield expression.finding("range-beyond-retention", reason)


def _short(
    expression: CheckedExpression, function: str, range_s: float, interval_s: float
) -> Iterator[CheckFinding]:
    needed = 2 if function in TWO_SAMPLES else 1
    window = f"{function}() over {format_duration(range_s)}"
    samples = f"a sample every {format_duration(interval_s)}"
    if range_s < needed * interval_s:
        reason = f"{window} needs {needed} samples, with {samples} it mostly has fewer"
        yield expression.finding("short-range", reason)
    elif needed > 1 and range_s < SCRAPES_SAFE * interval_s:
        reason = f"{window} has {range_s / interval_s:.3g} intervals, with {samples}"
        yield expression.finding("narrow-range", reason)


def _left_end(
    expression: CheckedExpression, function: str, range_s: float, step_s: float
) -> Iterator[CheckFinding]:
    """Yield what is evaluated on a grid: there a sample falls exactly on the left end."""
    steps = range_s / step_s
    if abs(steps - round(steps)) > 1e-9 or steps < 1:
        return
    if function in COUNTED or (round(steps) == 1 and function in TWO_SAMPLES):
        reason = (
            f"{function}() over {format_duration(range_s)} in steps of {format_duration(step_s)}"
            f" has {round(steps) + 1} values in Prometheus 2, {round(steps)} in Prometheus 3"
        )
        yield expression.finding("prometheus3-left-end", reason)
