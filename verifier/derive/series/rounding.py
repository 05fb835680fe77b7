"""Whether the order in which an engine adds up series may decide the last digit of a sum.

promtool keeps the series of a test in an order of its own, another one in every run. Three rates
added up are then an ulp more, or less: at a threshold itself the alert fires in one run and stays
silent in the next. Called by the search, which then keeps off a threshold. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import promql_parser as promql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.derive.series.leaves import Leaf, LeafSeries
    from verifier.derive.series.levels import Level

KEEPING_OFF: Final = 1e-6
"""The share of a limit that is kept off it; what rounding moves is a billionth of that."""
ADDENDS: Final[Mapping[str, int]] = {"sum": 3, "avg": 2, "stddev": 2, "stdvar": 2}
"""From how many series on their order counts: a + b is b + a, a running mean is not."""
_GRAIN: Final = 2.0**20
"""Multiples of one part of it are added up without rounding, whatever their order."""


def order_counts(
    leaves: Sequence[Leaf], series: Mapping[str, LeafSeries], levels: Mapping[str, Level]
) -> bool:
    """Return whether some aggregation of these series may be rounded in another way."""
    for leaf in leaves:
        own = series.get(leaf.key)
        if own is None:
            continue
        read = [leaf.key, *own.inside]
        count = sum(len(series[key].rows) for key in read)
        for number, node in enumerate(leaf.parents):
            least = ADDENDS.get(str(node.op)) if isinstance(node, promql.AggregateExpr) else None
            if least is None or count < least:
                continue
            inside = leaf.parents[number + 1 :]
            if not all(_adds_exactly(levels[key], len(series[key].rows), inside) for key in read):
                return True
    return False


def _adds_exactly(level: Level, count: int, inside: Sequence[promql.Expr]) -> bool:
    """Return whether the series of a level can be added up without rounding, in any order."""
    if level.kind in ("absent", "stairs"):
        return True
    if level.kind != "gauge" or any(isinstance(n, promql.Call | promql.BinaryExpr) for n in inside):
        return False
    return all(_is_exact(row.value) for row in level.rows(count))


def _is_exact(value: float) -> bool:
    return not math.isfinite(value) or (
        (value * _GRAIN).is_integer() and abs(value) < 2**53 / _GRAIN
    )
