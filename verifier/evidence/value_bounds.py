"""Between which values an expression stays, whatever happens, where that can be proved.

Called for the comparisons of alerts: a share above 1, or more free slots than below 0, is a
threshold that nothing in this world can reach. Interval arithmetic over the syntax tree; what is
not known lies between minus and plus infinity. Where it is known how many series there are, what
filters let through is narrowed too, to nothing where no value can ever pass. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import WORLD
from verifier.evidence.relaxed import ABSENCE, COMPARISONS, bare, is_filter, is_scalar, name_of
from verifier.promql.intervals import (
    INF,
    NO_VALUE,
    NOT_NEGATIVE,
    SHARE,
    UNKNOWN,
    ValueBounds,
    bounds_text,
    passing,
)
from verifier.promql.printing import matcher_text, text_of
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot

    Metrics = tuple[Metric[Snapshot], ...]

COUNTING: Final = ("changes", "resets", "count_over_time")
"""Functions whose value is never below 0, whatever they read."""
GROWING: Final = ("rate", "irate", "increase")
"""Functions whose value is never below 0 where no sample is."""
KEEPING: Final = (
    *("min_over_time", "max_over_time", "avg_over_time", "last_over_time", "quantile_over_time"),
    *("first_over_time", "sort", "sort_desc", "scalar", "vector", "label_replace", "label_join"),
)
"""Functions whose value lies between the values that they read."""
RELABELLING: Final = ("label_replace", "label_join")
PICKING: Final = ("min", "max", "avg", "topk", "bottomk", "quantile", "limitk")
FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "=="}


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What bounds are derived from.

    `metrics` are what the exporter shows; `recordings` the expressions of each recording rule, by
    its name. `series_max` says how many series a group of an aggregation can have at most; without
    it every filter lets everything through.
    """

    metrics: Metrics = WORLD
    recordings: Mapping[str, Sequence[promql.Expr]] = field(default_factory=dict)
    series_max: Callable[[promql.AggregateExpr], float] | None = None

    def shows(self, name: str) -> bool:
        """Whether the exporter has series of this name, and no rule records under it."""
        names = {metric.name for metric in self.metrics}
        parts = {name.removesuffix(part) for part in ("_bucket", "_count", "_sum")}
        return name not in self.recordings and (name in names or bool(names & parts))

    def within(self, recording: str) -> KnownFacts:
        """Return what is known inside a recording: of itself, should it read itself, nothing."""
        return replace(self, recordings={**self.recordings, recording: ()})


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
LOOKBACK_S: Final = 300.0
"""How old the sample of an instant can be: Prometheus's own default of `--query.lookback-delta`."""
OURS: Final = KnownFacts()
"""Our own metrics, and no recordings."""


def unreachable(node: promql.Expr, facts: KnownFacts = OURS) -> Iterator[str]:
    """Yield what is wrong with each comparison in a condition that nothing can make true."""
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr):
        return
    if str(node.op) in ("and", "or", "unless"):
        yield from unreachable(node.lhs, facts)
        if str(node.op) != "unless":
            yield from unreachable(node.rhs, facts)
    elif is_filter(node):
        yield from unreachable(node.lhs, facts)
        if is_unreachable(node, facts):
            yield never_text(node, facts)


def is_unreachable(node: promql.BinaryExpr, facts: KnownFacts) -> bool:
    """Whether a comparison that filters can never be true, whatever its sides are."""
    value, operator, limit = _compared(node, facts)
    return _compares_nan(node) or passing(value, operator, limit).is_empty


def _compares_nan(node: promql.BinaryExpr) -> bool:
    """Whether one side is written as no number: then only `!=` holds."""
    sides = (bare(node.lhs), bare(node.rhs))
    return str(node.op) != "!=" and any(
        isinstance(side, promql.NumberLiteral) and math.isnan(side.val) for side in sides
    )


def never_text(node: promql.BinaryExpr, facts: KnownFacts, factor: float = 1.0) -> str:
    """Say that a comparison can never be true, and where its side stays."""
    if _compares_nan(node):
        return f"nothing in this world makes `{text_of(node, factor)}` true: NaN is no number"
    value, _, limit = _compared(node, facts)
    stays = f"its {'right' if is_scalar(node.lhs) else 'left'} side stays {bounds_text(value)}"
    if limit.least != limit.greatest:
        stays += f", its right one {bounds_text(limit)}"
    return f"nothing in this world makes `{text_of(node, factor)}` true: {stays}"


def _compared(node: promql.BinaryExpr, facts: KnownFacts) -> tuple[ValueBounds, str, ValueBounds]:
    """Return the value that a comparison lets through, its operator, and its limit."""
    left, right, operator = node.lhs, node.rhs, str(node.op)
    if is_scalar(left):
        left, right, operator = right, left, FLIPPED.get(operator, operator)
    return bounds_of(left, facts), operator, bounds_of(right, facts)


