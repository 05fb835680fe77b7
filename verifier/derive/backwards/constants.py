"""The value of a part of an expression that reads nothing: `14.4 * 0.001`. Pure."""

from __future__ import annotations

import promql_parser as promql

from verifier.promql.conditions import ARITHMETIC

_PASSING = ("vector", "scalar")


def constant(node: promql.Expr) -> float | None:  # noqa: PLR0911 - one case for each kind of node
    """Return the number that `node` is wherever it is evaluated, None if it is none."""
    match node:
        case promql.NumberLiteral():
            return float(node.val)
        case promql.ParenExpr():
            return constant(node.expr)
        case promql.UnaryExpr():
            inner = constant(node.expr)
            return None if inner is None else -inner
        case promql.Call() if node.func.name in _PASSING:
            return constant(node.args[0])
        case promql.BinaryExpr() if str(node.op) in ARITHMETIC:
            left, right = constant(node.lhs), constant(node.rhs)
            if left is None or right is None:
                return None
            try:
                return float(ARITHMETIC[str(node.op)](left, right))
            except (ArithmeticError, ValueError, TypeError):
                return None
    return None
