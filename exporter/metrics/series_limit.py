"""The bound on the series of a page: which series of a catalogue still fit, and how many do not.

Every page is bounded, whatever topology and faults ask for: a server that scrapes must never be
flooded by us. Whole families are left out, from the end of the catalogue, so that no histogram
loses its last bucket; series of a burst, which nothing reads, one by one. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from exporter.metrics.series import Catalogue, Source

SERIES_LIMIT: Final = 50_000
"""Some 3 MB of text. The largest burst and a thousand CPUs fit beside the rest of a page."""
SERIES_LIMIT_LEAST: Final = 100
SERIES_LIMIT_MOST: Final = 1_000_000


def keep_families(
    catalogue: Catalogue[Source], present: NDArray[np.bool_], room: int
) -> NDArray[np.bool_]:
    """Return `present` without the families that do not fit into `room` series."""
    if int(present.sum()) <= room:
        return present
    kept = present.copy()
    for group in catalogue.groups:
        count = int(present[group.start : group.stop].sum())
        if count > room:
            kept[group.start :] = False
            break
        room -= count
    return kept


def keep_first(count: int, room: int) -> int:
    """Return how many of `count` equal series fit into `room`."""
    return max(0, min(count, room))
