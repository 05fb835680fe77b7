"""Records scrapes in virtual time: what a Prometheus would have stored, as a `History`.

Fed by the simulation of a scenario, one row of readings per scrape. Counters are kept as levels
that grow by what the world added, so exact rows and resampled rows join without a seam. Each series
is kept only as deep as `Retention` says. It knows neither scenarios nor rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exporter.history.columns import SampleColumns
from exporter.history.retention import plan_retention
from exporter.history.samples import STALE
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.scrape_path.losses import arrives, rank_series
from exporter.target import SCRAPE_TIMEOUT_S
from simulator.faults.kinds.scrape_path import ScrapeOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from exporter.history.retention import Span
    from exporter.history.samples import History
    from exporter.metrics.series import Catalogue
    from simulator.snapshot import Snapshot

    Rows = NDArray[np.float64]


class Recorder:
    """The history of one run. Rows have one number per kept series, in the catalogue's order."""

    def __init__(
        self,
        catalogue: Catalogue[Snapshot],
        depth_of: Callable[[str], float],
        past_s: float | None = None,
        fine_s: float = 0.0,
    ) -> None:
        """Keep what `plan_retention` plans for these; every counter begins at 0."""
        self._catalogue = catalogue
        self._retention = plan_retention(catalogue, depth_of, past_s, fine_s)
        kept = self._retention.kept
        self._kept = kept
        self.counters: NDArray[np.bool_] = catalogue.kinds[kept] == "counter"
        self._level = np.zeros(len(kept))
        self._raw = np.zeros(len(kept))
        self._ranks = rank_series(catalogue)[kept]
        self._present = np.zeros(len(kept), np.bool_)
        self.scrape_effects = ScrapeEffectCounter(self._ranks)
        self._last: tuple[bool, int] = (True, 0)
        self._columns = SampleColumns()

    @property
    def past_s(self) -> float:
        """How far before the scenario the history reaches back, in seconds."""
        return self._retention.past_s

    def read(self, snapshot: Snapshot) -> Rows:
        """Return the kept series of a snapshot, as the world counts them. Shape (series,)."""
        return self._catalogue.flatten(snapshot)[self._kept]

    def continue_from(self, raw: Rows) -> None:
        """Let another world, which stands at `raw`, go on where the last one's counters stood."""
        self._raw = raw

    def restart(self, raw: Rows) -> None:
        """Restart the exporter at this reading: its counters begin at 0."""
        self._level = np.where(self.counters, 0.0, self._level)
        self._raw = raw

    def present_series(self, snapshot: Snapshot) -> NDArray[np.bool_]:
        """Return which kept series a scrape now brings: none if it fails. Shape (series,)."""
        if not arrives(snapshot):
            return np.zeros(len(self._kept), np.bool_)
        present: NDArray[np.bool_] = self._ranks >= snapshot.scrape_path.vanished_share
        return present

    def record(
        self, at_s: float, raw: Rows, *, up: bool, present: NDArray[np.bool_] | None = None
    ) -> Rows:
        """Record one exact scrape; return its row: what counters gained, what gauges stood at."""
        row = np.where(self.counters, raw - self._raw, raw)
        self._raw = raw
        rows, picks = row[None, :], np.zeros(1, np.int64)
        self.record_rows(np.array([at_s]), rows, picks, up=up, present=present)
        return row

    def record_rows(
        self,
        times_s: NDArray[np.float64],
        pool: Rows,
        picks: NDArray[np.int64],
        *,
        up: bool,
        present: NDArray[np.bool_] | None = None,
    ) -> None:
        """Record scrapes at `times_s` (n,): the rows `pool[picks]` of gains and gauge values.

        A scrape that is `up` brings the series in `present`, by default all.
        What is before the past that is read, and between coarse steps, is only added up.
        """
        present = np.full(len(self._kept), up) if present is None else present & up
        self._last = up, int((~present).sum())
        spans = self._retention.spans
        ends_s = [*(span.start_s for span in spans[1:]), np.inf]
        for span, end_s in zip(spans, ends_s, strict=True):
            within = (times_s >= span.start_s) & (times_s < end_s)
            if within.any():
                rows = pool[:, span.columns[:-1]][picks[within]]
                self._append(times_s[within], rows, span, up=up, present=present)

    def count_effects(self, snapshot: Snapshot, scrapes: int = 1) -> None:
        """Count how the `scrapes` recorded last, at `snapshot`, were affected on their way.

        A delay affects a scrape that it makes too late, a cut one that failed.
        """
        up, missing = self._last
        path = snapshot.scrape_path
        outcome = ScrapeOutcome(
            refused=not up,
            late_s=path.delay_s if not up or path.delay_s < SCRAPE_TIMEOUT_S else 0.0,
            cut_share=path.cut_share if not up else 0.0,
            missing=missing,
            further=path.extra_series,
        )
        self.scrape_effects.note(snapshot, outcome, scrapes)
        if up:
            self.scrape_effects.note_counters(snapshot.now_ns, self._level[self.counters])

    def history(self) -> History:
        """Return everything recorded, as blocks in time order."""
        return self._columns.history(self._retention.labels)

    def _append(
        self,
        times_s: NDArray[np.float64],
        rows: Rows,
        span: Span,
        *,
        up: bool,
        present: NDArray[np.bool_],
    ) -> None:
        """Turn rows into values: counters add up from their level, gauges are as they are.

        A series that is no longer `present`, of a failed scrape all but `up`, ends at once.
        """
        kept = span.columns[:-1]
        counters = self.counters[kept]
        values = np.empty((len(rows), len(kept) + 1))
        grown = self._level[kept][counters] + np.cumsum(rows[:, counters], axis=0)
        values[:, :-1][:, counters] = grown
        values[:, :-1][:, ~counters] = rows[:, ~counters]
        self._level[kept[counters]] = grown[-1]
        values[:, -1] = float(up)
        on_step = np.rint(times_s) % span.step_s == 0
        if not on_step.any():
            return
        values = values[on_step]
        missing = ~present[kept]
        values[:, :-1][:, missing] = np.nan
        values[0, :-1][missing & self._present[kept]] = STALE
        self._present[kept] = present[kept]
        self._columns.append(times_s[on_step], span.columns, values)
