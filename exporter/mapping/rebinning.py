"""Turns our buckets of a histogram into those that a user's exporter has.

A bound that is one of ours is taken as it is. Between two of ours the observations of that bucket
are taken to be spread evenly, as `histogram_quantile` takes them, and rounded down to whole ones:
so buckets never fall with time, nor with the bound. Pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]


class Rebinning:
    """From cumulative buckets of `ours` to those of `theirs`, both finite, ascending, in one unit.

    No bound of theirs may be above the last of ours: nothing is known of what lies there.
    """

    def __init__(self, ours: Sequence[float], theirs: Sequence[float]) -> None:
        """Find where each of their bounds lies among ours."""
        edges = np.array([0.0, *ours])
        bounds = np.array(theirs, np.float64)
        upper = np.searchsorted(edges, bounds * (1 - 1e-12))
        upper = np.clip(upper, 1, len(ours))
        part = (bounds - edges[upper - 1]) / (edges[upper] - edges[upper - 1])
        self._upper = upper
        self._part = np.where(np.isclose(part, 1.0, rtol=0, atol=1e-9), 1.0, part)

    def rebin(self, counts: Values) -> Values:
        """Return cumulative counts (theirs,) from ours (ours,), without +Inf in either."""
        edges = np.concatenate(([0.0], counts))
        below, above = edges[self._upper - 1], edges[self._upper]
        # A whole number must not be rounded down for what floating point took from it.
        whole = np.floor((above - below) * self._part + 1e-6)
        rebinned: Values = below + np.where(self._part == 1.0, above - below, whole)
        return rebinned


def is_among(bound: float, ours: Sequence[float]) -> bool:
    """Whether a bound is one of ours, so that nothing is interpolated."""
    return any(math.isclose(bound, each, rel_tol=1e-9) for each in ours)
