"""Writes a syntax tree as PromQL again, on one line.

Called where a part of an expression becomes a query or a sentence of its own. The library's own
printer escapes no quotes and loses the colon of a subquery without a step. Brackets are nodes of a
tree, so none are added. It asks nothing and knows no metric by name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import promql_parser as promql

if TYPE_CHECKING:
    from datetime import timedelta

_OPERATORS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_UNITS: Final = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000))
"""Units of a duration and their milliseconds, the longest first; seconds and less follow."""


def text_of(node: promql.Expr, factor: float = 1.0) -> str:
    """Return `node` as PromQL, with every duration in it `factor` times as long."""
    return Printer(factor).text(node)


def window_text(node: promql.SubqueryExpr) -> str:
    """Return what a subquery has behind the expression that it repeats: `[1h:5m] offset 1d`."""
    return Printer(1.0).window(node)


def matcher_text(matcher: promql.Matcher) -> str:
    """Return one matcher of a selector: `status=~"5.."`."""
    return f"{matcher.name}{_OPERATORS[str(matcher.op)]}{quoted(matcher.value)}"


def quoted(text: str) -> str:
    """Return `text` between quotes, as PromQL reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def number_of(value: float) -> str:
    """Return a number as PromQL reads it, whole ones without a fraction."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def duration_text(seconds: float) -> str:
    """Return a duration as PromQL reads it: `1h30m`, `1m30s`, `250ms`; to the millisecond."""
    left_ms = round(abs(seconds) * 1000)
    parts = []
    for unit, length_ms in _UNITS:
        count, left_ms = divmod(left_ms, length_ms)
        parts += [f"{count}{unit}"] if count else []
    count, left_ms = divmod(left_ms, 1000)
    parts += [f"{count}s"] if count else []
    parts += [f"{left_ms}ms"] if left_ms else []
    return ("-" if seconds < 0 else "") + ("".join(parts) or "0s")


class Printer:
    """A fold over a tree; every duration is made `factor` times as long."""

    def __init__(self, factor: float) -> None:
        """Make every duration `factor` times as long."""
        self.factor = factor

    def text(self, node: promql.Expr) -> str:  # noqa: C901, PLR0911 - one case for each kind
        """Return `node` as PromQL."""
        match node:
            case promql.NumberLiteral():
                return number_of(node.val)
            case promql.StringLiteral():
                return quoted(node.val)
            case promql.ParenExpr():
                return f"({self.text(node.expr)})"
            case promql.UnaryExpr():
                return f"-{self.text(node.expr)}"
            case promql.BinaryExpr():
                modifier = f" {text}" if (text := str(node.modifier or "").strip()) else ""
                return f"{self.text(node.lhs)} {node.op}{modifier} {self.text(node.rhs)}"
            case promql.Call():
                return f"{node.func.name}({', '.join(map(self.text, node.args))})"
            case promql.AggregateExpr():
                return self.aggregate(node)
            case promql.SubqueryExpr():
                return self.subquery(node)
            case promql.MatrixSelector():
                selector = node.vector_selector
                window = f"[{self.duration(node.range)}]"
                return f"{self.selector(selector)}{window}{self.moved(selector)}"
            case promql.VectorSelector():
                return f"{self.selector(node)}{self.moved(node)}"
        return str(node)

    def selector(self, node: promql.VectorSelector) -> str:
        """Return a selector without its range and what moves it in time."""
        return selector_text(node)

    def aggregate(self, node: promql.AggregateExpr) -> str:
        """Return an aggregation with its grouping."""
        parameter = f"{self.text(node.param)}, " if node.param is not None else ""
        grouping = f" {node.modifier} " if node.modifier is not None else ""
        return f"{node.op}{grouping}({parameter}{self.text(node.expr)})"

    def subquery(self, node: promql.SubqueryExpr) -> str:
        """Return a subquery; without a step of its own the colon stays."""
        return f"{self.text(node.expr)}{self.window(node)}"

    def window(self, node: promql.SubqueryExpr) -> str:
        """Return the range of a subquery, with its step and what moves it in time."""
        step = self.duration(node.step) if node.step is not None else ""
        return f"[{self.duration(node.range)}:{step}]{self.moved(node)}"

    def moved(self, node: promql.VectorSelector | promql.SubqueryExpr) -> str:
        """Return the modifiers that move a selector or a subquery in time."""
        at = f" {node.at}" if node.at is not None else ""
        return at + (f" offset {self.duration(node.offset)}" if node.offset else "")

    def duration(self, length: timedelta | None) -> str:
        """Return a duration, `factor` times as long."""
        return duration_text(length.total_seconds() * self.factor if length else 0.0)


def selector_text(selector: promql.VectorSelector) -> str:
    """Return a selector without what moves it in time: `http_requests_total{status=~"5.."}`."""
    matchers = ",".join(map(matcher_text, selector.matchers.matchers))
    alternatives = [",".join(map(matcher_text, group)) for group in selector.matchers.or_matchers]
    inside = " or ".join(filter(None, (matchers, *alternatives)))
    return (selector.name or "") + (f"{{{inside}}}" if inside or not selector.name else "")
