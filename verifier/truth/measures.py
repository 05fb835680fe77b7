"""What a panel must show at an instant, from what the world counted: a range for each series.

Between the first and the last scrape of a window the world counted exact integers. Prometheus makes
a rate of them by dividing by the time between these scrapes, and so does this; only where a counter
began near 0 does it extrapolate less, at the least to what was counted in the whole window. Hence a
range: of that, and `RATE_TOLERANCE`. A quantile is interpolated from the counts of the same bounds,
a value is exact but for rounding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.snapshot import DURATION_BOUNDS_S
from verifier.truth.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from verifier.truth.declared import PanelTruth
    from verifier.truth.ledger import CountedWindow, WorldRecord

RATE_TOLERANCE: Final = 0.005
"""Of rates, increases and shares: old history is kept in coarse steps."""
QUANTILE_TOLERANCE: Final = 0.01
ROUNDING: Final = 1e-9
RANK_SLACK: Final = 1e-6
"""A rank that is met by rounding falls into one bucket or the next."""
SURELY_ABOVE_ZERO: Final = 2
"""A counter that stands so many times as high as it grows is extrapolated to the window's start."""
LE: Final = "le"


@dataclass(frozen=True, slots=True)
class TruthRange:
    """From `low` to `high`, both included, in seconds, bytes or plain numbers.

    `likely` is in between: what was counted, over the time in which it was.
    """

    low: float
    high: float
    likely: float

    def widened(self, share: float) -> TruthRange:
        """Return the range with a share more on both sides."""
        low, high = self.low - abs(self.low) * share, self.high + abs(self.high) * share
        return TruthRange(low, high, self.likely)

    def moved(self, scale: float, offset: float) -> TruthRange:
        """Return the range, scaled and shifted."""
        ends = self.low * scale + offset, self.high * scale + offset
        return TruthRange(min(ends), max(ends), self.likely * scale + offset)

    def holds(self, value: float) -> bool:
        """Whether a value is in it, but for rounding."""
        slack = ROUNDING * max(abs(self.low), abs(self.high))
        return self.low - slack <= value <= self.high + slack


Ranges = dict[str, TruthRange]


def expected_at(truth: PanelTruth, record: WorldRecord, at_s: float) -> Ranges | None:
    """Return what a panel must show at an instant, by the value of its label `by`.

    None where the world says nothing about it, or where scrapes were not as the world was. What is
    not defined, such as a share of nothing, is left out.
    """
    from_s = at_s - truth.window_s
    if truth.take == "value":
        row = record.at(at_s)
        last_s = record.times_s[record.times_s <= at_s]
        if row is None or record.is_disturbed(float(last_s[-1]) - ROUNDING, at_s):
            return None
        ranges = _values(truth, record, row)
    else:
        window = record.window(from_s, at_s)
        if window is None or record.is_disturbed(from_s, at_s):
            return None
        ranges = _of_window(truth, record, window)
    scale = truth.scale
    if not truth.of and truth.take not in {"quantile", "buckets"}:
        scale *= QUANTITIES[truth.quantity].scale
    return {key: each.moved(scale, truth.offset) for key, each in ranges.items()}


def _of_window(truth: PanelTruth, record: WorldRecord, window: CountedWindow) -> Ranges:
    if truth.take in ("quantile", "buckets"):
        counts = record.layout.part(window.gained, truth.quantity)
        if truth.take == "buckets":
            return _buckets(truth.quantity, record, window, truth.window_s)
        return _quantile(counts, truth.quantile)
    parts = _rates(truth.quantity, truth, record, window)
    if truth.of:
        # Matchers of the part are not those of the whole; both are extrapolated alike.
        whole = _rates(truth.of, truth, record, window, whole=True)
        parts = _shares(parts, whole)
    elif truth.take == "increase":
        parts = {key: each.moved(truth.window_s, 0.0) for key, each in parts.items()}
    return {key: each.widened(RATE_TOLERANCE) for key, each in parts.items()}


def _values(truth: PanelTruth, record: WorldRecord, row: NDArray[np.int64]) -> Ranges:
    def ranges(name: str, *, whole: bool = False) -> Ranges:
        sums = _summed(record, name, row, truth, whole=whole)
        return {key: TruthRange(value, value, value) for key, value in sums.items()}

    parts = ranges(truth.quantity)
    return _shares(parts, ranges(truth.of, whole=True)) if truth.of else parts


