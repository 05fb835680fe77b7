"""Whether the parts of a condition contradict each other, so that it can never hold.

Called for alerts that stayed silent though all that they read was there. A filter inside a
condition through which no value can pass leaves nothing to compare: `count(up == 2) >= 1`. A
count has no more series than there are: `count(up == 0) > 3` of three targets. A threshold may lie
where no value can be (`up == 2`), and two of one value may leave nothing between them. What is said
here is proved from the bounds of values, and the engine has seen nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from verifier.evidence.relaxed import bare, is_filter, is_scalar, name_of, relax
from verifier.evidence.value_bounds import (
    FLIPPED,
    KnownFacts,
    bounds_of,
    is_unreachable,
    nan_parts,
    never_text,
)
from verifier.promql.intervals import INF, passing
from verifier.promql.printing import text_of
from verifier.promql.walker import children, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot
    from verifier.evidence.emptiness import EmptinessCheck, Recording
    from verifier.evidence.stock import EvaluationSpan, Stock
    from verifier.promql.intervals import ValueBounds

CHOOSING = ("topk", "bottomk", "limitk", "limit_ratio", "count_values")
"""Aggregations whose series depend on the values."""
OPPOSITES: Final = {">": "<=", "<=": ">", "<": ">=", ">=": "<"}
"""What holds of a number where a comparison does not."""


def known_facts(
    metrics: tuple[Metric[Snapshot], ...], recordings: Sequence[Recording]
) -> KnownFacts:
    """Return what bounds are derived from when nothing is asked of a server."""
    of_name: dict[str, list[promql.Expr]] = {}
    for recording in recordings:
        of_name.setdefault(recording.name, []).append(recording.tree)
    return KnownFacts(metrics, of_name)


def contradictions(check: EmptinessCheck, tree: promql.Expr, span: EvaluationSpan) -> list[str]:
    """Say why a condition can never hold, though what it reads is there; nothing where it may."""
    written = known_facts(check.metrics, check.recordings)
    series_max = _SeriesCount(check.stock, written, span)
    search = _Search(check, span, written, replace(written, series_max=series_max))
    return [*search.contradictions(tree)]


@dataclass(frozen=True, slots=True)
class _SeriesCount:
    """How many series an aggregation had in a group at most, with every filter in it open."""

    stock: Stock
    facts: KnownFacts
    span: EvaluationSpan
    known: dict[str, float] = field(default_factory=dict)

    def __call__(self, node: promql.AggregateExpr) -> float:
        if not self._is_fixed(node.expr):
            return INF
        grouping = f" {node.modifier} " if node.modifier is not None else ""
        text = f"max(count{grouping}({relax(node.expr).roots[0].text}))"
        if text not in self.known:
            series = self.stock.over(text, self.span).series
            self.known[text] = max((float(np.nanmax(s.values)) for s in series), default=INF)
        return self.known[text]

    def _is_fixed(self, node: promql.Expr) -> bool:
        """Whether the series are those of targets and metrics: not of what holds, or is highest."""
        return all(map(self._is_part_fixed, nodes(node)))

    def _is_part_fixed(self, node: promql.Expr) -> bool:
        match node:
            case promql.VectorSelector():
                name = name_of(node)
                return self.facts.shows(name) or (
                    name == "up" and name not in self.facts.recordings
                )
            case promql.BinaryExpr():
                return str(node.op) != "or"
            case promql.AggregateExpr():
                return str(node.op) not in CHOOSING
            case promql.Call():
                return str(node.func.name) != "info"
        return True


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks through one condition; `written` opens every filter, `strict` knows what passes."""

    check: EmptinessCheck
    span: EvaluationSpan
    written: KnownFacts
    strict: KnownFacts

    def contradictions(self, node: promql.Expr) -> Iterator[str]:
        """Yield a reason for each comparison of the condition that nothing can make true."""
        node = bare(node)
        if not isinstance(node, promql.BinaryExpr):
            yield from self._empty(node)
        elif str(node.op) in ("and", "or", "unless"):
            yield from self.contradictions(node.lhs)
            if str(node.op) != "unless":
                yield from self.contradictions(node.rhs)
            if str(node.op) != "or" and leaves_nothing(node, self.written):
                yield from self._nothing_left(node)
        elif is_filter(node):
            yield from self._compared(node)
        else:
            yield from self._empty(node)

    def _compared(self, node: promql.BinaryExpr) -> Iterator[str]:
        if is_filter(bare(node.lhs)):
            yield from self.contradictions(node.lhs)
        else:
            yield from self._empty(node.lhs)
        yield from self._empty(node.rhs)
        if any(bounds_of(side, self.strict).is_empty for side in (node.lhs, node.rhs)):
            return
        parts = [part for side in (node.lhs, node.rhs) for part in nan_parts(side, self.strict)]
        if parts and str(node.op) != "!=":
            yield from self._empty(parts[0])
        elif is_unreachable(node, self.written):
            yield from self._never(node, self.written)
        elif is_unreachable(node, self.strict):
            yield from self._never(node, self.strict)

    def _nothing_left(self, node: promql.BinaryExpr) -> Iterator[str]:
        """Yield that two thresholds exclude each other, unless the engine has seen both met."""
        if self.check.stock.answer(text_of(node), self.span).is_empty:
            text = text_of(node, self.check.factor)
            yield f"nothing makes `{text}` true: its thresholds leave no value between them"

    def _empty(self, node: promql.Expr) -> Iterator[str]:
        """Yield why a part of a condition never has a value, where that is proved."""
        if bounds_of(node, self.strict).is_empty:
            yield from self._why(node, self.strict)

    def _why(self, node: promql.Expr, facts: KnownFacts) -> Iterator[str]:
        """Yield what is to blame for a part without a value: the lowest filter in it."""
        node = bare(node)
        if isinstance(node, promql.VectorSelector):
            name = name_of(node)
            reasons = self._why(facts.recordings[name][0], facts.within(name))
            yield from (f"recording {name} never has a value: {reason}" for reason in reasons)
            return
        below = [each for each in children(node) if bounds_of(each, facts).is_empty]
        if isinstance(node, promql.BinaryExpr) and not below:
            below = [part for side in (node.lhs, node.rhs) for part in nan_parts(side, facts)]
        if below:
            yield from self._why(below[0], facts)
        elif isinstance(node, promql.BinaryExpr):
            yield from self._never(node, facts)

    def _never(self, node: promql.BinaryExpr, facts: KnownFacts) -> Iterator[str]:
        """Yield that a comparison is never true, unless the engine has seen it true."""
        answer = self.check.stock.answer(text_of(node), self.span)
        if answer.is_empty:
            yield never_text(node, facts, self.check.factor)


