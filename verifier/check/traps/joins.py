"""What the label sets of an expression show: sides that never meet, labels that are not there.

Asked of the fold over what is exported, for every expression; for an alert the labels that its
templates ask for as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import listed
from verifier.check.exports.label_fold import AbsentLabel, label_names
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.check.exports.families import Exports
    from verifier.check.exports.label_fold import LabelFold, LabelSets, MatchProblem, Noted
    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

_LABEL: Final = re.compile(r"(?:\$labels|\.Labels)\.(\w+)|index\s+\$labels\s+[\"`](\w+)[\"`]")


def joins(
    expression: CheckedExpression, exports: Exports, fold: LabelFold
) -> Iterator[CheckFinding]:
    """Yield what is wrong with the labels of an expression and of what is built on it."""
    noted: list[Noted] = []
    sets = fold.sets(expression.tree, noted.append)
    for each in noted:
        if not isinstance(each, AbsentLabel):
            yield _match_finding(expression, each)
        elif each.label not in exports.target_labels and expression.is_written(each.label):
            reason = f"no series there has the label {each.label}: {each.where}"
            yield expression.finding("phantom-label", reason)
    for call in nodes_of(expression.tree, promql.Call):
        if call.func.name == "histogram_quantile":
            inner = fold.sets(call.args[1], lambda _: None)
            if inner is not None and "le" not in label_names(inner):
                reason = "the buckets have lost the label le, so that the quantile has no value"
                yield expression.finding("quantile-without-le", reason)
    if expression.alert is not None and sets is not None:
        yield from _template_labels(expression, sets, exports)


def asked_labels(text: str) -> tuple[str, ...]:
    """Return the labels that a template asks for, each once."""
    return tuple(dict.fromkeys(match[1] or match[2] for match in _LABEL.finditer(text)))


def _match_finding(expression: CheckedExpression, problem: MatchProblem) -> CheckFinding:
    left, right = (_words(sets) for sets in (problem.left, problem.right))
    by = "" if problem.on is None else f" on ({', '.join(problem.on)})"
    if problem.kind == "mismatched":
        sides = f"the left has {left}, the right {right}"
        reason = f"the sides of {problem.operator!r}{by} never meet: {sides}"
        return expression.finding("mismatched-labels", reason)
    reason = (
        f"several series of one side of {problem.operator!r}{by} meet the same of the other: the"
        f" left has {left}, the right {right}"
    )
    return expression.finding("many-to-many", reason)


def _words(sets: LabelSets) -> str:
    names = label_names(sets)
    return f"the labels {listed(names)}" if names else "no labels"


def _template_labels(
    expression: CheckedExpression, sets: LabelSets, exports: Exports
) -> Iterator[CheckFinding]:
    alert = expression.alert
    if alert is None:
        return
    carried = {*label_names(sets)}
    aggregated = not carried >= exports.target_labels
    for name, text in (*alert.annotations, *alert.labels):
        for label in asked_labels(text):
            if label in carried or (label in exports.target_labels and not aggregated):
                continue
            has = f"only {listed(sorted(carried))}" if carried else "none"
            reason = f"{name} asks for $labels.{label}, the series have {has}"
            yield expression.finding("pint/alerts/template", reason)
