"""The relaxed form of an expression: every filter in it lets everything through.

`X > 5` becomes `X`: when even that never has a value, no threshold of the rule matters and its
silence says nothing. Called for every alert that stayed silent. Pure; it asks no server and knows
no metric by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.printing import matcher_text, text_of, window_text
from verifier.promql.walker import nodes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

COMPARISONS: Final = (">", "<", ">=", "<=", "==", "!=")
ABSENCE: Final = ("absent", "absent_over_time")
"""Functions that speak when their argument has no value: what is below them need not exist."""
_NEVER: Final = 'never_stored=~".+"'
"""A matcher that no series of ours meets, and which leaves no label in the answer of `absent`."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A node of a relaxed expression: `text` is its PromQL, `source` the node as it was written.

    It has a value only where all `children` have one; one that is `always` there needs no server.
    """

    source: promql.Expr
    text: str
    children: tuple[Relaxed, ...] = ()
    always: bool = False

    @property
    def is_range(self) -> bool:
        """Whether it is a range of samples rather than values of an instant."""
        return isinstance(self.source, (promql.MatrixSelector, promql.SubqueryExpr))

    @property
    def query(self) -> str:
        """An expression of an instant that has a value exactly where this node has one."""
        return f"last_over_time({self.text})" if self.is_range else self.text


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What must have had a value for an alert to be able to speak.

    `roots`: the whole expression first, then each side of every `or` and what a `scalar` reads: the
    whole may have a value without them. `excluded`: right sides of `unless`, which may be empty.
    `remainders`: what each `unless` leaves of its left side, where no comparison is on its right.
    """

    roots: tuple[Relaxed, ...]
    excluded: tuple[Relaxed, ...]
    remainders: tuple[Relaxed, ...] = ()


def relax(tree: promql.Expr) -> Relaxation:
    """Return the relaxed form of an expression."""
    fold = _Fold()
    whole = fold.relaxed(tree)
    roots = {root.text: root for root in (whole, *fold.roots)}
    return Relaxation(tuple(roots.values()), tuple(fold.excluded), tuple(fold.remainders))


def is_unstored(node: Relaxed, names: Collection[str]) -> bool:
    """Return whether a node can never have a value, as a metric that it needs is not in `names`.

    What it says holds at any moment and for any window, so that no server need be asked.
    """
    if node.always:
        return False
    if isinstance(node.source, promql.VectorSelector):
        name = name_of(node.source)
        return bool(name) and name not in names
    # Of a call only the first vector: `info` has a value without the second.
    needed = node.children if isinstance(node.source, promql.BinaryExpr) else node.children[:1]
    without = [is_unstored(child, names) for child in needed]
    if isinstance(node.source, promql.BinaryExpr) and str(node.source.op) == "or":
        return all(without)
    return any(without)


def is_scalar(node: promql.Expr) -> bool:
    """Return whether `node` is a plain number rather than a vector."""
    match node:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr():
            return is_scalar(node.expr)
        case promql.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case promql.Call():
            return bool(node.func.return_type == promql.ValueType.Scalar)
    return False


def is_filter(node: promql.Expr) -> bool:
    """Return whether `node` is a comparison that lets only some values through."""
    return (
        isinstance(node, promql.BinaryExpr)
        and str(node.op) in COMPARISONS
        and not (node.modifier is not None and node.modifier.return_bool)
        and not is_scalar(node)
    )


def changes_values(node: promql.Expr) -> bool:
    """Return whether the relaxed form of `node` may have other values, or more of them."""
    return any(
        is_filter(each)
        or (isinstance(each, promql.BinaryExpr) and str(each.op) == "unless")
        or (isinstance(each, promql.Call) and each.func.name in ABSENCE)
        for each in nodes(node)
    )


