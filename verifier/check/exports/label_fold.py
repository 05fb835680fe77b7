"""Which series an expression has, label set by label set, from the series that are exported.

The engine's own rules of grouping and matching, on labels alone and without a value: so it is seen
whether two sides ever meet, which is many and which one, and which labels an alert carries. Where a
selector has no series yet, or a function makes labels out of values, the answer is that nobody
knows, and nothing is said of what is built on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import promql_parser as promql

from verifier.check.exports.families import ANY
from verifier.check.exports.selecting import matchers_of, takes_all
from verifier.evidence.relaxed import is_scalar, name_of
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.check.exports.families import Exports
    from verifier.check.exports.selecting import LabelMatcher
    from verifier.labels import Labels
    from verifier.pack.rules import RecordingRule

LabelSets: TypeAlias = frozenset["Labels"]
SETS_MAX: Final = 20_000
"""More label sets than these are not followed."""
PICKING: Final = ("topk", "bottomk", "limitk", "limit_ratio")
RELABELLING: Final = ("label_replace", "label_join", "info")
SINGLE: Final[LabelSets] = frozenset({()})
"""One series without a label."""


@dataclass(frozen=True, slots=True)
class MatchProblem:
    """Two sides of an operator that never meet, or of which both have several series."""

    kind: Literal["mismatched", "many"]
    operator: str
    left: LabelSets
    right: LabelSets
    on: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AbsentLabel:
    """A grouping or a matching by a label that no series there has."""

    label: str
    where: str


Noted: TypeAlias = MatchProblem | AbsentLabel


@dataclass(slots=True)
class LabelFold:
    """Folds expressions into label sets; `note` is called with what is wrong on the way."""

    exports: Exports
    recordings: dict[str, list[RecordingRule]] = field(default_factory=dict)
    _of_metric: dict[str, LabelSets | None] = field(default_factory=dict)
    _selected: dict[tuple[str, tuple[LabelMatcher, ...]], LabelSets | None] = field(
        default_factory=dict
    )
    _grouped: dict[tuple[LabelSets, tuple[str, ...], bool], LabelSets] = field(default_factory=dict)

    def sets(self, tree: promql.Expr, note: Callable[[Noted], None]) -> LabelSets | None:
        """Return the label sets of an expression, None when they are not known."""
        return _Walk(self, note).sets(tree)

    def of_metric(self, metric: str) -> LabelSets | None:
        """Return the label sets of a metric, the target's labels included; None if not known."""
        if metric not in self._of_metric:
            self._of_metric[metric] = None  # a rule that reads itself ends here
            recorded = metric in self.recordings
            self._of_metric[metric] = (
                self._of_recording(metric) if recorded else self._of_export(metric)
            )
        return self._of_metric[metric]

    def selected(self, metric: str, matchers: tuple[LabelMatcher, ...]) -> LabelSets | None:
        """Return the label sets that a selector takes, None for none, or when not known."""
        key = metric, matchers
        if key not in self._selected:
            ignored = self.exports.target_labels
            sets = self.of_metric(metric) or ()
            taken = frozenset(labels for labels in sets if takes_all(matchers, labels, ignored))
            self._selected[key] = taken or None
        return self._selected[key]

    def grouped(self, sets: LabelSets, names: tuple[str, ...], *, by: bool) -> LabelSets:
        """Return label sets with these labels alone, or without them."""
        key = sets, names, by  # a frozenset keeps its hash
        if key not in self._grouped:
            self._grouped[key] = frozenset(
                tuple(pair for pair in labels if (pair[0] in names) == by) for labels in sets
            )
        return self._grouped[key]

    def _of_export(self, metric: str) -> LabelSets | None:
        shared = self.exports.shared
        if metric in self.exports.series:
            sets = self.exports.series[metric]
            if len(sets) > SETS_MAX:
                return None
            return frozenset(tuple(sorted((*labels, *shared))) for labels in sets)
        if self.exports.is_own(metric) and not metric.startswith("ALERTS"):
            return frozenset({shared})
        return None

    def _of_recording(self, metric: str) -> LabelSets | None:
        result: LabelSets = frozenset()
        for rule in self.recordings[metric]:
            sets = self.sets(parse(rule.expr), lambda _: None)
            if sets is None:
                return None
            fixed = dict(rule.labels)
            result |= {tuple(sorted((dict(labels) | fixed).items())) for labels in sets}
        return result


