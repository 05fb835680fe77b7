"""Slices of a history, and the shards that each is written by.

A series is always in the same shard, by a hash of its labels, so that its samples arrive in order;
how many threads there are changes neither shards nor requests.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import STALE_BITS, Block, sample_mask
from verifier.servers.prometheus.remote_write import REQUEST_COLUMNS_MAX, encode_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import History, LabelSet

SHARDS: Final = 8


@dataclass(frozen=True, slots=True)
class WrittenSeries:
    """The series of one run: their labels, encoded as well, and the shard of each."""

    labels: tuple[LabelSet, ...]
    encoded: tuple[bytes, ...]
    shards: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Sequence[LabelSet]) -> WrittenSeries:
        """Encode labels; raise ValueError for such as are none."""
        encoded = tuple(encode_labels(each) for each in labels)
        shards = np.array([zlib.crc32(each) % SHARDS for each in encoded], np.int64)
        return cls(tuple(labels), encoded, shards)


@dataclass(slots=True, eq=False)
class HistorySlice:
    """Some scrapes of all series; `counts` (series,) are the samples that can be counted again.

    A mark that a series ended is a sample, but no query counts it. `unsent` are the shards that
    are not taken yet; from `asked_from_s` on, of the monotonic clock, the store is asked for it,
    and since `lacking_s` something of it was not seen there, if above 0.
    """

    block: Block
    counts: NDArray[np.int32]
    samples: int
    unsent: set[int] = field(default_factory=set)
    asked_from_s: float = 0.0
    lacking_s: float = 0.0
    sent_again: int = 0

    @property
    def first_ms(self) -> int:
        """When its first scrape was, Unix milliseconds."""
        return int(self.block.timestamps_ms[0])

    @property
    def last_ms(self) -> int:
        """When its last scrape was, Unix milliseconds."""
        return int(self.block.timestamps_ms[-1])

    def rows_of(self, shard: int, series: WrittenSeries) -> NDArray[np.intp]:
        """Return the rows of its block that are in a shard."""
        return np.flatnonzero(series.shards[self.block.series] == shard)


def slices(history: History) -> Iterator[HistorySlice]:
    """Cut a history into slices of 50 minutes or less, in time order."""
    for block in history.blocks:
        starts = range(0, len(block.timestamps_ms), REQUEST_COLUMNS_MAX)
        for start in starts:
            columns = slice(start, start + REQUEST_COLUMNS_MAX)
            yield make_slice(
                Block(
                    block.timestamps_ms[columns],
                    block.series,
                    np.ascontiguousarray(block.values[:, columns]),
                ),
                len(history.series),
            )


def make_slice(block: Block, series: int) -> HistorySlice:
    """Return a block, of so many series in all, as a slice."""
    counts = np.zeros(series, np.int32)
    counts[block.series] = countable(block.values).sum(axis=1)
    return HistorySlice(block, counts, int(sample_mask(block.values).sum()))


def countable(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a query counts a sample: not where the end of a series is marked."""
    mask: NDArray[np.bool_] = sample_mask(values) & (values.view(np.uint64) != STALE_BITS)
    return mask
