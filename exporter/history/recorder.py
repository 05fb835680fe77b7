"""Records scrapes in virtual time: what a Prometheus would have stored, as a `History`.

Fed by the simulation of a scenario, one row of readings per scrape. Counters are kept as levels
that grow by what the world added, so exact rows and resampled rows join without a seam; so are
clocks, which no restart sets back. Each series is kept only as deep as `Retention` says. It knows
neither scenarios nor rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.columns import SampleColumns
from exporter.history.retention import WITH_GAPS, plan_retention
from exporter.history.samples import EPOCH_S, STALE
from exporter.history.scrape_series import SCRAPE_SERIES, ScrapeReporter, repeated
from exporter.metrics.series import NAME
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.scrape_path.losses import arrives, rank_series
from exporter.target import OURS, SCRAPE_TIMEOUT_S
from simulator.faults.kinds.scrape_path import ScrapeOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from exporter.history.retention import Interval, Need, Span, Steps
    from exporter.history.samples import History
    from exporter.metrics.series import Catalogue
    from exporter.target import Target
    from simulator.snapshot import Snapshot

    Rows = NDArray[np.float64]

CHUNK_VALUES: Final = 2_000_000
"""So many values are turned from rows into samples at a time: bounds the memory it takes."""
TICKS_PER_S: Final = 1e6
"""Clocks advance in whole microseconds: what two readings differ by is then the same each time."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a scrape brings: whether it is `up`, which kept series are `present` (series,).

    `report` is what Prometheus says of it, and what bursts add, as `ScrapeReporter` returns it.
    """

    up: bool
    present: NDArray[np.bool_]
    report: Rows

    @property
    def whole(self) -> bool:
        """Whether it brings every series."""
        return self.up and bool(self.present.all())

    def repeated(self) -> Arrival:
        """Return a further scrape that is like this one: no series is new to it."""
        return replace(self, report=repeated(self.report))


class Recorder:
    """The history of one run. Rows have one number per kept series, in the catalogue's order."""

    def __init__(  # noqa: PLR0913 - what there is, what of it is kept, and since when
        self,
        catalogue: Catalogue[Snapshot],
        need_of: Callable[[str], Need],
        past_s: float | None = None,
        eventful: Iterable[Interval] = (),
        *,
        target: Target = OURS,
        further: int = 0,
        steps: Steps = WITH_GAPS,
    ) -> None:
        """Keep what `plan_retention` plans for these; every counter begins at 0.

        `further` is how many series of bursts there are at most on a page.
        """
        self._catalogue = catalogue
        self._retention = plan_retention(
            catalogue, need_of, past_s, eventful,
            target=target, further=further, steps=steps,
        )  # fmt: skip
        kept = self._retention.kept
        self._kept = kept
        self.counters: NDArray[np.bool_] = catalogue.kinds[kept] == "counter"
        self._clocks: NDArray[np.bool_] = catalogue.kinds[kept] == "clock"
        self._growing = self.counters | self._clocks
        self._level = np.zeros(len(kept))
        self._raw: Rows | None = None
        ranks = rank_series(catalogue)
        self._ranks = ranks[kept]
        self._present = np.zeros(len(kept), np.bool_)
        self._reporter = ScrapeReporter(ranks, further)
        self.scrape_effects = ScrapeEffectCounter(self._ranks)
        nothing = np.zeros(len(SCRAPE_SERIES) + further)
        self._last = Arrival(up=True, present=~self._present, report=nothing)
        self._columns = SampleColumns()

    @property
    def past_s(self) -> float:
        """How far before the scenario the history reaches back, in seconds."""
        return self._retention.past_s

    @property
    def names(self) -> tuple[str, ...]:
        """The metric of each kept series of the world."""
        return tuple(dict(labels)[NAME] for labels in self._retention.labels[: len(self._kept)])

    def read(self, snapshot: Snapshot) -> Rows:
        """Return the kept series of a snapshot, as the world counts them. Shape (series,)."""
        return self._catalogue.flatten(snapshot)[self._kept]

    def continue_from(self, raw: Rows) -> None:
        """Let another world, which stands at `raw`, go on where the last one's counters stood."""
        if self._raw is None:
            self._level = np.where(self._clocks, raw, self._level)
        self._raw = raw

    def rows(self, readings: Rows) -> Rows:
        """Return what readings (n + 1, series) gained, or stood at: (n, series)."""
        gained = np.diff(readings, axis=0)
        ticked = np.rint(gained * TICKS_PER_S) / TICKS_PER_S
        return np.where(self.counters, gained, np.where(self._clocks, ticked, readings[1:]))

    def restart(self, raw: Rows) -> None:
        """Restart the exporter at this reading: its counters begin at 0."""
        # A clock is the world's: it stands at what it was when last read, and catches up.
        last = raw if self._raw is None else self._raw
        self._level = np.where(self.counters, 0.0, self._level)
        self._raw = np.where(self._clocks, last, raw)

    def present_series(self, snapshot: Snapshot) -> NDArray[np.bool_]:
        """Return which kept series a scrape now brings: none if it fails. Shape (series,)."""
        if not arrives(snapshot):
            return np.zeros(len(self._kept), np.bool_)
        present: NDArray[np.bool_] = self._ranks >= snapshot.scrape_path.vanished_share
        return present

    def arrival(self, snapshot: Snapshot) -> Arrival:
        """Return what a scrape at `snapshot` brings; to be asked once, at each scrape in turn."""
        present = self.present_series(snapshot)
        return Arrival(arrives(snapshot), present, self._reporter.report(snapshot))

    def record(self, at_s: float, raw: Rows, arrival: Arrival) -> Rows:
        """Record one exact scrape; return its row: what counters gained, what gauges stood at."""
        if self._raw is None:
            self.continue_from(np.where(self._clocks, raw, 0.0))
        row: Rows = self.rows(np.array([self._raw, raw]))[0]
        self.record_rows(np.array([at_s]), row[None, :], np.zeros(1, np.int64), arrival)
        self._raw = raw
        return row

    def record_rows(
        self,
        times_s: NDArray[np.float64],
        pool: Rows,
        picks: NDArray[np.int64],
        arrival: Arrival,
    ) -> None:
        """Record scrapes at `times_s` (n,), all alike: the rows `pool[picks]` of gains and gauges.

        What is before the past that is read, and between coarse steps, is only added up.
        """
        self._last = arrival
        # Whatever is kept of it, a clock ticks at every scrape.
        ticks = self._level[self._clocks] + np.cumsum(pool[:, self._clocks][picks], axis=0)
        if self._raw is not None:
            # Time goes on in a world whose scrapes are drawn, while its counters stand still.
            passed = np.zeros(len(self._level))
            passed[self._clocks] = ticks[-1] - self._level[self._clocks]
            self._raw = self._raw + passed
        self._level[self._clocks] = ticks[-1]
        spans = self._retention.spans
        starts_s = np.array([span.start_s for span in spans])
        edges = [*np.searchsorted(times_s, starts_s).tolist(), len(times_s)]
        if edges[0] > 0:
            arrival = arrival.repeated()
        for span, (first, end) in zip(spans, pairwise(edges), strict=True):
            size = max(1, CHUNK_VALUES // len(span.columns))
            for start in range(first, end, size):
                part = slice(start, min(start + size, end))
                scrapes = _Scrapes(times_s[part], pool, picks[part], ticks[part], arrival)
                self._append(scrapes, span)
                arrival = arrival.repeated()

    def count_effects(self, snapshot: Snapshot, scrapes: int = 1) -> None:
        """Count how the `scrapes` recorded last, at `snapshot`, were affected on their way.

        A delay affects a scrape that it makes too late, a cut one that failed.
        """
        up, missing = self._last.up, int((~self._last.present).sum())
        path = snapshot.scrape_path
        outcome = ScrapeOutcome(
            refused=not up,
            late_s=path.delay_s if not up or path.delay_s < SCRAPE_TIMEOUT_S else 0.0,
            cut_share=path.cut_share if not up else 0.0,
            missing=missing,
            further=self._reporter.further(self._last.report, path.vanished_share),
        )
        self.scrape_effects.note(snapshot, outcome, scrapes)
        if up:
            self.scrape_effects.note_counters(snapshot.now_ns, self._level[self.counters])

    def history(self, epoch_s: float = EPOCH_S) -> History:
        """Return everything recorded, in time order; `epoch_s` is the Unix time of second 0."""
        return self._columns.history(self._retention.labels, epoch_s)

    def take(self, epoch_s: float = EPOCH_S) -> History:
        """Return what was recorded since it was last taken, and hold it no longer."""
        return self._columns.take(self._retention.labels, epoch_s)

    def _append(self, scrapes: _Scrapes, span: Span) -> None:
        """Turn rows into values: counters add up from their level, gauges are as they are."""
        own = span.columns >= len(self._kept)
        kept = span.columns[~own]
        counters, clocks = self.counters[kept], self._clocks[kept]
        values = np.empty((len(scrapes.times_s), len(span.columns)))
        rows = scrapes.pool[:, kept][scrapes.picks]
        rows[:, counters] = self._level[kept][counters] + np.cumsum(rows[:, counters], axis=0)
        self._level[kept[counters]] = rows[-1, counters]
        rows[:, clocks] = scrapes.ticks[:, np.searchsorted(self._clocks.nonzero()[0], kept[clocks])]
        values[:, ~own] = rows
        reports = self._retention.reported[span.columns[own] - len(self._kept)]
        values[:, own] = scrapes.arrival.repeated().report[reports]
        values[0, own] = scrapes.arrival.report[reports]
        on_step = np.rint(scrapes.times_s) % self._retention.coarse_s == 0
        values[np.ix_(~on_step, ~span.fine)] = np.nan
        self._end(values, span, kept[span.fine[~own]], scrapes.arrival.present)
        if on_step.any():
            after = values[int(on_step.argmax()) :]
            self._end(after, span, kept[~span.fine[~own]], scrapes.arrival.present)
        stored = on_step | span.fine.any()
        if stored.any():
            self._columns.append(scrapes.times_s[stored], span.columns, values[stored])

    def _end(
        self, values: Rows, span: Span, kept: NDArray[np.int64], present: NDArray[np.bool_]
    ) -> None:
        """End those of the series `kept` that are no longer `present`, in the first of `values`."""
        missing = kept[~present[kept]]
        columns = np.searchsorted(span.columns, missing)
        values[:, columns] = np.nan
        values[0, columns[self._present[missing]]] = STALE
        self._present[kept] = present[kept]


@dataclass(frozen=True, slots=True)
class _Scrapes:
    """Some scrapes (n,) to be stored alike: the rows `pool[picks]`, and `ticks` (n, clocks)."""

    times_s: NDArray[np.float64]
    pool: Rows
    picks: NDArray[np.int64]
    ticks: Rows
    arrival: Arrival
