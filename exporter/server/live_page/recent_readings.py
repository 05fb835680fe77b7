"""The last minutes of a world, a reading a second: what a newcomer is shown before anything moves.

Bounded: a table of `KEPT` readings, and the bands of what was in effect during them, faults and
changes of the load. Times are virtual seconds since the run began, as on a console. It asks nobody
and waits for nothing; `feed` adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from charts.chart import Band, ChartRow, ChartSeries
from exporter.server.live_page.rows import ROWS, read_rows

if TYPE_CHECKING:
    from exporter.server.exposition import LoadReading
    from exporter.server.live_page.rows import Value
    from simulator.snapshot import Snapshot

KEPT: Final = 600
"""Ten minutes: as long as most alerts of the pack take from cause to notification."""
BANDS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class WorldReading:
    """The values of all rows at one instant; `number` counts them from 1."""

    number: int
    at_s: float
    values: tuple[tuple[Value, ...], ...]

    def by_row(self) -> dict[str, list[Value]]:
        """Return the values by the id of their row."""
        return {row.id: list(values) for row, values in zip(ROWS, self.values, strict=True)}


class RecentReadings:
    """The last `kept` readings of one world."""

    def __init__(self, first: Snapshot, kept: int = KEPT, *, origin_s: float | None = None) -> None:
        """Begin at `first`, with which the first reading is compared.

        Times count from `origin_s` of the world's clock, or else from there.
        """
        self._last = first
        self._origin_ns = first.now_ns if origin_s is None else round(origin_s * 1e9)
        self._kept = kept
        self._names = tuple(row.series(first) for row in ROWS)
        width = sum(map(len, self._names))
        # One more column for the time; a ring, so that adding costs the same for ever.
        self._table = np.full((kept, 1 + width), np.nan)
        self._bands: dict[tuple[str, int], Band] = {}
        self.count = 0

    def add(self, now: Snapshot, load: LoadReading) -> WorldReading:
        """Add the reading of `now`, which is later than the one before, and return it."""
        values = read_rows(self._last, now, load)
        at_s = self.seconds(now.now_ns)
        flat = [np.nan if value is None else value for row in values for value in row]
        self._table[self.count % self._kept] = [at_s, *flat]
        self.count += 1
        self._last = now
        self._note_bands(now, load)
        return WorldReading(self.count, at_s, values)

    def seconds(self, world_ns: int) -> float:
        """Return an instant of the world's clock in seconds since the origin."""
        return (world_ns - self._origin_ns) / 1e9

    @property
    def at_s(self) -> float:
        """The instant of the latest reading."""
        return self.seconds(self._last.now_ns)

    @property
    def bands(self) -> tuple[Band, ...]:
        """What was in effect within the readings kept; without an end while it is."""
        since_s = self.at_s - self._kept
        return tuple(
            band for band in self._bands.values() if band.to_s is None or band.to_s >= since_s
        )

    def rows(self) -> tuple[ChartRow, ...]:
        """Return every row with the readings kept; a copy, which further ones leave alone."""
        table = self._in_order()
        rows, column = [], 1
        for row, names in zip(ROWS, self._names, strict=True):
            series = tuple(
                ChartSeries(name, table[:, column + index]) for index, name in enumerate(names)
            )
            column += len(names)
            rows.append(
                ChartRow(
                    id=row.id, title=row.title, unit=row.unit, times_s=table[:, 0],
                    series=series, kind=row.kind, group=row.group,
                )
            )  # fmt: skip
        return tuple(rows)

    def _in_order(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        if self.count <= self._kept:
            return self._table[: self.count].copy()
        return np.roll(self._table, -(self.count % self._kept), axis=0)

    def _note_bands(self, now: Snapshot, load: LoadReading) -> None:
        """Begin the bands of faults, and of a change of the load; end those of what is over."""
        active = {
            (fault.name, fault.began_ns): Band(
                "fault", fault.name, self.seconds(fault.began_ns), None, fault.fault
            )
            for fault in now.faults
        }
        if load.change is not None:
            began_ns, name = round(load.began_s * 1e9), load.change_name
            active[name, began_ns] = Band("load", name, self.seconds(began_ns), None)
        for key, band in active.items():
            self._bands.setdefault(key, band)
        for key, band in self._bands.items():
            if key not in active and band.to_s is None:
                self._bands[key] = replace(band, to_s=self.seconds(now.now_ns))
        while len(self._bands) > BANDS_MAX:
            del self._bands[next(iter(self._bands))]
