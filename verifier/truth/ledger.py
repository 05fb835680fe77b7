"""The world's own counts, scrape by scrape: what panels are compared with.

Written by the simulation of virtual time beside its recorder, from the same snapshots, and with the
same draws where scrapes are resampled. Rows hold what counters gained since the scrape before, and
what gauges stood at; no scrape of a stretch that was drawn is ever written out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from verifier.truth.quantities import layout_of, read_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.snapshot import Counts, Snapshot
    from verifier.truth.quantities import CountLayout


@dataclass(frozen=True, slots=True)
class CountedStretch:
    """Scrapes in a row: `rows[picks]`; the first one is number `first` of the whole record."""

    first: int
    rows: NDArray[np.int64]
    picks: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """What was counted from one scrape to another, `length_s` later and `left_s` before the end.

    `before` is what was counted up to the first of them, since the series was stored or since the
    exporter last restarted: a counter stands at least so far above 0 there.
    """

    gained: NDArray[np.int64]
    before: NDArray[np.int64]
    length_s: float
    left_s: float


@dataclass(frozen=True, slots=True)
class WorldRecord:
    """The counts of a whole run; `times_s` (n,) are those of its scrapes, scenario seconds.

    `disturbed_s` are the times of scrapes that did not bring everything, or after a restart of the
    exporter: what a panel shows of them is not what the world counted.
    """

    layout: CountLayout
    times_s: NDArray[np.float64]
    stretches: tuple[CountedStretch, ...]
    disturbed_s: NDArray[np.float64]

    def at(self, at_s: float) -> NDArray[np.int64] | None:
        """Return the row of the last scrape up to `at_s`, None before the first."""
        number = int(np.searchsorted(self.times_s, at_s, side="right")) - 1
        if number < 0:
            return None
        stretch = next(s for s in reversed(self.stretches) if s.first <= number)
        row: NDArray[np.int64] = stretch.rows[stretch.picks[number - stretch.first]]
        return row

    def window(self, from_s: float, to_s: float) -> CountedWindow | None:
        """Return what was counted between the first and the last scrape within a window.

        None with fewer than two, and where the record begins within it.
        """
        first = int(np.searchsorted(self.times_s, from_s, side="left"))
        last = int(np.searchsorted(self.times_s, to_s, side="right")) - 1
        if last <= first or self.times_s[0] > from_s + self.times_s[1] - self.times_s[0]:
            return None
        length_s = float(self.times_s[last] - self.times_s[first])
        # What a window reads is stored so far before the start, if no further.
        disturbed = int(np.searchsorted(self.disturbed_s, self.times_s[first], side="right"))
        last_s = self.disturbed_s[disturbed - 1] if disturbed else -np.inf
        stored = int(np.searchsorted(self.times_s, max(from_s - to_s, last_s), side="right"))
        before = self._gained(stored + 1, first)
        left_s = to_s - float(self.times_s[last])
        return CountedWindow(self._gained(first + 1, last), before, length_s, left_s)

    def is_disturbed(self, from_s: float, to_s: float) -> bool:
        """Whether a scrape within a window was not as the world was."""
        first, last = np.searchsorted(self.disturbed_s, [from_s, to_s], side="right")
        return bool(last > first)

    def _gained(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the sum of the rows of scrapes `first` to `last`, both included."""
        total = np.zeros(len(self.layout.growing), np.int64)
        for stretch in self.stretches:
            start, end = max(first - stretch.first, 0), last + 1 - stretch.first
            picks = stretch.picks[start : max(end, 0)]
            if len(picks):
                total += np.bincount(picks, minlength=len(stretch.rows)) @ stretch.rows
        return total


@dataclass(slots=True)
class TruthLedger:
    """Takes down what the worlds of one run count, one after another."""

    layout: CountLayout | None = None
    _last: Counts | None = None
    _times_s: list[NDArray[np.float64]] = field(default_factory=list)
    _stretches: list[CountedStretch] = field(default_factory=list)
    _exact: list[NDArray[np.int64]] = field(default_factory=list)
    _exact_s: list[float] = field(default_factory=list)
    _disturbed_s: list[float] = field(default_factory=list)
    _recorded: int = 0
    _restarted: bool = False

    def continue_from(self, snapshot: Snapshot) -> None:
        """Let a world go on whose counters stand where they stand now."""
        self.layout = self.layout or layout_of(snapshot)
        self._last = read_counts(snapshot)

    def restart(self) -> None:
        """Note that the exporter restarted: the world went on, what is scraped did not."""
        self._restarted = True

    def rows_of(self, snapshots: Sequence[Snapshot]) -> NDArray[np.int64]:
        """Return the rows of all `snapshots` but the first, and go on from the last."""
        self.continue_from(snapshots[0])
        return np.array([self.row(snapshot) for snapshot in snapshots[1:]])

    def row(self, snapshot: Snapshot) -> NDArray[np.int64]:
        """Return what was gained since the last row, and go on from here."""
        if self.layout is None or self._last is None:
            self.continue_from(snapshot)
        assert self.layout is not None  # noqa: S101 - it goes on from somewhere
        assert self._last is not None  # noqa: S101 - it goes on from somewhere
        counts = read_counts(snapshot)
        row = np.where(self.layout.growing, counts - self._last, counts)
        self._last = counts
        return row

    def record(self, at_s: float, row: NDArray[np.int64], *, whole: bool) -> None:
        """Record one exact scrape; `whole` says that it brought everything."""
        self._exact.append(row)
        self._exact_s.append(at_s)
        self._note_disturbed(np.array([at_s]), whole=whole)

    def record_rows(
        self,
        times_s: NDArray[np.float64],
        pool: NDArray[np.int64],
        picks: NDArray[np.int64],
        *,
        whole: bool,
    ) -> None:
        """Record scrapes that are drawn: the rows `pool[picks]`."""
        self._flush()
        self._append(times_s, pool, picks)
        self._note_disturbed(times_s, whole=whole)

    def world_record(self, delay_s: float) -> WorldRecord | None:
        """Return everything so far, in seconds of a scenario that began `delay_s` later."""
        self._flush()
        if self.layout is None or not self._times_s:
            return None
        times_s = np.concatenate(self._times_s) - delay_s
        disturbed_s = np.array(self._disturbed_s, np.float64) - delay_s
        return WorldRecord(self.layout, times_s, tuple(self._stretches), disturbed_s)

    def _note_disturbed(self, times_s: NDArray[np.float64], *, whole: bool) -> None:
        if not whole:
            self._disturbed_s += times_s.tolist()
        elif self._restarted:
            self._disturbed_s.append(float(times_s[0]))
        self._restarted = False

    def _flush(self) -> None:
        if self._exact:
            rows = np.array(self._exact)
            self._append(np.array(self._exact_s), rows, np.arange(len(rows)))
            self._exact, self._exact_s = [], []

    def _append(
        self, times_s: NDArray[np.float64], rows: NDArray[np.int64], picks: NDArray[np.int64]
    ) -> None:
        self._times_s.append(times_s)
        self._stretches.append(CountedStretch(self._recorded, rows, picks))
        self._recorded += len(picks)
