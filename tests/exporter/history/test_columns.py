"""Samples appended piece by piece become blocks: one for each span, in time order."""

import numpy as np

from exporter.history.columns import SampleColumns
from exporter.history.samples import EPOCH_S

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


def test_without_a_sample_there_is_no_block():
    """The series are named all the same."""
    history = SampleColumns().history(LABELS)
    assert (list(history.blocks), list(history.series)) == ([], LABELS)
