"""Records scrapes in virtual time: what a Prometheus would have stored, as a `History`.

Fed by the fast-forward judge, one row of readings per scrape. Counters are kept as levels that grow
by what the world added, so rows lived and rows resampled join without a seam. Of the past, each
series is kept only as deep as someone asks for it. Knows neither scenarios nor rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import EPOCH_S, STALE, Block, History, LabelSet
from exporter.scrape_path.effect_counter import ScrapeEffectCounter, ScrapeOutcome
from exporter.scrape_path.losses import arrives, rank_series
from exporter.target import INSTANCE, JOB, SCRAPE_S, SCRAPE_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue
    from simulator.snapshot import Snapshot

    Rows = NDArray[np.float64]

COARSE_S: Final = 300
"""Step of the far past, beyond every window that is read at full resolution."""
FINE_PAST_S: Final = 25 * 3600


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the record with one set of columns: from `start_s` on, each `step_s`."""

    start_s: float
    columns: NDArray[np.int64]
    step_s: int


class Recorder:
    """The record of one run. Rows have one number per kept series, in the order of `labels`."""

    def __init__(
        self,
        catalogue: Catalogue[Snapshot],
        depth_of: Callable[[str], float],
        past_s: float | None = None,
        fine_s: float = 0.0,
    ) -> None:
        """Keep each series as deep as `depth_of(metric name)` s, or `past_s` where that is less.

        A series with depth 0 is read by nobody and not kept at all. Steps are coarse where the past
        is older than `fine_s` and than `FINE_PAST_S`.
        """
        asked = [depth_of(dict(labels)["__name__"]) for labels in catalogue.series]
        self._kept = np.flatnonzero(np.array(asked) > 0)
        self._catalogue = catalogue
        depths = np.array([asked[index] for index in self._kept] + [depth_of("up")])
        depths = np.ceil(depths / SCRAPE_S + 1) * SCRAPE_S
        if past_s is not None:
            depths = np.minimum(depths, past_s)
        target = (("instance", INSTANCE), ("job", JOB))
        self.labels: list[LabelSet] = [
            tuple(sorted((*catalogue.series[index], *target))) for index in self._kept
        ]
        self.labels.append(tuple(sorted((("__name__", "up"), *target))))
        self.counters: NDArray[np.bool_] = catalogue.kinds[self._kept] == "counter"
        self.past_s = float(np.ceil(depths.max() / COARSE_S) * COARSE_S)
        self._spans = _spans(depths, self.past_s, max(fine_s, FINE_PAST_S))
        self._level = np.zeros(len(self._kept))
        self._raw = np.zeros(len(self._kept))
        self._ranks = rank_series(catalogue)[self._kept]
        self._there = np.zeros(len(self._kept), np.bool_)
        self.path = ScrapeEffectCounter(self._ranks)
        self._last: tuple[bool, int] = (True, 0)
        self._times: list[NDArray[np.float64]] = []
        self._columns: list[NDArray[np.int64]] = []
        self._values: list[Rows] = []

    def read(self, snapshot: Snapshot) -> Rows:
        """The kept series of a snapshot, raw. Shape (series,)."""
        return self._catalogue.flatten(snapshot)[self._kept]

    def join(self, raw: Rows) -> None:
        """From here on another world's counters go on where the last one's stood."""
        self._raw = raw

    def restart(self, raw: Rows) -> None:
        """The exporter restarts at this reading: its counters begin at 0."""
        self._level = np.where(self.counters, 0.0, self._level)
        self._raw = raw

    def shown(self, snapshot: Snapshot) -> NDArray[np.bool_]:
        """Which kept series a scrape of this instant brings: none if it fails. Shape (series,)."""
        if not arrives(snapshot):
            return np.zeros(len(self._kept), np.bool_)
        there: NDArray[np.bool_] = self._ranks >= snapshot.scrape_path.vanished_share
        return there

    def lived(
        self, at_s: float, raw: Rows, *, up: bool, shown: NDArray[np.bool_] | None = None
    ) -> Rows:
        """Record one exact scrape; returns its row: what counters gained, what gauges stood at."""
        row = np.where(self.counters, raw - self._raw, raw)
        self._raw = raw
        self.add(np.array([at_s]), row[None, :], np.zeros(1, np.int64), up=up, shown=shown)
        return row

    def add(
        self,
        times_s: NDArray[np.float64],
        pool: Rows,
        picks: NDArray[np.int64],
        *,
        up: bool,
        shown: NDArray[np.bool_] | None = None,
    ) -> None:
        """Record scrapes at `times_s` (n,): the rows `pool[picks]` of gains and gauge values.

        A scrape that is `up` brings the series in `shown`, by default all.
        What is before the past that anyone reads, and between coarse steps, is only added up.
        """
        there = np.full(len(self._kept), up) if shown is None else shown & up
        self._last = up, int((~there).sum())
        for span, until_s in zip(self._spans, self._ends(), strict=True):
            mine = (times_s >= span.start_s) & (times_s < until_s)
            if mine.any():
                rows = pool[:, span.columns[:-1]][picks[mine]]
                self._add_columns(times_s[mine], rows, span, up=up, there=there)

    def note(self, snapshot: Snapshot, scrapes: int = 1) -> None:
        """Count what the `scrapes` that were recorded last, at `snapshot`, met on their way.

        A delay is met by a scrape that it makes too late, a cut by one that failed.
        """
        up, missing = self._last
        path = snapshot.scrape_path
        met = ScrapeOutcome(
            refused=not up,
            late_s=path.delay_s if not up or path.delay_s < SCRAPE_TIMEOUT_S else 0.0,
            cut_share=path.cut_share if not up else 0.0,
            missing=missing,
            further=path.extra_series,
        )
        self.path.note(snapshot, met, scrapes)
        if up:
            self.path.note_counters(snapshot.now_ns, self._level[self.counters])

    def history(self) -> History:
        """Everything recorded, as blocks in time order."""
        blocks = []
        start = 0
        while start < len(self._times):
            end = start
            while end < len(self._times) and self._columns[end] is self._columns[start]:
                end += 1
            times_s = np.concatenate(self._times[start:end])
            values = np.concatenate(self._values[start:end], axis=0)
            stamps = np.rint((EPOCH_S + times_s) * 1000).astype(np.int64)
            blocks.append(Block(stamps, self._columns[start], np.ascontiguousarray(values.T)))
            start = end
        return History(self.labels, blocks)

    def _ends(self) -> list[float]:
        return [*(span.start_s for span in self._spans[1:]), np.inf]

    def _add_columns(
        self,
        times_s: NDArray[np.float64],
        rows: Rows,
        span: Span,
        *,
        up: bool,
        there: NDArray[np.bool_],
    ) -> None:
        """Turn rows into values: counters add up from their level, gauges are as they are.

        A series that is no longer `there`, of a failed scrape all but `up`, ends at once.
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
        missing = ~there[kept]
        values[:, :-1][:, missing] = np.nan
        values[0, :-1][missing & self._there[kept]] = STALE
        self._there[kept] = there[kept]
        self._times.append(times_s[on_step])
        self._columns.append(span.columns)
        self._values.append(values)


def _spans(depths_s: NDArray[np.float64], past_s: float, fine_s: float) -> list[Span]:
    """Cut the past where a series begins to be kept, and where the fine steps begin.

    The last column, `up`, is in every span, so that no span is empty.
    """
    last = len(depths_s) - 1
    fine_s = float(np.ceil(fine_s / COARSE_S) * COARSE_S)
    edges = {past_s, min(fine_s, past_s), *depths_s.tolist()}
    spans = []
    for edge in sorted((edge for edge in edges if edge > 0), reverse=True):
        wanted = np.flatnonzero(depths_s >= edge)
        columns = np.append(wanted[wanted != last], last).astype(np.int64)
        spans.append(Span(-edge, columns, COARSE_S if edge > fine_s else SCRAPE_S))
    everything = np.arange(len(depths_s), dtype=np.int64)
    spans.append(Span(0.0, everything, SCRAPE_S))
    assert all(a.start_s < b.start_s for a, b in pairwise(spans))  # noqa: S101
    return spans
