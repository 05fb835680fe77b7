"""Levels of series with which an expression has a value, or a condition holds: solved backwards.

From the outside in: what a part is to be says what its parts are to be, down to the selectors. A
rate of 5 is a counter that grows by 5 a second, a ratio of 0.1 is 10 of 100, a quantile lies where
its histogram says. What cannot be turned round exactly is met as nearly as can be; whoever calls
asks an engine what came of it. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.derive.backwards.constants import constant
from verifier.derive.backwards.targets import (
    MIRRORED,
    SHARES,
    Context,
    before,
    counts,
    is_clock,
    is_plain,
    left_of,
    point,
    right_of,
    weights_of,
)
from verifier.derive.series.leaves import DEPTH_MAX, recorded_trees
from verifier.derive.series.levels import Level, LevelKind
from verifier.promql.printing import selector_text, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.derive.backwards.targets import Goal, Mode
    from verifier.derive.series.leaves import LeafSeries, Recordings

BASE: Final = 100.0
"""What stands under a ratio, and on the other side of a comparison of two series."""
KINDS: Final[Mapping[str, LevelKind]] = {
    "rate": "counter", "irate": "counter", "increase": "counter", "delta": "counter",
    "idelta": "counter", "deriv": "counter", "changes": "stairs", "resets": "stairs",
}  # fmt: skip


class Aiming:
    """One solution: `levels` by the selector's key, filled by `hold`."""

    def __init__(
        self,
        goal: Goal,
        series: Mapping[str, LeafSeries],
        recordings: Recordings,
        anchors: dict[str, float],
    ) -> None:
        """Know of no level yet; `anchors` are kept over all solutions of an alert."""
        self.goal = goal
        self.levels: dict[str, Level] = {}
        self._reached: dict[str, float] = {}
        self._series, self._recordings, self._anchors = series, recordings, anchors

    def solve(self, tree: promql.Expr) -> dict[str, Level]:
        """Return the levels with which the condition `tree` holds, but for the goal."""
        self.hold(tree, Context(), truth=True)
        for key in self._series:
            self.levels.setdefault(key, Level("gauge", 1.0))
        self._part_totals()
        return self.levels

    def _part_totals(self) -> None:
        """Take from what reads another selector's series too what those already give."""
        for key, series in self._series.items():
            level = self.levels[key]
            inner = [self.levels[other] for other in series.inside]
            if not inner or level.kind in ("absent", "histogram") or level.hot is not None:
                continue
            taken = sum(each.value * sum(each.weights) for each in inner if each.kind == level.kind)
            total = level.value * sum(level.weights)
            if taken and total > 0:
                self.levels[key] = replace(level, value=max(total - taken, 0.0))

    # --- conditions

    def hold(self, node: promql.Expr, context: Context, *, truth: bool) -> None:
        """Make `node` have a result, or none."""
        match node:
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                self.hold(node.expr, context.child(0), truth=truth)
            case promql.BinaryExpr() if str(node.op) in MIRRORED:
                self._compare(node, context, "fire" if truth else "deep")
            case promql.BinaryExpr() if str(node.op) in ("and", "or", "unless"):
                self._hold_set(node, context, truth=truth)
            case promql.BinaryExpr():
                self._hold_arithmetic(node, context, truth=truth)
            case promql.AggregateExpr():
                inner = self._inner(node, context, 1.0)
                self.hold(node.expr, inner, truth=truth)
            case promql.Call() if node.func.name in ("absent", "absent_over_time"):
                self._absent(node, context, truth=truth)
            case promql.Call() if not truth and node.args:
                number = 1 if node.func.name in ("histogram_quantile", "quantile_over_time") else 0
                self.hold(node.args[number], context.child(number), truth=False)
            case promql.Call():
                self.reach(node, 1.0, context)
            case promql.VectorSelector() | promql.MatrixSelector():
                self._hold_selector(node, context, truth=truth)

    def _hold_selector(
        self,
        node: promql.VectorSelector | promql.MatrixSelector,
        context: Context,
        *,
        truth: bool,
    ) -> None:
        if truth:
            self.reach(node, 1.0, context)
        else:
            self._set(node, Level("absent", 0.0), context)

    def _absent(self, node: promql.Call, context: Context, *, truth: bool) -> None:
        mode = self.goal.modes.get(context.path, "fire" if truth else "deep")
        self.hold(node.args[0], context.child(0), truth=mode != "fire")

    def _hold_set(self, node: promql.BinaryExpr, context: Context, *, truth: bool) -> None:
        left, right = context.child(0), context.child(1)
        match str(node.op):
            case "and":
                self.hold(node.lhs, left, truth=truth)
                self.hold(node.rhs, right, truth=truth)
            case "unless":
                self.hold(node.lhs, left, truth=truth)
                self.hold(node.rhs, right, truth=False)
            case _ if truth and context.path in self.goal.second:
                self.hold(node.rhs, right, truth=True)
                self.hold(node.lhs, left, truth=False)
            case _:
                self.hold(node.lhs, left, truth=truth)
                self.hold(node.rhs, right, truth=False)

    def _hold_arithmetic(self, node: promql.BinaryExpr, context: Context, *, truth: bool) -> None:
        sides = ((node.lhs, context.child(0)), (node.rhs, context.child(1)))
        for side, inner in sides:
            if constant(side) is None:
                self.hold(side, inner, truth=truth)

    def _compare(self, node: promql.BinaryExpr, context: Context, mode: Mode) -> None:
        mode = self.goal.modes.get(context.path, mode)
        sign = str(node.op)
        left, right = context.child(0), context.child(1)
        high, low = constant(node.lhs), constant(node.rhs)
        if high is not None and low is not None:
            return
        if low is not None:
            self._compare_with(node.lhs, left, (sign, low, mode))
        elif high is not None:
            self._compare_with(node.rhs, right, (MIRRORED[sign], high, mode))
        else:
            base = 0.0 if is_clock(node.lhs) or is_clock(node.rhs) else BASE
            if is_clock(node.lhs):  # time() > x
                self._compare_with(node.rhs, right, (MIRRORED[sign], base, mode))
            else:
                self.reach(node.rhs, base, right)
                self._compare_with(node.lhs, left, (sign, base, mode))

    def _compare_with(
        self, node: promql.Expr, context: Context, limit: tuple[str, float, Mode]
    ) -> None:
        """Goal `node` beside a number; of what is counted only some series."""
        sign, value, mode = limit
        if not context.counted:
            self.reach(node, point(self.goal, (sign, value), mode), context)
            return
        outer = self.levels
        self.levels = {}
        self.reach(node, point(self.goal, (sign, value), "deep"), replace(context, counted=False))
        cold, self.levels = self.levels, {}
        self.reach(node, point(self.goal, (sign, value), "fire"), replace(context, counted=False))
        hot, self.levels = self.levels, outer
        for key, level in hot.items():
            other = cold[key]
            mixed = replace(
                level, weights=(1.0,), hot=self.goal.hot,
                cold=None if other.kind == "absent" else other.value,
            )  # fmt: skip
            before = self.levels.get(key)
            if before is None or before.cold is None:
                self.levels[key] = mixed

    # --- values

    def reach(self, node: promql.Expr, value: float, context: Context) -> None:
        """Make `node` be `value`."""
        self._reached.setdefault(text_of(node), value)
        match node:
            case promql.ParenExpr() | promql.SubqueryExpr():
                self.reach(node.expr, value, context.child(0))
            case promql.UnaryExpr():
                self.reach(node.expr, -value, context.child(0))
            case promql.BinaryExpr() if str(node.op) in MIRRORED:
                self._reach_comparison(node, value, context)
            case promql.BinaryExpr() if str(node.op) in ("and", "or", "unless"):
                self._reach_set(node, value, context)
            case promql.BinaryExpr():
                self._reach_arithmetic(node, value, context)
            case promql.AggregateExpr():
                self._reach_aggregation(node, value, context)
            case promql.Call():
                self._reach_call(node, value, context)
            case promql.MatrixSelector():
                self._set(node, Level(context.kind, value, context.weights), context)
            case promql.VectorSelector():
                self._reach_selector(node, value, context)

    def _reach_selector(self, node: promql.VectorSelector, value: float, context: Context) -> None:
        level = Level(
            context.kind, value, context.weights, quantile=context.quantile,
            hot=self.goal.hot if context.counted else None,
        )  # fmt: skip
        self._set(node, level, context)

    def _set(
        self,
        node: promql.VectorSelector | promql.MatrixSelector,
        level: Level,
        context: Context,
    ) -> None:
        selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
        recorded = recorded_trees(selector, self._recordings)
        if recorded and context.depth < DEPTH_MAX:
            inner = replace(
                context.child(0), kind=level.kind, quantile=context.quantile,
                depth=context.depth + 1,
            )  # fmt: skip
            if level.kind == "absent":
                self.hold(recorded[0], inner, truth=False)
            else:
                self.reach(recorded[0], level.value, inner)
            return
        key = selector_text(selector)
        if level.kind == "histogram":
            anchor = self._anchors.setdefault(key, abs(level.value) or 1.0)
            level = replace(level, anchor=anchor, quantile=context.quantile)
        self.levels.setdefault(key, level)

    def _reach_comparison(self, node: promql.BinaryExpr, value: float, context: Context) -> None:
        is_bool = node.modifier is not None and node.modifier.return_bool
        if is_bool or context.counted:
            self._compare(node, context, "fire" if value >= 0.5 else "deep")
        elif constant(node.rhs) is not None:
            self.reach(node.lhs, value, context.child(0))
        elif constant(node.lhs) is not None:
            self.reach(node.rhs, value, context.child(1))
        else:
            self.reach(node.lhs, value, context.child(0))
            self._compare(node, context, "fire")

    def _reach_set(self, node: promql.BinaryExpr, value: float, context: Context) -> None:
        left, right = context.child(0), context.child(1)
        if str(node.op) == "or" and context.path in self.goal.second:
            self.reach(node.rhs, value, right)
            self.hold(node.lhs, left, truth=False)
            return
        self.reach(node.lhs, value, left)
        if str(node.op) == "and":
            self.hold(node.rhs, right, truth=True)
        else:
            self.hold(node.rhs, right, truth=False)

    def _reach_arithmetic(self, node: promql.BinaryExpr, value: float, context: Context) -> None:
        sign = str(node.op)
        left, right = context.child(0), context.child(1)
        number, factor = constant(node.rhs), constant(node.lhs)
        if number is not None:
            self.reach(node.lhs, left_of(sign, value, number), left)
        elif factor is not None:
            self.reach(node.rhs, right_of(sign, value, factor), right)
        elif is_clock(node.lhs):
            self.reach(node.rhs, -value, replace(right, kind="clock"))
        elif is_clock(node.rhs):
            self.reach(node.lhs, value, replace(left, kind="clock"))
        else:
            self._reach_both(node, value, context)

    def _reach_both(self, node: promql.BinaryExpr, value: float, context: Context) -> None:
        """Make arithmetic of two parts be `value`: one of them as it is already, or at its base."""
        sign, left, right = str(node.op), context.child(0), context.child(1)
        if sign == "/" and text_of(node.lhs) in text_of(node.rhs):  # a / (a + b)
            self.reach(node.lhs, value * BASE, left)
            self.reach(node.rhs, BASE, right)
            return
        known = self._known(node.lhs)
        if sign == "*" and is_plain(node.lhs) and not is_plain(node.rhs):
            known = 1.0  # an info metric that only lends its labels
        if known is not None and sign in ("+", "-", "*", "/"):
            self.reach(node.lhs, known, left)
            self.reach(node.rhs, right_of(sign, value, known), right)
            return
        other = self._known(node.rhs)
        base = {"/": BASE, "*": 1.0, "+": value / 2}.get(sign, self.goal.base)
        other = base if other is None else other
        self.reach(node.rhs, other, right)
        self.reach(node.lhs, left_of(sign, value, other), left)

    def _known(self, node: promql.Expr) -> float | None:
        """Return the value that a part has already, or must have to be there at all."""
        while isinstance(node, promql.ParenExpr):
            node = node.expr
        if isinstance(node, promql.BinaryExpr) and str(node.op) == "==":
            is_bool = node.modifier is not None and node.modifier.return_bool
            return None if is_bool else constant(node.rhs)
        return self._reached.get(text_of(node))

    def _inner(self, node: promql.AggregateExpr, context: Context, value: float) -> Context:
        """Return the context inside an aggregation: how its series share the value."""
        counted = context.counted or counts(node)
        weights = SHARES if context.kind == "histogram" else weights_of(str(node.op), value)
        return replace(context.child(0), weights=weights, counted=counted)

    def _reach_aggregation(
        self, node: promql.AggregateExpr, value: float, context: Context
    ) -> None:
        inner = self._inner(node, context, value)
        if str(node.op) in ("count", "group"):
            self.reach(node.expr, 1.0, inner)
        else:
            self.reach(node.expr, value, inner)

    def _reach_call(self, node: promql.Call, value: float, context: Context) -> None:
        name, arguments = node.func.name, list(node.args)
        if name in ("absent", "absent_over_time"):
            self._absent(node, context, truth=value >= 0.5)
            return
        if name == "histogram_quantile":
            quantile = constant(arguments[0])
            inner = replace(
                context.child(1), kind="histogram", quantile=0.5 if quantile is None else quantile
            )
            self.reach(arguments[1], value, inner)
            return
        if not arguments:
            return
        number = 1 if name == "quantile_over_time" else 0
        inner = context.child(number)
        if context.kind != "histogram" and name in KINDS:
            inner = replace(inner, kind=KINDS[name])
        self.reach(arguments[number], before(name, arguments[number], value), inner)
