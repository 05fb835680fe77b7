"""Guards that read nothing but the clock: for which share of the time they have a value.

Called by `branches` for `and on() (hour() >= 8)` and `unless on() (hour() < 6)`. Evaluated at every
half hour of a year and some days, as Prometheus would; no server is asked and no real clock read.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from verifier.promql.walker import nodes_of
from verifier.slo.conditions.unreadable import UnreadableConditionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

TIMES_S: Final = 1_767_225_600.0 + 1800.0 * np.arange(48 * 400, dtype=np.float64)
"""Half hours from 2026-01-01 on, Unix seconds."""
DAY_S: Final = 86400


def _dates(column: Column) -> NDArray[np.datetime64]:
    return column.astype("int64").astype("datetime64[s]")


def _parts(column: Column, unit: str, within: str) -> Column:
    """Return how many whole `unit` have passed within the current `within`."""
    dates = _dates(column)
    begun = dates.astype(f"datetime64[{within}]").astype(f"datetime64[{unit}]")
    passed: Column = (dates.astype(f"datetime64[{unit}]") - begun).astype(np.float64)
    return passed


def _days_in_month(column: Column) -> Column:
    months = _dates(column).astype("datetime64[M]")
    lengths = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
    days: Column = lengths.astype(np.float64)
    return days


FUNCTIONS: Final[dict[str, Callable[[Column], Column]]] = {
    "minute": lambda column: _parts(column, "m", "h"),
    "hour": lambda column: _parts(column, "h", "D"),
    "day_of_week": lambda column: (column // DAY_S + 4) % 7,
    "day_of_month": lambda column: _parts(column, "D", "M") + 1,
    "day_of_year": lambda column: _parts(column, "D", "Y") + 1,
    "days_in_month": _days_in_month,
    "month": lambda column: _parts(column, "M", "Y") + 1,
    "year": lambda column: _dates(column).astype("datetime64[Y]").astype(np.float64) + 1970,
}
OPERATORS: Final[dict[str, Callable[[Column, Column], Column]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": np.fmod,
    "^": operator.pow,
}
COMPARERS: Final[dict[str, Callable[[Column, Column], NDArray[np.bool_]]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def reads_clock_alone(node: promql.Expr) -> bool:
    """Whether an expression reads no series."""
    return not nodes_of(node, promql.VectorSelector) and not nodes_of(node, promql.MatrixSelector)


def open_share(node: promql.Expr) -> float:
    """Return for which share of the time `node` has a value.

    Raises UnreadableConditionError for what is not evaluated here.
    """
    with np.errstate(all="ignore"):
        values = _evaluate(node)
    return float(np.isfinite(values).mean())


def _evaluate(node: promql.Expr) -> Column:
    """Return the value at each of `TIMES_S`, NaN where there is none."""
    match node:
        case promql.ParenExpr():
            return _evaluate(node.expr)
        case promql.NumberLiteral():
            return np.full(len(TIMES_S), node.val)
        case promql.UnaryExpr():
            return -_evaluate(node.expr)
        case promql.Call():
            return _call(node)
        case promql.BinaryExpr():
            return _binary(node)
        case _:
            raise UnreadableConditionError("a guard of this form is not compared")


def _call(node: promql.Call) -> Column:
    name = node.func.name
    if name == "time":
        return TIMES_S
    if name in ("vector", "scalar"):
        return _evaluate(node.args[0])
    if name in FUNCTIONS:
        times_s = _evaluate(node.args[0]) if node.args else TIMES_S
        present = np.isfinite(times_s)
        return np.where(present, FUNCTIONS[name](np.where(present, times_s, 0.0)), np.nan)
    raise UnreadableConditionError(f"{name}() in a guard is not compared")


def _binary(node: promql.BinaryExpr) -> Column:
    sign, left, right = str(node.op), _evaluate(node.lhs), _evaluate(node.rhs)
    if sign in OPERATORS:
        return OPERATORS[sign](left, right)
    has_left, has_right = np.isfinite(left), np.isfinite(right)
    if sign in COMPARERS:
        holds = has_left & has_right & COMPARERS[sign](left, right)
        if node.modifier is not None and node.modifier.return_bool:
            return np.where(has_left & has_right, holds.astype(np.float64), np.nan)
        shown = right if _is_scalar(node.lhs) else left
        return np.where(holds, shown, np.nan)
    if sign == "and":
        return np.where(has_left & has_right, left, np.nan)
    if sign == "unless":
        return np.where(has_left & ~has_right, left, np.nan)
    if sign == "or":
        return np.where(has_left, left, right)
    raise UnreadableConditionError(f"{sign!r} in a guard is not compared")


def _is_scalar(node: promql.Expr) -> bool:
    """Whether an expression is a number and no vector: a comparison keeps the vector's value."""
    match node:
        case promql.ParenExpr() | promql.UnaryExpr():
            return _is_scalar(node.expr)
        case promql.Call():
            return node.func.name in ("time", "scalar")
        case promql.BinaryExpr():
            return _is_scalar(node.lhs) and _is_scalar(node.rhs)
        case _:
            return isinstance(node, promql.NumberLiteral)


def without_guards(node: promql.Expr) -> promql.Expr:
    """Return a condition as it is while its guards by the clock let it fire."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    if isinstance(node, promql.BinaryExpr) and str(node.op) in ("and", "unless"):
        if reads_clock_alone(node.rhs):
            return without_guards(node.lhs)
        if str(node.op) == "and" and reads_clock_alone(node.lhs):
            return without_guards(node.rhs)
    return node
