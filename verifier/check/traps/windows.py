"""Ranges: too short for the scrapes, longer than what is kept, or hanging on their left end.

Which functions need two samples is the engine's; how often a series has one is the scrape interval,
and for what a rule records the interval of its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import amount
from documents.durations import format_duration
from verifier.evidence.relaxed import name_of
from verifier.promql.conditions import COMPARISONS
from verifier.promql.reads import SUBQUERY_STEP_S, all_reads
from verifier.promql.walker import nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

TWO_SAMPLES: Final = (
    *("rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"),
    *("double_exponential_smoothing", "resets", "changes"),
)
COMPARING: Final = (*COMPARISONS, "==", "!=")
COUNTED: Final = ("count_over_time", "sum_over_time")
"""Functions whose value has a part of each sample in the window."""
SCRAPES_SAFE: Final = 4
SAMPLES_FEW: Final = 100
"""From here on one sample more or less changes a sum or a count by a per cent at most."""


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
                call = _Windowed(function, range_s, interval_s, _compared_with(parents))
                yield from _left_end(expression, call)
        elif isinstance(node, promql.SubqueryExpr):
            step_s = node.step.total_seconds() if node.step else SUBQUERY_STEP_S
            range_s = node.range.total_seconds() if node.range else 0.0
            call = _Windowed(function, range_s, step_s, _compared_with(parents))
            yield from _left_end(expression, call)
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
        reason = f"{window} needs {amount(needed, 'samples')}, with {samples} it mostly has fewer"
        yield expression.finding("short-range", reason)
    elif needed > 1 and range_s < SCRAPES_SAFE * interval_s:
        reason = f"{window} has {range_s / interval_s:.3g} intervals, with {samples}"
        yield expression.finding("narrow-range", reason)


@dataclass(frozen=True, slots=True)
class _Windowed:
    """A function over a range in steps, and the number that it is compared with, if it is."""

    function: str
    range_s: float
    step_s: float
    compared_with: float | None


def _compared_with(parents: Sequence[promql.Expr]) -> float | None:
    """Return the number that the innermost call is itself compared with, None without one."""
    outer = [each for each in parents[:-1] if not isinstance(each, promql.ParenExpr)]
    if not outer or not isinstance(outer[-1], promql.BinaryExpr):
        return None
    sides = (outer[-1].lhs, outer[-1].rhs)
    numbers = [side.val for side in sides if isinstance(side, promql.NumberLiteral)]
    return numbers[0] if str(outer[-1].op) in COMPARING and numbers else None


def _left_end(expression: CheckedExpression, call: _Windowed) -> Iterator[CheckFinding]:
    """Yield what is evaluated on a grid: there a sample falls exactly on the left end.

    One sample among many decides nothing, unless they are counted against a number near theirs.
    """
    function, range_s, step_s = call.function, call.range_s, call.step_s
    steps = range_s / step_s
    if abs(steps - round(steps)) > 1e-9 or steps < 1:
        return
    counts = function == "count_over_time" and call.compared_with is not None
    exact = counts and abs((call.compared_with or 0.0) - steps) <= 1
    few = steps < SAMPLES_FEW or exact
    if (function in COUNTED and few) or (round(steps) == 1 and function in TWO_SAMPLES):
        reason = (
            f"{function}() over {format_duration(range_s)} in steps of {format_duration(step_s)}"
            f" has {round(steps) + 1} values in Prometheus 2, {round(steps)} in Prometheus 3"
        )
        yield expression.finding("prometheus3-left-end", reason)
