"""What an alert's condition or a panel's query measures, and at which value the alert fires.

Called by the SLO check. `100 * (1 - errors / all) < 99.9` and `errors / all > 0.001` state the
same of the same quantity: an expression is split into `slope * core + offset`, so that thresholds
written in different forms and units can be compared. Reads promql-parser's syntax tree, never the
text; it knows no metric but the two histograms of the response time, by the end of their names.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.parsing import EXPRESSIONS_MAX, parse
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable

RESPONSE_TIMES: Final = (
    "_request_duration_seconds_bucket",
    "_response_duration_seconds_bucket",
)
"""How names of histograms of the response time end: dashboards show one, alerts read the other."""

COMPARISONS: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
"""Each comparison and what it becomes when its sides change places or its sign turns."""

ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "%": math.fmod,
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """`slope * core + offset`; `core` is canonical PromQL, empty for a plain number.

    Sums and their `by` are left out of `core`: it says what is measured, not how it is split.
    """

    slope: float
    offset: float
    core: str

    def core_at(self, value: float) -> float:
        """Return the core's value when the quantity is `value`."""
        return (value - self.offset) / self.slope

    def at_core(self, value: float) -> float:
        """Return the quantity's value when the core is `value`."""
        return self.slope * value + self.offset


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a quantity with a number, and what was read to make it."""

    quantity: Quantity
    operator: str
    threshold: float
    ranges_s: frozenset[float]
    quantile: float | None

    @property
    def core_threshold(self) -> float:
        """The core's value at which the comparison turns."""
        return self.quantity.core_at(self.threshold)

    @property
    def core_operator(self) -> str:
        """The comparison as it reads for the core."""
        return self.operator if self.quantity.slope > 0 else COMPARISONS[self.operator]


@lru_cache(EXPRESSIONS_MAX)
def conditions_of(expr: str) -> tuple[Condition, ...]:
    """Return the comparisons with a number that must all hold for `expr` to have a result.

    One comparison for `a > 1`, two for `a > 1 and b > 2`, none when any part is something else.
    Raises ValueError when `expr` is not PromQL.
    """
    parts = _conjuncts(parse(expr))
    conditions = [condition for part in parts if (condition := _condition(part)) is not None]
    return tuple(conditions) if len(conditions) == len(parts) else ()


def _conjuncts(node: promql.Expr) -> list[promql.Expr]:
    node = _bare(node)
    if isinstance(node, promql.BinaryExpr) and str(node.op) == "and":
        return _conjuncts(node.lhs) + _conjuncts(node.rhs)
    return [node]


def _condition(node: promql.Expr) -> Condition | None:
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in COMPARISONS:
        return None
    if node.modifier is not None and node.modifier.return_bool:
        return None  # 0 or 1, so always a value: no condition at all
    left, right, sign = _quantity(node.lhs), _quantity(node.rhs), str(node.op)
    if left.core and right.core:
        return None
    if right.core:
        left, right, sign = right, left, COMPARISONS[sign]
    if not left.core or left.slope == 0:
        return None
    return Condition(left, sign, right.offset, _ranges_s(node), _quantile(node))


def quantity_of(expr: str) -> Quantity:
    """Return what the query `expr` measures; raise ValueError when it is not PromQL."""
    return _quantity(parse(expr))


def same_up_to_unit(first: Quantity, second: Quantity) -> bool:
    """Return whether two quantities differ by a unit only: ratio and per cent, s and ms, B and MiB.

    That is: the same core, and slopes whose ratio is a product of powers of 10 and of 1024.
    """
    if first.core != second.core or not first.core or not (first.slope and second.slope):
        return False
    ratio = abs(first.slope / second.slope)
    units = (ratio / 1024.0**power for power in range(-4, 5))
    decades = (math.log10(unit) for unit in units)
    return any(abs(decade - round(decade)) < 1e-9 for decade in decades)


def is_response_time(metric: str | None) -> bool:
    """Return whether a metric is one of the histograms of the response time."""
    return metric is not None and metric.endswith(RESPONSE_TIMES)


def number_text(value: float) -> str:
    """Write a threshold as people do: 14.4, 10737418240."""
    return f"{value:.12g}"


def close(first: float, second: float) -> bool:
    """Return whether two thresholds are equal but for rounding."""
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-12)