def bounds_of(node: promql.Expr, facts: KnownFacts = OURS) -> ValueBounds:  # noqa: PLR0911 - one for each kind of node
    """Return the bounds of an expression's values."""
    match node:
        case promql.NumberLiteral():
            return UNKNOWN if math.isnan(node.val) else ValueBounds(node.val, node.val)
        case promql.ParenExpr() | promql.SubqueryExpr():
            return bounds_of(node.expr, facts)
        case promql.UnaryExpr():
            inner = bounds_of(node.expr, facts)
            return inner if inner.is_empty else -inner
        case promql.MatrixSelector():
            return bounds_of(node.vector_selector, facts)
        case promql.VectorSelector():
            return _of_metric(name_of(node), facts)
        case promql.AggregateExpr():
            return _of_aggregate(node, facts)
        case promql.Call():
            return _of_call(node, facts)
        case promql.BinaryExpr():
            return _of_operation(node, facts)
    return UNKNOWN


def _of_metric(name: str, facts: KnownFacts) -> ValueBounds:
    if name in facts.recordings:
        inner = facts.within(name)
        sides = [bounds_of(tree, inner) for tree in facts.recordings[name]]
        return reduce(ValueBounds.__or__, sides) if sides else UNKNOWN
    if name == "up":
        return SHARE
    return NOT_NEGATIVE if facts.shows(name) else UNKNOWN


def _of_aggregate(node: promql.AggregateExpr, facts: KnownFacts) -> ValueBounds:  # noqa: PLR0911 - one for each kind
    inner = bounds_of(node.expr, facts)
    operator = str(node.op)
    if inner.is_empty:
        return NO_VALUE
    if operator == "quantile" and not _is_within_0_and_1(node.param, facts):
        return UNKNOWN
    if operator in PICKING:
        return inner
    if operator == "group":
        return ValueBounds(1.0, 1.0)
    if operator in ("count", "count_values"):
        return ValueBounds(1.0, _series_max(node, facts) if operator == "count" else INF)
    if operator in ("stddev", "stdvar"):
        return NOT_NEGATIVE
    if operator != "sum":
        return UNKNOWN
    # How many they are is asked only where it decides.
    is_open = inner.least in (0.0, -INF) and inner.greatest in (0.0, INF)
    return inner.sum(INF if is_open else _series_max(node, facts))


def _series_max(node: promql.AggregateExpr, facts: KnownFacts) -> float:
    return INF if facts.series_max is None else facts.series_max(node)


def _of_call(node: promql.Call, facts: KnownFacts) -> ValueBounds:  # noqa: PLR0911 - one for each
    name = node.func.name
    values = [each for each in node.args if not isinstance(each, promql.StringLiteral)]
    vectors = [bounds_of(each, facts) for each in values if not is_scalar(each)]
    if name not in ABSENCE and vectors and vectors[0].is_empty:
        # What is no number is a number all the same to `vector` and to `!=`.
        return UNKNOWN if name == "scalar" else NO_VALUE
    if name in COUNTING or (name in GROWING and vectors[0].least >= 0):
        return NOT_NEGATIVE
    if name in FIXED:
        return FIXED[name]
    if name.startswith("clamp"):
        return _of_clamp(node, facts)
    if name == "histogram_quantile" and (greatest := _greatest(node, facts)) is not None:
        return ValueBounds(0.0, greatest)
    if name == "quantile_over_time" and not _is_within_0_and_1(node.args[0], facts):
        return UNKNOWN
    return bounds_of(values[-1], facts) if name in KEEPING else UNKNOWN


def _of_clamp(node: promql.Call, facts: KnownFacts) -> ValueBounds:
    value, *limits = (bounds_of(each, facts) for each in node.args)
    raised = value if node.func.name == "clamp_max" else value.at_least(limits[0])
    return raised if node.func.name == "clamp_min" else raised.at_most(limits[-1])


def _greatest(node: promql.Call, facts: KnownFacts) -> float | None:
    """Return what a quantile of a histogram of ours is at most: its last finite bound."""
    read = nodes_of(node.args[1], promql.VectorSelector)
    relabels = any(call.func.name in RELABELLING for call in nodes_of(node.args[1], promql.Call))
    greatest = {
        f"{each.name}_bucket": max(each.bounds_s)
        for each in facts.metrics
        if each.kind == "histogram"
    }
    bounds = [greatest.get(name_of(selector)) for selector in read]
    known = [bound for bound in bounds if bound is not None]
    if relabels or len(known) < len(bounds) or not _is_within_0_and_1(node.args[0], facts):
        return None
    return max(known, default=None)


def _is_within_0_and_1(quantile: promql.Expr | None, facts: KnownFacts) -> bool:
    """Whether it is a quantile: one beyond, such as 95 for 0.95, is infinite for the engine."""
    bounds = UNKNOWN if quantile is None else bounds_of(quantile, facts)
    return 0 <= bounds.least <= bounds.greatest <= 1


