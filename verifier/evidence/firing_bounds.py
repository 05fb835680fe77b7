"""With which `for`, and with which threshold, an alert that never fired would have fired.

Called by `measurement` with what was measured. Nothing is named that would make the alert pending
before its cause began, or fire after it was due: such a rule would be wrong in another way. Pure;
times are scenario seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

BEFORE_EVALUATIONS: Final = 20
"""The last evaluations before a cause, which say what a value is while all is well."""
MOVED_DEVIATIONS: Final = 3.0
"""A value that is no further from its healthy extreme than this is the noise of a healthy one."""
DIGITS: Final = (2, 3, 4, 6)
"""Digits of a threshold that is named: the fewest that keep it between value and healthy level."""
ROOM_SHARE: Final = 0.05
"""A threshold nearer to the healthy level than this share of it would soon be a false alarm."""
ABOVE: Final = (">", ">=")
BELOW: Final = ("<", "<=")
STRICT: Final = (">", "<")
MILLISECOND_S: Final = 0.001
"""An evaluation that is nearer to the end of a cause is at its end."""


@dataclass(frozen=True, slots=True)
class HeldTime:
    """A time in which a condition held at every evaluation: the first of them and the last."""

    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class FiringWindow:
    """An alert must not be pending before `not_before_s`, and must fire until `due_s`.

    It must not resolve before `cause_end_s`, the end of its cause where it has one.
    """

    not_before_s: float = -math.inf
    due_s: float = math.inf
    cause_end_s: float = -math.inf


ANY_TIME: Final = FiringWindow()
"""The window of an alert without a cause and without a limit."""


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """The evaluations of one series, and how near each value is to holding: more is nearer."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FiringBounds:
    """What would have let an alert fire that compares with `operator` and waits `evaluations`."""

    operator: str
    evaluations: int
    window: FiringWindow
    interval_s: float

    def of(
        self, series: ComparedValues, everywhere: Collection[ComparedValues]
    ) -> tuple[float | None, float | None]:
        """Return the value that was kept for the whole `for`, and the threshold that would fire.

        With that threshold the alert fires in its window, and on to the end of its cause. Healthy
        is `everywhere`, every series, until the cause began: none may meet that threshold.
        """
        before = [
            each.scores[each.times_s < self.window.not_before_s][-BEFORE_EVALUATIONS:]
            for each in everywhere
        ]
        known = np.concatenate([each[~np.isnan(each)] for each in before] or [np.empty(0)])
        healthy_score = float(known.max()) if len(known) else -math.inf
        noise = MOVED_DEVIATIONS * float(known.std()) if len(known) else 0.0
        kept = kept_value(series, self.evaluations, self.window, healthy_score)
        if kept is None or self.operator not in (*ABOVE, *BELOW):
            return kept, None
        lasting = lasting_score(series, self.evaluations, self.window, self.interval_s)
        if lasting is None or (len(known) and lasting - healthy_score <= noise):
            return kept, None
        sign = 1 if self.operator in ABOVE else -1
        limit = threshold_between(self.operator, sign * lasting, sign * healthy_score)
        if limit is None or self._resolves_early(series, sign * limit):
            return kept, None
        if any(self._holds_too_early(each, sign * limit) for each in everywhere):
            return kept, None
        return kept, limit

    def _meets(self, scores: NDArray[np.float64], limit_score: float) -> NDArray[np.bool_]:
        """Return where a condition with a threshold would hold."""
        compare = np.greater if self.operator in STRICT else np.greater_equal
        held: NDArray[np.bool_] = compare(scores, limit_score)
        return held

    def _holds_too_early(self, series: ComparedValues, limit_score: float) -> bool:
        """Whether a condition would hold in the scenario before its cause began.

        The last evaluations say how healthy looks, but a peak long before them counts as well.
        """
        early = (series.times_s >= 0) & (series.times_s < self.window.not_before_s)
        return bool(self._meets(series.scores[early], limit_score).any())

    def _resolves_early(self, series: ComparedValues, limit_score: float) -> bool:
        """Whether the alert would fire with a threshold, and no longer before its cause ended."""
        held = np.flatnonzero(self._meets(series.scores, limit_score))
        times_s = series.times_s[held]
        parts = np.split(held, np.flatnonzero(np.diff(times_s) > 1.5 * self.interval_s) + 1)
        last_s = self.window.cause_end_s - MILLISECOND_S - self.interval_s
        return any(
            len(part) >= self.evaluations and series.times_s[part[-1]] < last_s for part in parts
        )


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


def lasting_score(
    series: ComparedValues, evaluations: int, window: FiringWindow, interval_s: float
) -> float | None:
    """Return the best score that was kept from when an alert must be pending to its cause's end.

    For so many evaluations at least; None where no value is there for so long.
    """
    times_s, kept = series.times_s, series.scores
    ends = np.flatnonzero(times_s < window.cause_end_s - MILLISECOND_S)
    lasts = window.cause_end_s > -math.inf
    if lasts and (not len(ends) or window.cause_end_s - times_s[ends[-1]] > 1.5 * interval_s):
        return None
    best = None
    for first in range(len(kept) - evaluations + 1):
        due = first + evaluations - 1
        if times_s[first] < window.not_before_s or times_s[due] > window.due_s:
            continue
        last = max(due, int(ends[-1])) if lasts else due
        if times_s[last] - times_s[first] > (last - first + 0.5) * interval_s:
            continue
        score = float(kept[first : last + 1].min())
        if not math.isnan(score) and (best is None or score > best):
            best = score
    return best


def threshold_between(operator: str, kept: float, healthy: float) -> float | None:
    """Return a round threshold midway between `kept` and `healthy`; None without one.

    `healthy` is the value nearest to holding before the cause, infinite where none was read. Midway
    a threshold is as far from the noise of the one as from that of the other.
    """
    if operator not in (*ABOVE, *BELOW) or not math.isfinite(kept) or math.isnan(healthy):
        return None
    sign = 1 if operator in ABOVE else -1
    kept, healthy = sign * kept, sign * healthy
    if healthy >= kept:
        return None
    is_known = math.isfinite(healthy)
    least = healthy + ROOM_SHARE * abs(healthy) if is_known else kept - ROOM_SHARE * abs(kept)
    middle = max((kept + healthy) / 2, least) if is_known else least
    for digits in DIGITS:
        limit = _rounded_up(middle, digits)
        if limit < kept or (limit == kept and operator not in STRICT):
            return sign * limit + 0.0  # no -0
    return None


def _rounded_up(value: float, digits: int) -> float:
    """Return the number of so many digits next to `value` that is not below it."""
    exact = Decimal(repr(value))
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return float((exact / step).to_integral_value(rounding=ROUND_CEILING) * step)
