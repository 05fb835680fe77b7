"""Answers of the engine as rows of a chart: one grid of times, few lines, nothing that is unseen.

Used by every module of this room. Times become seconds of the scenario here. It asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from charts.chart import ChartSeries
from charts.thinning import kept_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from charts.chart import ChartRow, Labels
    from verifier.servers.prometheus import Series

GAP_STEPS: Final = 1.5
"""Steps without a value, from one to the next, that make a gap: scrapes may be a little late."""
LINES_MAX: Final = 8
"""Lines of a row: more cannot be told apart. Those with the most extreme values are drawn."""


@dataclass(frozen=True, slots=True)
class DrawnTime:
    """How times of the server become seconds of the scenario: it began at `epoch_s` Unix seconds.

    Time runs `factor` times as fast on the server. `end_s` is in seconds of the scenario.
    """

    epoch_s: float
    end_s: float
    factor: float = 1.0

    def scenario_s(self, unix_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return seconds of the scenario, to the millisecond."""
        return np.round((unix_s - self.epoch_s) * self.factor, 3)


def labels_of(labels: Mapping[str, str]) -> Labels:
    """Return the labels of a series, sorted, without its name."""
    return tuple(sorted((name, text) for name, text in labels.items() if name != "__name__"))


def on_one_grid(
    answer: Iterable[Series], time: DrawnTime, step_s: float
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return times (n,) of the scenario and each series' values there (n,), NaN where it has none.

    The times are those at which any series has a value, and the ends of what lies between them and
    is longer than `step_s`, in seconds of the server: there nothing is drawn, and nothing read off.
    """
    placed = [(time.scenario_s(series.times_s), series.values) for series in answer]
    answered_s = np.unique(np.concatenate([times for times, _ in placed] or [np.empty(0)]))
    times_s = with_gaps(answered_s, step_s * time.factor, time.end_s)
    columns = []
    for times, values in placed:
        column = np.full(len(times_s), np.nan)
        column[np.searchsorted(times_s, times)] = values
        columns.append(column)
    return times_s, columns


def thinned(row: ChartRow) -> ChartRow:
    """Return a row without the points that no screen can show."""
    kept = kept_points(
        row.times_s,
        [series.values for series in row.series],
        [threshold.value for threshold in row.thresholds],
    )
    if len(kept) == len(row.times_s):
        return row
    series = tuple(ChartSeries(s.name, s.values[kept], s.labels) for s in row.series)
    return replace(row, times_s=row.times_s[kept], series=series)


def with_gaps(times_s: NDArray[np.float64], step_s: float, end_s: float) -> NDArray[np.float64]:
    """Return rising `times_s` with the first and the last instant of every gap among them.

    A gap is where a multiple of `step_s` is missing, before the first time and after the last one
    too, from 0 to `end_s`. No line is drawn across it, and no value of its sides stands for it.
    """
    if not len(times_s):
        return times_s
    breaks = np.flatnonzero(np.diff(times_s) > GAP_STEPS * step_s)
    outer_s = [times_s[0] - step_s, times_s[-1] + step_s]
    inside_s = [at_s for at_s in outer_s if 0.0 <= at_s <= end_s]
    edges_s = np.concatenate((times_s[breaks] + step_s, times_s[breaks + 1] - step_s, inside_s))
    # The two ends of a gap of one step are one instant, but for rounding.
    return np.unique(np.concatenate((times_s, np.round(edges_s, 3))))


def most_extreme(values: Sequence[NDArray[np.float64]], *, low: bool) -> list[int]:
    """Return the numbers of at most `LINES_MAX` series, in order: the lowest or the highest."""
    if len(values) <= LINES_MAX:
        return list(range(len(values)))
    sign = -1.0 if low else 1.0
    peaks = [np.max(sign * v, initial=-np.inf, where=~np.isnan(v)) for v in values]
    return sorted(sorted(range(len(values)), key=lambda index: -peaks[index])[:LINES_MAX])
