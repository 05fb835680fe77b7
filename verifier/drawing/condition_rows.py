"""The condition of each alert as rows: the value of every comparison against its threshold.

The value is the engine's own answer to the left side, at every evaluation of a rule that did
anything, and of one that stayed silent at every n-th, where the scenario is long or the rule reads
nothing but rates over wide windows: asking for all costs the engine as much as the rules
themselves. What several parts have in common is asked once. The threshold comes from the syntax
tree. A condition, or a side of its `or`, that compares nothing (`absent(...)`) is drawn as 1 where
it has a value and 0 where it has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from charts.chart import ChartRow, ChartSeries, ThresholdLine
from verifier.drawing.series_rows import labels_of, most_extreme, on_one_grid, thinned
from verifier.evidence.comparison import comparisons, opened
from verifier.evidence.relaxed import bare, is_filter
from verifier.evidence.stock import EvaluationSpan
from verifier.promql.conditions import number_text
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from verifier.drawing.series_rows import DrawnTime
    from verifier.evidence.silence import WatchedRun
    from verifier.pack.rules import AlertRule
    from verifier.servers.prometheus import RangeQuery, Series

PARTS_MAX: Final = 4
"""Parts of one condition that are drawn."""
SILENT_POINTS: Final = 250
"""Evaluations of a rule that stayed silent that are asked for, at the most."""
WIDE_POINTS: Final = 24
"""Those of one that reads nothing but rates over wide windows, at the least."""
WINDOW_POINTS: Final = 60
"""As many points as such a rule is asked for while its narrowest window passes, or more: from one
to the next no more than a sixtieth of what the window holds is replaced."""
ROWS_MAX: Final = 400
"""Rows of all conditions of a scenario: of more rules the first are drawn."""


@dataclass(frozen=True, slots=True)
class ConditionPart:
    """One row to draw: what is asked, and the level that it is compared with.

    `operator` is empty for a part that compares nothing: it holds where `expr` has a value.
    `written` is the part as it stands in the rule, time running `factor` times as fast.
    """

    alert: str
    number: int
    expr: str
    written: str
    operator: str
    threshold: float
    span: EvaluationSpan

    @property
    def query(self) -> RangeQuery:
        """What the engine is asked."""
        return self.span.query(self.expr)


def condition_rows(
    run: WatchedRun, time: DrawnTime, spoke: Callable[[str], bool]
) -> tuple[ChartRow, ...]:
    """Return the rows of all alerts, in the order of the rules; `spoke` says which did anything."""
    parts = _all_parts(run, spoke)
    answers = run.stock.ranges(part.query for part in parts)
    return tuple(
        row_of(part, answer, time)
        for part in parts
        if not isinstance(answer := answers[part.query], QueryError)
    )


def ask_conditions(run: WatchedRun, spoke: Callable[[str], bool]) -> None:
    """Ask what `condition_rows` draws, so that evidence need not ask what it says already."""
    run.stock.ranges(part.query for part in _all_parts(run, spoke))


def _all_parts(run: WatchedRun, spoke: Callable[[str], bool]) -> list[ConditionPart]:
    """Return what is drawn of all alerts."""
    parts: list[ConditionPart] = []
    for group, rule in run.rules.alerts:
        if len(parts) < ROWS_MAX:
            known = sum(part.alert == rule.alert for part in parts)
            span = run.span(group, rule).scenario
            written = _parts(rule, span, known, run.factor)
            parts += written if spoke(rule.alert) else map(_thinned_out, written)
    return parts


def row_of(part: ConditionPart, answer: Sequence[Series], time: DrawnTime) -> ChartRow:
    """Return a part of a condition with the engine's answer to it."""
    if not part.operator:
        return _presence(part, answer, time)
    fires: Literal["above", "below"] | None = None
    if part.operator in (">", ">="):
        fires = "above"
    elif part.operator in ("<", "<="):
        fires = "below"
    times_s, values = on_one_grid(answer, time, part.span.interval_s)
    series = [
        ChartSeries("", values[index], labels_of(answer[index].labels))
        for index in most_extreme(values, low=fires == "below")
    ]
    label = f"{part.operator} {number_text(part.threshold)}"
    return thinned(
        ChartRow(
            id=f"alert:{part.alert}:{part.number}",
            title=part.written,
            unit="1",
            times_s=times_s,
            series=tuple(series),
            group="alert",
            thresholds=(ThresholdLine(part.threshold, label, fires),),
            alert=part.alert,
            text=_text(part, [each.values for each in series]),
        )
    )


