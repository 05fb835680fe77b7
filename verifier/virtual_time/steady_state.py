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
STANDARD_ERRORS_MAX: Final = 5.0
"""Hundreds of series are compared at every scrape; with fewer, one of them would often differ."""
ROUNDING: Final = 1e-9
"""Keeps a series that stands still steady: its variance is 0, its means differ by rounding."""


@dataclass(frozen=True, slots=True)
class ResamplingPool:
    """Exactly simulated scrapes of a steady state: rows (n, series), n in whole minutes."""

    rows: NDArray[np.float64]

    def pick(self, scrapes: NDArray[np.int64], draws: MinuteDraws) -> NDArray[np.int64]:
        """Return a row number for each of `scrapes` (n,), counted from the scenario's start.

        Whole minutes, drawn with replacement. A minute ends with a scrape on the full minute of the
        scenario; one that is cut off by a change keeps its remaining scrapes in their places.
        """
        minutes, places = np.divmod(scrapes - 1, MINUTE)
        return draws.below(len(self.rows) // MINUTE, minutes) * MINUTE + places


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


def is_steady(rows: NDArray[np.float64]) -> bool:
    """Whether the means of both halves of `rows` (n, series) differ by no more than at random."""
    half = len(rows) // 2
    first, second = rows[:half], rows[half:]
    difference = np.abs(first.mean(axis=0) - second.mean(axis=0))
    variance = first.var(axis=0, ddof=1) / half + second.var(axis=0, ddof=1) / len(second)
    return bool((difference <= STANDARD_ERRORS_MAX * np.sqrt(variance) + ROUNDING).all())


def is_level(stock: NDArray[np.float64]) -> bool:
    """Whether `stock` (n,) rises as much as it falls, as far as its single steps can show."""
    steps = np.diff(stock)
    allowed = STANDARD_ERRORS_MAX * steps.std(ddof=1) / np.sqrt(len(steps))
    return bool(np.abs(steps.mean()) <= allowed + ROUNDING)
