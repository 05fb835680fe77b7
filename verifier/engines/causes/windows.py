"""What a function makes of the samples of one series at given instants, for an engine's traits.

The formulas are those of the engines: `extrapolatedRate` of Prometheus, `rollup` of
VictoriaMetrics, each written anew on whole arrays. Pure; times are Unix milliseconds, and a plain
NaN in a result says that there is no value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.engines.causes.over_time import LINES, OVER_TIME, WindowSamples
from verifier.engines.causes.traits import Trait

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from verifier.engines.causes.traits import Traits

LOOKBACK_MS: Final = 300_000
SILENCE_MS: Final = 300_000
"""VictoriaMetrics reads so much more than the window, for the sample before it."""
_INTERVALS_READ: Final = 20
_INTERVAL_QUANTILE: Final = 0.6
_MARGINS: Final = ((2_000, 4), (4_000, 2), (8_000, 1), (16_000, 1 / 2), (32_000, 1 / 4))
"""Up to which scrape interval, and by how many intervals more, the sample before is looked for."""
_EXTENDED_WITHIN: Final = 1.1
_SMALL_LOSS: Final = 8


@dataclass(frozen=True, slots=True)
class SeriesSamples:
    """The samples of a series, ascending, without markers; `ended_ms` is when markers end it."""

    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    ended_ms: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AskedRange:
    """The range query by which values are asked for: VictoriaMetrics's answer depends on it."""

    start_ms: int
    end_ms: int
    step_ms: int

    def moved(self, offset_ms: int) -> AskedRange:
        """Return the same range so much earlier."""
        return AskedRange(self.start_ms - offset_ms, self.end_ms - offset_ms, self.step_ms)


@dataclass(frozen=True, slots=True)
class WindowView:
    """How an engine with these traits looks at a window when it is asked so.

    `argument` is the number that the function is called with, NaN without one.
    """

    window_ms: int
    asked: AskedRange
    traits: Traits
    argument: float = math.nan


@dataclass(frozen=True, slots=True)
class _Windows:
    """For each instant the samples `first` up to before `end`, and whether there is one before.

    `values` are those of a counter, if it is one, with its restarts added up.
    """

    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    raw: NDArray[np.float64]
    first: NDArray[np.intp]
    end: NDArray[np.intp]
    has_before: NDArray[np.bool_]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]

    @property
    def count(self) -> NDArray[np.intp]:
        """Samples in each window."""
        return self.end - self.first


def instant_values(
    samples: SeriesSamples, at_ms: NDArray[np.int64], asked: AskedRange, traits: Traits
) -> NDArray[np.float64]:
    """Return the value of an instant selector: the last sample that is not too old or ended."""
    lookback_ms = LOOKBACK_MS
    if Trait.SHORT_LOOKBACK in traits:
        lookback_ms = max(asked.step_ms, margin_ms(samples, asked, asked.step_ms))
    last = np.searchsorted(samples.times_ms, at_ms, side="right") - 1
    result = np.full(len(at_ms), np.nan)
    there = last >= 0
    times = samples.times_ms[last[there]]
    marker = np.searchsorted(samples.ended_ms, at_ms[there], side="right") - 1
    ended = np.zeros(len(times), dtype=np.bool_)
    if len(samples.ended_ms):
        ended = (marker >= 0) & (samples.ended_ms[marker.clip(0)] > times)
    # Prometheus 2 takes one that is exactly five minutes old, the others do not.
    age_ms = at_ms[there] - times
    is_open = bool({Trait.OPEN_WINDOW, Trait.SHORT_LOOKBACK} & traits)
    too_old = age_ms >= lookback_ms if is_open else age_ms > lookback_ms
    result[there] = np.where(ended | too_old, np.nan, samples.values[last[there]])
    return result


def margin_ms(samples: SeriesSamples, asked: AskedRange, window_ms: int) -> int:
    """Return how far before a window VictoriaMetrics looks for a sample: by the scrape interval."""
    if asked.start_ms >= asked.end_ms:
        return asked.step_ms
    from_ms = asked.start_ms - SILENCE_MS - max(window_ms, asked.step_ms)
    first, end = np.searchsorted(samples.times_ms, [from_ms, asked.end_ms + 1])
    intervals = np.diff(samples.times_ms[first : min(end, first + _INTERVALS_READ + 1)])
    interval = int(np.quantile(intervals, _INTERVAL_QUANTILE)) if len(intervals) else asked.step_ms
    share = next((share for up_to, share in _MARGINS if interval <= up_to), 1 / 8)
    return interval + int(interval * share)


