"""Small pieces of one history: a series that ends, one with a gap, two metrics."""

from __future__ import annotations

import numpy as np

from exporter.history.samples import EPOCH_S, STALE, Block, History
from tests.verifier.histories import labels

SERIES = [labels("level", job="j", cell=str(i)) for i in range(14)]
SERIES += [labels("other", job="j", cell=str(i)) for i in range(2)]


def piece(number, scrapes=100):
    """Return a piece of a history; a series ends in it, another has a gap."""
    times_s = EPOCH_S + 15 * (np.arange(scrapes) + number * scrapes)
    values = np.arange(len(SERIES))[:, None] + np.arange(scrapes)[None, :] + number * scrapes * 0.1
    values[0, 40:] = np.nan
    values[0, 40] = STALE
    values[1, 5:9] = np.nan
    return History(
        SERIES, [Block((times_s * 1000).astype(np.int64), np.arange(len(SERIES)), values)]
    )
