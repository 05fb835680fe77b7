"""One alert as a problem: its tree, its selectors, and how long its tests must be.

Called by the search for worlds and by the tests that are made of them. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.derive.series.leaves import DEPTH_MAX, leaves_of, recorded_trees
from verifier.derive.series.worlds import Timing
from verifier.promql.walker import children, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.derive.backwards.targets import Path
    from verifier.derive.series.leaves import Leaf, Recordings
    from verifier.pack.rules import AlertRule

FILL_MAX: Final = 750
"""Evaluations of the longest window that is filled before a test shows anything."""
UNFILLED: Final = 40
"""Evaluations before a test where a window is longer, and so is never full."""
STEPS_MAX: Final = 3000
"""Evaluations of `for`; one that is longer is not waited for."""
SAMPLES_IN_WINDOW: Final = 4
CALENDAR: Final = ("hour", "minute", "day_of_week", "day_of_month", "month", "year")
COMPARING: Final = ("==", "!=", ">", "<", ">=", "<=")


@dataclass(frozen=True, slots=True)
class AlertProblem:
    """An alert that is to be solved; `namesakes` are all rules of its name, itself among them.

    `lead_s` is at which time of promtool's clock its tests begin to show anything.
    """

    rule: AlertRule
    namesakes: tuple[AlertRule, ...]
    tree: promql.Expr
    leaves: tuple[Leaf, ...]
    recordings: Recordings
    timing: Timing
    lead_s: float = 0.0

    @property
    def start_steps(self) -> int:
        """How many evaluations a test has before it shows anything."""
        return self.fill_steps + math.ceil(self.lead_s / self.timing.evaluation_s)

    @property
    def wait_steps(self) -> int:
        """How many evaluations after the first a condition must hold until the alert fires."""
        return math.ceil(self.rule.for_s / self.timing.evaluation_s - 1e-9)

    @property
    def keep_steps(self) -> int:
        """How many evaluations it is kept firing."""
        return math.ceil(self.rule.keep_firing_for_s / self.timing.evaluation_s - 1e-9)

    @property
    def fill_steps(self) -> int:
        """How many evaluations it takes until the windows are full."""
        steps = math.ceil(max(map(_depth_s, self.leaves), default=0) / self.timing.evaluation_s)
        return steps + 2 if steps <= FILL_MAX else UNFILLED

    @property
    def lookback_steps(self) -> int:
        """How many evaluations a value may be old."""
        return math.ceil(300 / self.timing.evaluation_s)


def timing_of(leaves: Sequence[Leaf], evaluation_s: float) -> Timing:
    """Return how often there must be a sample, so that each window holds a few."""
    shortest_s = min(
        (
            node.range.total_seconds()
            for leaf in leaves
            for node in leaf.parents
            if isinstance(node, promql.MatrixSelector)
        ),
        default=evaluation_s * SAMPLES_IN_WINDOW,
    )
    parts = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
    return Timing(
        evaluation_s,
        next(
            (
                evaluation_s / part
                for part in parts
                if evaluation_s / part * SAMPLES_IN_WINDOW <= shortest_s
            ),
            evaluation_s / parts[-1],
        ),
    )


def _depth_s(leaf: Leaf) -> float:
    """Return how far back a selector reads, all that is around it counted."""
    depth_s = _offset_s(leaf.selector)
    for node in leaf.parents:
        if isinstance(node, promql.MatrixSelector | promql.SubqueryExpr):
            depth_s += range_s(node)
        if isinstance(node, promql.SubqueryExpr | promql.VectorSelector):
            depth_s += _offset_s(node)
    return depth_s


def range_s(node: promql.MatrixSelector | promql.SubqueryExpr) -> float:
    """Return how long a window is."""
    return node.range.total_seconds() if node.range else 0.0


def _offset_s(node: promql.VectorSelector | promql.SubqueryExpr) -> float:
    return max(node.offset.total_seconds(), 0.0) if node.offset else 0.0


def problem_leaves(tree: promql.Expr, recordings: Recordings) -> tuple[Leaf, ...]:
    """Return the selectors of an alert's expression, through what is recorded."""
    return tuple(leaves_of(tree, recordings))


def condition_paths(
    tree: promql.Expr, recordings: Recordings, path: Path = (), depth: int = 0
) -> Iterator[Path]:
    """Yield where the conditions of an expression stand: comparisons, and what must be absent."""
    below: list[promql.Expr] = list(children(tree))
    match tree:
        case promql.BinaryExpr() if str(tree.op) in COMPARING:
            yield path
        case promql.Call() if tree.func.name in ("absent", "absent_over_time"):
            yield path
        case promql.VectorSelector() if depth < DEPTH_MAX:
            below = list(recorded_trees(tree, recordings))
            depth += 1
    for number, child in enumerate(below):
        yield from condition_paths(child, recordings, (*path, number), depth)


def reads_clock(tree: promql.Expr) -> bool:
    """Return whether an expression asks for the hour or the day of its evaluation."""
    return any(node.func.name in CALENDAR and not node.args for node in nodes_of(tree, promql.Call))


def or_paths(tree: promql.Expr, path: Path = ()) -> Iterator[Path]:
    """Yield where an expression has an `or`."""
    if isinstance(tree, promql.BinaryExpr) and str(tree.op) == "or":
        yield path
    for number, child in enumerate(children(tree)):
        yield from or_paths(child, (*path, number))
