"""Expressions that read the label of a cell, which only a system of several cells has.

Each cell is a target of its own, so the label is not in the catalogue. What reads it is held
against the same system with cells; everything else against one without, as it would be scraped. In
a system of one cell a selector by the label is silent, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from exporter.target import CELL
from simulator.topology import CELLS_MAX
from verifier.check.exports.families import in_cells
from verifier.check.exports.label_fold import AbsentLabel, LabelFold, label_names
from verifier.check.exports.selecting import matchers_of
from verifier.check.traps.joins import asked_labels
from verifier.check.traps.names import NameCheck
from verifier.evidence.relaxed import name_of
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.check.exports.families import Exports
    from verifier.check.exports.label_fold import Noted
    from verifier.check.exports.selecting import LabelMatcher
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding
    from verifier.pack.rules import RecordingRule

CELL_VALUES: Final = tuple(map(str, range(CELLS_MAX)))
"""Cells are numbered from 0."""


@dataclass(frozen=True)
class SystemView:
    """What expressions are held against; `is_of_cells`: for those that read the label of a cell."""

    exports: Exports
    fold: LabelFold
    is_of_cells: bool = False

    @cached_property
    def names(self) -> NameCheck:
        """What judges names by it."""
        return NameCheck(self.exports, self.fold)


class SystemViews:
    """The system with one cell and with several."""

    def __init__(self, exports: Exports, recordings: dict[str, list[RecordingRule]]) -> None:
        """Judge by what is exported and what the rules record."""
        self._recordings = recordings
        self._without = SystemView(exports, LabelFold(exports, recordings))

    @cached_property
    def _with(self) -> SystemView:
        exports = in_cells(self._without.exports)
        return SystemView(exports, LabelFold(exports, self._recordings), is_of_cells=True)

    def of(self, expression: CheckedExpression) -> SystemView:
        """Return the one that an expression is held against."""
        may_have_cells = self._without.exports.may_have_cells
        return self._with if may_have_cells and _reads_cell(expression) else self._without


def only_with_cells(expression: CheckedExpression, view: SystemView) -> Iterator[CheckFinding]:
    """Yield that what an expression reads is there with several cells alone, or is never there.

    Nothing for an expression that does not read the label, or whose server adds it for certain.
    """
    if not view.is_of_cells:
        return
    lost = [*_lost_labels(expression, view.fold), *_impossible_values(expression)]
    yield from lost
    if lost:
        return
    then = "it is empty"
    for _, matcher in _selections(expression.tree):
        then = f"{matcher} {'takes every series' if matcher.takes('') else 'selects nothing'}"
    reason = f"the label {CELL} is there in scenarios with `cells:` alone; without them {then}"
    yield expression.finding("only-with-cells", reason)


def _reads_cell(expression: CheckedExpression) -> bool:
    """Whether the label of a cell decides what it gives, or what its texts say."""
    if any(_selections(expression.tree)) or any(map(_groups_by_cell, _groupings(expression.tree))):
        return True
    alert = expression.alert
    texts = () if alert is None else (*alert.annotations, *alert.labels)
    return any(CELL in asked_labels(text) for _, text in texts)


def _selections(tree: promql.Expr) -> Iterator[tuple[str, LabelMatcher]]:
    """Yield each matcher on the label with its metric, but for one that asks for what has none."""
    for selector in nodes_of(tree, promql.VectorSelector):
        for matcher in matchers_of(selector):
            if matcher.name == CELL and not (matcher.is_positive and matcher.takes("")):
                yield name_of(selector) or "it", matcher


def _groupings(tree: promql.Expr) -> Iterator[tuple[str, ...]]:
    """Yield the labels that each aggregation keeps, or by which two sides are matched."""
    for node in nodes_of(tree, promql.AggregateExpr):
        modifier = node.modifier
        if modifier is not None and modifier.type == promql.AggModifierType.By:
            yield tuple(modifier.labels)
    for operation in nodes_of(tree, promql.BinaryExpr):
        pairing = operation.modifier
        if pairing is None:
            continue
        yield tuple(getattr(pairing, "group_labels", None) or ())
        if (by := pairing.matching) is not None and by.type == promql.LabelModifierType.Include:
            yield tuple(by.labels)


def _groups_by_cell(labels: tuple[str, ...]) -> bool:
    return CELL in labels


def _lost_labels(expression: CheckedExpression, fold: LabelFold) -> Iterator[CheckFinding]:
    """Yield where the label is asked of what a rule has recorded without it."""
    for metric, matcher in _selections(expression.tree):
        sets = fold.of_metric(metric) if metric in fold.recordings else None
        if sets is not None and CELL not in label_names(sets):
            reason = f"no series of {metric} has the label {CELL}, with cells or without: {matcher}"
            yield expression.finding("phantom-label", reason)
    noted: list[Noted] = []
    fold.sets(expression.tree, noted.append)
    for each in noted:
        if isinstance(each, AbsentLabel) and each.label == CELL:
            reason = f"no series there has the label {CELL}, with cells or without: {each.where}"
            yield expression.finding("phantom-label", reason)


def _impossible_values(expression: CheckedExpression) -> Iterator[CheckFinding]:
    for metric, matcher in _selections(expression.tree):
        if not matcher.is_positive or not expression.is_written(matcher.value):
            continue
        missing = [each for each in matcher.alternatives if each not in CELL_VALUES]
        if not missing and not any(map(matcher.takes, CELL_VALUES)):
            missing = [matcher.value]
        for value in missing:
            last = CELL_VALUES[-1]
            reason = f"no series of {metric} has {CELL}={value!r}: cells are 0 to at most {last}"
            yield expression.finding("phantom-label-value", reason)
