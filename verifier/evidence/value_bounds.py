"""Between which values an expression stays, whatever happens, where that can be proved.

Called for the comparisons of alerts: a share above 1, or more free slots than below 0, is a
threshold that nothing in this world can reach. Interval arithmetic over the syntax tree; what is
not known lies between minus and plus infinity. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import WORLD
from verifier.evidence.relaxed import COMPARISONS, bare, is_filter, is_scalar, name_of
from verifier.promql.printing import matcher_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot

    Metrics = tuple[Metric[Snapshot], ...]

INF: Final = math.inf
SHRINKING: Final = ("rate", "irate", "increase", "changes", "resets", "count_over_time")
"""Functions whose value is never below 0."""
KEEPING: Final = (
    *("min_over_time", "max_over_time", "avg_over_time", "last_over_time", "quantile_over_time"),
    *("first_over_time", "sort", "sort_desc", "scalar", "vector", "label_replace", "label_join"),
)
"""Functions whose value lies between the values that they read."""
PICKING: Final = ("min", "max", "avg", "topk", "bottomk", "quantile", "limitk")
FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "=="}


@dataclass(frozen=True, slots=True)
class ValueBounds:
    """The least and the greatest value that is possible."""

    least: float = -INF
    greatest: float = INF

    def __add__(self, other: ValueBounds) -> ValueBounds:
        """Return the bounds of a sum."""
        return ValueBounds(self.least + other.least, self.greatest + other.greatest)

    def __neg__(self) -> ValueBounds:
        """Return the bounds of the value with the other sign."""
        return ValueBounds(0.0 - self.greatest, 0.0 - self.least)

    def __mul__(self, other: ValueBounds) -> ValueBounds:
        """Return the bounds of a product."""
        ends = [
            0.0 if 0.0 in (a, b) else a * b
            for a in (self.least, self.greatest)
            for b in (other.least, other.greatest)
        ]
        return ValueBounds(min(ends), max(ends))

    def inverse(self) -> ValueBounds:
        """Return the bounds of 1 over the value; a division by 0 may give anything."""
        if self.least > 0 or self.greatest < 0:
            return ValueBounds(1 / self.greatest, 1 / self.least)
        return ValueBounds(0.0, INF) if self.least == 0 else UNKNOWN


UNKNOWN: Final = ValueBounds()
NOT_NEGATIVE: Final = ValueBounds(0.0, INF)
SHARE: Final = ValueBounds(0.0, 1.0)
FIXED: Final = {
    "absent": ValueBounds(1.0, 1.0),
    "absent_over_time": ValueBounds(1.0, 1.0),
    "minute": ValueBounds(0.0, 59.0),
    "hour": ValueBounds(0.0, 23.0),
    "day_of_week": ValueBounds(0.0, 6.0),
    "day_of_month": ValueBounds(1.0, 31.0),
    "month": ValueBounds(1.0, 12.0),
}
"""Functions whose values are the same whatever they read."""


def unreachable(node: promql.Expr, metrics: Metrics = WORLD) -> Iterator[str]:
    """Yield what is wrong with each comparison in a condition that nothing can make true."""
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr):
        return
    if str(node.op) in ("and", "or", "unless"):
        yield from unreachable(node.lhs, metrics)
        if str(node.op) != "unless":
            yield from unreachable(node.rhs, metrics)
    elif is_filter(node):
        yield from unreachable(node.lhs, metrics)
        left, right, operator = node.lhs, node.rhs, str(node.op)
        if is_scalar(left):
            left, right, operator = right, left, FLIPPED.get(operator, operator)
        value, limit = bounds_of(left, metrics), bounds_of(right, metrics)
        if limit.least == limit.greatest and _never(value, operator, limit.least):
            yield (
                f"nothing in this world makes `{text_of(node)}` true: its left side stays"
                f" {_text(value)}"
            )


def bounds_of(node: promql.Expr, metrics: Metrics = WORLD) -> ValueBounds:  # noqa: PLR0911 - one for each kind of node
    """Return the bounds of an expression's values."""
    match node:
        case promql.NumberLiteral():
            return UNKNOWN if math.isnan(node.val) else ValueBounds(node.val, node.val)
        case promql.ParenExpr() | promql.SubqueryExpr():
            return bounds_of(node.expr, metrics)
        case promql.UnaryExpr():
            return -bounds_of(node.expr, metrics)
        case promql.MatrixSelector():
            return bounds_of(node.vector_selector, metrics)
        case promql.VectorSelector():
            return _of_metric(name_of(node), metrics)
        case promql.AggregateExpr():
            return _of_aggregate(node, metrics)
        case promql.Call():
            return _of_call(node, metrics)
        case promql.BinaryExpr():
            return _of_operation(node, metrics)
    return UNKNOWN


def _of_metric(name: str, metrics: Metrics) -> ValueBounds:
    if name == "up":
        return SHARE
    names = {metric.name for metric in metrics}
    parts = {name.removesuffix(part) for part in ("_bucket", "_count", "_sum")}
    return NOT_NEGATIVE if name in names or names & parts else UNKNOWN


