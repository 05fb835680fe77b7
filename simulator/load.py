"""The load: how many tasks arrive, and when, in seconds from the plan's start.

Part of a `Plan`; `scenarios` reads it from a file. Frozen values that refuse numbers outside their
bounds with a `BoundError`; the arrivals themselves are drawn by `kernel.streams`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from simulator.bounds import require, require_positive, require_share

BASE_RATE_PER_S = 10_300.0
"""Tasks a second that the built-in system is sized for: its fleet is then 80 % busy."""
RATE_MAX_PER_S = 1e7
"""Far beyond any fleet; below it the gap between two arrivals is still many nanoseconds."""


def _require_rate(field: str, value: float, owner: str) -> None:
    holds = isfinite(value) and 0 <= value <= RATE_MAX_PER_S
    require(holds, field, f"0 to {RATE_MAX_PER_S:.0f}", value, owner=owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of load as in k6: reach `target` tasks a second, linearly, in `duration_s`.

    A duration of 0 jumps. Two stages with the same target hold it.
    """

    duration_s: float
    target: float

    def __post_init__(self) -> None:
        """Refuse negative durations and rates outside [0, 1e7]."""
        holds = isfinite(self.duration_s) and self.duration_s >= 0
        require(holds, "duration_s", "at least 0", self.duration_s, owner="stage")
        _require_rate("target", self.target, "stage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Bursts: `factor` times the load for `last_s` on average, with `every_s` on average between.

    A two-state Markov-modulated Poisson process; both sojourn times are exponential.
    """

    factor: float
    every_s: float
    last_s: float

    def __post_init__(self) -> None:
        """Refuse factors outside [0, 100] and sojourn times that are not positive."""
        require(0 <= self.factor <= 100, "factor", "0 to 100", self.factor, owner="burst")
        require_positive("every_s", self.every_s, owner="burst")
        require_positive("last_s", self.last_s, owner="burst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A daily curve: the load times 1 + `amplitude` x cos(2 pi (t - `peak_s`) / 24 h)."""

    amplitude: float
    peak_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse amplitudes outside [0, 1]."""
        require_share("amplitude", self.amplitude, owner="daily")
        require(isfinite(self.peak_s), "peak_s", "a finite time", self.peak_s, owner="daily")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Arrivals: `rate` tasks a second (Poisson), shaped; or recorded times, `trace_s`."""

    rate: float = BASE_RATE_PER_S
    stages: tuple[Stage, ...] = ()
    burst: Burst | None = None
    daily: Daily | None = None
    trace_s: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse rates outside [0, 1e7] and traces that run backwards."""
        _require_rate("rate", self.rate, "load")
        if self.trace_s is not None:
            rising = all(a <= b for a, b in zip(self.trace_s, self.trace_s[1:], strict=False))
            holds = rising and all(t >= 0 for t in self.trace_s[:1])
            rule = "times of 0 or later that never fall"
            require(holds, "trace_s", rule, self.trace_s[:3], owner="load")