@dataclass(frozen=True, slots=True)
class ValueThreshold:
    """What a value must be for a condition to hold: `value operator limit`."""

    value: promql.Expr
    operator: str
    limit: ValueBounds

    @property
    def opposite(self) -> ValueThreshold | None:
        """What is left where this does not hold; None where that is not one threshold."""
        operator = OPPOSITES.get(self.operator)
        return None if operator is None else ValueThreshold(self.value, operator, self.limit)

    def excludes(self, other: ValueThreshold, facts: KnownFacts) -> bool:
        """Whether no value meets both."""
        if self.operator == OPPOSITES.get(other.operator) and self.limit == other.limit:
            return self.limit.least == self.limit.greatest
        met = passing(bounds_of(self.value, facts), self.operator, self.limit)
        if met.is_empty:
            return False  # it is out of reach by itself
        return passing(met, other.operator, other.limit).is_empty


def leaves_nothing(node: promql.BinaryExpr, facts: KnownFacts) -> bool:
    """Whether an `and` or `unless` leaves no value, since its sides' thresholds exclude it."""
    left = [*_thresholds(node.lhs, facts)]
    if str(node.op) == "and":
        right = [*_thresholds(node.rhs, facts)]
    else:
        whole = bare(node.rhs)
        taken = _threshold(whole, facts) if isinstance(whole, promql.BinaryExpr) else None
        right = [taken.opposite] if taken is not None and taken.opposite is not None else []
    return any(
        _is_one_series(node, first.value) and first.excludes(second, facts)
        for first in left
        for second in right
        if text_of(first.value) == text_of(second.value)
    )


def _thresholds(node: promql.Expr, facts: KnownFacts) -> Iterator[ValueThreshold]:
    """Yield the thresholds that each series which a condition lets through has met."""
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr):
        return
    operator = str(node.op)
    if operator in ("and", "unless"):
        yield from _thresholds(node.lhs, facts)
        if operator == "and":
            joined = _thresholds(node.rhs, facts)
            yield from (each for each in joined if _is_one_series(node, each.value))
    elif (threshold := _threshold(node, facts)) is not None:
        yield threshold


def _threshold(node: promql.BinaryExpr, facts: KnownFacts) -> ValueThreshold | None:
    """Return the threshold of a comparison of a vector with a number; None for all else."""
    value, limit, operator = node.lhs, node.rhs, str(node.op)
    if not is_filter(node) or is_scalar(value) == is_scalar(limit):
        return None
    if is_scalar(value):
        value, limit, operator = limit, value, FLIPPED.get(operator, operator)
    return ValueThreshold(bare(value), operator, bounds_of(limit, facts))


def _is_one_series(node: promql.BinaryExpr, value: promql.Expr) -> bool:
    """Whether both sides of `node` speak of the same series of `value`."""
    if node.modifier is None or node.modifier.matching is None:
        return True
    return (
        isinstance(value, promql.AggregateExpr)
        and value.modifier is None
        and str(value.op) not in CHOOSING
    )