def _of_aggregate(node: promql.AggregateExpr, metrics: Metrics) -> ValueBounds:
    inner = bounds_of(node.expr, metrics)
    if str(node.op) == "quantile" and not _is_within_0_and_1(node.param, metrics):
        return UNKNOWN
    if str(node.op) in PICKING:
        return inner
    if str(node.op) == "group":
        return ValueBounds(1.0, 1.0)
    if str(node.op) in ("count", "count_values"):
        return ValueBounds(1.0, INF)
    if str(node.op) in ("stddev", "stdvar"):
        return NOT_NEGATIVE
    return NOT_NEGATIVE if str(node.op) == "sum" and inner.least >= 0 else UNKNOWN


def _of_call(node: promql.Call, metrics: Metrics) -> ValueBounds:
    name = node.func.name
    if name in SHRINKING:
        return NOT_NEGATIVE
    if name in FIXED:
        return FIXED[name]
    if name == "histogram_quantile" and (greatest := _greatest(node, metrics)) is not None:
        return ValueBounds(0.0, greatest)
    if name == "quantile_over_time" and not _is_within_0_and_1(node.args[0], metrics):
        return UNKNOWN
    values = [each for each in node.args if not isinstance(each, promql.StringLiteral)]
    return bounds_of(values[-1], metrics) if name in KEEPING else UNKNOWN


def _greatest(node: promql.Call, metrics: Metrics) -> float | None:
    """Return what a quantile of a histogram of `metrics` is at most: its last finite bound."""
    text = text_of(node.args[1])
    bounds = [
        max(each.bounds_s)
        for each in metrics
        if each.kind == "histogram" and f"{each.name}_bucket" in text
    ]
    return max(bounds, default=None) if _is_within_0_and_1(node.args[0], metrics) else None


def _is_within_0_and_1(quantile: promql.Expr | None, metrics: Metrics) -> bool:
    """Whether it is a quantile: one beyond, such as 95 for 0.95, is infinite for the engine."""
    bounds = UNKNOWN if quantile is None else bounds_of(quantile, metrics)
    return 0 <= bounds.least <= bounds.greatest <= 1


def _of_operation(node: promql.BinaryExpr, metrics: Metrics) -> ValueBounds:  # noqa: PLR0911 - one for each
    operator = str(node.op)
    left, right = bounds_of(node.lhs, metrics), bounds_of(node.rhs, metrics)
    if operator in COMPARISONS:
        is_bool = node.modifier is not None and node.modifier.return_bool
        return SHARE if is_bool else (right if is_scalar(node.lhs) else left)
    match operator:
        case "and" | "unless":
            return left
        case "or":
            return ValueBounds(min(left.least, right.least), max(left.greatest, right.greatest))
        case "+":
            return left + right
        case "-":
            return left + -right
        case "*":
            return left * right
        case "/":
            return _of_ratio(node.lhs, node.rhs, metrics)
    return UNKNOWN


def _of_ratio(part: promql.Expr, whole: promql.Expr, metrics: Metrics) -> ValueBounds:
    """Return the bounds of a division; a factor of the part stands before the fraction."""
    if _is_share(part, whole, metrics):
        return SHARE
    inner = bare(part)
    if isinstance(inner, promql.BinaryExpr) and str(inner.op) == "*":
        if is_scalar(inner.lhs):
            return bounds_of(inner.lhs, metrics) * _of_ratio(inner.rhs, whole, metrics)
        if is_scalar(inner.rhs):
            return _of_ratio(inner.lhs, whole, metrics) * bounds_of(inner.rhs, metrics)
    return bounds_of(part, metrics) * bounds_of(whole, metrics).inverse()


def _is_share(part: promql.Expr, whole: promql.Expr, metrics: Metrics) -> bool:
    """Whether `part` sums or counts some of the series that `whole` sums or counts, alike."""
    part, whole = bare(part), bare(whole)
    if isinstance(part, promql.AggregateExpr) and isinstance(whole, promql.AggregateExpr):
        alike = str(part.op) == str(whole.op) == "sum" and str(part.modifier) == str(whole.modifier)
        return (
            alike
            and bounds_of(whole.expr, metrics).least >= 0
            and _is_share(part.expr, whole.expr, metrics)
        )
    if isinstance(part, promql.Call) and isinstance(whole, promql.Call):
        alike = part.func.name == whole.func.name and part.func.name in ("rate", "increase")
        return alike and _is_share(part.args[0], whole.args[0], metrics)
    if isinstance(part, promql.MatrixSelector) and isinstance(whole, promql.MatrixSelector):
        return part.range == whole.range and _is_share(
            part.vector_selector, whole.vector_selector, metrics
        )
    if isinstance(part, promql.VectorSelector) and isinstance(whole, promql.VectorSelector):
        own = {matcher_text(matcher) for matcher in part.matchers.matchers}
        others = {matcher_text(matcher) for matcher in whole.matchers.matchers}
        moved = (part.offset, str(part.at)) == (whole.offset, str(whole.at))
        return moved and name_of(part) == name_of(whole) != "" and others <= own
    return False


def _never(value: ValueBounds, operator: str, limit: float) -> bool:
    match operator:
        case ">":
            return value.greatest <= limit
        case ">=":
            return value.greatest < limit
        case "<":
            return value.least >= limit
        case "<=":
            return value.least > limit
        case "==":
            return not value.least <= limit <= value.greatest
    return False


def _text(value: ValueBounds) -> str:
    if value.greatest == INF:
        return f"at {value.least:g} or above"
    if value.least == -INF:
        return f"at {value.greatest:g} or below"
    return f"between {value.least:g} and {value.greatest:g}"
