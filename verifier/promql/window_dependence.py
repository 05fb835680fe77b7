"""Whether an expression means the same when every window in it is made shorter.

Called before rules are compressed. A rate stays as it is, an increase shrinks with its window, and
what reads the clock means another time of the scenario. Decided as physicists check units: each
part of the expression has a power of the window's length, and parts of unequal powers must not be
added or compared. They may be compared with 0 or divided by each other. It knows no metric by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import promql_parser as promql

from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO: Final = "zero"
UNKNOWN: Final = "unknown"
Power = int | Literal["zero", "unknown"]
"""A value is proportional to the windows' length to this power. `ZERO`: the number 0, which is of
any power. `UNKNOWN`: it changes by some positive factor, so only its sign is sure."""

_KINDS: Final = {
    "clock": (
        *("time", "timestamp", "ts_of_max_over_time", "ts_of_min_over_time"),
        *("ts_of_first_over_time", "ts_of_last_over_time", "predict_linear"),
    ),
    "calendar": (
        *("minute", "hour", "day_of_week", "day_of_month", "day_of_year"),
        *("days_in_month", "month", "year"),
    ),
    "grows": ("increase",),
    "by window": ("delta", "idelta", "changes", "resets", "deriv"),
    "count": ("count_over_time",),
    "samples": ("sum_over_time", "double_exponential_smoothing"),
    "presence": ("absent", "absent_over_time", "present_over_time", "sgn"),
    "ratio": ("histogram_quantile", "histogram_fraction", "histogram_avg"),
    "clamp": ("clamp", "clamp_min", "clamp_max", "vector"),
    "picks": (
        *("min_over_time", "max_over_time", "first_over_time", "last_over_time", "abs"),
        *("scalar", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc"),
        *("label_replace", "label_join"),
    ),
    "blends": (
        *("rate", "irate", "avg_over_time", "quantile_over_time", "stddev_over_time"),
        *("mad_over_time", "histogram_count", "histogram_sum", "histogram_stddev"),
    ),
    "squares": ("stdvar_over_time", "histogram_stdvar"),
}
"""How a function's value changes when windows are made shorter.

clock: it is a time, or (predict_linear) reads ahead by one. calendar: the same, when it has no
argument. grows: with its window. by window: the load goes on per real second and a fault per second
of the scenario, so by how much it changes is not known. count, samples: it depends on the number of
samples in a window. presence: only whether there is a value, or its sign, matters. ratio: a common
factor cancels out. clamp: numbers in it are values too. picks: one of the values, unchanged.
blends: a mean of several values. squares: of several, squared. All others, such as logarithms, need
values that do not change.
"""

_KIND: Final = {name: kind for kind, names in _KINDS.items() for name in names}
_PICKING: Final = ("max", "min", "topk", "bottomk", "limitk")


class _BoundError(Exception):
    """The value of a function is combined with one that changes otherwise."""


@dataclass(slots=True)
class _Scaling:
    """A fold over an expression; `last` is the last function that made a value depend on a window.

    `counts_kept`: a shorter window holds as many samples as before.
    """

    counts_kept: bool
    last: str = ""

    def power(self, node: promql.Expr) -> Power:
        """Return the power of `node`'s value; raise _BoundError when it has none."""
        match node:
            case promql.NumberLiteral():
                return ZERO if node.val == 0 else 0
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self.power(node.expr)
            case promql.AggregateExpr():
                return self.aggregate(node)
            case promql.BinaryExpr():
                return self.binary(node)
            case promql.Call():
                return self.call(node)
        return 0  # a selector or a text

    def aggregate(self, node: promql.AggregateExpr) -> Power:
        """Return the power of an aggregation."""
        power = self.power(node.expr)
        match str(node.op):
            case "count" | "group":
                return 0
            case "count_values":
                return self.plain([power])
            case "stdvar":
                return 2 * self.known([power])
            case picking if picking in _PICKING:
                return power
        return self.known([power])

    def binary(self, node: promql.BinaryExpr) -> Power:
        """Return the power of a binary operation."""
        left, right = self.power(node.lhs), self.power(node.rhs)
        match str(node.op):
            case "and" | "unless":
                return left
            case "or":
                return left if right in (left, ZERO) else right if left == ZERO else UNKNOWN
            case "*":
                return self.product(left, right)
            case "/":
                return self.product(left, -right if isinstance(right, int) else right)
            case "^":
                return self.plain([left, right])
        common = self.common([left, right])
        return 0 if node.modifier is not None and node.modifier.return_bool else common

    def call(self, node: promql.Call) -> Power:
        """Return the power of a function's value."""
        name, kind = node.func.name, _KIND.get(node.func.name)
        if kind == "clock" or (kind == "calendar" and not node.args):
            raise _BoundError(name)
        powers = [self.power(argument) for argument in node.args]
        values = [
            power
            for power, argument in zip(powers, node.args, strict=True)
            if not isinstance(argument, (promql.NumberLiteral, promql.StringLiteral))
        ]
        # A subquery's step is shortened with its range: it holds as many samples as before.
        subquery = any(isinstance(argument, promql.SubqueryExpr) for argument in node.args)
        counts_kept = self.counts_kept or subquery
        if kind == "by window" or (kind in ("count", "samples") and not counts_kept):
            self.last = name
            return UNKNOWN
        result: Power
        match kind:
            case "grows":
                self.last = name
                result = self.known(values) + 1
            case "count" | "presence":
                result = 0
            case "ratio":
                result = 0 * self.known(values)
            case "clamp":
                result = self.common(powers)
            case "picks":
                result = self.common(values)
            case "blends" | "samples":
                result = self.known(values)
            case "squares":
                result = 2 * self.known(values)
            case _:
                result = self.plain(powers)
        return result

    def product(self, left: Power, right: Power) -> Power:
        """Return the power of a product."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        return ZERO if ZERO in (left, right) else UNKNOWN

    def common(self, powers: Sequence[Power]) -> Power:
        """Return the power that all share, so that they may be added or compared."""
        distinct = {power for power in powers if power != ZERO}
        if len(distinct) > 1 or powers.count(UNKNOWN) > 1:
            raise _BoundError(self.last)
        return distinct.pop() if distinct else ZERO

    def known(self, powers: Sequence[Power]) -> int:
        """Return the power that all share, which must be known."""
        power = self.common(powers)
        if power == UNKNOWN:
            raise _BoundError(self.last)
        return power if isinstance(power, int) else 0

    def plain(self, powers: Sequence[Power]) -> Power:
        """Return 0, the power of a value whose parts must not change, or raise _BoundError."""
        if self.known(powers) != 0:
            raise _BoundError(self.last)
        return 0


def bound_by(expr: str, *, condition: bool, counts_kept: bool) -> str:
    """Return the name of a function by which shorter windows change what `expr` means, or "".

    Of a `condition` it only matters whether it has a result, not which value. `counts_kept` says
    that a shorter window holds as many samples as before. Raises ValueError when it is not PromQL.
    """
    scaling = _Scaling(counts_kept)
    try:
        power = scaling.power(parse(expr))
        if not condition:
            scaling.plain([power])
    except _BoundError as bound:
        return str(bound)
    return ""
