"""Mutants that are their rule in every history that there can be, each with the proof.

Called by `mutate`. Four arguments are known: an aggregation of one series is that series, whichever
it is; a quotient of whole numbers that is never the threshold makes no difference between `>` and
`>=`; and a quantile does not change with the scale of its buckets, be it that of a window or that
of an average over as many targets in each bucket. What is only unlikely is no proof. It knows the
labels and the whole numbers of the catalogue, nothing of other exporters. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.metrics.catalogue import CONTRACT, WORLD
from verifier.evidence.carried_labels import SCRAPED, carried_labels
from verifier.mutation.edits import REVERSED
from verifier.promql.parsing import parse
from verifier.promql.printing import number_of, text_of
from verifier.promql.walker import nodes_of, nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.metrics.series import Metric
    from scenarios.scenario import Scenario
    from simulator.snapshot import Snapshot
    from verifier.mutation.mutants import Mutant

    Metrics = tuple[Metric[Snapshot], ...]

OF_ONE: Final = ("sum", "avg", "min", "max")
"""Aggregations that return a single series as it is."""
BUCKET: Final = "le"
WHOLE: Final = frozenset(m.name for m in CONTRACT if m.kind == "gauge" and not m.unit)
"""Gauges that count: agents, tasks, slots."""


def exported_names(metrics: Metrics = WORLD) -> list[str]:
    """Return metrics by the names of queries, of histograms their buckets."""
    return [m.name + "_bucket" * (m.kind == "histogram") for m in metrics]


@dataclass(frozen=True, slots=True)
class ScrapedTargets:
    """What is scraped in all scenarios of a run: one target, whole pages or none of them.

    A page is `whole` where no fault of a scenario with several cells lets single series of it
    vanish: a scrape of a target then brings all buckets of a histogram, or none.
    """

    single: bool = True
    whole: bool = True

    @classmethod
    def of(cls, scenarios: Sequence[Scenario]) -> ScrapedTargets:
        """Return what `scenarios` scrape, their pasts included."""
        several = [scenario for scenario in scenarios if scenario.topology.cells > 1]
        faults = [fault.parameters for scenario in several for fault in scenario.plan.faults]
        faults += [old.parameters for scenario in several for old in scenario.past.incidents]
        return cls(not several, not any(fault.facts.takes_series for fault in faults))


def proof_of(
    mutant: Mutant, metrics: Metrics = WORLD, *, targets: ScrapedTargets | None = None
) -> str | None:
    """Return why a mutant is its rule in every history, None where that is not proved.

    `metrics` are what the exporter shows: of those of a mapping no gauge is known to be whole.
    Without `targets` there is one.
    """
    if mutant.kind == "aggregation":
        if targets is None or targets.single:
            return _of_one_series(mutant.before, mutant.after, metrics)
        return _of_as_many(mutant, metrics) if targets.whole else None
    if mutant.kind == "boundary" and metrics is WORLD:
        return _never_at_the_threshold(mutant.rule.expr)
    if mutant.kind == "function":
        return _of_no_scale(mutant.rule.expr, mutant.before, mutant.after)
    return None


def _of_no_scale(expr: str, before: str, after: str) -> str | None:
    """Return why `rate` and `increase` agree: only a quantile is taken of either."""
    if {_function(before), _function(after)} != {"rate", "increase"}:
        return None
    places = [
        parents for node, parents in nodes_with_parents(parse(expr)) if text_of(node) == after
    ]
    if not places or not all(map(_ends_in_a_quantile, places)):
        return None
    return (
        "increase is rate times the window, and histogram_quantile of all buckets times one number"
        " is the same"
    )


def _function(text: str) -> str:
    node = parse(text)
    return str(node.func.name) if isinstance(node, promql.Call) else ""


def _ends_in_a_quantile(parents: Sequence[promql.Expr]) -> bool:
    """Whether only sums of series stand between an expression and the quantile around it."""
    for parent in reversed(parents):
        if isinstance(parent, promql.Call):
            return bool(parent.func.name == "histogram_quantile")
        summed = isinstance(parent, promql.AggregateExpr) and str(parent.op) in ("sum", "avg")
        if not summed and not isinstance(parent, promql.ParenExpr):
            return False
    return False


def _of_as_many(mutant: Mutant, metrics: Metrics) -> str | None:
    """Return why a sum and an average of targets agree: only a quantile is taken of either.

    Each bucket has one series of each target that was scraped, so an evaluation divides all of them
    by one number. Nothing but brackets may stand between the aggregation and the quantile.
    """
    pair = _pair_of(mutant.before, mutant.after, metrics)
    if pair is None or {str(node.op) for node in pair[:2]} != {"sum", "avg"}:
        return None
    node, other, carried = pair
    if BUCKET not in carried or not carried - SCRAPED <= _grouped_by(node):
        return None
    places = [
        parents
        for each, parents in nodes_with_parents(parse(mutant.rule.expr))
        if text_of(each) == text_of(other)
    ]
    if not places or not all(map(_is_the_quantile_of, places)):
        return None
    return (
        "every bucket has one series of each target that was scraped, since no page lacks some of"
        " them: avg is sum divided by their number, and histogram_quantile of all buckets times one"
        " number is the same"
    )


def _is_the_quantile_of(parents: Sequence[promql.Expr]) -> bool:
    """Whether an expression is what a quantile is taken of, brackets aside."""
    above = [parent for parent in parents if not isinstance(parent, promql.ParenExpr)]
    return bool(above) and _function(text_of(above[-1])) == "histogram_quantile"


def _pair_of(
    before: str, after: str, metrics: Metrics
) -> tuple[promql.AggregateExpr, promql.AggregateExpr, frozenset[str]] | None:
    """Return two aggregations of the same series, and the labels of these; None if not known."""
    node, other = _unbracketed(parse(before)), _unbracketed(parse(after))
    if not isinstance(node, promql.AggregateExpr) or not isinstance(other, promql.AggregateExpr):
        return None
    if any(label.name in SCRAPED for metric in metrics for label in metric.labels):
        return None  # a mapping can say that there is more than one target
    carried = carried_labels(node.expr, metrics)
    return None if carried is None else (node, other, carried)


def _of_one_series(before: str, after: str, metrics: Metrics) -> str | None:
    """Return why two aggregations agree: no group of them has a second series."""
    pair = _pair_of(before, after, metrics)
    if pair is None or not {str(each.op) for each in pair[:2]} <= set(OF_ONE):
        return None
    node, other, carried = pair
    if not carried - SCRAPED <= _grouped_by(node):
        return None
    labels = ", ".join(sorted(carried - SCRAPED))
    besides = f"no label but {labels}" if labels else "no label"
    return (
        f"{node.op} and {other.op} of one series are that series:"
        f" {text_of(node.expr)} has {besides}, and there is one target"
    )


def _grouped_by(node: promql.AggregateExpr) -> frozenset[str]:
    """Return the labels that keep series apart; of `without`, none is known to."""
    modifier = node.modifier
    if modifier is None or modifier.type != promql.AggModifierType.By:
        return frozenset()
    return frozenset(modifier.labels)


def _never_at_the_threshold(expr: str) -> str | None:
    """Return why the only comparison of an expression is never between equal numbers."""
    comparisons = [n for n in nodes_of(parse(expr), promql.BinaryExpr) if str(n.op) in REVERSED]
    if len(comparisons) != 1:
        return None
    left, right = _unbracketed(comparisons[0].lhs), _unbracketed(comparisons[0].rhs)
    if not isinstance(right, promql.NumberLiteral):
        return None
    number, divisor = right.val, 1.0
    if isinstance(left, promql.BinaryExpr) and str(left.op) == "/":
        below = _unbracketed(left.rhs)
        if not isinstance(below, promql.NumberLiteral):
            return None
        left, divisor = _unbracketed(left.lhs), below.val
    if not _is_whole(left) or not math.isfinite(number * divisor) or divisor == 0:
        return None
    near = math.floor(number * divisor)
    if any(count / divisor == number for count in range(near - 1, near + 3)):
        return None
    return (
        f"{text_of(left)} is a whole number, and no whole number"
        f" divided by {number_of(divisor)} is {number_of(number)}"
    )


def _is_whole(node: promql.Expr) -> bool:
    """Whether an expression is a count, or a sum or an extreme of counts."""
    if isinstance(node, promql.AggregateExpr):
        return str(node.op) in ("sum", "min", "max") and _is_whole(_unbracketed(node.expr))
    return isinstance(node, promql.VectorSelector) and node.name in WHOLE


def _unbracketed(node: promql.Expr) -> promql.Expr:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node