def _bare(node: promql.Expr) -> promql.Expr:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def _quantity(node: promql.Expr) -> Quantity:
    node = _bare(node)
    if isinstance(node, promql.NumberLiteral):
        return Quantity(0.0, node.val, "")
    if isinstance(node, promql.UnaryExpr):
        inner = _quantity(node.expr)
        return Quantity(-inner.slope, -inner.offset, inner.core)
    if isinstance(node, promql.AggregateExpr) and str(node.op) == "sum":
        inner = _quantity(node.expr)
        return inner if inner.core and not inner.offset else _whole(node)
    if isinstance(node, promql.BinaryExpr):
        return _binary(node) or _whole(node)
    return _whole(node)


def _binary(node: promql.BinaryExpr) -> Quantity | None:
    """Return the arithmetic of two quantities, None when it is not linear in one core."""
    left, right, sign = _quantity(node.lhs), _quantity(node.rhs), str(node.op)
    if left.core and right.core:
        return _product(sign, left, right)
    if left.core or right.core:
        return _linear(sign, left, right)
    try:
        value = ARITHMETIC[sign](left.offset, right.offset)
    except (KeyError, ArithmeticError, ValueError):
        return None
    return Quantity(0.0, value, "") if isinstance(value, float) else None


def _product(sign: str, left: Quantity, right: Quantity) -> Quantity | None:
    if sign not in ("*", "/") or left.offset or right.offset:
        return None
    return Quantity(
        ARITHMETIC[sign](left.slope, right.slope), 0.0, f"({left.core} {sign} {right.core})"
    )


def _linear(sign: str, left: Quantity, right: Quantity) -> Quantity | None:
    """Return the arithmetic of a quantity and a number, on either side."""
    core = left.core or right.core
    if sign in ("+", "-"):
        slope = ARITHMETIC[sign](left.slope, right.slope)
        return Quantity(slope, ARITHMETIC[sign](left.offset, right.offset), core)
    if sign == "*":
        quantity, factor = (left, right.offset) if left.core else (right, left.offset)
        return Quantity(quantity.slope * factor, quantity.offset * factor, core)
    if sign == "/" and left.core and right.offset:
        return Quantity(left.slope / right.offset, left.offset / right.offset, core)
    return None


def _whole(node: promql.Expr) -> Quantity:
    return Quantity(1.0, 0.0, _canonical(node))


def _canonical(node: promql.Expr) -> str:
    """Write a node so that equal questions read equal: no layout, no `sum`, one response time."""
    node = _bare(node)
    if isinstance(node, promql.VectorSelector):
        matchers = sorted(f"{m.name}{m.op}{m.value!r}" for m in node.matchers.matchers)
        name = "response time" if is_response_time(node.name) else node.name
        return f"{name}{{{','.join(matchers)}}}" + (f" offset {node.offset}" if node.offset else "")
    if isinstance(node, promql.MatrixSelector):
        selector = _canonical(node.vector_selector)
        return f"{selector}[{node.range.total_seconds():g}]"
    if isinstance(node, promql.Call):
        return f"{node.func.name}({', '.join(map(_canonical, node.args))})"
    if isinstance(node, promql.AggregateExpr):
        return _aggregate(node)
    if isinstance(node, promql.BinaryExpr):
        return f"({_canonical(node.lhs)} {node.op} {_canonical(node.rhs)})"
    return str(node)


def _aggregate(node: promql.AggregateExpr) -> str:
    inner = _canonical(node.expr)
    if str(node.op) == "sum":
        return inner
    parameter = f"{node.param}, " if node.param else ""
    split = f" {node.modifier.type} {sorted(node.modifier.labels)}" if node.modifier else ""
    return f"{node.op}{split}({parameter}{inner})"


def _ranges_s(tree: promql.Expr) -> frozenset[float]:
    """Return the ranges, in seconds, of every range selector in `tree`."""
    selectors = nodes_of(tree, promql.MatrixSelector)
    return frozenset(selector.range.total_seconds() for selector in selectors)


def _quantile(tree: promql.Expr) -> float | None:
    """Return the quantile that the only `histogram_quantile` in `tree` asks for, else None.

    NaN when it is not a plain number.
    """
    calls = [c for c in nodes_of(tree, promql.Call) if c.func.name == "histogram_quantile"]
    if len(calls) != 1:
        return None
    quantile = _quantity(calls[0].args[0])
    return math.nan if quantile.core else quantile.offset
