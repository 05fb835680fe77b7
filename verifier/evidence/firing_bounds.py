"""With which `for`, and with which threshold, an alert that never fired would have fired.

Called by `measurement` with what was measured. Nothing is named that would make the alert pending
before its cause began, or fire after it was due: such a rule would be wrong in another way. Pure;
times are scenario seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

DIGITS: Final = (2, 3, 4, 6)
"""Digits of a threshold that is named: the fewest that keep it between value and healthy level."""
ROOM_SHARE: Final = 0.05
"""A threshold nearer to the healthy level than this share of it would soon be a false alarm."""
ABOVE: Final = (">", ">=")
BELOW: Final = ("<", "<=")
STRICT: Final = (">", "<")


@dataclass(frozen=True, slots=True)
class HeldTime:
    """A time in which a condition held at every evaluation: the first of them and the last."""

    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class FiringWindow:
    """An alert must not be pending before `not_before_s`, and must fire until `due_s`."""

    not_before_s: float = -math.inf
    due_s: float = math.inf


ANY_TIME: Final = FiringWindow()
"""The window of an alert without a cause and without a limit."""


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """The evaluations of one series, and how near each value is to holding: more is nearer."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    scores: NDArray[np.float64]


def longest_wait_s(
    held: Iterable[HeldTime],
    any_held: Iterable[HeldTime],
    window: FiringWindow,
    interval_s: float,
) -> float | None:
    """Return the longest `for` with which the alert would have fired in its window, None without.

    `held` are the times in which its condition held, `any_held` those of all its label sets, the
    past among them. Every shorter `for` would have fired as well.
    """
    # What had ended when the scenario began is past, which nothing expects anything of.
    if any(each.from_s < window.not_before_s and each.until_s >= 0 for each in any_held):
        return None
    waits = [
        math.floor((min(each.until_s, window.due_s) - each.from_s) / interval_s + 1e-6)
        for each in held
    ]
    best = max(waits, default=-1)
    return None if best < 0 else round(best * interval_s, 3)


def kept_value(
    series: ComparedValues, evaluations: int, window: FiringWindow, healthy_score: float
) -> float | None:
    """Return the value furthest towards holding that was kept for so many evaluations in a row.

    None where it was not there for so long, or was as far before the cause began: `healthy_score`
    is the nearest that it was to holding until then.
    """
    if len(series.scores) < evaluations:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(series.scores, evaluations)
    first_s, last_s = series.times_s[: len(windows)], series.times_s[evaluations - 1 :]
    step_s = float(np.diff(series.times_s).min()) if len(series.times_s) > 1 else 0.0
    fits = ~np.isnan(windows).any(axis=1)
    fits &= last_s - first_s <= (evaluations - 0.5) * step_s
    fits &= (first_s >= window.not_before_s) & (last_s <= window.due_s)
    if not fits.any():
        return None
    kept = np.where(fits, windows.min(axis=1), -np.inf)
    start = int(np.argmax(kept))
    if kept[start] <= healthy_score:
        return None
    return float(series.values[start + int(np.argmin(windows[start]))])


def threshold_between(operator: str, kept: float, healthy: float) -> float | None:
    """Return a round threshold that `kept` is beyond and `healthy` is not; None without one.

    `healthy` is the value nearest to holding before the cause, infinite where none was read.
    """
    if operator not in (*ABOVE, *BELOW) or not math.isfinite(kept) or math.isnan(healthy):
        return None
    for digits in DIGITS:
        limit = _rounded(kept, digits, operator)
        is_between = limit > healthy if operator in ABOVE else limit < healthy
        if is_between and abs(limit - healthy) >= ROOM_SHARE * abs(healthy):
            return limit
    return None


def _rounded(value: float, digits: int, operator: str) -> float:
    """Return the number of so many digits next to `value` that it is still beyond."""
    exact = Decimal(repr(value))
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounding = ROUND_FLOOR if operator in ABOVE else ROUND_CEILING
    steps = (exact / step).to_integral_value(rounding=rounding)
    if steps * step == exact and operator in STRICT:
        steps += -1 if operator in ABOVE else 1
    return float(steps * step)
