"""How a run in real time starts: where its simulated past stands in Unix time."""

from __future__ import annotations

import numpy as np

from exporter.history.samples import EPOCH_S, Block, History
from verifier.real_time.start import in_real_time


def test_a_past_is_laid_so_that_it_ends_where_the_run_begins():
    """In scenario seconds before, divided by the factor; values as they are."""
    stamps = np.array([(EPOCH_S - 300) * 1000, EPOCH_S * 1000], dtype=np.int64)
    values = np.array([[1.0, 2.0]])
    history = History([(("__name__", "x"),)], [Block(stamps, np.array([0]), values)])
    (block,) = in_real_time(history, 1_800_000_000.0, 30.0).blocks
    assert block.timestamps_ms.tolist() == [1_799_999_990_000, 1_800_000_000_000]
    assert block.values is values
