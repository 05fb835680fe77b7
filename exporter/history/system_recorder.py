"""Records the targets of one system: a `Recorder` for each, whose rows stand side by side.

What holds for a world holds for a system of cells: the simulation of a scenario knows this one
recorder. Labels tell the targets apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import EPOCH_S, Block, History
from simulator.cells.joined_snapshot import join_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exporter.history.recorder import Arrival, Recorder
    from simulator.cells.system import SimulatedSystem
    from simulator.snapshot import FaultEffect, Snapshot

    Rows = NDArray[np.float64]


class SystemRecorder:
    """The history of one run. Rows have one number per kept series, target after target."""

    def __init__(self, recorders: Sequence[Recorder]) -> None:
        """Record with `recorders`, one for each target; all keep the same series."""
        self._recorders = tuple(recorders)
        self._width = len(recorders[0].names)

    @property
    def past_s(self) -> float:
        """How far before the scenario the history reaches back, in seconds."""
        return self._recorders[0].past_s

    @property
    def names(self) -> tuple[str, ...]:
        """The metric of each kept series of the world, for each target."""
        return self._recorders[0].names * len(self._recorders)

    def read(self, snapshot: Snapshot) -> Rows:
        """Return the kept series of all targets, as their worlds count them. Shape (series,)."""
        pairs = zip(self._recorders, snapshot.targets, strict=True)
        return np.concatenate([recorder.read(target) for recorder, target in pairs])

    def continue_from(self, raw: Rows) -> None:
        """Let another system, which stands at `raw`, go on where the last one's counters stood."""
        for recorder, part in zip(self._recorders, self._parts(raw), strict=True):
            recorder.continue_from(part)

    def rows(self, readings: Rows) -> Rows:
        """Return what readings (n + 1, series) gained, or stood at: (n, series)."""
        pairs = zip(self._recorders, self._parts(readings), strict=True)
        return np.concatenate([recorder.rows(part) for recorder, part in pairs], axis=1)

    def restart(self, target: int, snapshot: Snapshot) -> None:
        """Restart the exporter of one target, at its reading: its counters begin at 0."""
        recorder = self._recorders[target]
        recorder.restart(recorder.read(snapshot))

    def arrivals(self, snapshot: Snapshot) -> tuple[Arrival, ...]:
        """Return what a scrape of each target brings; to be asked once, at each scrape in turn."""
        pairs = zip(self._recorders, snapshot.targets, strict=True)
        return tuple(recorder.arrival(target) for recorder, target in pairs)

    def record(self, at_s: float, raw: Rows, arrivals: Sequence[Arrival]) -> Rows:
        """Record one exact scrape; return its row: what counters gained, what gauges stood at."""
        rows = [
            recorder.record(at_s, part, arrival)
            for recorder, part, arrival in zip(
                self._recorders, self._parts(raw), arrivals, strict=True
            )
        ]
        return np.concatenate(rows)

    def record_rows(
        self,
        times_s: NDArray[np.float64],
        pool: Rows,
        picks: NDArray[np.int64],
        arrivals: Sequence[Arrival],
    ) -> None:
        """Record scrapes at `times_s` (n,), all alike: the rows `pool[picks]`."""
        for recorder, part, arrival in zip(
            self._recorders, self._parts(pool), arrivals, strict=True
        ):
            recorder.record_rows(times_s, part, picks, arrival)

    def count_effects(self, snapshot: Snapshot, scrapes: int = 1) -> None:
        """Count how the `scrapes` recorded last, at `snapshot`, were affected on their way."""
        for recorder, target in zip(self._recorders, snapshot.targets, strict=True):
            recorder.count_effects(target, scrapes)

    def effects(self, system: SimulatedSystem) -> tuple[FaultEffect, ...]:
        """Return what faults did in each cell, to the scrapes of each, and to the router."""
        cells = zip(self._recorders, system.cells, strict=True)
        in_cells = [recorder.scrape_effects.complete(cell.effects()) for recorder, cell in cells]
        if len(in_cells) == 1:
            return in_cells[0]
        return (*system.router_effects(), *join_effects(in_cells))

    def history(self, epoch_s: float = EPOCH_S) -> History:
        """Return everything recorded, in time order; `epoch_s` is the Unix time of second 0."""
        return _side_by_side([recorder.history(epoch_s) for recorder in self._recorders])

    def take(self, epoch_s: float = EPOCH_S) -> History:
        """Return what was recorded since it was last taken, and hold it no longer."""
        return _side_by_side([recorder.take(epoch_s) for recorder in self._recorders])

    def _parts(self, rows: Rows) -> list[Rows]:
        """Return the part of each target of rows of all of them."""
        return [
            rows[..., first : first + self._width]
            for first in range(0, rows.shape[-1], self._width)
        ]


def _side_by_side(histories: Sequence[History]) -> History:
    """Return the histories of targets that were scraped at the same instants as one."""
    if len(histories) == 1:
        return histories[0]
    series = [labels for history in histories for labels in history.series]
    before = np.cumsum([0, *(len(history.series) for history in histories[:-1])])
    blocks = [
        Block(
            parts[0].timestamps_ms,
            np.concatenate([part.series + at for part, at in zip(parts, before, strict=True)]),
            np.concatenate([part.values for part in parts]),
        )
        for parts in zip(*(history.blocks for history in histories), strict=True)
    ]
    return History(series, blocks)
