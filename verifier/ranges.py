"""How far back in time expressions read, metric by metric.

Called before a run to decide how deep each series' history must be, and by the engine to order
recording rules. Reads the syntax tree of promql-parser only; it knows no metric by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import promql_parser as promql

from exporter.recorder import COARSE_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.dashboards import Panel
    from verifier.rules import RecordingRule, RuleFiles

LOOKBACK_S: Final = 300.0
"""How old the sample may be that an instant selector takes (--query.lookback-delta)."""

SUBQUERY_STEP_S: Final = 60.0
"""Step of a subquery that names none: the default evaluation interval."""

WIDE_S: Final = 12.0 * COARSE_S
"""A window at least this wide may be read from coarse steps; a narrower one may not."""

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


@dataclass(frozen=True, slots=True)
class Depths:
    """The history that rules and panels need."""

    reads: tuple[Read, ...]

    def of(self, metric: str) -> float:
        """Return how many seconds before an evaluation `metric` is read; 0 when it never is."""
        return max((read.depth_s for read in self.reads if read.takes(metric)), default=0.0)

    @property
    def longest_s(self) -> float:
        """The longest depth of all."""
        return max((read.depth_s for read in self.reads), default=0.0)

    @property
    def fine_s(self) -> float:
        """How far back a window too narrow for coarse steps is moved, by offset or subquery."""
        return max((read.depth_s for read in self.reads if read.window_s < WIDE_S), default=0.0)


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


def depths(rules: RuleFiles, panels: Iterable[Panel] = ()) -> Depths:
    """Return how deep every metric is read by any rule or panel, through recording rules too."""
    expressions = [rule.expr for _, rule in rules.alerts]
    expressions += [query.expr for panel in panels for query in panel.queries]
    found = [read for expr in expressions for read in reads(expr)]
    for rule in reversed(in_dependency_order(rules)):
        outer_s = Depths(tuple(found)).of(rule.record)
        found += [replace(read, depth_s=read.depth_s + outer_s) for read in reads(rule.expr)]
    return Depths(tuple(found))


def in_dependency_order(rules: RuleFiles) -> list[RecordingRule]:
    """Return the recording rules, each after those it reads; raise InputError on a circle."""
    waiting = [rule for _, rule in rules.recordings]
    ordered: list[RecordingRule] = []
    while waiting:
        ready = [rule for rule in waiting if not _reads_any(rule, waiting)]
        if not ready:
            raise waiting[0].position.error(
                f"recording rule {waiting[0].record} must not read itself, not even through others"
            )
        ordered += ready
        waiting = [rule for rule in waiting if rule not in ready]
    return ordered


def _reads_any(rule: RecordingRule, others: Sequence[RecordingRule]) -> bool:
    return any(read.takes(other.record) for read in reads(rule.expr) for other in others)


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
