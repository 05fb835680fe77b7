"""Arrivals: how many tasks a second a load asks for now, and the kernel's rate of them.

`plan_progress` asks for the rate, `world` sets it. Pure but for `set_rate`, which writes the
kernel's arrays, and the two-state chain of a bursty load, which draws from its own stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.faults.effective_parameters import TRAFFIC_FACTOR_MAX
from simulator.faults.fault import climbed
from simulator.kernel import loop as k
from simulator.kernel.state import ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulator.faults.fault import Fault
    from simulator.kernel.state import State
    from simulator.load import Burst, Load

DAY_S: Final = 86_400.0
DAILY_STEP_NS: Final = 60 * 10**9
"""A day's curve is held over steps of a minute: it changes by less than 0.5 % in one."""
NEAR_ARRIVALS: Final = 50
"""Of a recorded trace, the arrivals before and after an instant whose mean is the rate there."""
_TRACE_RATE_PER_S: Final = 1e9
"""A recorded trace's gaps are in ns already, so one unit of its gaps is one ns."""


@dataclass(slots=True)
class BurstChain:
    """The two-state chain of a bursty load: high or not, until `ends_ns`."""

    burst: Burst
    stream: np.random.Generator
    high: bool = False
    ends_ns: int = k.NEVER

    def step(self, now_ns: int) -> bool:
        """Change the state when its sojourn is over and draw the next; return whether it was."""
        if self.ends_ns != k.NEVER and now_ns < self.ends_ns:
            return False
        if self.ends_ns != k.NEVER:
            self.high = not self.high
        mean_s = self.burst.last_s if self.high else self.burst.every_s
        self.ends_ns = now_ns + max(1, ns(mean_s * float(self.stream.standard_exponential())))
        return True

    @property
    def factor(self) -> float:
        """By how much the load is multiplied now."""
        return self.burst.factor if self.high else 1.0


def requested_per_s(load: Load, plan_ns: int, burst_factor: float) -> float:
    """Tasks per second that the load asks for `plan_ns` after the plan began."""
    rate_per_s = load.rate
    begins_ns = 0
    ends_s = 0.0
    for stage in load.stages:
        ends_s += stage.duration_s
        ends_ns = ns(ends_s)
        if plan_ns < ends_ns:
            part = climbed(plan_ns - begins_ns, ends_ns - begins_ns)
            rate_per_s += (stage.target - rate_per_s) * part
            break
        rate_per_s = stage.target
        begins_ns = ends_ns
    if load.daily is not None:
        middle_s = (plan_ns // DAILY_STEP_NS + 0.5) * DAILY_STEP_NS / 1e9
        phase = 2 * pi * (middle_s - load.daily.peak_s) / DAY_S
        rate_per_s *= 1 + load.daily.amplitude * cos(phase)
    return rate_per_s * burst_factor


def planned_factor(faults: Iterable[Fault], plan_ns: int) -> float:
    """By how much the faults of a plan multiply the arrivals `plan_ns` after it began."""
    factor = 1.0
    for fault in faults:
        if ns(fault.start_s) <= plan_ns < ns(fault.end_s):
            factor *= fault.parameters.traffic_factor(fault.strength(plan_ns))
    return min(factor, TRAFFIC_FACTOR_MAX)


def set_rate(s: State, rate_per_s: float, now_ns: int) -> None:
    """Change the arrival rate; the part of the pending gap that is left is stretched to it.

    Exact for a Poisson process with piecewise constant rate (time rescaling). Where the rate stays,
    the pending arrival stays to the nanosecond.
    """
    old_per_ns = float(s.real_head[k.RATE])
    new_per_ns = rate_per_s / 1e9
    if new_per_ns == old_per_ns:
        return
    if s.head[k.NEXT_ARRIVAL] != k.NEVER:
        gap_left = float(s.head[k.NEXT_ARRIVAL] - now_ns) * old_per_ns
    else:
        gap_left = float(s.real_head[k.GAP_LEFT])
    s.real_head[k.RATE] = new_per_ns
    wait_ns = gap_left / new_per_ns if new_per_ns > 0 else np.inf
    if wait_ns < k.WAIT_MAX_NS:
        s.head[k.NEXT_ARRIVAL] = now_ns + int(wait_ns)
    else:
        s.real_head[k.GAP_LEFT] = gap_left
        s.head[k.NEXT_ARRIVAL] = k.NEVER


def trace_rate(traffic_factor: float) -> float:
    """The rate at which a recorded trace is played `traffic_factor` times as fast."""
    return _TRACE_RATE_PER_S * traffic_factor


def recorded_per_s(trace_s: Sequence[float], arrived: int) -> float:
    """Tasks per second of a recorded trace after so many of them, near there; 0 after the last."""
    if arrived >= len(trace_s):
        return 0.0
    first, last = max(arrived - NEAR_ARRIVALS, 0), min(arrived + NEAR_ARRIVALS, len(trace_s) - 1)
    lasted_s = trace_s[last] - (trace_s[first - 1] if first else 0.0)
    return (last - first + 1) / lasted_s if lasted_s > 0 else inf


def trace_gaps(load: Load) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Recorded arrival times as gaps in whole ns, or None when arrivals are drawn."""
    if load.trace_s is None:
        return None
    return np.diff(np.rint(np.array(load.trace_s) * 1e9), prepend=0.0)
