"""Between which bounds values lie: their arithmetic, and what a comparison lets through.

Called by whatever proves that a condition can never hold. What is not known lies between minus and
plus infinity, and what never has a value between nothing. A value that is no number lies nowhere:
no comparison but `!=` lets it through. Pure; it knows no metric by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

INF: Final = math.inf


@dataclass(frozen=True, slots=True)
class ValueBounds:
    """The least and the greatest value that is possible."""

    least: float = -INF
    greatest: float = INF

    @property
    def is_empty(self) -> bool:
        """Whether there is never a value."""
        return self.least == INF and self.greatest == -INF

    def __add__(self, other: ValueBounds) -> ValueBounds:
        """Return the bounds of a sum."""
        return ValueBounds(self.least + other.least, self.greatest + other.greatest)

    def __neg__(self) -> ValueBounds:
        """Return the bounds of the value with the other sign."""
        return ValueBounds(0.0 - self.greatest, 0.0 - self.least)

    def __mul__(self, other: ValueBounds) -> ValueBounds:
        """Return the bounds of a product."""
        ends = [
            0.0 if 0.0 in (a, b) else a * b
            for a in (self.least, self.greatest)
            for b in (other.least, other.greatest)
        ]
        return ValueBounds(min(ends), max(ends))

    def inverse(self) -> ValueBounds:
        """Return the bounds of 1 over the value; a division by 0 may give anything."""
        if self.least > 0 or self.greatest < 0:
            return ValueBounds(1 / self.greatest, 1 / self.least)
        return ValueBounds(0.0, INF) if self.least == 0 else UNKNOWN

    def __or__(self, other: ValueBounds) -> ValueBounds:
        """Return the bounds of what is one of both."""
        return ValueBounds(min(self.least, other.least), max(self.greatest, other.greatest))

    def at_least(self, floor: ValueBounds) -> ValueBounds:
        """Return the bounds of the larger of the value and `floor`."""
        return ValueBounds(max(self.least, floor.least), max(self.greatest, floor.greatest))

    def at_most(self, top: ValueBounds) -> ValueBounds:
        """Return the bounds of the smaller of the value and `top`."""
        return ValueBounds(min(self.least, top.least), min(self.greatest, top.greatest))

    def sum(self, series_max: float) -> ValueBounds:
        """Return the bounds of a sum of one to so many values."""
        least = self.least if self.least >= 0 else self.least * series_max
        return ValueBounds(
            least, self.greatest if self.greatest <= 0 else self.greatest * series_max
        )


NO_VALUE: Final = ValueBounds(INF, -INF)
UNKNOWN: Final = ValueBounds()
NOT_NEGATIVE: Final = ValueBounds(0.0, INF)
SHARE: Final = ValueBounds(0.0, 1.0)


def passing(value: ValueBounds, operator: str, limit: ValueBounds) -> ValueBounds:
    """Return the bounds of what a comparison with a limit lets through."""
    least, greatest = value.least, value.greatest
    never = False
    match operator:
        case ">":
            never, least = greatest <= limit.least, max(least, limit.least)
        case ">=":
            never, least = greatest < limit.least, max(least, limit.least)
        case "<":
            never, greatest = least >= limit.greatest, min(greatest, limit.greatest)
        case "<=":
            never, greatest = least > limit.greatest, min(greatest, limit.greatest)
        case "==":
            never = limit.greatest < least or limit.least > greatest
            least, greatest = max(least, limit.least), min(greatest, limit.greatest)
    return NO_VALUE if never else ValueBounds(least, greatest)


def bounds_text(value: ValueBounds) -> str:
    """Say where a value stays."""
    if value.least == value.greatest:
        return f"at {value.least:g}"
    if value.greatest == INF:
        return f"at {value.least:g} or above"
    if value.least == -INF:
        return f"at {value.greatest:g} or below"
    return f"between {value.least:g} and {value.greatest:g}"