def range_values(
    function: str, samples: SeriesSamples, at_ms: NDArray[np.int64], view: WindowView
) -> NDArray[np.float64]:
    """Return the value of a function of a range; `function` is one of `RANGE_FUNCTIONS`."""
    windows, traits = _windows(samples, at_ms, view), view.traits
    if function in OVER_TIME:
        return _each(windows, function, view)
    if function in _COUNTS:
        return _steps(windows, _COUNTS[function], function, traits)
    if function != "delta":
        windows = _counted(windows, small_loss=Trait.SMALL_STEP_BACK in traits)
    if function == "irate":
        return _irate(windows, traits)
    return _change(windows, function, view)


def _windows(samples: SeriesSamples, at_ms: NDArray[np.int64], view: WindowView) -> _Windows:
    traits, asked, window_ms = view.traits, view.asked, view.window_ms
    side = "right" if Trait.OPEN_WINDOW in traits else "left"
    start_ms = at_ms - window_ms
    first = np.searchsorted(samples.times_ms, start_ms, side=side)  # type: ignore[call-overload]  # a literal, chosen above
    end = np.searchsorted(samples.times_ms, at_ms, side="right")
    has_before = np.zeros(len(at_ms), dtype=np.bool_)
    if {Trait.SAMPLE_BEFORE, Trait.EMPTY_IS_ZERO} & traits:
        margin = margin_ms(samples, asked, window_ms)
        known = int(np.searchsorted(samples.times_ms, asked.end_ms, side="right"))
        # Nothing counts as before the window where nothing was read after its start.
        has_before = (first > 0) & (first < known)
        before_ms = samples.times_ms[(first - 1).clip(0)] if len(samples.times_ms) else start_ms
        has_before &= before_ms > start_ms - margin
    values = samples.values
    return _Windows(samples.times_ms, values, values, first, end, has_before, start_ms, at_ms)


def _counted(windows: _Windows, *, small_loss: bool) -> _Windows:
    """Return the windows of a counter: what it had before each restart is added after it."""
    raw = windows.raw
    before = raw[:-1]
    lost = np.maximum(before - raw[1:], 0.0)
    added = np.where(lost > 0, before, 0.0)
    if small_loss:
        added = np.where(lost * _SMALL_LOSS < before, lost, added)
    counted = raw + np.concatenate(([0.0], np.cumsum(added))) if len(raw) else raw
    if small_loss:
        counted = np.maximum.accumulate(counted)  # what a counter below 0 would lose
    return _Windows(
        windows.times_ms, counted, raw, windows.first, windows.end,
        windows.has_before, windows.start_ms, windows.end_ms,
    )  # fmt: skip


def _change(windows: _Windows, function: str, view: WindowView) -> NDArray[np.float64]:
    """Return rate, increase or delta of each window."""
    traits = view.traits
    result = np.full(len(windows.first), np.nan)
    is_rate = function == "rate"
    from_before = windows.has_before & (Trait.SAMPLE_BEFORE in traits)
    for index, (first, end) in enumerate(zip(windows.first, windows.end, strict=True)):
        if first == end:
            if windows.has_before[index] and Trait.EMPTY_IS_ZERO in traits:
                result[index] = 0.0
            continue
        begin = first - 1 if from_before[index] else first
        change = float(windows.values[end - 1] - windows.values[begin])
        seconds = float(windows.times_ms[end - 1] - windows.times_ms[begin]) / 1000
        if not from_before[index] and not is_rate and Trait.STARTS_FROM_ZERO in traits:
            change += _from_zero(windows, first)
        elif end - begin < 2:
            continue
        if {Trait.UNEXTENDED, Trait.SAMPLE_BEFORE} & traits or not seconds:
            result[index] = change / seconds if is_rate else change
        else:
            is_counter = function != "delta"
            to_start = _to_start(windows, index, change if is_counter else 0.0, traits)
            factor = 1.0 + (to_start + _to_end(windows, index)) / seconds
            result[index] = change * factor / (view.window_ms / 1000 if is_rate else 1.0)
    return result


