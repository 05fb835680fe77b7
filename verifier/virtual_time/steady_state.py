"""When a stretch is steady, and what its further scrapes look like.

A stretch lies between two changes of load or faults. Once its last minutes, simulated exactly, show
no trend in any series that is read, further minutes are drawn from those very minutes, whole ones,
all series together, so that what belongs together stays together. Called by `fastforward`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.target import SCRAPE_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE: Final = 60 // SCRAPE_S
"""Scrapes in a minute: what is drawn at a time."""
POOL_MINUTES: Final = 4
SETTLE_MINUTES: Final = 1
ERRORS_ALLOWED: Final = 5.0


@dataclass(frozen=True, slots=True)
class ResamplingPool:
    """Exactly simulated scrapes of a steady stretch: rows (n, series), n in whole minutes."""

    rows: NDArray[np.float64]

    def pick(self, scrapes: int, chance: np.random.Generator) -> NDArray[np.int64]:
        """Row numbers for `scrapes` further scrapes: whole minutes, drawn with replacement."""
        minutes = len(self.rows) // MINUTE
        drawn = chance.integers(0, minutes, -(-scrapes // MINUTE))
        return (drawn[:, None] * MINUTE + np.arange(MINUTE)).ravel()[:scrapes]


def find_pool(
    rows: list[NDArray[np.float64]], stocks: list[int] | None = None, *, factor: float = 1.0
) -> ResamplingPool | None:
    """The last minutes of a stretch's exact scrapes as a pool, or None while a trend shows.

    `stocks` is, scrape by scrape, what builds up below the noise of the series, such as leaks.
    Scrapes that are `factor` times as close are wanted as many times as often: what is rare is
    drawn from as long a stretch of the world.

    Two halves are compared series by series: their means may differ by `ERRORS_ALLOWED` standard
    errors (Welch). The first minutes after a change never count.
    """
    wanted = round(POOL_MINUTES * factor) * MINUTE
    if len(rows) < wanted + round(SETTLE_MINUTES * factor) * MINUTE:
        return None
    last = np.array(rows[-wanted:])
    if stocks is not None and not is_level(np.array(stocks[-wanted:], np.float64)):
        return None
    return ResamplingPool(last) if is_steady(last) else None


def is_steady(rows: NDArray[np.float64]) -> bool:
    """Whether neither half of `rows` (n, series) stands higher than the other beyond chance."""
    half = len(rows) // 2
    first, second = rows[:half], rows[half:]
    difference = np.abs(first.mean(axis=0) - second.mean(axis=0))
    variance = first.var(axis=0, ddof=1) / half + second.var(axis=0, ddof=1) / len(second)
    return bool((difference <= ERRORS_ALLOWED * np.sqrt(variance) + 1e-9).all())


def is_level(stock: NDArray[np.float64]) -> bool:
    """Whether `stock` (n,) goes up as much as down, as far as its single steps can tell."""
    steps = np.diff(stock)
    allowed = ERRORS_ALLOWED * steps.std(ddof=1) / np.sqrt(len(steps))
    return bool(np.abs(steps.mean()) <= allowed + 1e-9)
