"""Walks over promql-parser's syntax tree: every node, each with the nodes around it.

Called by everything that needs the nodes of an expression: reads, conditions, traps, compression.
What needs a value for each node instead (a quantity, a power of the windows) folds the tree itself.
It reads trees and never text; it knows no metric by name.
"""

from __future__ import annotations

from typing import TypeVar

import promql_parser as promql

Node = TypeVar("Node", bound=promql.Expr)


def nodes_with_parents(tree: promql.Expr) -> list[tuple[promql.Expr, tuple[promql.Expr, ...]]]:
    """Return every node of `tree`, a parent before its children, with its parents, outermost first.

    The selector inside a range selector is a node of its own, the range selector its last parent.
    """
    result: list[tuple[promql.Expr, tuple[promql.Expr, ...]]] = []
    waiting: list[tuple[promql.Expr, tuple[promql.Expr, ...]]] = [(tree, ())]
    while waiting:
        node, parents = waiting.pop()
        result.append((node, parents))
        inner = (*parents, node)
        waiting += [(child, inner) for child in reversed(children(node))]
    return result


def children(node: promql.Expr) -> list[promql.Expr]:
    """Return the parts of `node`, in the order of its text.

    Asked one by one: the library's own walk copies what is below a node again and again, and takes
    seconds for two hundred operands.
    """
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.AggregateExpr():
            return [node.expr] if node.param is None else [node.expr, node.param]
        case promql.Call():
            return list(node.args)
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
    return []


def nodes(tree: promql.Expr) -> list[promql.Expr]:
    """Return every node of `tree`, a parent before its children."""
    return [node for node, _ in nodes_with_parents(tree)]


def nodes_of(tree: promql.Expr, kind: type[Node]) -> list[Node]:
    """Return every node of `tree` that is of this kind, a parent before its children."""
    return [node for node in nodes(tree) if isinstance(node, kind)]
