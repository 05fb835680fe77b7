"""What a PromQL expression reads: its selectors, and how far back in time each reads.

Called to decide how much history a run needs and which rule depends on which. Works on
promql-parser's syntax tree; it knows no rule file, no panel and no metric by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.parsing import parse
from verifier.promql.walker import nodes, nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

LOOKBACK_S: Final = 300.0
"""How old a sample an instant selector may use: Prometheus' default of --query.lookback-delta."""

SUBQUERY_STEP_S: Final = 60.0
"""Step of a subquery that names none: the default evaluation interval."""

NAME: Final = "__name__"


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of an expression: the metric names it matches and how far back it reads.

    `names` matches whole names, `exact` is the name where there is only one. `depth_s` counts from
    the evaluation; `window_s` is the selector's own range (an instant selector: the lookback),
    wherever offsets and subqueries move it.
    """

    names: re.Pattern[str]
    exact: str | None
    depth_s: float
    window_s: float

    def matches(self, metric: str) -> bool:
        """Return whether the selector may read `metric`."""
        return self.names.fullmatch(metric) is not None


def reads(expr: str) -> list[Read]:
    """Return every selector of `expr`; raise ValueError when it is not PromQL.

    The depth of a selector is its range (an instant selector: the lookback), plus its offset, plus
    the ranges, offsets and steps of the subqueries around it; never below 0.
    """
    return [
        _read(node, parents)
        for node, parents in nodes_with_parents(parse(expr))
        if isinstance(node, promql.VectorSelector)
    ]


def fixed_time(expr: str) -> bool:
    """Return whether `expr` holds an `@` modifier, which names a moment of wall-clock time."""
    return any(
        isinstance(node, (promql.VectorSelector, promql.SubqueryExpr)) and node.at is not None
        for node in nodes(parse(expr))
    )


def _read(selector: promql.VectorSelector, parents: Sequence[promql.Expr]) -> Read:
    parent = parents[-1] if parents else None
    window_s = LOOKBACK_S
    if isinstance(parent, promql.MatrixSelector):
        window_s = parent.range.total_seconds()
    outer_s = sum(_subquery_s(node) for node in parents if isinstance(node, promql.SubqueryExpr))
    depth_s = max(0.0, window_s + _seconds(selector.offset) + outer_s)
    names, exact = _names(selector)
    return Read(re.compile(names), exact, depth_s, window_s)


def _subquery_s(subquery: promql.SubqueryExpr) -> float:
    """Return how much further back a subquery moves what it holds."""
    # The first step may lie up to one step before the range: steps are aligned with the clock.
    step_s = _seconds(subquery.step) or SUBQUERY_STEP_S
    return _seconds(subquery.range) + step_s + _seconds(subquery.offset)


def _seconds(duration: timedelta | None) -> float:
    return duration.total_seconds() if duration is not None else 0.0


def _names(selector: promql.VectorSelector) -> tuple[str, str | None]:
    """Return a regular expression of the metric names, and the name if there is only one."""
    if selector.name:
        return re.escape(selector.name), selector.name
    for matcher in selector.matchers.matchers:
        if matcher.name == NAME and matcher.op == promql.MatchOp.Equal:
            return re.escape(matcher.value), matcher.value
        if matcher.name == NAME and matcher.op == promql.MatchOp.Re:
            return matcher.value, None
    return ".*", None