def _of_operation(node: promql.BinaryExpr, facts: KnownFacts) -> ValueBounds:  # noqa: PLR0911 - one for each
    operator = str(node.op)
    left, right = bounds_of(node.lhs, facts), bounds_of(node.rhs, facts)
    if operator == "or":
        return left | right
    if left.is_empty or (right.is_empty and operator != "unless"):
        return NO_VALUE
    if operator in COMPARISONS:
        return _of_comparison(node, facts)
    match operator:
        case "and" | "unless":
            return left
        case "+":
            return left + right
        case "-":
            return ValueBounds(0.0, LOOKBACK_S) if _is_age(node) else left + -right
        case "*":
            return left * right
        case "/":
            return _of_ratio(node, facts)
    return UNKNOWN


def _is_age(node: promql.BinaryExpr) -> bool:
    """Whether it is how old the sample is that an instant finds: `time() - timestamp(up)`."""
    now, then = bare(node.lhs), bare(node.rhs)
    if not (isinstance(now, promql.Call) and isinstance(then, promql.Call)):
        return False
    names = (now.func.name, then.func.name)
    read = bare(then.args[0]) if names == ("time", "timestamp") else None
    return isinstance(read, promql.VectorSelector) and (read.offset, read.at) == (None, None)


def _of_comparison(node: promql.BinaryExpr, facts: KnownFacts) -> ValueBounds:
    """Return the bounds of what a comparison gives: 0 or 1, or what it lets through."""
    if not is_filter(node):
        return SHARE
    value, operator, limit = _compared(node, facts)
    if facts.series_max is None:
        return value
    if operator != "!=" and any(nan_parts(side, facts) for side in (node.lhs, node.rhs)):
        return NO_VALUE
    return passing(value, operator, limit)


def nan_parts(node: promql.Expr, facts: KnownFacts) -> list[promql.Expr]:
    """Return what the `scalar` of a plain number reads that never has a value: it is no number."""
    if not is_scalar(node):
        return []
    calls = [call for call in nodes_of(node, promql.Call) if call.func.name == "scalar"]
    return [call.args[0] for call in calls if bounds_of(call.args[0], facts).is_empty]


def _of_ratio(node: promql.BinaryExpr, facts: KnownFacts) -> ValueBounds:
    """Return the bounds of a division; a factor of the part stands before the fraction."""
    part, whole = node.lhs, node.rhs
    matching = node.modifier.matching if node.modifier is not None else None
    # Matched otherwise than by all labels, a part may be divided by another whole.
    divided = _divided(part, whole, facts) if matching is None else None
    return divided or bounds_of(part, facts) * bounds_of(whole, facts).inverse()


def _divided(part: promql.Expr, whole: promql.Expr, facts: KnownFacts) -> ValueBounds | None:
    """Return the bounds of a share, or of a multiple of one; None where it is none."""
    if _is_share(part, whole, facts):
        return SHARE
    inner = bare(part)
    if isinstance(inner, promql.BinaryExpr) and str(inner.op) == "*":
        for factor, rest in ((inner.lhs, inner.rhs), (inner.rhs, inner.lhs)):
            if is_scalar(factor) and (divided := _divided(rest, whole, facts)) is not None:
                return bounds_of(factor, facts) * divided
    return None


def _is_share(part: promql.Expr, whole: promql.Expr, facts: KnownFacts) -> bool:
    """Whether `part` sums or counts some of the series that `whole` sums or counts, alike."""
    part, whole = bare(part), bare(whole)
    if isinstance(part, promql.AggregateExpr) and isinstance(whole, promql.AggregateExpr):
        alike = str(part.op) == str(whole.op) == "sum" and str(part.modifier) == str(whole.modifier)
        return (
            alike
            and bounds_of(whole.expr, facts).least >= 0
            and _is_share(part.expr, whole.expr, facts)
        )
    if isinstance(part, promql.Call) and isinstance(whole, promql.Call):
        alike = part.func.name == whole.func.name and part.func.name in ("rate", "increase")
        return alike and _is_share(part.args[0], whole.args[0], facts)
    if isinstance(part, promql.MatrixSelector) and isinstance(whole, promql.MatrixSelector):
        return part.range == whole.range and _is_share(
            part.vector_selector, whole.vector_selector, facts
        )
    if isinstance(part, promql.VectorSelector) and isinstance(whole, promql.VectorSelector):
        own = {matcher_text(matcher) for matcher in part.matchers.matchers}
        others = {matcher_text(matcher) for matcher in whole.matchers.matchers}
        moved = (part.offset, str(part.at)) == (whole.offset, str(whole.at))
        return moved and name_of(part) == name_of(whole) != "" and others <= own
    return False
