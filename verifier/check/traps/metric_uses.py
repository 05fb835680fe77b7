"""Whether a metric is used as its type allows: counters through rate(), gauges never.

Of a metric whose type nobody states, nothing is said. What a rule records is not judged by a type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.evidence.relaxed import name_of
from verifier.promql.walker import nodes_of, nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.check.exports.families import Exports
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

RATES: Final = ("rate", "irate", "increase")
FOR_COUNTERS: Final = (*RATES, "resets")
FOR_GAUGES: Final = ("delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing")
QUANTILES: Final = ("histogram_quantile", "histogram_fraction")
WITHOUT_VALUE: Final = (
    *("absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp", "changes"),
    *("last_over_time", "histogram_quantile"),
)
"""Functions that may read a counter as it is: for them its value is not what matters."""
COUNTS_SERIES: Final = ("count", "group", "count_values")


def metric_uses(expression: CheckedExpression, exports: Exports) -> Iterator[CheckFinding]:
    """Yield each use of a metric that its type does not allow."""
    for node, parents in nodes_with_parents(expression.tree):
        if isinstance(node, promql.VectorSelector):
            metric = name_of(node)
            if metric in exports.kinds:
                yield from _selector(expression, metric, parents, exports)
        elif isinstance(node, promql.Call) and node.func.name in RATES:
            yield from _rate_of_aggregate(expression, node)


def _selector(
    expression: CheckedExpression, metric: str, parents: Sequence[promql.Expr], exports: Exports
) -> Iterator[CheckFinding]:
    kind, counts = exports.kind(metric), exports.counts(metric)
    calls = [node.func.name for node in parents if isinstance(node, promql.Call)]
    inner = calls[-1] if calls else ""
    if inner in FOR_COUNTERS and kind in ("gauge", "info", "stateset"):
        reason = f"{metric} is a {kind}: {inner}() takes each fall of it for a restart"
        yield expression.finding("rate-of-gauge", reason)
    elif inner in FOR_GAUGES and counts:
        reason = f"{metric} is a {kind}: {inner}() takes each restart of it for a fall"
        yield expression.finding("delta-of-counter", reason)
    elif counts and not calls_allow(calls) and not _counts_series(parents):
        where = f"{inner}() of it" if inner else "its value"
        reason = f"{metric} is a {kind}: {where} says only how long it has been counting"
        yield expression.finding("raw-counter", reason)
    if any(name in QUANTILES for name in calls) and kind not in ("histogram", "unknown"):
        reason = f"{metric} is a {kind}, no histogram: it has no buckets"
        yield expression.finding("quantile-of-no-histogram", reason)


def calls_allow(calls: Sequence[str]) -> bool:
    """Whether any of the functions around a counter takes more than its value."""
    allowed = (*FOR_COUNTERS, *FOR_GAUGES, *WITHOUT_VALUE)
    return any(name in allowed for name in calls)


def _counts_series(parents: Sequence[promql.Expr]) -> bool:
    """Whether it is asked which series there are, not what their values are."""
    for node in parents:
        if isinstance(node, promql.AggregateExpr) and str(node.op) in COUNTS_SERIES:
            return True
        if isinstance(node, promql.BinaryExpr) and str(node.op) in ("and", "unless"):
            return True
    return False


def _rate_of_aggregate(expression: CheckedExpression, node: promql.Call) -> Iterator[CheckFinding]:
    argument = node.args[0]
    if not isinstance(argument, promql.SubqueryExpr):
        return
    for aggregate in nodes_of(argument.expr, promql.AggregateExpr):
        inner = [call.func.name for call in nodes_of(aggregate, promql.Call)]
        if str(aggregate.op) == "sum" and not any(name in RATES for name in inner):
            reason = f"{node.func.name}() of a sum: when one counter restarts, the sum falls"
            yield expression.finding("rate-of-aggregate", reason)
            return
