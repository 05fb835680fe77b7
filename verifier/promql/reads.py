"""What a PromQL expression reads: its selectors, and how far back in time each looks.

Read from the syntax tree of promql-parser; it knows no rule file, no panel and no metric by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import promql_parser as promql

LOOKBACK_S: Final = 300.0
"""How old the sample may be that an instant selector takes (--query.lookback-delta)."""

SUBQUERY_STEP_S: Final = 60.0
"""Step of a subquery that names none: the default evaluation interval."""

NAME: Final = "__name__"


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of an expression: the metric names it takes and how far back it looks.

    `window_s` is its own range (an instant selector: the lookback), wherever it is moved to.
    """

    names: re.Pattern[str]
    exact: str | None
    depth_s: float
    window_s: float

    def takes(self, metric: str) -> bool:
        """Return whether the selector may read `metric`."""
        return self.names.fullmatch(metric) is not None


def reads(expr: str) -> list[Read]:
    """Return every selector of `expr`; raise ValueError when it is not PromQL.

    The depth of a selector is its range (an instant selector: the lookback), plus its offset, plus
    the ranges, offsets and steps of the subqueries around it; never below 0.
    """
    found: list[Read] = []
    outer_s: list[float] = []
    ranges_s: list[float] = []

    def enter(node: Any) -> None:
        if isinstance(node, promql.SubqueryExpr):
            step_s = node.step.total_seconds() if node.step else SUBQUERY_STEP_S
            range_s = node.range.total_seconds() if node.range else 0.0
            outer_s.append(range_s + step_s + _offset_s(node))
        elif isinstance(node, promql.MatrixSelector):
            ranges_s.append(node.range.total_seconds())
        elif isinstance(node, promql.VectorSelector):
            range_s = ranges_s.pop() if ranges_s else LOOKBACK_S
            depth_s = max(0.0, range_s + _offset_s(node) + sum(outer_s))
            names, exact = _names(node)
            found.append(Read(re.compile(names), exact, depth_s, range_s))

    def leave(node: Any) -> None:
        if isinstance(node, promql.SubqueryExpr):
            outer_s.pop()

    promql.walk(promql.parse(expr), enter, leave)
    return found


def fixed_time(expr: str) -> bool:
    """Return whether `expr` holds an `@` modifier, which names a moment of wall-clock time."""
    found: list[bool] = []

    def enter(node: Any) -> None:
        found.append(getattr(node, "at", None) is not None)

    promql.walk(promql.parse(expr), enter)
    return any(found)


def _offset_s(node: Any) -> float:
    return float(node.offset.total_seconds()) if node.offset is not None else 0.0


def _names(selector: Any) -> tuple[str, str | None]:
    """Return a regular expression of the metric names a selector takes, and the name if one."""
    if selector.name:
        return re.escape(selector.name), selector.name
    for matcher in selector.matchers.matchers:
        if matcher.name == NAME and matcher.op == promql.MatchOp.Equal:
            return re.escape(matcher.value), matcher.value
        if matcher.name == NAME and matcher.op == promql.MatchOp.Re:
            return matcher.value, None
    return ".*", None
