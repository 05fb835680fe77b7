"""Stretches of evaluations in which something held without a break. Pure arithmetic on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

NEAR_SHARE: Final = 0.1
"""How far a near miss may be from the threshold, as a share of the threshold."""
NEAR_DISTANCE: Final = 0.25
"""And as a share of the way from the healthy value to the threshold: the nearer one decides."""
ROOM_S: Final = 1e-3
"""Times that are nearer to each other are the same."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From one evaluation to another, both in it, in scenario seconds."""

    from_s: float
    until_s: float

    @property
    def length_s(self) -> float:
        """From the first evaluation to the last."""
        return self.until_s - self.from_s


def stretches(
    times_s: NDArray[np.float64], where: NDArray[np.bool_], step_s: float
) -> list[TimeSpan]:
    """Return where a flag is true at evaluation after evaluation, none left out."""
    held_s = times_s[where]
    if not len(held_s):
        return []
    breaks = np.flatnonzero(np.diff(held_s) > 1.5 * step_s) + 1
    return [TimeSpan(float(part[0]), float(part[-1])) for part in np.split(held_s, breaks)]


def longest(parts: Iterable[TimeSpan], least_s: float) -> TimeSpan | None:
    """Return the longest stretch, the first of equals; None where none is `least_s` long."""
    fitting = [part for part in parts if part.length_s >= least_s - ROOM_S]
    return max(fitting, key=lambda part: part.length_s, default=None)


def margin(threshold: float, healthy: float) -> float:
    """Return how far from its threshold a value is near to it, seen from its healthy value.

    A tenth of the threshold, or a quarter of the way from healthy to the threshold where that is
    less: 90 % of 100 % availability is no near miss, and neither is a value that is healthy. A
    threshold of 0 has no tenth.
    """
    way = NEAR_DISTANCE * abs(threshold - healthy)
    return min(NEAR_SHARE * abs(threshold), way) if threshold else way


def is_near(
    values: NDArray[np.float64], operator: str, threshold: float, healthy: float
) -> NDArray[np.bool_]:
    """Return where values are near a threshold, and on its silent side; `operator` is an order."""
    sign = 1.0 if operator in (">", ">=") else -1.0
    short = sign * (threshold - values)
    silent = short >= 0 if operator in (">", "<") else short > 0
    near: NDArray[np.bool_] = silent & (short <= margin(threshold, healthy))
    return near
