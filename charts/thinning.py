"""What no screen can show is left out: of the points of one pixel, the least and the largest stay.

Called for every row before it is written. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLUMNS: Final = 500
"""Stretches of equal length into which a chart is cut: of each, two points of a series are kept."""


def kept_points(
    times_s: NDArray[np.float64],
    values: Sequence[NDArray[np.float64]],
    levels: Sequence[float] = (),
    *,
    columns: int = COLUMNS,
) -> NDArray[np.intp]:
    """Return which points of series that share `times_s` are drawn, as rising indices.

    `times_s` rises, float64 (n,), and so is each of `values`, NaN where there is none. Of each
    stretch the first point stays, the least and the largest of every series, and where one begins
    or ends; the last point of all stays, and those on both sides of where a level is crossed.
    Nothing is left out of fewer than two points a column.
    """
    count = len(times_s)
    if count <= 2 * columns:
        return np.arange(count)
    width_s = (times_s[-1] - times_s[0]) / columns
    column = np.minimum(((times_s - times_s[0]) / width_s).astype(np.intp), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    keep = np.zeros(count, dtype=np.bool_)
    keep[starts] = True
    keep[-1] = True
    for series in values:
        is_gap = np.isnan(series)
        sides = [
            is_gap,
            *(series > level for level in levels),
            *(series < level for level in levels),
        ]
        for side in sides:
            edge = np.flatnonzero(side[1:] != side[:-1])
            keep[edge] = keep[edge + 1] = True
        # In order of column and value, the least of a column comes first and its largest last.
        for filled, place in ((np.inf, 0), (-np.inf, -1)):
            order = np.lexsort((np.where(is_gap, filled, series), column))
            ends = starts if place == 0 else np.append(starts[1:], count) - 1
            keep[order[ends]] = True
    return np.flatnonzero(keep)