def bare(node: promql.Expr) -> promql.Expr:
    """Return `node` without the brackets around it."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


@dataclass(slots=True)
class _Fold:
    """A fold over a tree, which collects what must exist beside the whole."""

    roots: list[Relaxed] = field(default_factory=list)
    excluded: list[Relaxed] = field(default_factory=list)
    remainders: list[Relaxed] = field(default_factory=list)

    def relaxed(self, node: promql.Expr) -> Relaxed:  # noqa: PLR0911 - one for each kind of node
        """Return the relaxed form of `node`."""
        match node:
            case promql.ParenExpr():
                inner = self.relaxed(node.expr)
                return Relaxed(inner.source, f"({inner.text})", inner.children, inner.always)
            case promql.UnaryExpr():
                inner = self.relaxed(node.expr)
                return Relaxed(node, f"-({inner.text})", (inner,), inner.always)
            case promql.MatrixSelector():
                return Relaxed(node, text_of(node), (self.relaxed(node.vector_selector),))
            case promql.VectorSelector():
                return Relaxed(node, text_of(node))
            case promql.SubqueryExpr():
                return self.subquery(node)
            case promql.BinaryExpr():
                return self.binary(node)
            case promql.AggregateExpr():
                return self.aggregate(node)
            case promql.Call():
                return self.call(node)
        return Relaxed(node, text_of(node), always=True)

    def subquery(self, node: promql.SubqueryExpr) -> Relaxed:
        """Return a subquery over the relaxed form of what it holds."""
        inner = self.relaxed(node.expr)
        return Relaxed(node, f"({inner.text}){window_text(node)}", (inner,), inner.always)

    def binary(self, node: promql.BinaryExpr) -> Relaxed:
        """Return an operation without its filter; the sides of `or` become roots."""
        left, operator = self.relaxed(node.lhs), str(node.op)
        if operator == "unless":
            # What is taken away may well never be there.
            other = _Fold()
            excluded = other.relaxed(node.rhs)
            self.excluded += [excluded, *other.roots]
            if not any(map(is_filter, nodes(node.rhs))):
                text = f"({left.text}) unless{_modifier(node)} ({excluded.text})"
                self.remainders.append(Relaxed(node, text, (left, excluded)))
            return left
        right = self.relaxed(node.rhs)
        if operator == "or":
            self.roots += [left, right]
        if is_filter(node):
            if is_scalar(node.lhs) or is_scalar(node.rhs):
                return left if is_scalar(node.rhs) else right
            return self.compared(node, left, right)
        whole = f"({left.text}) {operator}{_modifier(node)} ({right.text})"
        always = left.always and right.always and (is_scalar(node.lhs) or is_scalar(node.rhs))
        return Relaxed(node, whole, (left, right), always or is_scalar(node))

    def compared(self, node: promql.BinaryExpr, left: Relaxed, right: Relaxed) -> Relaxed:
        """Return every pair that a comparison of two vectors meets, with the labels it gives it."""
        modifier = _modifier(node)
        equal = f"(({left.text}) =={modifier} ({right.text}))"
        unequal = f"(({left.text}) !={modifier} ({right.text}))"
        return Relaxed(node, f"({equal} or {unequal})", (left, right))

    def aggregate(self, node: promql.AggregateExpr) -> Relaxed:
        """Return an aggregation of the relaxed form of what it reads."""
        inner = self.relaxed(node.expr)
        parameter = f"{self.relaxed(node.param).text}, " if node.param is not None else ""
        grouping = f" {node.modifier} " if node.modifier is not None else ""
        text = f"{node.op}{grouping}({parameter}{inner.text})"
        return Relaxed(node, text, (inner,), inner.always)

    def call(self, node: promql.Call) -> Relaxed:
        """Return a call; `absent` speaks whatever is stored, `scalar` has always a value."""
        name = node.func.name
        if name in ABSENCE:
            return Relaxed(node, _absence(node.args[0]), always=True)
        arguments = [self.relaxed(argument) for argument in node.args]
        text = f"{name}({', '.join(argument.text for argument in arguments)})"
        if name == "scalar":
            self.roots += arguments
            return Relaxed(node, text, always=True)
        children = _vectors(arguments)
        return Relaxed(node, text, children, all(child.always for child in children))


def _modifier(node: promql.BinaryExpr) -> str:
    """Return how an operation matches its sides, with a space before it, or nothing."""
    return f" {text}" if (text := str(node.modifier or "").strip()) else ""


def _vectors(arguments: Sequence[Relaxed]) -> tuple[Relaxed, ...]:
    """Return the arguments that may be without a value: neither numbers nor texts."""
    return tuple(
        argument
        for argument in arguments
        if not is_scalar(argument.source) and not isinstance(argument.source, promql.StringLiteral)
    )


def _absence(argument: promql.Expr) -> str:
    """Return what `absent` answers when its argument is missing: 1, with the labels it names."""
    inner = bare(argument)
    if isinstance(inner, promql.MatrixSelector):
        inner = inner.vector_selector
    if not isinstance(inner, promql.VectorSelector):
        return "vector(1)"
    matchers = [matcher_text(matcher) for matcher in inner.matchers.matchers]
    if inner.name:
        matchers.append(f'__name__="{inner.name}"')
    return f"absent({{{','.join((*matchers, _NEVER))}}})"


def name_of(selector: promql.VectorSelector) -> str:
    """Return the one metric name that a selector reads, or "" where it may read several."""
    if selector.name:
        return str(selector.name)
    for matcher in selector.matchers.matchers:
        if matcher.name == "__name__" and matcher.op == promql.MatchOp.Equal:
            return str(matcher.value)
    return ""
