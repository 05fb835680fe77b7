"""The pacer: advances a world in real time, beside whatever else runs in the event loop.

The exporter's `Exposition` has one, runs it beside its server and asks it to catch up before a
scrape. Time comes from a clock port, so tests run without waiting. It never skips virtual time: a
world that cannot keep up falls behind, and `pace` reports by how much. This is the only asyncio
file of the simulator.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from simulator.bounds import require_positive

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S = 0.05
"""20 steps a second keep each of them short and the world at most 50 ms behind."""
STEP_LIMIT_S = 0.1
"""Most virtual time of one step, which bounds for how long a step holds the event loop."""
WINDOW_S = 30.0
"""Averages and maxima look back over the current window and the one before it."""


class Clock(Protocol):
    """Where a pacer gets its time from."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, delay_s: float) -> None:
        """Return after at least `delay_s`; 0 lets other tasks run."""


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        """Return the system's monotonic time in seconds."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Sleep in the event loop."""
        await asyncio.sleep(delay_s)


class PacedWorld(Protocol):
    """What the pacer needs of a world."""

    @property
    def now_s(self) -> float:
        """Virtual time in seconds."""

    def advance(self, until_s: float) -> object:
        """Simulate everything up to `until_s`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How well a world keeps up with real time, at one instant. All times in seconds.

    `drift_s` is real minus virtual time since the start; `times_real_time` and `loop_lag_max_s`
    look back half a minute to a minute; the others are the latest value or count from the start.
    """

    elapsed_s: float
    drift_s: float
    times_real_time: float
    computing_s: float
    ticks: int
    late_ticks: int
    loop_lag_s: float
    loop_lag_max_s: float


@dataclass(slots=True)
class _Window:
    """What is measured from `since_s` on."""

    since_s: float
    simulated_s: float = 0.0
    computing_s: float = 0.0
    loop_lag_max_s: float = 0.0


class Pacer:
    """Keeps `world` at the clock's time, in ticks, and measures how well it keeps up."""

    def __init__(
        self,
        world: PacedWorld,
        clock: Clock,
        *,
        tick_s: float = TICK_S,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Let the clock's time now be the world's time now; `on_tick` is called after each step."""
        require_positive("tick_s", tick_s)
        self._world, self._clock, self._tick_s, self._on_tick = world, clock, tick_s, on_tick
        self._started_s = clock.monotonic()
        self._origin_s = world.now_s
        self._computing_s = self._loop_lag_s = 0.0
        self._ticks = self._late_ticks = 0
        self._window = self._window_before = _Window(self._started_s)

    @property
    def origin_s(self) -> float:
        """The virtual time at which the run began."""
        return self._origin_s

    @property
    def drift_s(self) -> float:
        """How far the virtual clock is behind the real one, now."""
        return (self._clock.monotonic() - self._started_s) - (self._world.now_s - self._origin_s)

    def step(self, until_s: float = inf) -> None:
        """Advance the world to this instant, or by `STEP_LIMIT_S` if it is further behind.

        `until_s` is the virtual time that must not be passed. The limit bounds for how long
        the event loop is held; a caller that is further behind lets others run and steps again.
        """
        before_s, step_started_s = self._world.now_s, self._clock.monotonic()
        due_s = self._origin_s + step_started_s - self._started_s
        target_s = min(due_s, before_s + STEP_LIMIT_S, until_s)
        if target_s <= before_s:
            return
        self._world.advance(target_s)
        computing_s = self._clock.monotonic() - step_started_s
        self._ticks += 1
        self._late_ticks += self.drift_s > self._tick_s
        self._computing_s += computing_s
        self._turn_window()
        self._window.computing_s += computing_s
        self._window.simulated_s += self._world.now_s - before_s
        self._on_tick()

    async def run(self, until_s: float = inf) -> None:
        """Keep pace until the world has reached the virtual time `until_s`."""
        next_s = self._clock.monotonic()
        while True:
            self.step(until_s)
            if self._world.now_s >= until_s:
                return
            now_s = self._clock.monotonic()
            if self.drift_s > self._tick_s:
                # Behind: step again at once, but let the server answer in between.
                await self._clock.sleep(0)
                next_s = now_s
                continue
            # Counted from the tick before, not from now, so that late ticks do not add up.
            next_s = max(next_s + self._tick_s, now_s)
            await self._clock.sleep(next_s - now_s)
            self._loop_lag_s = max(0.0, self._clock.monotonic() - next_s)
            self._turn_window()
            self._window.loop_lag_max_s = max(self._window.loop_lag_max_s, self._loop_lag_s)

    def pace(self) -> Pace:
        """Return how well the world keeps up, now."""
        now, before = self._window, self._window_before
        computing_s = now.computing_s + before.computing_s
        simulated_s = now.simulated_s + before.simulated_s
        return Pace(
            elapsed_s=self._clock.monotonic() - self._started_s,
            drift_s=self.drift_s,
            times_real_time=simulated_s / computing_s if computing_s > 0 else 0.0,
            computing_s=self._computing_s,
            ticks=self._ticks,
            late_ticks=self._late_ticks,
            loop_lag_s=self._loop_lag_s,
            loop_lag_max_s=max(now.loop_lag_max_s, before.loop_lag_max_s),
        )

    def _turn_window(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._window.since_s >= WINDOW_S:
            self._window_before, self._window = self._window, _Window(now_s)
