"""Thresholds of alerts: beyond the top bucket, between two, or on each child of a counter alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import amount, listed
from verifier.check.exports.label_fold import label_names
from verifier.check.traps.metric_uses import RATES
from verifier.evidence.relaxed import is_scalar, name_of
from verifier.promql.conditions import COMPARISONS, close, conditions_of, number_text
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.check.exports.families import Exports
    from verifier.check.exports.label_fold import LabelFold
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

QUANTILE: Final = "histogram_quantile("


def thresholds(
    expression: CheckedExpression, exports: Exports, fold: LabelFold
) -> Iterator[CheckFinding]:
    """Yield what is wrong with the thresholds of an alert."""
    if expression.alert is None:
        return
    for node in nodes_of(expression.tree, promql.BinaryExpr):
        if str(node.op) in COMPARISONS:
            yield from _bucket_threshold(expression, node, exports)
            yield from _per_series(expression, node, exports, fold)


def _bucket_threshold(
    expression: CheckedExpression, node: promql.BinaryExpr, exports: Exports
) -> Iterator[CheckFinding]:
    conditions = conditions_of(node.prettify())
    metrics = {name_of(each) for each in nodes_of(node, promql.VectorSelector)}
    if len(conditions) != 1 or len(metrics) != 1:
        return
    [condition], [metric] = conditions, metrics
    if not condition.quantity.core.startswith(QUANTILE):
        return
    bounds = sorted(_finite(exports.values(metric, "le") or ()))
    if not bounds:
        return
    top, threshold = bounds[-1], condition.core_threshold
    above = condition.core_operator.startswith(">")
    beyond = threshold > top or (close(threshold, top) and condition.core_operator in (">", "<="))
    limit, highest = number_text(threshold), number_text(top)
    if beyond:
        outcome = "never fires" if above else "always fires"
        reason = (
            f"a quantile of {metric} is at most its highest bound {highest}, so that a threshold of"
            f" {limit} {outcome}"
        )
        yield expression.finding("top-bucket", reason)
    elif not any(close(threshold, bound) for bound in bounds):
        lower = max((bound for bound in bounds if bound < threshold), default=0.0)
        upper = min(bound for bound in bounds if bound > threshold)
        reason = (
            f"the threshold {limit} lies between the bounds {number_text(lower)} and"
            f" {number_text(upper)} of {metric}"
        )
        yield expression.finding("threshold-between-buckets", reason)


def _finite(texts: frozenset[str] | tuple[str, ...]) -> Iterator[float]:
    for text in texts:
        try:
            bound = float(text)
        except ValueError:
            continue
        if bound != float("inf"):
            yield bound


def _per_series(
    expression: CheckedExpression, node: promql.BinaryExpr, exports: Exports, fold: LabelFold
) -> Iterator[CheckFinding]:
    """Yield a threshold on the rate of each child of a counter; above 0 it is that of the sum."""
    measured, limit = (node.lhs, node.rhs) if is_scalar(node.rhs) else (node.rhs, node.lhs)
    conditions = conditions_of(node.prettify())
    if not is_scalar(limit) or len(conditions) != 1 or not conditions[0].core_threshold:
        return
    is_ratio = "/" in conditions[0].quantity.core
    aggregates = nodes_of(measured, promql.AggregateExpr)
    calls = [call.func.name for call in nodes_of(measured, promql.Call)]
    rates = "histogram_quantile" not in calls and any(name in RATES for name in calls)
    metrics = {name_of(each) for each in nodes_of(measured, promql.VectorSelector)}
    if is_ratio or aggregates or not rates or not all(map(exports.counts, metrics)):
        return
    sets = fold.sets(measured, lambda _: None)
    if sets is None or len(sets) < 2:
        return
    own = [name for name in label_names(sets) if name not in exports.target_labels]
    reason = (
        f"each of the {amount(len(sets), 'series')} of {listed(sorted(metrics))} is compared alone,"
        f" by {listed(own)}: many that are below may be above together"
    )
    yield expression.finding("per-series-threshold", reason)
