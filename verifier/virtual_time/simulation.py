"""Moves a world from scrape to scrape in virtual time and records what each scrape brings.

Used for a scenario's past and for the scenario itself. Around every change of load or faults the
world is simulated event by event; in a steady state the rest of the period is resampled, unless the
caller wants everything exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import floor
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.target import SCRAPE_S
from verifier.truth.ledger import TruthLedger
from verifier.virtual_time.failure_surplus import FailureSurplus
from verifier.virtual_time.plan_changes import changes_world
from verifier.virtual_time.steady_state import MINUTE, ResamplingPool, find_pool, find_return

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from exporter.history.recorder import Arrival
    from exporter.history.stream import HistoryStream
    from exporter.history.system_recorder import SystemRecorder
    from simulator.cells.system import SimulatedSystem
    from simulator.snapshot import Snapshot
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.minute_draws import MinuteDraws
    from verifier.virtual_time.progress import ProgressReporter

RESAMPLED_SCRAPES_MIN: Final = 2 * MINUTE
"""Fewer scrapes than these are simulated: half a minute saved is not worth a seam."""


@dataclass(slots=True, kw_only=True)
class Simulation:
    """Moves worlds from scrape to scrape, one plan after another, into one record.

    `exact_s` and `resampled_s` count what was simulated and what was drawn, in scenario seconds.
    `resampled_spans` are the stretches (from, to) that were drawn. `healthy` is the pool that the
    record began with, `healthy_per_s` the load under it; `truth` takes down what the world itself
    counts. `restarts` are the numbers of exporter restarts recorded so far of the plan in progress,
    as each cell counts them. A `stream` is handed the record while it is made.
    """

    recorder: SystemRecorder
    draws: MinuteDraws
    progress: ProgressReporter
    compression: TimeCompression
    exact: bool = False
    exact_s: float = 0.0
    resampled_s: float = 0.0
    restarts: tuple[int, ...] = ()
    resampled_spans: list[tuple[float, float]] = field(default_factory=list)
    healthy: ResamplingPool | None = None
    healthy_per_s: float = 0.0
    truth: TruthLedger = field(default_factory=TruthLedger)
    stream: HistoryStream | None = None

    def advance(
        self, world: SimulatedSystem, start_s: float, end_s: float, pool: ResamplingPool | None
    ) -> ResamplingPool | None:
        """Record the scrapes of `world` after `start_s` up to `end_s`, scenario seconds.

        A `pool` that is given fits until the first change. Returns the pool of the last period
        between changes, None if it was not steady at the end.
        """
        self.restarts = (0,) * len(world.cells)
        self._record_restarts(world)
        origin_ns = world.now_ns
        scrapes = floor((end_s - start_s) / SCRAPE_S)
        done = 0
        rows: list[NDArray[np.float64]] = []
        counts: list[NDArray[np.int64]] = []
        leaked: list[int] = []
        failures = FailureSurplus(world.snapshot(), world.topology.error_share)
        while done < scrapes:
            if pool is None and not self.exact:
                healthy = self.healthy if self._is_healthy(world, failures) else None
                pool = self._find_pool(rows, leaked, healthy)
                pool = _with_counts(pool, counts, failures, healthy)
            unchanged = self._scrapes_unchanged(world, scrapes - done)
            if pool is not None and unchanged >= RESAMPLED_SCRAPES_MIN and not self.exact:
                self._resample(world, start_s + done * SCRAPE_S, unchanged, pool)
                done += unchanged
                continue
            done += 1
            at_ns = origin_ns + done * self.compression.step_ns
            changed, of_world = self._advance_to(world, at_ns, origin_ns)
            snapshot = world.snapshot()
            row, counted = self._record(snapshot, start_s + done * SCRAPE_S)
            # A world whose scrapes alone have changed is as steady as it was.
            if of_world or (changed and pool is None):
                rows, counts, leaked, pool = [], [], [], None
                failures.begin(snapshot)
            elif not self.exact:
                rows.append(row)
                counts.append(counted)
                leaked.append(world.leaked_bytes)
                failures.note(snapshot)
            self.progress.simulated(start_s + done * SCRAPE_S)
        return pool

    def _is_healthy(self, world: SimulatedSystem, failures: FailureSurplus) -> bool:
        """Whether nothing has been in effect since the last change but the healthy load."""
        return failures.healthy and world.requested_per_s == self.healthy_per_s

    def _find_pool(
        self,
        rows: list[NDArray[np.float64]],
        leaked: list[int],
        healthy: ResamplingPool | None,
    ) -> ResamplingPool | None:
        """Return what may be drawn from: a world that is healthy again is known by less."""
        factor = self.compression.factor
        if healthy is not None and not any(leaked):
            pool = find_return(rows, healthy, factor=factor)
            if pool is not None:
                return pool
        return find_pool(rows, leaked, factor=factor)

    def _scrapes_unchanged(self, world: SimulatedSystem, remaining: int) -> int:
        """Return how many of the `remaining` scrapes may be resampled before the next change.

        At least the last scrape before a change is simulated, so that the change is exact.
        """
        before_change = (world.next_change_ns() - world.now_ns) // self.compression.step_ns
        return int(before_change - 1 if before_change < remaining else remaining)

    def _advance_to(self, world: SimulatedSystem, at_ns: int, origin_ns: int) -> tuple[bool, bool]:
        """Simulate up to `at_ns` of the world, whose plan began at `origin_ns`.

        Returns whether load or faults changed before, and whether that changed the world.
        """
        from_ns, shared = world.now_ns, world.router_changes
        changed = world.next_change_ns() <= at_ns
        while world.next_change_ns() <= at_ns:
            # Change by change, for a restart resets counters as they are at that very instant.
            world.advance_ns(world.next_change_ns())
            self._record_restarts(world)
        world.advance_ns(at_ns)
        span_s = (from_ns - origin_ns) / 1e9, (at_ns - origin_ns) / 1e9
        of_world = changed and changes_world(world.plan, *span_s)
        return changed, of_world or world.router_changes != shared

    def _record(
        self, snapshot: Snapshot, at_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Record one exact scrape; return its row, what the exporter and what the world counted."""
        raw = self.recorder.read(snapshot)
        arrivals = self.recorder.arrivals(snapshot)
        row = self.recorder.record(at_s, raw, arrivals)
        self.recorder.count_effects(snapshot)
        self.exact_s += SCRAPE_S
        counted = self.truth.row(snapshot)
        self.truth.record(at_s, counted, whole=_is_whole(arrivals))
        if self.stream is not None:
            self.stream.recorded(self.recorder, 1)
        return row, counted

    def _record_restarts(self, world: SimulatedSystem) -> None:
        restarts = tuple(cell.exporter_restarts for cell in world.cells)
        for target, (now, before) in enumerate(zip(restarts, self.restarts, strict=True)):
            if now != before:
                self.recorder.restart(target, world.cells[target].snapshot())
                self.truth.restart()
        self.restarts = restarts

    def _resample(
        self, world: SimulatedSystem, from_s: float, scrapes: int, pool: ResamplingPool
    ) -> None:
        numbers = round(from_s / SCRAPE_S) + np.arange(1, scrapes + 1, dtype=np.int64)
        times_s = SCRAPE_S * numbers.astype(np.float64)
        snapshot, picks = world.snapshot(), pool.pick(numbers, self.draws)
        arrivals = self.recorder.arrivals(snapshot)
        self._record_rows(times_s, pool.rows, picks, arrivals)
        if pool.counts is not None:
            self.truth.record_rows(times_s, pool.counts, picks, whole=_is_whole(arrivals))
        self.recorder.count_effects(snapshot, scrapes)
        world.skip_ns(scrapes * self.compression.step_ns)
        self.progress.cause = ""
        self.resampled_s += scrapes * SCRAPE_S
        self.resampled_spans.append((from_s, from_s + scrapes * SCRAPE_S))
        self.progress.simulated(from_s + scrapes * SCRAPE_S)

    def _record_rows(
        self,
        times_s: NDArray[np.float64],
        rows: NDArray[np.float64],
        picks: NDArray[np.int64],
        arrivals: tuple[Arrival, ...],
    ) -> None:
        """Record scrapes that are drawn; for a stream, piece by piece."""
        step = len(times_s) if self.stream is None else self.stream.step(self.recorder)
        for start in range(0, len(times_s), step):
            piece = slice(start, start + step)
            self.recorder.record_rows(times_s[piece], rows, picks[piece], arrivals)
            arrivals = tuple(arrival.repeated() for arrival in arrivals)
            if self.stream is not None:
                self.stream.recorded(self.recorder, len(times_s[piece]))


def _with_counts(
    pool: ResamplingPool | None,
    counts: list[NDArray[np.int64]],
    failures: FailureSurplus,
    healthy: ResamplingPool | None,
) -> ResamplingPool | None:
    """Return a pool that knows the world's counts, and the average of failures.

    Only without a fault in effect is that average the topology's own; then the pool is joined
    with the `healthy` one if alike.
    """
    if pool is None:
        return None
    pool = replace(pool, counts=np.array(counts[-len(pool.rows) :]))
    if not failures.healthy:
        return pool
    pool = replace(pool, surplus=failures.last(len(pool.rows)))
    return pool if healthy is None else pool.joined(healthy)


def _is_whole(arrivals: Iterable[Arrival]) -> bool:
    """Whether the scrapes of all targets bring every series."""
    return all(arrival.whole for arrival in arrivals)
