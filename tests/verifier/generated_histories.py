"""Histories made at random, for comparing the judge with promtool.

They have gaps, restarts that reset counters, and stale markers. The same seed draws the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import EPOCH_S, STALE, Block, History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet

INSTANCES: Final = ("a", "b", "c")
GAUGES: Final = ("level", "depth", "up")
COUNTERS: Final = ("done_total", "failed_total")
BUCKETS: Final = ("0.1", "1", "5", "+Inf")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is drawn: samples every `scrape_s`, evaluations every `interval_s`, up to `end_s`.

    Evaluations come `offset_s` after whole intervals; then there are no subqueries, which promtool
    aligns with another clock. `windows` are the ranges drawn.
    """

    scrape_s: int
    interval_s: int
    end_s: int
    windows: tuple[str, ...]
    offset_s: float = 0.0


NEAR: Final = ("15s", "20s", "30s", "1m", "2m", "5m", "10m")
SHAPES: Final = (
    Shape(15, 15, 1800, NEAR),
    Shape(15, 30, 2400, NEAR),
    Shape(15, 60, 3600, (*NEAR, "20m")),
    Shape(15, 30, 2400, NEAR, offset_s=4.25),
    Shape(60, 300, 30000, ("2m", "5m", "30m", "1h", "3h", "6h")),
)


def generated_history(seed: int, shape: Shape) -> History:
    """Return series from second 0 to the end: waves, steps and counters, with what goes wrong."""
    random_numbers = np.random.default_rng(seed)
    count = shape.end_s // shape.scrape_s + 1
    series: dict[LabelSet, NDArray[np.float64]] = {}
    for instance in INSTANCES:
        lost = _lost(random_numbers, count)
        for name in (*GAUGES, *COUNTERS):
            row = _row(name, random_numbers, count)
            row[lost] = np.nan
            series[_labels(name, instance=instance)] = _ended(row, lost, random_numbers)
        steps = random_numbers.integers(0, 9, (len(BUCKETS), count))
        for bucket, row in zip(BUCKETS, np.cumsum(np.cumsum(steps, axis=0), axis=1), strict=True):
            labels = _labels("wait_bucket", instance=instance, le=bucket)
            series[labels] = np.where(lost, np.nan, row.astype(np.float64))
    times_ms = (EPOCH_S + shape.scrape_s * np.arange(count)) * 1000
    values = np.array(list(series.values()))
    return History(list(series), [Block(times_ms.astype(np.int64), np.arange(len(series)), values)])


def _row(name: str, random_numbers: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return whole numbers: a wave for a gauge, sums that begin anew for a counter."""
    steps = np.arange(count)
    if name == "up":
        return (random_numbers.random(count) > 0.1).astype(np.float64)
    if name in GAUGES:
        period, height = random_numbers.integers(8, 60), random_numbers.integers(5, 30)
        wave = height * (1 + np.sin(2 * np.pi * steps / period))
        return np.rint(wave + random_numbers.integers(0, 4, count)).astype(np.float64)
    gains = random_numbers.integers(0, random_numbers.integers(2, 40), count)
    total = np.cumsum(gains).astype(np.float64)
    for start in random_numbers.integers(1, count, 3).tolist():  # the exporter restarts
        total[start:] -= total[start - 1]
    return total


def _lost(random_numbers: np.random.Generator, count: int) -> NDArray[np.bool_]:
    """Return which scrapes of an instance bring nothing: a few short gaps and one long."""
    lost = np.zeros(count, np.bool_)
    for length in (1, 2, 5, 30):
        start = int(random_numbers.integers(10, max(11, count - length)))
        lost[start : start + length] = True
    return lost


def _ended(
    row: NDArray[np.float64], lost: NDArray[np.bool_], random_numbers: np.random.Generator
) -> NDArray[np.float64]:
    """Mark some of the gaps as ends of the series, as a scrape that fails does."""
    starts = np.flatnonzero(lost[1:] & ~lost[:-1]) + 1
    for start in starts.tolist():
        if random_numbers.random() < 0.7:
            row[start] = STALE
    return row


def _labels(name: str, **labels: str) -> LabelSet:
    return tuple(sorted({"__name__": name, "job": "world", **labels}.items()))
