"""Where comparisons are aimed at, and arithmetic turned round: what a side must be for a value.

Called by `aiming` alone, which walks the tree. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import promql_parser as promql

from verifier.derive.backwards.inverses import INVERSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.derive.series.levels import LevelKind

Path: TypeAlias = tuple[int, ...]
"""Which child of which, from the root; a recorded expression is the child 0 of its selector."""
Mode: TypeAlias = Literal["fire", "near", "deep"]
MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
SHARES: Final = (0.25, 0.75)
"""How a sum is split over two series."""
PICKING: Final = ("max", "topk", "quantile", "bottomk", "group", "limitk")
COUNTED: Final = ("rate", "irate", "increase", "changes", "resets")
PER_WINDOW: Final = ("increase", "delta", "changes", "resets")


@dataclass(frozen=True, slots=True)
class Goal:
    """Where each comparison is aimed at; `steps` are how far, as a share, on either side.

    `modes` is by the comparison's path, `fire` where it names none. `second` names those `or` that
    are to hold by their right side, `hot` how many series pass where they are counted, `base` what
    is taken away where nothing else says how much. `off` is the least share of a limit by which a
    value is kept off it.
    """

    modes: Mapping[Path, Mode]
    fire_share: float = 0.02
    near_share: float = 0.0
    second: frozenset[Path] = frozenset()
    hot: int = 1
    base: float = 100.0
    off: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """Where a part stands, and what the functions around it make of its series."""

    path: Path = ()
    kind: LevelKind = "gauge"
    weights: tuple[float, ...] = (1.0,)
    quantile: float = 0.0
    counted: bool = False
    depth: int = 0

    def child(self, number: int) -> Context:
        """Return the context of a part's part."""
        return replace(self, path=(*self.path, number))


def point(goal: Goal, beside: tuple[str, float], mode: Mode) -> float:
    """Return the value with which a comparison (sign, limit) holds, or nearly does."""
    sign, limit = beside
    size = _size(limit)
    up = 1.0 if sign in (">", ">=") else -1.0
    if sign in ("==", "!="):
        same = mode == "fire" if sign == "==" else mode != "fire"
        other = limit - 1 if limit >= 1 else limit + 1
        return limit if same else other
    if mode == "deep":
        return (
            min(0.0, limit - size) if up > 0 else limit + (2 * size if size == abs(limit) else size)
        )
    is_open = sign in (">", "<")
    if mode == "fire":
        share = goal.fire_share if is_open else max(goal.fire_share - 0.02, goal.off)
        return limit + up * size * (share if limit else share * 50)
    share = max(goal.near_share, goal.off if is_open else 0.02)
    return limit - up * size * (share if limit else share * 50)


def _size(limit: float) -> float:
    """Return what a step beside a limit is a share of: of 99.9 % it is the tenth that is left."""
    for whole in (1.0, 100.0):
        if whole / 2 < limit < whole:
            return whole - limit
    return abs(limit) or 1.0


def is_plain(node: promql.Expr) -> bool:
    """Return whether a part is a selector and nothing else."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return isinstance(node, promql.VectorSelector)


def is_clock(node: promql.Expr) -> bool:
    """Return whether a part is the time of the evaluation."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return isinstance(node, promql.Call) and node.func.name == "time"


def counts(node: promql.AggregateExpr) -> bool:
    """Return whether an aggregation counts series, or those that pass a comparison."""
    if str(node.op) == "count":
        return True
    inner: promql.Expr = node.expr
    while isinstance(inner, promql.ParenExpr):
        inner = inner.expr
    compares = isinstance(inner, promql.BinaryExpr) and str(inner.op) in MIRRORED
    return str(node.op) in ("sum", "avg") and compares


def weights_of(name: str, value: float) -> tuple[float, ...]:
    """Return how two series share the value of an aggregation, so that no other has the same."""
    match name:
        case "sum":
            return SHARES
        case "avg":
            return (0.5, 1.5)
        case "min":
            return (1.0, 2.0) if value >= 0 else (1.0, 0.5)
        case picking if picking in PICKING:
            return (1.0, 0.5) if value >= 0 else (1.0, 2.0)
    return (1.0,)


def before(name: str, argument: promql.Expr, value: float) -> float:
    """Return what a function's argument must be for its value."""
    if name in COUNTED:
        value = max(value, 0.0)  # what falls has been restarted, and counts as having grown
    if name in PER_WINDOW and isinstance(argument, promql.MatrixSelector | promql.SubqueryExpr):
        return value / (argument.range.total_seconds() if argument.range else 1.0)
    inverse = INVERSES.get(name)
    if inverse is None:
        return value
    try:
        return inverse(value)
    except (ValueError, OverflowError):
        return math.nan


def left_of(sign: str, value: float, right: float) -> float:
    """Return what stands left of a sign for a value, beside a number on the right."""
    match sign:
        case "+":
            return value - right
        case "-":
            return value + right
        case "*":
            return value / right if right else 1.0
        case "/":
            return value * right
        case "^":
            return abs(value) ** (1 / right) if right else 1.0
    return value


def right_of(sign: str, value: float, left: float) -> float:
    """Return what stands right of a sign for a value, beside a number on the left."""
    match sign:
        case "+":
            return value - left
        case "-":
            return left - value
        case "*":
            return value / left if left else 1.0
        case "/":
            return left / value if value else math.inf
    return value