def _shares(parts: Ranges, whole: Ranges) -> Ranges:
    """Return which share each part is of the whole; of nothing there is none."""
    shares: Ranges = {}
    for key, part in parts.items():
        of = whole.get(key, whole.get(""))
        if of is not None and of.low > 0:
            likely = part.likely / of.likely
            shares[key] = TruthRange(part.low / of.high, part.high / of.low, likely)
    return shares


def _rates(
    name: str, truth: PanelTruth, record: WorldRecord, window: CountedWindow, *, whole: bool = False
) -> Ranges:
    """Return gains a second; the lower end is what is not extrapolated at all."""
    before, gained = window.before, window.gained
    sure = np.where(before >= SURELY_ABOVE_ZERO * gained, gained, 0)
    least_over_s = _least_over_s(window, truth.window_s)
    all_of = _summed(record, name, gained, truth, whole=whole)
    sure_of = _summed(record, name, sure, truth, whole=whole)
    return {
        key: TruthRange(
            sure_of[key] / window.length_s + (value - sure_of[key]) / least_over_s,
            value / window.length_s,
            value / window.length_s,
        )
        for key, value in all_of.items()
    }


def _summed(
    record: WorldRecord,
    name: str,
    counts: NDArray[np.int64],
    truth: PanelTruth,
    *,
    whole: bool = False,
) -> Mapping[str, int]:
    """Sum a quantity by the label of a panel, of a `whole` without its matchers."""
    part = record.layout.part(counts, name)
    axes = record.layout.labels[name]
    if not axes:
        return {"": int(part.sum())}
    for number, (label, values) in enumerate(axes.items()):
        matcher = None if whole else dict(truth.where).get(label)
        if matcher is not None:
            kept = [index for index, text in enumerate(values) if re.fullmatch(matcher, text)]
            part = np.take(part, kept, axis=number)
    if truth.by not in axes:
        return {"": int(part.sum())}
    number = list(axes).index(truth.by)
    others = tuple(axis for axis in range(part.ndim) if axis != number)
    sums = part.sum(axis=others)
    matcher = None if whole else dict(truth.where).get(truth.by)
    kept_values = [v for v in axes[truth.by] if matcher is None or re.fullmatch(matcher, v)]
    return {value: int(total) for value, total in zip(kept_values, sums, strict=True)}


def _least_over_s(window: CountedWindow, window_s: float) -> float:
    """Return over which time a gain is spread at the most: it is extrapolated to the end alone."""
    return window_s * window.length_s / (window.length_s + window.left_s)


def _buckets(name: str, record: WorldRecord, window: CountedWindow, window_s: float) -> Ranges:
    """Return how many a second were at most as long as each bound."""
    counts = np.cumsum(record.layout.part(window.gained, name))
    before = np.cumsum(record.layout.part(window.before, name))
    length_s, least_s = window.length_s, _least_over_s(window, window_s)
    least_over_s = np.where(before >= SURELY_ABOVE_ZERO * counts, length_s, least_s)
    return {
        bound_text(bound): TruthRange(float(low), float(high), float(high)).widened(RATE_TOLERANCE)
        for bound, low, high in zip(
            (*DURATION_BOUNDS_S, np.inf), counts / least_over_s, counts / length_s, strict=True
        )
    }


def bound_text(bound: float) -> str:
    """Return a bound as one text, however it is written."""
    return f"{bound:.9g}"


def _quantile(counts: NDArray[np.int64], quantile: float) -> Ranges:
    """Return a quantile of durations that were counted by bounds, interpolated between two."""
    if not counts.sum():
        return {}
    ends = [
        _interpolated(counts, min(max(quantile + slack, 0.0), 1.0))
        for slack in (-RANK_SLACK, RANK_SLACK)
    ]
    return {"": TruthRange(min(ends), max(ends), ends[0]).widened(QUANTILE_TOLERANCE)}


def _interpolated(counts: NDArray[np.int64], quantile: float) -> float:
    at_most = np.cumsum(counts)
    rank = quantile * float(at_most[-1])
    cell = int(np.searchsorted(at_most, rank, side="left"))
    if cell >= len(DURATION_BOUNDS_S):
        return DURATION_BOUNDS_S[-1]
    low = DURATION_BOUNDS_S[cell - 1] if cell else 0.0
    below = float(at_most[cell - 1]) if cell else 0.0
    if not counts[cell]:
        return low
    share = (rank - below) / float(counts[cell])
    return low + (DURATION_BOUNDS_S[cell] - low) * share
