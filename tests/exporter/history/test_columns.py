"""Samples appended piece by piece become blocks: one for each span, in time order."""

import numpy as np
import pytest

from exporter.history import columns as columns_module
from exporter.history.columns import SampleColumns
from exporter.history.samples import EPOCH_S, Block, History

LABELS = [(("__name__", "a"),), (("__name__", "b"),)]


def test_pieces_of_one_span_become_one_block():
    """A block's values are by series; another array of columns begins another block."""
    both, last = np.array([0, 1]), np.array([1])
    columns = SampleColumns()
    columns.append(np.array([0.0]), both, np.array([[1.0, 10.0]]))
    columns.append(np.array([15.0, 30.0]), both, np.array([[2.0, 20.0], [3.0, 30.0]]))
    columns.append(np.array([45.0]), last, np.array([[40.0]]))
    first, second = columns.history(LABELS).blocks
    assert first.values.tolist() == [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]
    assert (first.timestamps_ms - EPOCH_S * 1000).tolist() == [0, 15_000, 30_000]
    assert (second.series.tolist(), second.values.tolist()) == ([1], [[40.0]])


def test_a_stamp_is_the_nearest_millisecond():
    """Whatever binary fraction a time in seconds has: every millisecond of a second, in order."""
    columns = SampleColumns()
    times_s = np.array([7 + millisecond / 1000 for millisecond in range(1000)])
    columns.append(times_s, np.array([0]), np.ones((1000, 1)))
    for epoch_ms in (EPOCH_S * 1000, 1732665600_123):
        (block,) = columns.history(LABELS, epoch_s=epoch_ms / 1000).blocks
        assert (block.timestamps_ms - epoch_ms).tolist() == list(range(7000, 8000))


def test_without_a_sample_there_is_no_block():
    """The series are named all the same."""
    history = SampleColumns().history(LABELS)
    assert (list(history.blocks), list(history.series)) == ([], LABELS)


def block(*seconds):
    """Return a block of one series with samples at these seconds."""
    stamps_ms = np.array([1000 * second for second in seconds], np.int64)
    return Block(stamps_ms, np.array([0]), np.ones((1, len(seconds))))


@pytest.mark.parametrize("late", [(2, 3), (1, 5)])
def test_blocks_follow_each_other_and_an_empty_one_is_passed_over(late):
    """Neither at the last instant of the block before nor earlier, whatever stands between."""
    assert History(LABELS, [block(), block(1, 2), block(), block(3)]).size == 3
    with pytest.raises(ValueError, match="blocks must follow each other in time"):
        History(LABELS, [block(1, 2), block(), block(*late)])


def test_pieces_are_joined_up_to_a_size_and_a_piece_alone_is_not_copied(monkeypatch):
    """Six values a block: two pieces of three fit exactly, one more would not, nor would eight."""
    monkeypatch.setattr(columns_module, "BLOCK_VALUES", 6)
    which, pieces = np.array([0]), [np.ones((size, 1)) for size in (3, 3, 1, 8)]
    columns, at_s = SampleColumns(), 0
    for piece in pieces:
        columns.append(np.arange(at_s, at_s + len(piece), dtype=float), which, piece)
        at_s += len(piece)
    blocks = columns.history(LABELS).blocks
    assert [block.values.size for block in blocks] == [6, 1, 8]
    assert [np.shares_memory(block.values, pieces[-1]) for block in blocks] == [False, False, True]


@pytest.mark.parametrize("seconds", [(1, 1), (1, 2, 2), (2, 1)])
def test_an_instant_stands_once_in_a_block(seconds):
    """Two samples of one instant would be one too many for Prometheus."""
    with pytest.raises(ValueError, match="timestamps_ms must be strictly ascending"):
        block(*seconds)
