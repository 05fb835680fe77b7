"""Reads an expression into a `LinearReading`; see `verifier.slo.conditions.quantities`.

Called by `branches`, with the recording rules of the pack. The arithmetic of readings is in
`arithmetic`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.conditions import COMPARISONS
from verifier.slo.conditions.arithmetic import combine, negated
from verifier.slo.conditions.quantities import (
    EventCount,
    LinearReading,
    QuantileReading,
    Share,
    constant,
    fixed_labels,
)
from verifier.slo.conditions.recordings import Recordings
from verifier.slo.conditions.series import ALL_LABELS, NO_LABELS, check_meeting, pair
from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    from verifier.slo.conditions.quantities import Matcher

COUNTED: Final = ("rate", "increase")
"""Functions that count events over a window; a share of either is the same."""
INSTANT: Final = ("irate", "idelta")
SAME_OF_SINGLE: Final = ("avg", "min", "max")
"""Aggregations that leave a single series as it is."""
EQUALITIES: Final = ("==", "!=")
SIGNS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads expressions of a pack; `recordings` are its recording rules."""

    recordings: Recordings = field(default_factory=Recordings)
    inside: frozenset[str] = frozenset()
    """Names of the recording rules that are being read: one that reads itself has no end."""

    def read(self, node: promql.Expr) -> LinearReading:
        """Return what `node` measures; raise UnreadableConditionError where that is not known."""
        match node:
            case promql.ParenExpr():
                reading = self.read(node.expr)
            case promql.NumberLiteral():
                reading = constant(node.val)
            case promql.UnaryExpr():
                reading = negated(self.read(node.expr))
            case promql.VectorSelector():
                reading = self._selector(node)
            case promql.Call():
                reading = self._call(node)
            case promql.AggregateExpr():
                reading = self._aggregate(node)
            case promql.BinaryExpr():
                reading = self._binary(node)
            case _:
                raise UnreadableConditionError(f"{text_of(node)!r} is not compared")
        return reading

    def _selector(self, node: promql.VectorSelector) -> LinearReading:
        metric, matchers = selected(node)
        recording = self.recordings.find(metric, matchers)
        if recording is None:
            if ":" in metric:
                raise UnreadableConditionError(f"no file of the pack records {metric}")
            events = EventCount(metric, matchers, "", None)
            return LinearReading(1.0, 0.0, events, ALL_LABELS.with_fixed(fixed_labels(matchers)))
        if metric in self.inside:
            raise UnreadableConditionError(f"{metric} reads itself")
        inner = replace(self, inside=self.inside | {metric})
        reading = inner.read(self.recordings.parsed(recording))
        return replace(reading, series=reading.labels.with_fixed(recording.labels))

    def _call(self, node: promql.Call) -> LinearReading:
        name, arguments = node.func.name, node.args
        if name == "vector":
            return replace(self.read(arguments[0]), series=NO_LABELS)
        if name == "scalar":
            inner = self.read(arguments[0])
            if inner.core is None:
                return replace(inner, series=None)
            raise UnreadableConditionError("scalar() of a measured value is not compared")
        if name in COUNTED:
            return self._counted(name, arguments[0])
        if name == "histogram_quantile":
            return self._quantile(arguments[0], arguments[1])
        if name in INSTANT:
            raise UnreadableConditionError(
                f"{name}() reads the last two scrapes, not the whole of its window"
            )
        raise UnreadableConditionError(f"{name}() is not compared")

    def _counted(self, function: str, argument: promql.Expr) -> LinearReading:
        while isinstance(argument, promql.ParenExpr):
            argument = argument.expr
        if not isinstance(argument, promql.MatrixSelector):
            raise UnreadableConditionError(f"{function}() of a subquery is not compared")
        metric, matchers = selected(argument.vector_selector)
        if ":" in metric or self.recordings.find(metric, matchers) is not None:
            raise UnreadableConditionError(f"{function}() of {metric}, which a rule records")
        window_s = argument.range.total_seconds()
        events = EventCount(metric, matchers, function, window_s)
        return LinearReading(1.0, 0.0, events, ALL_LABELS.with_fixed(fixed_labels(matchers)))

    def _quantile(self, quantile: promql.Expr, buckets: promql.Expr) -> LinearReading:
        quantile_reading, inner = self.read(quantile), self.read(buckets)
        if quantile_reading.core is not None:
            raise UnreadableConditionError("the quantile is no plain number")
        if not isinstance(inner.core, EventCount) or inner.offset or not inner.slope > 0:
            raise UnreadableConditionError("histogram_quantile() does not read buckets alone")
        if not inner.labels.may_vary("le"):
            raise UnreadableConditionError(
                "histogram_quantile() has no value: its buckets have lost the label le"
            )
        core = QuantileReading(quantile_reading.offset, inner.core)
        return LinearReading(1.0, 0.0, core, inner.labels.without(frozenset({"le"})))

    def _aggregate(self, node: promql.AggregateExpr) -> LinearReading:
        operator, inner = str(node.op), self.read(node.expr)
        labels = inner.labels.grouped(node.modifier)
        if inner.core is None or inner.labels.is_single:
            if operator in ("sum", *SAME_OF_SINGLE) and node.param is None:
                return replace(inner, series=labels)
            raise UnreadableConditionError(f"{operator}() is not compared")
        if operator != "sum":
            raise UnreadableConditionError(
                f"{operator}() of the series is another number than their sum"
            )
        if isinstance(inner.core, Share | QuantileReading):
            raise UnreadableConditionError(
                "it sums a ratio of each series: what counts is the ratio of the sums"
            )
        if inner.offset or not isinstance(inner.core, EventCount):
            raise UnreadableConditionError("the sum of a difference is not compared")
        return replace(inner, core=replace(inner.core, is_summed=True), series=labels)

    def _binary(self, node: promql.BinaryExpr) -> LinearReading:
        sign, modifier = str(node.op), node.modifier
        if sign == "or":
            return self._default(node)
        if sign in (*COMPARISONS, *EQUALITIES):
            raise UnreadableConditionError(f"it counts with the outcome of {sign!r}")
        if sign in ("and", "unless"):
            raise UnreadableConditionError(f"{sign!r} inside of a quantity is not compared")
        left, right = self.read(node.lhs), self.read(node.rhs)
        series = left.series or right.series
        if left.series is not None and right.series is not None:
            series = pair(left.series, right.series, modifier, sign)
        return replace(combine(sign, left, right), series=series)

    def _default(self, node: promql.BinaryExpr) -> LinearReading:
        """Read `quantity or vector(0)`: the quantity, and a value where it has none."""
        left, right = self.read(node.lhs), self.read(node.rhs)
        if right.core is not None or left.core is None:
            raise UnreadableConditionError("'or' of two quantities is not compared")
        if not left.labels.is_single:
            raise UnreadableConditionError("'or' adds a series beside those of the quantity")
        check_meeting(left.labels, right.labels, node.modifier, "or")
        is_count = isinstance(left.core, EventCount)
        if is_count and right.offset == 0 and not left.offset:
            return left  # without a series nothing was counted yet
        if is_count:
            raise UnreadableConditionError(
                f"{right.offset:g} stands for events where none were counted"
            )
        return replace(left, when_absent=right.offset)


def selected(node: promql.VectorSelector) -> tuple[str, frozenset[Matcher]]:
    """Return metric and matchers of a selector at the time of the evaluation."""
    if node.offset:
        seconds = node.offset.total_seconds()
        raise UnreadableConditionError(
            f"it reads {text_of(node)!r}, {abs(seconds):g} s"
            f" {'before' if seconds > 0 else 'after'} the evaluation"
        )
    if node.at is not None:
        raise UnreadableConditionError(f"it reads {text_of(node)!r}, at a fixed time")
    if node.matchers.or_matchers:
        raise UnreadableConditionError("matchers joined by or are not compared")
    matchers = {(m.name, SIGNS[str(m.op)], m.value) for m in node.matchers.matchers}
    named = [value for name, sign, value in matchers if (name, sign) == ("__name__", "=")]
    metric = node.name or (named[0] if named else "")
    if not metric:
        raise UnreadableConditionError("a selector without a metric's name is not compared")
    return metric, frozenset(each for each in matchers if each[0] != "__name__")


def text_of(node: promql.Expr) -> str:
    """Write an expression on one line."""
    return " ".join(node.prettify().split())
