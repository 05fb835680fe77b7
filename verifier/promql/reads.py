"""What a PromQL expression reads: its selectors, and how far back in time each reads.

Called to decide how much history a run needs and which rule depends on which. Works on
promql-parser's syntax tree, and on the text alone where the engine knows more than that parser; it
knows no rule file, no panel and no metric by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.promql.parsing import EXPRESSIONS_MAX, names_and_ranges, parse
from verifier.promql.walker import nodes, nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

LOOKBACK_S: Final = 300.0
"""How old a sample an instant selector may use: Prometheus' default of --query.lookback-delta."""

SUBQUERY_STEP_S: Final = 60.0
"""Step of a subquery that names none: the default evaluation interval."""

NAME: Final = "__name__"


ENDS_S: Final = 3600.0
"""From this width on a window may hold coarse steps between its ends: twelve or more of them."""
ENDS_ALONE: Final = ("rate", "increase", "delta")
"""Functions of a range's first and last sample, and of counters' restarts between. Every other
function weighs the samples between, or counts them."""


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of an expression: the metric names it matches and how far back it reads.

    `names` matches whole names, `exact` is the name where there is only one. `depth_s` counts from
    the evaluation, or from the start of whatever is evaluated; nothing is read that is younger than
    `recent_s` at the evaluation. `window_s` is the selector's own range (an instant selector: the
    lookback, and `is_instant`), wherever offsets and subqueries move it. `ends` says that the
    samples near the ends of that window decide, as for a rate.
    """

    names: re.Pattern[str]
    exact: str | None
    depth_s: float
    window_s: float
    recent_s: float = 0.0
    ends: bool = False
    is_instant: bool = False

    @property
    def full_after_s(self) -> float:
        """How much history must precede an evaluation for its windows to be full."""
        return self.depth_s - (self.window_s if self.is_instant else 0.0)

    def matches(self, metric: str) -> bool:
        """Return whether the selector may read `metric`."""
        return self.names.fullmatch(metric) is not None

    def fine(self, duration_s: float) -> tuple[tuple[float, float], ...]:
        """Return in which intervals every sample is needed, for evaluations up to `duration_s`.

        In seconds from the start; `depth_s` is to count from there.
        """
        first_s, last_s = -self.depth_s, duration_s - self.recent_s
        if not self.ends:
            return ((first_s, last_s),)
        # Each end of the window moves by the evaluations, and by subqueries around it.
        return ((first_s, last_s - self.window_s), (first_s + self.window_s, last_s))


class ReadIndex:
    """Many reads, found by the metric: rules may be ten thousand, and so may what they record."""

    def __init__(self, reads: Iterable[Read]) -> None:
        """Index `reads`."""
        self._exact: dict[str, list[tuple[int, Read]]] = {}
        self._others: dict[re.Pattern[str], list[tuple[int, Read]]] = {}
        for number, read in enumerate(reads):
            if read.exact:
                self._exact.setdefault(read.exact, []).append((number, read))
            else:
                self._others.setdefault(read.names, []).append((number, read))

    def matching(self, metric: str) -> list[Read]:
        """Return the reads that may read `metric`, in their order."""
        numbered = list(self._exact.get(metric, ()))
        for names, others in self._others.items():
            if names.fullmatch(metric):
                numbered += others
        return [read for _, read in sorted(numbered, key=itemgetter(0))]


@lru_cache(EXPRESSIONS_MAX)
def all_reads(expr: str) -> tuple[Read, ...]:
    """Return every selector of `expr`; what the parser cannot follow reads all that it names.

    Each name of such a text may be a metric, a selector without one reads every metric, and the
    depth is the sum of all durations in it.
    """
    try:
        return tuple(reads(expr))
    except ValueError:
        pass
    said = names_and_ranges(expr)
    depth_s = LOOKBACK_S + sum(said.ranges_s)
    if NAME in said.names or _NAMELESS.search(expr):
        return (Read(re.compile(".*"), None, depth_s, LOOKBACK_S),)
    names = sorted(said.names)
    return tuple(Read(re.compile(re.escape(name)), name, depth_s, LOOKBACK_S) for name in names)


_NAMELESS: Final = re.compile(r"(?:^|[^\w:\s]|\b(?:and|or|unless|bool|offset))\s*\{", re.IGNORECASE)


def reads(expr: str) -> list[Read]:
    """Return every selector of `expr`; raise ValueError when it is not PromQL.

    The depth of a selector is its range (an instant selector: the lookback), plus its offset, plus
    the ranges, offsets and steps of the subqueries around it. Where all of it lies ahead, it is the
    lookback: nothing is stored there yet, but the series is.
    """
    return [
        _read(node, parents)
        for node, parents in nodes_with_parents(parse(expr))
        if isinstance(node, promql.VectorSelector)
    ]


def reads_ahead(expr: str) -> bool:
    """Return whether `expr` may name an instant after its evaluation, or one that is fixed.

    That is a negative offset anywhere, or an `@` modifier; and whatever cannot be read at all.
    """
    try:
        tree = parse(expr)
    except ValueError:
        return True
    return any(
        isinstance(node, (promql.VectorSelector, promql.SubqueryExpr))
        and (node.at is not None or _seconds(node.offset) < 0)
        for node in nodes(tree)
    )


def _read(selector: promql.VectorSelector, parents: Sequence[promql.Expr]) -> Read:
    parent, outer = (*(None, None), *parents)[-1:-3:-1]
    subqueries = [node for node in parents if isinstance(node, promql.SubqueryExpr)]
    window_s = LOOKBACK_S
    ends = False
    if isinstance(parent, promql.MatrixSelector):
        window_s = parent.range.total_seconds()
        by_function = isinstance(outer, promql.Call) and outer.func.name in ENDS_ALONE
        ends = by_function and window_s >= ENDS_S
    recent_s = _seconds(selector.offset) + sum(_seconds(node.offset) for node in subqueries)
    depth_s = window_s + _seconds(selector.offset) + sum(map(_subquery_s, subqueries))
    if depth_s <= 0:
        depth_s = LOOKBACK_S
    names, exact = _names(selector)
    is_instant = not isinstance(parent, promql.MatrixSelector)
    return Read(re.compile(names), exact, depth_s, window_s, recent_s, ends, is_instant)


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
