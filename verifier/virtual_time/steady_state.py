"""When a world is in a steady state, and further scrapes drawn from it.

Between two changes of load or faults a world settles. Once its last minutes, simulated exactly,
show no trend in any series that is read, further minutes are drawn at random from those very
minutes: whole ones, all series together, so that what belongs together stays together. Called by
`verifier.virtual_time.healthy_world` and `.simulation`; pure functions of the rows they are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.target import SCRAPE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verifier.virtual_time.minute_draws import MinuteDraws

MINUTE: Final = 60 // SCRAPE_S
"""Scrapes in a minute: what is drawn at a time, so that consecutive scrapes stay consecutive."""
POOL_MINUTES: Final = 4
"""Minutes to draw from; an even number, for the first half is compared with the second."""
SETTLE_MINUTES: Final = 1
"""The first minutes after a change, in which queues and pools fill or drain, are never drawn."""
RETURN_MINUTES: Final = 2
"""Minutes that tell a world that is healthy again: half a pool, as each half of one is compared.
What they are compared with is twice a pool, so that less of a difference stays hidden."""
STANDARD_ERRORS_MAX: Final = 5.0
"""Hundreds of series are compared at every scrape; with fewer, one of them would often differ."""
ROUNDING: Final = 1e-9
"""Keeps a series that stands still steady: its variance is 0, its means differ by rounding."""


TILT_MAX: Final = 4.0
"""How unequally minutes may be drawn, per standard deviation of what they hold too much."""


@dataclass(frozen=True, slots=True)
class ResamplingPool:
    """Exactly simulated scrapes of a steady state: rows (n, series), n in whole minutes.

    `surplus` (n,) is by how much more tasks failed in each than fail on average, None where that
    average is not known. `counts` (n, counts) is what the world itself counted in each.
    """

    rows: NDArray[np.float64]
    surplus: NDArray[np.float64] | None = None
    counts: NDArray[np.int64] | None = None

    @property
    def weights(self) -> NDArray[np.float64]:
        """How often each minute is drawn (minutes,); their sum is 1.

        Failures are rare: the few of four minutes are off their average by a tenth, which thirty
        days drawn from them would repeat. So minutes are drawn as unequally as it takes to meet
        the average, the minutes themselves as they were (exponential tilting).
        """
        minutes = len(self.rows) // MINUTE
        if self.surplus is None or not self.surplus.any():
            return np.full(minutes, 1 / minutes)
        by_minute = self.surplus.reshape(minutes, MINUTE).sum(axis=1)
        scaled = by_minute / np.sqrt((by_minute**2).mean())
        low, high = -TILT_MAX, TILT_MAX
        for _ in range(60):
            middle = (low + high) / 2
            tilted = np.exp(middle * scaled)
            if (tilted * scaled).sum() > 0:
                high = middle
            else:
                low = middle
        weights: NDArray[np.float64] = tilted / tilted.sum()
        return weights

    def pick(self, scrapes: NDArray[np.int64], draws: MinuteDraws) -> NDArray[np.int64]:
        """Return a row number for each of `scrapes` (n,), counted from the scenario's start.

        Whole minutes, drawn with replacement. A minute ends with a scrape on the full minute of the
        scenario; one that is cut off by a change keeps its remaining scrapes in their places.
        """
        minutes, places = np.divmod(scrapes - 1, MINUTE)
        edges = np.cumsum(self.weights)[:-1]
        drawn = np.searchsorted(edges, draws.uniform(minutes), side="right")
        return drawn.astype(np.int64) * MINUTE + places

    def joined(self, other: ResamplingPool) -> ResamplingPool:
        """Return a pool of both, if nothing tells one steady state from the other; else this."""
        if not is_alike(other.rows, self.rows):
            return self
        surplus = None
        if self.surplus is not None and other.surplus is not None:
            surplus = np.concatenate((other.surplus, self.surplus))
        counts = None
        if self.counts is not None and other.counts is not None:
            counts = np.concatenate((other.counts, self.counts))
        return ResamplingPool(np.concatenate((other.rows, self.rows)), surplus, counts)


def find_pool(
    rows: Sequence[NDArray[np.float64]],
    stocks: Sequence[int] | None = None,
    *,
    factor: float = 1.0,
) -> ResamplingPool | None:
    """Return the last minutes of the exact scrapes since a change, or None while a trend shows.

    `stocks` is, scrape by scrape, what builds up below the noise of the series, such as leaks.
    With time compressed by `factor`, scrapes are `factor` times as close in the world's time, and
    as many times more of them are required: rare events are drawn from as long a period.

    Two halves are compared series by series: their means may differ by `STANDARD_ERRORS_MAX`
    standard errors (Welch's t-test). The first minutes after a change never count.
    """
    required = round(POOL_MINUTES * factor) * MINUTE
    if len(rows) < required + round(SETTLE_MINUTES * factor) * MINUTE:
        return None
    last = np.array(rows[-required:])
    if stocks is not None and not is_level(np.array(stocks[-required:], np.float64)):
        return None
    return ResamplingPool(last) if is_steady(last) else None


def find_return(
    rows: Sequence[NDArray[np.float64]], healthy: ResamplingPool, *, factor: float = 1.0
) -> ResamplingPool | None:
    """Return the last minutes since a change if nothing tells them from the `healthy` ones.

    To be asked where load and parameters are the healthy world's again and nothing has leaked:
    what still drains, or stays marked, differs by more than at random. The first minutes after the
    change never count; compressed by `factor`, scrapes are as many times more.
    """
    required = round(RETURN_MINUTES * factor) * MINUTE
    if len(rows) < required + round(SETTLE_MINUTES * factor) * MINUTE:
        return None
    last = np.array(rows[-required:])
    return ResamplingPool(last) if is_alike(healthy.rows, last) else None


def is_steady(rows: NDArray[np.float64]) -> bool:
    """Whether the means of both halves of `rows` (n, series) differ by no more than at random."""
    half = len(rows) // 2
    return is_alike(rows[:half], rows[half:])


def is_alike(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether the means of two samples (n, series) differ by no more than at random."""
    return not differing(first, second).any()


def differing(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which series' means differ by more than at random, (series,)."""
    difference = np.abs(first.mean(axis=0) - second.mean(axis=0))
    variance = first.var(axis=0, ddof=1) / len(first) + second.var(axis=0, ddof=1) / len(second)
    allowed = STANDARD_ERRORS_MAX * np.sqrt(variance) + ROUNDING
    apart: NDArray[np.bool_] = difference > allowed
    return apart


def is_level(stock: NDArray[np.float64]) -> bool:
    """Whether `stock` (n,) rises as much as it falls, as far as its single steps can show."""
    steps = np.diff(stock)
    allowed = STANDARD_ERRORS_MAX * steps.std(ddof=1) / np.sqrt(len(steps))
    return bool(np.abs(steps.mean()) <= allowed + ROUNDING)
