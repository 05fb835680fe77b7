"""Which labels the series of an expression can carry, where that can be proved.

Called before a run, for expectations that name labels. It follows groupings and matchings down to
the metrics of the catalogue; of anything else it says that it does not know. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import WORLD
from exporter.target import CELL
from verifier.evidence.relaxed import ABSENCE, is_scalar, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot

    Metrics = tuple[Metric[Snapshot], ...]

Carried = frozenset[str] | None
"""The labels that a series may carry at most; None: not known."""

SCRAPED: Final = frozenset({"job", "instance"})
"""Labels that every series of a target has."""
SCRAPED_OF_CELLS: Final = SCRAPED | {CELL}
"""The same where there are several cells."""
PICKING: Final = ("topk", "bottomk", "limitk", "limit_ratio")
RELABELLING: Final = ("label_replace", "label_join", "info")
QUANTILES: Final = ("histogram_quantile", "histogram_fraction")


def carried_labels(  # noqa: PLR0911 - one for each kind of node
    node: promql.Expr, metrics: Metrics = WORLD, scraped: frozenset[str] = SCRAPED
) -> Carried:
    """Return the labels that the series of `node` may carry at most; None where that is open.

    `scraped` are those that every series of `metrics` has from its target.
    """
    match node:
        case promql.VectorSelector():
            return _of_metric(name_of(node), metrics, scraped)
        case promql.MatrixSelector():
            return carried_labels(node.vector_selector, metrics, scraped)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return carried_labels(node.expr, metrics, scraped)
        case promql.AggregateExpr():
            return _of_aggregate(node, metrics, scraped)
        case promql.BinaryExpr():
            return _of_operation(node, metrics, scraped)
        case promql.Call():
            return _of_call(node, metrics, scraped)
    return frozenset()


def _of_metric(name: str, metrics: Metrics, scraped: frozenset[str]) -> Carried:
    if name == "up":
        return scraped
    for metric in metrics:
        labels = scraped | {label.name for label in metric.labels}
        if metric.kind != "histogram" and name == metric.name:
            return labels
        if metric.kind == "histogram" and name in (f"{metric.name}_count", f"{metric.name}_sum"):
            return labels
        if metric.kind == "histogram" and name == f"{metric.name}_bucket":
            return labels | {"le"}
    return None


def _of_aggregate(node: promql.AggregateExpr, metrics: Metrics, scraped: frozenset[str]) -> Carried:
    inner = carried_labels(node.expr, metrics, scraped)
    if str(node.op) in PICKING:
        return inner
    if str(node.op) == "count_values":
        return None
    if node.modifier is None:
        return frozenset()
    named = frozenset(node.modifier.labels)
    if node.modifier.type == promql.AggModifierType.By:
        return named if inner is None else named & inner
    return None if inner is None else inner - named


def _of_operation(node: promql.BinaryExpr, metrics: Metrics, scraped: frozenset[str]) -> Carried:
    operator = str(node.op)
    left, right = (carried_labels(side, metrics, scraped) for side in (node.lhs, node.rhs))
    if is_scalar(node.lhs) or is_scalar(node.rhs):
        return left if is_scalar(node.rhs) else right
    if operator in ("and", "unless", "or"):
        return _either(left, right) if operator == "or" else left
    modifier = node.modifier
    if modifier is not None and modifier.group_labels is not None:
        many = right if modifier.card == promql.VectorMatchCardinality.OneToMany else left
        return None if many is None else many | frozenset(modifier.group_labels)
    matching = modifier.matching if modifier is not None else None
    named: frozenset[str] = frozenset(matching.labels) if matching is not None else frozenset()
    if matching is not None and matching.type == promql.LabelModifierType.Include:
        return named
    return None if left is None else left - named


def _of_call(node: promql.Call, metrics: Metrics, scraped: frozenset[str]) -> Carried:
    name, arguments = node.func.name, _vectors(node.args)
    if name in RELABELLING:
        return None
    if name in ABSENCE:
        return _asked_of(node.args[0])
    if not arguments:
        return frozenset()
    inner = carried_labels(arguments[-1], metrics, scraped)
    return inner - {"le"} if inner is not None and name in QUANTILES else inner


def _asked_of(argument: promql.Expr) -> Carried:
    """Return the labels that `absent` gives its answer: those that its selector names."""
    selector = argument.vector_selector if isinstance(argument, promql.MatrixSelector) else argument
    if not isinstance(selector, promql.VectorSelector):
        return frozenset()
    return frozenset(m.name for m in selector.matchers.matchers if m.name != "__name__")


def _vectors(arguments: Sequence[promql.Expr]) -> list[promql.Expr]:
    return [
        argument
        for argument in arguments
        if not is_scalar(argument) and not isinstance(argument, promql.StringLiteral)
    ]


def _either(left: Carried, right: Carried) -> Carried:
    return None if left is None or right is None else left | right
