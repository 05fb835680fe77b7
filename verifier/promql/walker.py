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
    nodes: list[tuple[promql.Expr, tuple[promql.Expr, ...]]] = []
    path: list[promql.Expr] = []

    def enter(node: promql.Expr) -> None:
        nodes.append((node, tuple(path)))
        path.append(node)

    def leave(_: promql.Expr) -> None:
        path.pop()

    promql.walk(tree, enter, leave)
    return nodes


def nodes(tree: promql.Expr) -> list[promql.Expr]:
    """Return every node of `tree`, a parent before its children."""
    return [node for node, _ in nodes_with_parents(tree)]


def nodes_of(tree: promql.Expr, kind: type[Node]) -> list[Node]:
    """Return every node of `tree` that is of this kind, a parent before its children."""
    return [node for node in nodes(tree) if isinstance(node, kind)]
