"""What faults of the observability path take from a scrape: the page, or some of its series.

The exposition and the recorder of history both take it from here, so that virtual and real time
lose the same scrapes and the same series. Pure; it changes nothing in the world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from exporter.metrics.series import NAME
from exporter.target import SCRAPE_TIMEOUT_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue
    from simulator.snapshot import Snapshot

_HISTOGRAM_PARTS: Final = ("_bucket", "_count", "_sum")


def arrives(snapshot: Snapshot) -> bool:
    """Return whether a scrape now succeeds, for a Prometheus with its default timeout."""
    path = snapshot.scrape_path
    in_time = path.delay_s < SCRAPE_TIMEOUT_S
    return snapshot.exporter_up and in_time and path.cut_share == 0


def rank_series(catalogue: Catalogue[Snapshot]) -> NDArray[np.float64]:
    """Return each series' rank in [0, 1), the order in which series vanish. Shape (series,).

    It depends only on the series' own name and labels; all series of a histogram share a rank.
    """
    keys = []
    for labels in catalogue.series:
        rest = [f"{name}={value}" for name, value in labels if name not in {NAME, "le"}]
        name = dict(labels)[NAME]
        for part in _HISTOGRAM_PARTS:
            name = name.removesuffix(part)
        keys.append(crc32("\0".join([name, *rest]).encode()) / 2**32)
    return np.array(keys)
