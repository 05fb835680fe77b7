"""Why a panel shows nothing: series that do not exist, or a filter that lets nothing through.

Called with the answers, while the server still has what was stored. A filter that nothing passes is
the healthy answer of a panel that shows what is wrong; what it reads must exist all the same. Where
only a constant answers for series that do not exist (`or vector(0)`), the panel shows nothing, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import promql_parser as promql

from verifier.evidence.emptiness import ALERTS
from verifier.evidence.relaxed import ABSENCE, bare, is_filter, name_of, relax
from verifier.promql.parsing import parse
from verifier.promql.walker import nodes, nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.evidence.emptiness import EmptinessCheck
    from verifier.evidence.stock import EvaluationSpan
    from verifier.panels.answers import PanelAnswer, PanelWindow

HEALTHY = "nothing passes its filter, which is healthy: what it reads exists"
NO_ALERT = "no alert was in the state that it shows"
_SETS = ("and", "unless")


def explained(
    answers: Iterable[PanelAnswer], check: EmptinessCheck, window: PanelWindow
) -> tuple[PanelAnswer, ...]:
    """Return the answers, those that show nothing with their reason."""
    return tuple(_explained(answer, check, window) for answer in answers)


def _explained(answer: PanelAnswer, check: EmptinessCheck, window: PanelWindow) -> PanelAnswer:
    try:
        tree = parse(answer.query.expr)
    except ValueError:
        return answer
    span = window.span(answer.query)
    if answer.is_empty:
        return _empty(answer, tree, check, span)
    missing = list(dict.fromkeys(_stood_in_for(tree, check, span)))
    if answer.ok and missing:
        reason = f"a constant alone answers: {'; '.join(missing)}"
        return replace(answer, ok=False, reason=_with_hints(answer, reason))
    if not answer.ok and answer.series:
        reasons = [check.reason(root, span) for root in relax(tree).roots]
        known = [reason for reason in reasons if reason is not None]
        return replace(answer, reason="; ".join((answer.reason, *known[:1])))
    return answer


def _empty(
    answer: PanelAnswer, tree: promql.Expr, check: EmptinessCheck, span: EvaluationSpan
) -> PanelAnswer:
    """Tell a filter that nothing passes from what does not exist or never matches."""
    reason = check.reason(relax(tree).roots[0], span)
    if reason is not None:
        return replace(answer, reason=_with_hints(answer, f"query returns nothing: {reason}"))
    every = nodes(tree)
    if any(isinstance(node, promql.VectorSelector) and name_of(node) in ALERTS for node in every):
        return replace(answer, ok=True, reason=NO_ALERT)
    if any(map(_lets_through, every)):
        return replace(answer, ok=True, reason=HEALTHY)
    return replace(answer, reason=_with_hints(answer, answer.reason))


def _lets_through(node: promql.Expr) -> bool:
    """Return whether a node may leave nothing though what it reads has values."""
    if isinstance(node, promql.Call):
        return node.func.name in ABSENCE
    return is_filter(node) or (isinstance(node, promql.BinaryExpr) and str(node.op) in _SETS)


def _stood_in_for(tree: promql.Expr, check: EmptinessCheck, span: EvaluationSpan) -> Iterator[str]:
    """Yield why an `or` has no value but a constant's: everything else in it never had one."""
    for node, parents in nodes_with_parents(tree):
        outer = next((p for p in reversed(parents) if not isinstance(p, promql.ParenExpr)), None)
        if not _is_or(node) or (outer is not None and _is_or(outer)):
            continue
        sides = [relax(side).roots[0] for side in _alternatives(node)]
        reasons = [check.reason(side, span) for side in sides if not side.always]
        if len(reasons) < len(sides) and reasons and None not in reasons:
            yield from (reason for reason in reasons if reason is not None)


def _alternatives(node: promql.Expr) -> Sequence[promql.Expr]:
    """Return the sides of an `or`, those of an `or` in it one by one."""
    inner = bare(node)
    if isinstance(inner, promql.BinaryExpr) and _is_or(inner):
        return (*_alternatives(inner.lhs), *_alternatives(inner.rhs))
    return (inner,)


def _is_or(node: promql.Expr) -> bool:
    return isinstance(node, promql.BinaryExpr) and str(node.op) == "or"


def _with_hints(answer: PanelAnswer, reason: str) -> str:
    """Add what to look at; where a metric does not exist, its variables are not to blame."""
    return reason if "no metric" in reason else "; ".join((reason, *answer.hints))
