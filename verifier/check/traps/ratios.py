"""Shares of traffic: without any, 0/0 is NaN, and an alert on it is silent.

A guard in the condition itself, or any alert that watches the denominator for being 0 or absent,
is the way out; so such pairs are looked for over all rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import promql_parser as promql

from documents.amounts import listed
from verifier.check.traps.metric_uses import RATES
from verifier.evidence.relaxed import is_scalar, name_of
from verifier.promql.conditions import COMPARISONS
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.check.findings.expressions import CheckedExpression
    from verifier.check.findings.finding import CheckFinding

TURNED: Final = {**COMPARISONS, "==": "==", "!=": "!="}
"""Each comparison and what it becomes when its sides change places."""


def zero_by_zero(expressions: Sequence[CheckedExpression]) -> Iterator[CheckFinding]:
    """Yield every alert on a share of events that is silent when there are none."""
    watched = {name for each in expressions if each.alert for name in _watched(each.tree)}
    for each in expressions:
        if each.alert is None:
            continue
        guarded = _guarded(each.tree)
        for division in nodes_of(each.tree, promql.BinaryExpr):
            if str(division.op) != "/" or not (_counts(division.lhs) and _counts(division.rhs)):
                continue
            below = _metrics(division.rhs)
            if below and not below & (watched | guarded):
                reason = (
                    f"it divides by the events of {listed(sorted(below))}: without any the share"
                    " is 0/0, and no alert watches for that"
                )
                yield each.finding("zero-by-zero", reason)
                break


def _counts(node: promql.Expr) -> bool:
    """Whether a side counts events over a window."""
    return any(call.func.name in RATES for call in nodes_of(node, promql.Call))


def _metrics(node: promql.Expr) -> set[str]:
    return {name for each in nodes_of(node, promql.VectorSelector) if (name := name_of(each))}


def _watched(tree: promql.Expr) -> Iterator[str]:
    """Yield the metrics for whose being 0, or absent, an alert asks."""
    for call in nodes_of(tree, promql.Call):
        if call.func.name.startswith("absent"):
            yield from _metrics(call)
    for node in nodes_of(tree, promql.BinaryExpr):
        measured, sign = _measured(node)
        if sign in ("==", "<", "<=") and not _divides(node):
            yield from _metrics(measured)


def _measured(node: promql.BinaryExpr) -> tuple[promql.Expr, str]:
    """Return what is compared with a number and how, the number on the right; "" if nothing is."""
    sign = str(node.op)
    if is_scalar(node.rhs):
        return node.lhs, sign
    return node.rhs, TURNED[sign] if is_scalar(node.lhs) and sign in TURNED else ""


def _divides(node: promql.Expr) -> bool:
    return any(str(each.op) == "/" for each in nodes_of(node, promql.BinaryExpr))


def _guarded(tree: promql.Expr) -> set[str]:
    """Return the metrics that a part of the condition, joined by `and`, asks to be above 0."""
    guarded: set[str] = set()
    for node in nodes_of(tree, promql.BinaryExpr):
        if str(node.op) != "and":
            continue
        for side in (node.lhs, node.rhs):
            for part in nodes_of(side, promql.BinaryExpr):
                is_turned = str(part.op) in ("<", "<=") and is_scalar(part.lhs)
                is_above = str(part.op) in (">", ">=", "!=") or is_turned
                if is_above and not _divides(part):
                    guarded |= _metrics(part)
    return guarded
