"""Hands a record on while it is being made, so that a long one of many cells is never held whole.

Told by the simulation after whatever it recorded. The sink may wait: so does the simulation then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.history.samples import History
    from exporter.history.system_recorder import SystemRecorder

PIECE_SCRAPES: Final = 200
"""Most scrapes in one piece: 50 minutes, no further apart than an empty Prometheus takes them."""
PIECE_VALUES: Final = 2_000_000
"""About as many values are in one piece: 16 MB."""


class HistoryStream:
    """Pieces of a record for `sink`, in time order; `epoch_s` is the Unix time of second 0."""

    def __init__(self, sink: Callable[[History], None], epoch_s: float) -> None:
        """Begin without a scrape."""
        self._sink, self._epoch_s = sink, epoch_s
        self._waiting = 0

    def step(self, recorder: SystemRecorder) -> int:
        """Return how many scrapes of all its targets make a piece."""
        return max(1, min(PIECE_SCRAPES, PIECE_VALUES // max(1, len(recorder.names))))

    def recorded(self, recorder: SystemRecorder, scrapes: int) -> None:
        """Take note of so many scrapes more; hand on what there is where it makes a piece."""
        self._waiting += scrapes
        if self._waiting >= self.step(recorder):
            self.flush(recorder)

    def flush(self, recorder: SystemRecorder) -> None:
        """Hand on what there is."""
        self._waiting = 0
        self._sink(recorder.take(self._epoch_s))
