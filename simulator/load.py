"""The load: how many tasks arrive, and when, in seconds from the plan's start.

Part of a `Plan`; `scenarios` reads it from a file. Frozen values that refuse numbers outside their
bounds with a `BoundError`; the arrivals themselves are drawn by `kernel.streams`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, isfinite

from simulator.bounds import (
    TIME_MAX_S,
    require,
    require_positive,
    require_share,
    require_within,
)

BASE_RATE_PER_S = 10_300.0
"""Tasks a second that the built-in system is sized for: its fleet is then 80 % busy."""
RATE_MAX_PER_S = 2e6
"""Far beyond any fleet; below it the gap between two arrivals is still many nanoseconds. Also what
bursts, a day's curve and faults make of a load is no more."""
SOJOURN_S = (0.01, TIME_MAX_S)
"""Mean length of a burst, and of the time between two: each is a change of the whole world."""


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
        """Refuse durations outside [0, ten years] and rates outside [0, 2e6]."""
        limits = (0, TIME_MAX_S)
        require_within("duration_s", self.duration_s, limits, owner="stage", unit="s")
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
        """Refuse factors outside [0, 100] and sojourn times outside [10 ms, ten years]."""
        require(0 <= self.factor <= 100, "factor", "0 to 100", self.factor, owner="burst")
        require_within("every_s", self.every_s, SOJOURN_S, owner="burst", unit="s")
        require_within("last_s", self.last_s, SOJOURN_S, owner="burst", unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A daily curve: the load times 1 + `amplitude` x cos(2 pi (t - `peak_s`) / 24 h)."""

    amplitude: float
    peak_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse amplitudes outside [0, 1]."""
        require_share("amplitude", self.amplitude, owner="daily")
        limits = (-TIME_MAX_S, TIME_MAX_S)
        require_within("peak_s", self.peak_s, limits, owner="daily", unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Arrivals: `rate` tasks a second (Poisson), shaped; or recorded times, `trace_s`."""

    rate: float = BASE_RATE_PER_S
    stages: tuple[Stage, ...] = ()
    burst: Burst | None = None
    daily: Daily | None = None
    trace_s: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse rates outside [0, 2e6], and traces that run backwards or beyond ten years."""
        _require_rate("rate", self.rate, "load")
        if self.trace_s is not None:
            rising = all(a <= b for a, b in zip(self.trace_s, self.trace_s[1:], strict=False))
            holds = rising and all(t >= 0 for t in self.trace_s[:1])
            rule = "times of 0 or later that never fall"
            require(holds, "trace_s", rule, self.trace_s[:3], owner="load")
            last_s = self.trace_s[-1] if self.trace_s else 0.0
            rule = f"times up to {TIME_MAX_S} s"
            require(last_s <= TIME_MAX_S, "trace_s", rule, last_s, owner="load")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadChange:
    """Another load for a while, in place of the plan's: `stages` from `start_s` of the plan on.

    The first stage climbs from `from_per_s`. Bursts and a day's curve of the plan are left out of
    it; after the last stage the plan's load is back, where it would be without the change.
    """

    stages: tuple[Stage, ...]
    start_s: float
    from_per_s: float

    def __post_init__(self) -> None:
        """Refuse a change that takes no time, or longer than ten years."""
        require_within("start_s", self.start_s, (0, TIME_MAX_S), owner="load change", unit="s")
        require_positive("duration_s", self.duration_s, owner="load change")
        limits = (0, TIME_MAX_S)
        require_within("duration_s", self.duration_s, limits, owner="load change", unit="s")

    @property
    def duration_s(self) -> float:
        """How long its stages take together."""
        return fsum(stage.duration_s for stage in self.stages)

    @property
    def end_s(self) -> float:
        """When the plan's load is back."""
        return self.start_s + self.duration_s

    @property
    def load(self) -> Load:
        """Its stages as a load that begins with the change."""
        return Load(rate=self.from_per_s, stages=self.stages)
