"""A plan: the load and the faults that a world will meet, in seconds from the plan's start."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from simulator.topology import require, require_positive

if TYPE_CHECKING:
    from simulator.faults.catalogue import Fault

BASE_RATE_PER_S = 10_300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch of load as in k6: reach `target` tasks a second, linearly, in `duration_s`.

    A duration of 0 jumps. Two stages with the same target hold it.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    duration_s: float
    target: float

    def __post_init__(self) -> None:
        """Refuse negative durations and rates outside [0, 1e7]."""
        require(
            isfinite(self.duration_s) and self.duration_s >= 0,
            "stage: duration",
            "at least 0",
            self.duration_s,
        )
        require(
            isfinite(self.target) and 0 <= self.target <= 1e7,
            "stage: target",
            "0 to 10000000",
            self.target,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Burstiness: now and then (on average every `every_s`) `factor` times the load for `last_s`.

    A two-state Markov-modulated Poisson process; both sojourns are exponential.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    factor: float
    every_s: float
    last_s: float

    def __post_init__(self) -> None:
        """Refuse sojourns that are not positive."""
        require(0 <= self.factor <= 100, "burst: factor", "0 to 100", self.factor)
        require_positive("burst: every", self.every_s)
        require_positive("burst: last", self.last_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A daily curve: the load times 1 + `amplitude` x cos(2 pi (t - `peak_s`) / 24 h)."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    amplitude: float
    peak_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse amplitudes outside [0, 1]."""
        require(0 <= self.amplitude <= 1, "daily: amplitude", "between 0 and 1", self.amplitude)
        require(isfinite(self.peak_s), "daily: peak", "a finite time", self.peak_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Arrivals: `rate` tasks a second (Poisson), shaped; or a recorded `trace` of times."""

    rate: float = BASE_RATE_PER_S
    stages: tuple[Stage, ...] = ()
    burst: Burst | None = None
    daily: Daily | None = None
    trace_s: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse rates outside [0, 1e7] and traces that run backwards."""
        require(
            isfinite(self.rate) and 0 <= self.rate <= 1e7, "load: rate", "0 to 10000000", self.rate
        )
        if self.trace_s is not None:
            rising = all(a <= b for a, b in zip(self.trace_s, self.trace_s[1:], strict=False))
            require(
                rising and all(t >= 0 for t in self.trace_s[:1]),
                "load: trace",
                "times of 0 or later that never fall",
                self.trace_s[:3],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is going to happen to a world, in seconds from the plan's start."""

    load: Load = field(default_factory=Load)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two faults of one name."""
        names = [fault.name for fault in self.faults]
        require(len(set(names)) == len(names), "faults", "each with a name of its own", names)