class _Walk:
    """One walk over an expression."""

    def __init__(self, fold: LabelFold, note: Callable[[Noted], None]) -> None:
        self.fold, self.note = fold, note

    def sets(self, node: promql.Expr) -> LabelSets | None:  # noqa: PLR0911 - one for each kind of node
        match node:
            case promql.VectorSelector():
                return self._selector(node)
            case promql.MatrixSelector():
                return self._selector(node.vector_selector)
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self.sets(node.expr)
            case promql.AggregateExpr():
                return self._aggregate(node)
            case promql.BinaryExpr():
                return self._binary(node)
            case promql.Call():
                return self._call(node)
        return SINGLE

    def _selector(self, node: promql.VectorSelector) -> LabelSets | None:
        metric = name_of(node)
        if not metric or node.matchers.or_matchers:
            return None
        return self.fold.selected(metric, matchers_of(node))

    def _call(self, node: promql.Call) -> LabelSets | None:
        name = node.func.name
        inner = [self.sets(argument) for argument in node.args if not is_scalar(argument)]
        if name in RELABELLING:
            return None
        if name == "vector":
            return SINGLE
        if name.startswith("absent"):
            return self._absent(node.args[0])
        if not inner:
            return SINGLE
        if name.startswith("histogram_quantile") or name == "histogram_fraction":
            buckets = inner[-1]
            return None if buckets is None else self.fold.grouped(buckets, ("le",), by=False)
        return inner[0]

    def _absent(self, node: promql.Expr) -> LabelSets | None:
        """Return the one series of absent(): what its selector fixes."""
        while isinstance(node, promql.ParenExpr):
            node = node.expr
        if isinstance(node, promql.MatrixSelector):
            node = node.vector_selector
        if not isinstance(node, promql.VectorSelector):
            return SINGLE
        fixed = [(m.name, m.value) for m in matchers_of(node) if m.operator == "="]
        return frozenset({tuple(sorted(fixed))})

    def _aggregate(self, node: promql.AggregateExpr) -> LabelSets | None:
        inner = self.sets(node.expr)
        operator, modifier = str(node.op), node.modifier
        names = tuple(modifier.labels) if modifier is not None else ()
        by = modifier is not None and modifier.type == promql.AggModifierType.By
        if inner is not None and by:
            carried = label_names(inner)
            for name in names:
                if name not in carried:
                    self.note(AbsentLabel(name, f"{operator} by ({', '.join(names)})"))
        if operator in PICKING or inner is None:
            return inner
        if operator == "count_values":
            return None
        if modifier is None:
            return SINGLE
        return self.fold.grouped(inner, names, by=by)

    def _binary(self, node: promql.BinaryExpr) -> LabelSets | None:
        left, right = self.sets(node.lhs), self.sets(node.rhs)
        if is_scalar(node.lhs) or is_scalar(node.rhs):
            return left if is_scalar(node.rhs) else right
        operator, modifier = str(node.op), node.modifier
        matching = modifier.matching if modifier is not None else None
        names = tuple(matching.labels) if matching is not None else ()
        on = matching is not None and matching.type == promql.LabelModifierType.Include
        if left is None or right is None:
            return None
        if on:
            for name in names:
                if name not in (*label_names(left), *label_names(right)):
                    self.note(AbsentLabel(name, f"{operator} on ({', '.join(names)})"))
        pairing = _Pairing(operator, left, right, names, on=on)
        if operator in ("and", "or", "unless"):
            return self._set_operation(pairing)
        return self._matched(node, pairing)

    def _set_operation(self, pairing: _Pairing) -> LabelSets | None:
        if pairing.operator == "or":
            return pairing.left | pairing.right
        meeting = pairing.meeting()
        if not meeting:
            self.note(pairing.problem("mismatched"))
        if pairing.operator == "unless":
            return pairing.left
        return meeting or None

    def _matched(self, node: promql.BinaryExpr, pairing: _Pairing) -> LabelSets | None:
        """Return the series of an arithmetic result or comparison, as the engine pairs them."""
        modifier = node.modifier
        card = modifier.card if modifier is not None else None
        many_left = card == promql.VectorMatchCardinality.ManyToOne
        many_right = card == promql.VectorMatchCardinality.OneToMany
        meeting = pairing.meeting()
        one_side = pairing.left if many_right else pairing.right
        # Of the one side the engine refuses two that are alike, whether they meet any or not.
        if pairing.is_many(one_side) or not (many_left or many_right or pairing.is_one(meeting)):
            self.note(pairing.problem("many"))
            return None
        if not meeting:
            self.note(pairing.problem("mismatched"))
            return None
        if many_left or many_right:
            grouped = tuple(getattr(modifier, "group_labels", None) or ())
            sets = meeting if many_left else pairing.turned().meeting()
            # What group_left brings along is known by name alone.
            return frozenset(
                tuple(sorted({**dict(labels), **dict.fromkeys(grouped, "*")}.items()))
                for labels in sets
            )
        return (
            frozenset(map(pairing.signature, meeting)) if pairing.names or pairing.on else meeting
        )


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Two sides of an operator, and by which labels they are matched."""

    operator: str
    left: LabelSets
    right: LabelSets
    names: tuple[str, ...]
    on: bool

    def signature(self, labels: Labels) -> Labels:
        """Return the labels by which a series is matched."""
        return tuple(pair for pair in labels if (pair[0] in self.names) == self.on)

    def meeting(self) -> LabelSets:
        """Return the series of the left side that meet one of the right.

        A label whose value nobody knows on one side may have the other's, which a rule has fixed.
        """
        sides = (*map(self.signature, self.left), *map(self.signature, self.right))
        unknown = {name for labels in sides for name, value in labels if value == ANY}
        there = {_without_values(self.signature(labels), unknown) for labels in self.right}
        return frozenset(
            labels
            for labels in self.left
            if _without_values(self.signature(labels), unknown) in there
        )

    def is_many(self, side: LabelSets) -> bool:
        """Whether several series of a side are matched by the same labels."""
        return len(side) > len(set(map(self.signature, side)))

    def is_one(self, side: LabelSets) -> bool:
        """Whether each series of a side is matched by labels of its own."""
        return not self.is_many(side)

    def turned(self) -> _Pairing:
        """Return it with its sides exchanged."""
        return _Pairing(self.operator, self.right, self.left, self.names, on=self.on)

    def problem(self, kind: Literal["mismatched", "many"]) -> MatchProblem:
        """Return what is wrong with the two sides."""
        return MatchProblem(
            kind, self.operator, self.left, self.right, self.names if self.on else None
        )


def _without_values(labels: Labels, names: set[str]) -> Labels:
    return tuple((name, ANY if name in names else value) for name, value in labels)


@lru_cache(maxsize=1024)
def label_names(sets: LabelSets) -> tuple[str, ...]:
    """Return the names of the labels that any of the sets has, in order."""
    return tuple(sorted({name for labels in sets for name, _ in labels}))


@lru_cache(maxsize=4096)
def label_values(sets: LabelSets, label: str) -> frozenset[str]:
    """Return the values of a label in any of the sets."""
    return frozenset(value for labels in sets for name, value in labels if name == label)
