"""Splits counts among label values by shares, so that whole numbers stay whole and never fall.

The k-th event goes to the value that a fixed pattern names, so what a value has counted depends on
the total alone: parts add up to it exactly, and a part never falls while the total grows. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

SHARE_STEPS: Final = 10_000
"""Shares are whole multiples of one in so many."""


def share_steps(share: float) -> int | None:
    """Return a share as a multiple of 1 / `SHARE_STEPS`; None if it is none."""
    steps = round(share * SHARE_STEPS)
    return steps if math.isclose(share * SHARE_STEPS, steps, abs_tol=1e-6) else None


class Splitter:
    """Splits totals among values whose shares add up to 1."""

    def __init__(self, shares: Sequence[float]) -> None:
        """Lay out the pattern of `shares`, multiples of 1 / `SHARE_STEPS`."""
        steps = np.array([round(share * SHARE_STEPS) for share in shares], np.int64)
        self._steps = steps // np.gcd.reduce(steps)
        self.shares: Values = steps / steps.sum()
        period = int(self._steps.sum())
        # Each event of the period goes to the value that is furthest behind its share.
        counted = np.zeros((period + 1, len(steps)), np.int64)
        behind = np.zeros(len(steps), np.int64)
        for event in range(period):
            behind += self._steps
            turn = int(behind.argmax())
            behind[turn] -= period
            counted[event + 1] = counted[event]
            counted[event + 1, turn] += 1
        self._counted = counted

    def split(self, totals: Values) -> Values:
        """Return whole parts of whole `totals` (n, ...), as (n, values, ...)."""
        rounds, rest = np.divmod(np.rint(totals).astype(np.int64), len(self._counted) - 1)
        parts = rounds[..., None] * self._steps + self._counted[rest]
        moved: Values = np.moveaxis(parts, -1, 1).astype(np.float64)
        return moved

    def portion(self, totals: Values) -> Values:
        """Return parts of `totals` (n, ...) that need not be whole, as (n, values, ...)."""
        parts: Values = np.moveaxis(totals[..., None] * self.shares, -1, 1)
        return parts
