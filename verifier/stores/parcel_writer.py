"""Writes the samples of a block, and goes on trying without writing any of them twice.

What was certainly not taken is sent again, the same bytes. Where a store may have taken a request
whose answer never came, it is asked first, and sent what is missing alone.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.servers.prometheus.remote_write import block_requests
from verifier.stores.connection import TryAgain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from exporter.history.samples import Block
    from verifier.stores.connection import Patience, StoreConnection
    from verifier.stores.slices import WrittenSeries
    from verifier.stores.stored_samples import StoredSamples

READABLE_S: Final = 15.0
"""So long after it was taken a sample may not be seen by a query: in VictoriaMetrics, which
remembers for ten seconds that there was no such series."""
ASK_AGAIN_S: Final = 1.0


@dataclass(slots=True)
class Traffic:
    """What was sent: requests that were taken, and how often one was tried again."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0


class ParcelWriter:
    """One thread's way to the store: its connection, its patience, its count."""

    def __init__(
        self,
        connection: StoreConnection,
        stored: StoredSamples,
        series: WrittenSeries,
        patience: Patience,
        *,
        readable_s: float = READABLE_S,
    ) -> None:
        """Send nothing yet."""
        self._connection, self._stored, self._series = connection, stored, series
        self._patience, self._readable_s = patience, readable_s
        self.traffic = Traffic()

    def write(self, block: Block, rows: NDArray[np.intp]) -> None:
        """Send some rows of a block until all their samples are taken.

        Raises JudgeError where they are refused, or nothing succeeds for too long.
        """
        bodies = deque(self._bodies(block, rows))
        while bodies:
            if self._send(bodies):
                part = self._missing(_rows_of(block, rows))
                bodies = deque(self._bodies(part, np.arange(len(part.series))))

    def _missing(self, block: Block) -> Block:
        """Return what is not there, once it would be seen if it were."""
        until_s = time.monotonic() + self._readable_s
        while True:
            part = self._stored.missing_of(block)
            left_s = until_s - time.monotonic()
            if not len(part.series) or left_s <= 0:
                return part
            self._patience.pause(min(left_s, ASK_AGAIN_S))

    def _bodies(self, block: Block, rows: NDArray[np.intp]) -> list[bytes]:
        return [body for body, _ in block_requests(block, rows, self._series.encoded)]

    def _send(self, bodies: deque[bytes]) -> bool:
        """Send what is in the queue; return whether one of it may have been taken, unsaid."""

        def attempt() -> bool:
            try:
                self._connection.write(bodies[0])
            except TryAgain as failure:
                if not failure.taken:
                    raise
                self._patience.say(f"{failure}; looking at what it has taken ...")
                return True
            return False

        while bodies:
            if self._patience.persist(attempt, retried=self._count_retry):
                self._count_retry()
                return True
            self.traffic.requests += 1
            self.traffic.bytes += len(bodies.popleft())
        return False

    def _count_retry(self) -> None:
        self.traffic.retries += 1


def _rows_of(block: Block, rows: NDArray[np.intp]) -> Block:
    return type(block)(block.timestamps_ms, block.series[rows], block.values[rows])