def _presence(part: ConditionPart, answer: Sequence[Series], time: DrawnTime) -> ChartRow:
    """Return 1 where a part has a value and 0 where not, at every evaluation of the scenario."""
    query = part.query
    count = int((query.end_s - query.start_s) / query.step_s + 1e-9) + 1
    times_s = time.scenario_s(query.start_s + query.step_s * np.arange(count, dtype=np.float64))
    there = np.zeros(count)
    for series in answer:
        place = np.rint((series.times_s - query.start_s) / query.step_s).astype(np.intp)
        there[place[~np.isnan(series.values)].clip(0, count - 1)] = 1.0
    return thinned(
        ChartRow(
            id=f"alert:{part.alert}:{part.number}",
            title=part.written,
            unit="1",
            times_s=times_s,
            series=(ChartSeries("has a value", there),),
            kind="step",
            group="alert",
            thresholds=(ThresholdLine(0.5, "has a value", "above"),),
            limits=(0.0, 1.0),
            alert=part.alert,
            text=f"{part.alert}: whether {part.written} has a value",
        )
    )


def _text(part: ConditionPart, values: Sequence[np.ndarray]) -> str:
    real = np.concatenate([each[np.isfinite(each)] for each in values] or [np.empty(0)])
    if not len(real):
        return f"{part.alert}: {part.written} never had a value"
    return (
        f"{part.alert}: {part.written}: between {real.min():.4g} and {real.max():.4g},"
        f" compared {part.operator} {number_text(part.threshold)}"
    )


def _thinned_out(part: ConditionPart) -> ConditionPart:
    """Return a part of a rule that stayed silent, asked for at every n-th of its evaluations."""
    span = part.span
    count = (span.end_s - span.first_s) / span.interval_s
    reads = all_reads(part.expr)
    narrowest_s = min((read.window_s if read.ends else 0.0 for read in reads), default=0.0)
    wide = min(narrowest_s / span.interval_s / WINDOW_POINTS, count / WIDE_POINTS)
    stride = max(1, math.ceil(count / SILENT_POINTS), math.floor(wide))
    interval_s = span.interval_s * stride
    # The last evaluation is among them: evidence asks what there was in the end.
    first_s = (
        span.last_s - math.floor((span.last_s - span.first_s) / interval_s + 1e-9) * interval_s
    )
    return replace(part, span=EvaluationSpan(first_s, span.start_s, span.end_s, interval_s))


def _parts(
    rule: AlertRule, span: EvaluationSpan, known: int, factor: float
) -> Iterator[ConditionPart]:
    """Yield what is drawn of a rule; `known` parts are drawn of others with its name."""
    try:
        tree = parse(rule.expr)
    except ValueError:
        yield ConditionPart(rule.alert, known, rule.expr, rule.expr, "", 0.5, span)
        return
    number = known
    for node in list(_leaves(tree))[:PARTS_MAX]:
        written = text_of(node, factor)
        if not (isinstance(node, promql.BinaryExpr) and is_filter(node)):
            yield ConditionPart(rule.alert, number, text_of(node), written, "", 0.5, span)
        else:
            comparison = opened(node)
            threshold = comparison.literal
            if threshold is None:
                continue
            yield ConditionPart(
                rule.alert, number, comparison.expr, written, comparison.operator, threshold, span
            )
        number += 1


def _leaves(node: promql.Expr) -> Iterator[promql.Expr]:
    """Yield the comparisons of a condition, and the sides of its `or` that compare nothing."""
    node = bare(node)
    if isinstance(node, promql.BinaryExpr) and str(node.op) == "or":
        yield from _leaves(node.lhs)
        yield from _leaves(node.rhs)
        return
    compared = list(comparisons(node))
    if compared:
        yield from compared
    else:
        yield node
