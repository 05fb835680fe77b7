"""When rules are evaluated, and when each alert was pending and firing: values only.

Made by the engine and by whoever reads what a Prometheus stored itself; the judge compares them
with expectations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from verifier.labels import Labels

State: TypeAlias = Literal["pending", "firing"]

_TOLERANCE_S: Final = 1e-6
"""Times are sums of intervals in float64: equal ones may differ in their last digits."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments a group is evaluated: start_s, start_s + interval_s, ... up to end_s."""

    start_s: float
    end_s: float
    interval_s: float

    @property
    def count(self) -> int:
        """Number of evaluations."""
        if self.end_s < self.start_s - _TOLERANCE_S:
            return 0  # a group that is evaluated for the first time after all is over
        return int((self.end_s - self.start_s) / self.interval_s + _TOLERANCE_S) + 1

    @property
    def times_s(self) -> NDArray[np.float64]:
        """All moments, float64 (count,)."""
        return self.start_s + self.interval_s * np.arange(self.count, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Episode:
    """A period in which an alert is active: from its first evaluation in the answer to its end.

    `firing_s` is None when it never fired, `resolved_s` when it was still active at the end.
    """

    pending_s: float
    firing_s: float | None
    resolved_s: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All episodes of one alert with one set of labels (sorted, without alertname)."""

    alert: str
    labels: Labels
    episodes: tuple[Episode, ...]

    def states(self, times_s: Iterable[float]) -> Iterator[tuple[float, State]]:
        """Yield time and state for those of `times_s` at which the alert is active."""
        for time_s in times_s:
            for episode in self.episodes:
                resolved_s = math.inf if episode.resolved_s is None else episode.resolved_s
                firing_s = math.inf if episode.firing_s is None else episode.firing_s
                if episode.pending_s <= time_s < resolved_s:
                    yield time_s, "firing" if time_s >= firing_s else "pending"
