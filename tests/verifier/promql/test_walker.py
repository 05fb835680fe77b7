"""The walk over a syntax tree: every node once, its parents with it."""

from __future__ import annotations

import promql_parser as promql
import pytest

from verifier.promql.walker import nodes, nodes_of, nodes_with_parents

TREE = promql.parse("sum by (x) (rate(a[5m])) / (max_over_time(b[1h:1m]) + 1)")


def test_parents_come_before_their_children_and_left_before_right():
    """The order in which a person reads the expression."""
    kinds = [type(node).__name__ for node in nodes(TREE)]
    assert kinds == [
        *("BinaryExpr", "AggregateExpr", "Call", "MatrixSelector", "VectorSelector"),
        *("ParenExpr", "BinaryExpr", "Call", "SubqueryExpr", "VectorSelector", "NumberLiteral"),
    ]


def test_every_node_comes_with_its_parents_outermost_first():
    """A selector knows the range or the subquery that it stands in."""
    parents = {
        node.name: [type(parent).__name__ for parent in above]
        for node, above in nodes_with_parents(TREE)
        if isinstance(node, promql.VectorSelector)
    }
    assert parents["a"] == ["BinaryExpr", "AggregateExpr", "Call", "MatrixSelector"]
    assert parents["b"] == ["BinaryExpr", "ParenExpr", "BinaryExpr", "Call", "SubqueryExpr"]


@pytest.mark.parametrize(
    "expr",
    [
        "a + b",
        "(a + b)",
        "-a + -b",
        "topk(scalar(a), b)",
        'count_values("x", a or b)',
        "clamp(a, scalar(b), 1)",
        "sum_over_time(a[5m:] @ 17) + b",
        "max_over_time((a + b)[1h:1m])",
        "rate(a[5m]) / rate(b[5m] offset 5m)",
    ],
)
def test_no_part_of_any_node_is_left_out(expr):
    """Whatever can hold an expression is walked into."""
    names = {selector.name for selector in nodes_of(promql.parse(expr), promql.VectorSelector)}
    assert names == {"a", "b"}


def test_nodes_of_a_kind_are_those_and_no_others():
    """Typed, so that their fields can be read."""
    assert [selector.name for selector in nodes_of(TREE, promql.VectorSelector)] == ["a", "b"]
    assert [call.func.name for call in nodes_of(TREE, promql.Call)] == ["rate", "max_over_time"]
    assert nodes_of(promql.parse("1"), promql.VectorSelector) == []
