"""Finds again what a store has taken, and sends again what is gone.

Used by one thread. Counts say whether anything is missing or twice; of a few series, others each
time, the very samples are compared.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import sample_mask
from verifier.errors import JudgeError
from verifier.stores.receipt import HeldDifference
from verifier.stores.slices import countable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.history.samples import Block
    from verifier.stores.parcel_writer import ParcelWriter, Traffic
    from verifier.stores.slices import HistorySlice
    from verifier.stores.stored_samples import StoredSamples

COMPARED: Final = 3
"""Series of each slice whose very samples are read."""
STRIDE: Final = 97
"""Between two series that are compared: no divisor of usual numbers of series."""
ASK_AGAIN_S: Final = 1.0
"""What is not seen yet is asked for again so soon."""
ROW_MAX: Final = 50
"""Slices that are asked for at a time: bounds an answer."""
TIMES_MAX: Final = 10
"""As often a slice is sent again at most: a store that keeps nothing would be sent to for ever."""


class Confirmation:
    """Asks for slices and counts what was lost. `changed` are series that are held otherwise."""

    def __init__(
        self, writer: ParcelWriter, stored: StoredSamples, *, safe_s: float, doubt_s: float
    ) -> None:
        """Ask nothing yet. What is not there is asked for again for `doubt_s`."""
        self._writer, self._stored = writer, stored
        self._safe_s, self._doubt_s = safe_s, doubt_s
        self._next = 0
        self.samples = 0
        self.lost = 0
        self.changed: list[HeldDifference] = []

    @property
    def traffic(self) -> Traffic:
        """What was sent again."""
        return self._writer.traffic

    def confirm(self, group: Sequence[HistorySlice]) -> list[HistorySlice]:
        """Return the slices of a group, in time order, of which every sample is there.

        What is missing of the others is sent again, and must be found later. What is there twice
        is for the audit to say.
        """
        whole: list[HistorySlice] = []
        for row in _rows(group):
            whole += row if self._are_whole(row) else filter(self._is_whole, row)
        for each in whole:
            self.samples += each.samples
            self._compare(each)
        return whole

    def _are_whole(self, row: Sequence[HistorySlice]) -> bool:
        """Whether all of a row are there, each alone, by a question for each metric."""
        if len(row) == 1 or any(each.lacking_s for each in row):
            return False
        step_ms = row[1].first_ms - row[0].first_ms
        held = self._stored.counts_each(row[0].first_ms, step_ms, len(row))
        expected = np.array([each.counts for each in row])
        return bool((held == expected).all())

    def _is_whole(self, each: HistorySlice) -> bool:
        """Return whether a slice is there; if not, send again what is missing."""
        part = self._stored.missing_of(each.block)
        if not len(part.series):
            return True
        now_s = time.monotonic()
        each.lacking_s = each.lacking_s or now_s
        if now_s - each.lacking_s < self._doubt_s:
            each.asked_from_s = now_s + ASK_AGAIN_S
            return False
        if each.sent_again >= TIMES_MAX:
            raise JudgeError(
                f"the store takes samples and does not keep them: {each.samples:,} were sent"
                f" {TIMES_MAX + 1} times; see its retention, and whether it takes samples so old"
            )
        each.sent_again += 1
        self.lost += int(sample_mask(part.values).sum())
        self._writer.write(part, np.arange(len(part.series)))
        each.lacking_s = 0.0
        each.asked_from_s = time.monotonic() + self._safe_s
        return False

    def _compare(self, each: HistorySlice) -> None:
        """Compare the very samples of some of its series."""
        for _ in range(min(COMPARED, len(each.block.series))):
            self._next = (self._next + STRIDE) % len(each.block.series)
            if self._stored.differs(each.block, self._next):
                self.changed.append(self._difference(each.block, self._next))

    def _difference(self, block: Block, row: int) -> HeldDifference:
        number, first_ms = int(block.series[row]), int(block.timestamps_ms[0])
        last_ms = int(block.timestamps_ms[-1])
        times_ms, _ = self._stored.samples(number, first_ms, last_ms)
        sent = int(countable(block.values[row : row + 1]).sum())
        return HeldDifference(self._stored.labels[number], first_ms, last_ms, sent, len(times_ms))


def _rows(group: Sequence[HistorySlice]) -> Iterator[list[HistorySlice]]:
    """Cut slices in time order into such as follow each other at even distances."""
    row: list[HistorySlice] = []
    for each in group:
        if len(row) > 1 and each.first_ms - row[-1].first_ms != row[1].first_ms - row[0].first_ms:
            yield row
            row = []
        row.append(each)
        if len(row) == ROW_MAX:
            yield row
            row = []
    if row:
        yield row
