"""Functions of the samples of one window alone, which engines compute alike.

They differ in which samples are in a window, which is decided in `windows`. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WindowSamples:
    """The samples of a window, at least one, at seconds before (negative) the evaluation.

    `argument` is the number that the function is called with, NaN without one.
    """

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    argument: float


def _line(window: WindowSamples) -> tuple[float, float]:
    """Return value at the evaluation and slope of the line through the samples."""
    values = window.values
    if (values == values[0]).all():
        return float(values[0]), 0.0
    middle = float(window.times_s.mean())
    away = window.times_s - middle
    slope = float((away * (values - values.mean())).sum() / (away * away).sum())
    return float(values.mean()) - slope * middle, slope


def _predicted(window: WindowSamples) -> float:
    value, slope = _line(window)
    return value + slope * window.argument


def _quantile(window: WindowSamples) -> float:
    if not 0 <= window.argument <= 1:
        return math.copysign(math.inf, window.argument - 0.5)
    return float(np.quantile(window.values, window.argument))


OVER_TIME: Final[dict[str, Callable[[WindowSamples], float]]] = {
    "avg_over_time": lambda window: float(window.values.mean()),
    "min_over_time": lambda window: float(np.nanmin(window.values)),
    "max_over_time": lambda window: float(np.nanmax(window.values)),
    "sum_over_time": lambda window: float(window.values.sum()),
    "count_over_time": lambda window: float(len(window.values)),
    "last_over_time": lambda window: float(window.values[-1]),
    "present_over_time": lambda _: 1.0,
    "stddev_over_time": lambda window: float(window.values.std()),
    "stdvar_over_time": lambda window: float(window.values.var()),
    "quantile_over_time": _quantile,
    "deriv": lambda window: _line(window)[1],
    "predict_linear": _predicted,
}
LINES: Final = ("deriv", "predict_linear")
"""Those that lay a line through the samples."""
WITH_ARGUMENT: Final = ("quantile_over_time", "predict_linear")
"""Those that are called with a number besides."""
