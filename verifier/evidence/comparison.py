"""One comparison of a condition with its filter open: what to ask, and where it turns.

Only the comparisons that decide are opened. A filter below them, such as that of `count(up == 0)`,
makes the value that is compared, and stays as it is.

Used by the numbers of a failure and by the drawing of a condition. Pure: it asks no server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from verifier.evidence.relaxed import bare, changes_values, is_filter, is_scalar, relax
from verifier.promql.conditions import quantity_of
from verifier.promql.printing import text_of
from verifier.promql.walker import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
MOVING: Final = ("time", "scalar")
"""Functions that make a plain number change from evaluation to evaluation."""


@dataclass(frozen=True, slots=True)
class OpenComparison:
    """A comparison `node` as `expr operator constant`; `constant` is the text of a plain number.

    `constant` is None where the other side is no plain number: then `expr` is the left side less
    the right one, which is compared with 0.
    """

    node: promql.BinaryExpr
    expr: str
    operator: str
    constant: str | None

    @property
    def literal(self) -> float | None:
        """The number that `constant` is, where arithmetic alone says so; 0 where there is none."""
        if self.constant is None:
            return 0.0
        quantity = quantity_of(self.constant)
        return None if quantity.core else quantity.offset


def comparisons(node: promql.Expr) -> Iterator[promql.BinaryExpr]:
    """Yield the comparisons that decide whether a condition holds, in its order."""
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr):
        return
    if is_filter(node):
        yield from comparisons(node.lhs)
        yield node
    elif str(node.op) in ("and", "or"):
        yield from comparisons(node.lhs)
        yield from comparisons(node.rhs)
    elif str(node.op) == "unless":
        yield from comparisons(node.lhs)


def opened(node: promql.BinaryExpr) -> OpenComparison:
    """Return a comparison with its filter open, the number on the right."""
    left, right, operator = node.lhs, node.rhs, str(node.op)
    if is_scalar(left):
        left, right, operator = right, left, FLIPPED[operator]
    expr = _compared_text(_below_filters(left))
    moves = any(isinstance(n, promql.Call) and n.func.name in MOVING for n in nodes(right))
    if is_scalar(right) and not moves:
        return OpenComparison(node, expr, operator, text_of(right))
    modifier = f" {text}" if (text := str(node.modifier or "").strip()) else ""
    expr = f"({expr}) -{modifier} ({_compared_text(right)})"
    return OpenComparison(node, expr, operator, None)


def _below_filters(node: promql.Expr) -> promql.Expr:
    """Return what a chain of comparisons with plain numbers, `0 < X < 5`, lets through or not."""
    inner = bare(node)
    while isinstance(inner, promql.BinaryExpr) and is_filter(inner):
        if not is_scalar(inner.lhs) and not is_scalar(inner.rhs):
            return node
        node = inner.rhs if is_scalar(inner.lhs) else inner.lhs
        inner = bare(node)
    return node


def _compared_text(node: promql.Expr) -> str:
    """Return the text of a side: the relaxed one, which was asked before, where it means as much.

    The relaxed form of `count(up == 0)` counts every series.
    """
    return text_of(node) if changes_values(node) else relax(node).roots[0].text


def holds(values: NDArray[np.float64], operator: str, limit: float) -> NDArray[np.bool_]:
    """Return where `values` satisfy a comparison with a number."""
    compare = {
        ">": np.greater,
        "<": np.less,
        ">=": np.greater_equal,
        "<=": np.less_equal,
        "==": np.equal,
        "!=": np.not_equal,
    }
    where: NDArray[np.bool_] = compare[operator](values, limit)
    return where


def scores(values: NDArray[np.float64], operator: str, limit: float) -> NDArray[np.float64]:
    """Return how near each value is to holding, or how far beyond: more is nearer."""
    if operator in (">", ">="):
        return values
    if operator in ("<", "<="):
        return -values
    distance = np.abs(values - limit)
    return -distance if operator == "==" else distance


def furthest(
    points: Sequence[tuple[float, float]], operator: str, limit: float, *, held: bool
) -> tuple[float, float]:
    """Return the point (time, value) nearest to holding, or furthest beyond; the first of several.

    Of a comparison that never `held` where it was looked at, points that hold elsewhere are none.
    """
    values = np.array([value for _, value in points])
    nearness = scores(values, operator, limit)
    if not held:
        nearness = np.where(holds(values, operator, limit), -np.inf, nearness)
    return points[int(np.argmax(nearness))]


def best_from(
    scored: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], from_s: float, *, only: bool
) -> tuple[int, int]:
    """Return which series came nearest, and at which of its evaluations: the first of several.

    Each series is its times and scores. Of equals those from `from_s` on come first; `only` those
    count, as long as there are any.
    """
    late = [np.where(times_s >= from_s, score, np.nan) for times_s, score in scored]
    known = any(not np.isnan(each).all() for each in late)
    whole = late if only and known else [score for _, score in scored]
    tops = [-np.inf if np.isnan(each).all() else float(np.nanmax(each)) for each in whole]
    best = int(np.argmax(tops))
    late_top = np.flatnonzero(late[best] == tops[best])
    at = late_top[0] if len(late_top) else np.nanargmax(whole[best])
    return best, int(at)