def _from_zero(windows: _Windows, first: int) -> float:
    """Return what is added to the increase of a series with no sample shortly before its window."""
    if first > 0:
        return float(windows.values[first] - windows.values[first - 1])
    start = windows.raw[first]
    following = first + 1
    step = windows.raw[following] - start if following < len(windows.raw) else 0.0
    return float(start) if abs(start) < 10 * (abs(step) + 1) else 0.0


def _to_start(windows: _Windows, index: int, counted: float, traits: Traits) -> float:
    """Return by how many seconds Prometheus extends a change to the start of the window.

    A counter that `counted` something is never extended to before it was 0.
    """
    first, end = windows.first[index], windows.end[index]
    to_start = float(windows.times_ms[first] - windows.start_ms[index]) / 1000
    seconds = float(windows.times_ms[end - 1] - windows.times_ms[first]) / 1000
    average = seconds / (end - first - 1)
    late = Trait.LATE_ZERO in traits
    if late and to_start >= average * _EXTENDED_WITHIN:
        to_start = average / 2
    if counted > 0 and windows.raw[first] >= 0:
        to_start = min(to_start, seconds * float(windows.raw[first]) / counted)
    if not late and to_start >= average * _EXTENDED_WITHIN:
        to_start = average / 2
    return to_start


def _to_end(windows: _Windows, index: int) -> float:
    """Return by how many seconds Prometheus extends a change to the end of the window."""
    first, end = windows.first[index], windows.end[index]
    to_end = float(windows.end_ms[index] - windows.times_ms[end - 1]) / 1000
    seconds = float(windows.times_ms[end - 1] - windows.times_ms[first]) / 1000
    average = seconds / (end - first - 1)
    return average / 2 if to_end >= average * _EXTENDED_WITHIN else to_end


def _irate(windows: _Windows, traits: Traits) -> NDArray[np.float64]:
    result = np.full(len(windows.first), np.nan)
    from_before = windows.has_before & (Trait.SAMPLE_BEFORE in traits)
    begin = windows.first - from_before
    there = (windows.count > 0) & (windows.end - begin > 1)
    last = windows.end[there] - 1
    change = windows.values[last] - windows.values[last - 1]
    result[there] = change / ((windows.times_ms[last] - windows.times_ms[last - 1]) / 1000)
    return result


def _steps(
    windows: _Windows,
    counts: Callable[[NDArray[np.float64]], int],
    function: str,
    traits: Traits,
) -> NDArray[np.float64]:
    """Return how many steps from sample to sample of each window count."""
    result = np.full(len(windows.first), np.nan)
    from_before = windows.has_before & (Trait.SAMPLE_BEFORE in traits)
    is_first_counted = Trait.FIRST_IS_CHANGE in traits and function == "changes"
    for index, (first, end) in enumerate(zip(windows.first, windows.end, strict=True)):
        if end > first:
            is_after_gap = is_first_counted and first > 0
            begin = first - 1 if from_before[index] or is_after_gap else first
            result[index] = counts(np.diff(windows.raw[begin:end]))
            result[index] += is_first_counted and first == 0
        elif windows.has_before[index] and Trait.EMPTY_IS_ZERO in traits:
            result[index] = 0.0
    return result


def _each(windows: _Windows, function: str, view: WindowView) -> NDArray[np.float64]:
    """Return a function of the samples of each window that has any."""
    result = np.full(len(windows.first), np.nan)
    is_line = function in LINES and Trait.ONE_IS_FLAT not in view.traits
    for index, (first, end) in enumerate(zip(windows.first, windows.end, strict=True)):
        if end - first > is_line:
            times_s = (windows.times_ms[first:end] - windows.end_ms[index]) / 1000
            own = WindowSamples(times_s, windows.raw[first:end], view.argument)
            result[index] = OVER_TIME[function](own)
    return result


_COUNTS: Final[dict[str, Callable[[NDArray[np.float64]], int]]] = {
    "changes": lambda steps: int((steps != 0).sum()),
    "resets": lambda steps: int((steps < 0).sum()),
}
RANGE_FUNCTIONS: Final = frozenset({*OVER_TIME, *_COUNTS, "rate", "increase", "irate", "delta"})
"""Functions of a range that are known here."""
