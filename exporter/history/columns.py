"""Samples as they are recorded, span by span, and the `History` that they become.

The recorder appends, in time order. It knows values and columns only: no counter, no scrape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import EPOCH_S, Block, History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet


BLOCK_VALUES: Final = 1_000_000
"""Pieces are joined to blocks of at most so many values: joining takes twice their memory."""


class SampleColumns:
    """A growing list of samples, in pieces that share their columns."""

    def __init__(self) -> None:
        """Begin without a sample."""
        self._times_s: list[NDArray[np.float64]] = []
        self._columns: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []

    def append(
        self,
        times_s: NDArray[np.float64],
        columns: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> None:
        """Add `values` (n, m) at `times_s` (n,) of the series `columns` (m,).

        Pieces of one span must bring the very same array of columns.
        """
        self._times_s.append(times_s)
        self._columns.append(columns)
        self._values.append(values)

    def history(self, labels: Sequence[LabelSet], epoch_s: float = EPOCH_S) -> History:
        """Return everything appended as blocks in time order; `labels` name the columns.

        `epoch_s` is the Unix time of second 0. What was appended in large pieces is not copied.
        """
        blocks = []
        start = 0
        while start < len(self._times_s):
            end = start
            size = 0
            while (
                end < len(self._times_s)
                and self._columns[end] is self._columns[start]
                and (not size or size + self._values[end].size <= BLOCK_VALUES)
            ):
                size += self._values[end].size
                end += 1
            alone = end == start + 1
            times_s = self._times_s[start] if alone else np.concatenate(self._times_s[start:end])
            values = self._values[start] if alone else np.concatenate(self._values[start:end])
            stamps_ms = np.rint((epoch_s + times_s) * 1000).astype(np.int64)
            blocks.append(Block(stamps_ms, self._columns[start], values.T))
            start = end
        return History(labels, blocks)

    def take(self, labels: Sequence[LabelSet], epoch_s: float = EPOCH_S) -> History:
        """Return what `history` returns, and hold it no longer."""
        history = self.history(labels, epoch_s)
        self._times_s, self._columns, self._values = [], [], []
        return history
