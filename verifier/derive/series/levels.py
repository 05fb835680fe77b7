"""What a series does while a phase lasts, and how promtool writes it down.

A level is held for a phase: a gauge stands at it, a counter grows by it in a second, a histogram's
quantile lies at it. Called by `worlds` for every series of a test. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

LevelKind: TypeAlias = Literal["gauge", "counter", "stairs", "clock", "histogram", "absent"]
"""gauge: constant. counter: grows by the level each second. stairs: the same, in whole steps.
clock: the time of the test plus the level. absent: no series."""
HISTOGRAM_RATE: Final = 100.0
"""Observations a second of a histogram."""


@dataclass(frozen=True, slots=True)
class Level:
    """What the series of one selector do: the first `hot` of them at `value`, others at `cold`.

    Each row is `value` times its weight, the row of a series alone all of it; a histogram keeps its
    weight, which says how much it counts. `cold` of None is no series. `quantile` and `anchor` are
    of a histogram: which quantile lies at `value`, and the bound beside which it is to lie.
    """

    kind: LevelKind
    value: float
    weights: tuple[float, ...] = (1.0,)
    hot: int | None = None
    cold: float | None = None
    quantile: float = 0.0
    anchor: float = 0.0

    def rows(self, count: int) -> list[Level]:
        """Return the level of each of `count` series."""
        if self.kind == "absent":
            return [self] * count
        rows = []
        for number in range(count):
            if self.hot is not None:
                value = self.value if number < self.hot else self.cold
                rows.append(Level("absent", 0.0) if value is None else Level(self.kind, value))
                continue
            is_whole = count == 1 and self.kind != "histogram"
            weight = 1.0 if is_whole else self.weights[min(number, len(self.weights) - 1)]
            if self.kind == "histogram":
                rows.append(replace(self, weights=(weight,)))
            else:
                rows.append(Level(self.kind, self.value * weight))
        return rows


def bounds_of(anchor: float) -> tuple[float, ...]:
    """Return the upper bounds of a histogram's buckets, without the last, around `anchor`."""
    return tuple(float(f"{anchor * factor:.6g}") for factor in (0.25, 0.5, 1.0, 2.0, 4.0))


def bucket_rates(level: Level) -> list[tuple[str, float]]:
    """Return for each bucket its bound and how fast it grows, so that the quantile lies at value.

    Inside the bucket where it lies the quantile is linear in the ranks, as the engine reads it.
    """
    bounds = bounds_of(level.anchor)
    quantile = min(max(level.quantile, 0.001), 0.999)
    value = min(max(level.value, bounds[0] * 0.02), bounds[-1])
    place = next(number for number, bound in enumerate(bounds) if value <= bound)
    low = bounds[place - 1] if place else 0.0
    share = min(quantile, 1 - quantile)
    inside = (value - low) / (bounds[place] - low)
    before, after = quantile - inside * share, quantile + (1 - inside) * share
    total = HISTOGRAM_RATE * level.weights[0]
    rates = [(before if number < place else after) * total for number in range(len(bounds))]
    names = [f"{bound:g}" for bound in bounds]
    return [*zip(names, rates, strict=True), ("+Inf", total)]


def written(value: float) -> str:
    """Return a sample's value as promtool reads it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def rounded(value: float) -> float:
    """Return a value that people can read: twelve digits."""
    return float(f"{value:.12g}")


class PhaseWriter:
    """The values of one series in promtool's notation, phase after phase."""

    def __init__(self, interval_s: float) -> None:
        """Start with no sample, at time 0."""
        self._interval_s = interval_s
        self._words: list[str] = []
        self._steps = 0
        self._total: float | None = None
        self._present = False

    def phase(self, steps: int, level: Level) -> None:
        """Go on for `steps` samples."""
        if steps <= 0:
            return
        if level.kind == "absent":
            self._absent(steps)
        else:
            self._words.append(self._samples(steps, level))
            self._present = True
        self._steps += steps

    def text(self) -> str:
        """Return all values."""
        return " ".join(self._words)

    def _absent(self, steps: int) -> None:
        if self._present:
            self._words.append("stale")
            steps -= 1
        if steps:
            self._words.append(f"_x{steps}")
        self._present = False

    def _samples(self, steps: int, level: Level) -> str:
        if not math.isfinite(level.value):
            return " ".join([written(level.value)] * steps)
        if level.kind == "clock":
            start = rounded(self._steps * self._interval_s + level.value)
            return _run(start, self._interval_s, steps)
        if level.kind == "gauge":
            return _run(rounded(level.value), 0.0, steps)
        growth = rounded(level.value * self._interval_s)
        start = 0.0 if self._total is None else self._next(self._total, growth)
        self._total = _last_of(start, growth, steps)
        if level.kind == "stairs":
            values = [float(math.floor(start + growth * n + 1e-9)) for n in range(steps)]
            return _runs(values)
        return _run(start, growth, steps)

    @staticmethod
    def _next(total: float, growth: float) -> float:
        """Return the value after `total`, the last of a run that was rounded at every step.

        A counter must not fall, not by an ulp, or the engine takes it for a restart and adds up all
        that was ever counted; nor must one that stands still rise by it.
        """
        if not growth:
            return total
        following = rounded(total + growth)
        return max(following, total) if growth > 0 else following


def _run(start: float, growth: float, steps: int) -> str:
    if steps == 1:
        return written(start)
    sign = "-" if growth < 0 else "+"
    return f"{written(start)}{sign}{written(abs(growth))}x{steps - 1}"


def _last_of(start: float, growth: float, steps: int) -> float:
    """Return the last value of a run, added up one by one as promtool does."""
    for _ in range(steps - 1):
        start += growth
    return start


def _runs(values: Sequence[float]) -> str:
    words: list[str] = []
    first = 0
    for number in range(1, len(values) + 1):
        if number == len(values) or values[number] != values[first]:
            words.append(_run(values[first], 0.0, number - first))
            first = number
    return " ".join(words)
