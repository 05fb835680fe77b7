"""A condition that lets values through by one number: what is compared, how, and with which number.

Called where many conditions differ in their number or operator alone, so that an engine is asked
once for what they all compare. The text of what is compared stays as its author wrote it. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from verifier.promql.parsing import parse
from verifier.promql.printing import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

_LAST_COMPARISON: Final = re.compile(
    r"(?P<compared>.*\S)\s*(?P<operator>>=|<=|==|!=|>|<)\s*"
    r"(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*",
    re.DOTALL,
)
_COMPARE: Final[Mapping[str, Callable[[Reals, float], NDArray[np.bool_]]]] = {
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """`compared operator limit`: values of `compared` pass as they are, or not at all."""

    compared: str
    operator: str
    limit: float

    def passes(self, values: Reals) -> NDArray[np.bool_]:
        """Return which values (n,) pass, as an engine's own comparison would let them."""
        return _COMPARE[self.operator](values, self.limit)


def number_filter(expr: str) -> NumberFilter | None:
    """Return `expr` as a filter by a number; None where it is none, or is not plainly one."""
    match = _LAST_COMPARISON.fullmatch(expr)
    if match is None:
        return None
    try:
        whole, compared = parse(expr), parse(match["compared"])
    except ValueError:
        return None
    # What stands before the last comparison may belong to another operation, `a and b > 1`.
    if not isinstance(whole, promql.BinaryExpr) or not isinstance(whole.rhs, promql.NumberLiteral):
        return None
    if str(whole.op) != match["operator"] or text_of(whole.lhs) != text_of(compared):
        return None
    return NumberFilter(match["compared"], match["operator"], float(match["number"]))
