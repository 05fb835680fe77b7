"""The last count: what was to be sent, as the simulation made it, against what a store holds.

It knows nothing of how samples were sent. By days, so that a difference has a place in time and
what is remembered is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from verifier.stores.receipt import SHOWN_MAX, HeldDifference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import LabelSet
    from verifier.stores.slices import HistorySlice
    from verifier.stores.stored_samples import StoredSamples

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class AuditResult:
    """How many samples are missing, how many too many, and the first places of each."""

    missing: int
    doubled: int
    differences: tuple[HeldDifference, ...]


@dataclass(slots=True)
class _AuditedDay:
    first_ms: int
    last_ms: int
    counts: NDArray[np.int32]


class Audit:
    """Counts what is to be sent, slice by slice, and asks for all of it at the end."""

    def __init__(self, labels: Sequence[LabelSet]) -> None:
        """Count from 0."""
        self._labels = labels
        self._windows: list[_AuditedDay] = []
        self.samples = 0

    @property
    def first_ms(self) -> int:
        """When the first scrape was, Unix milliseconds."""
        return self._windows[0].first_ms

    @property
    def last_ms(self) -> int:
        """When the last scrape was, Unix milliseconds."""
        return self._windows[-1].last_ms

    def add(self, each: HistorySlice) -> None:
        """Count a slice; they come in time order."""
        self.samples += each.samples
        if self._windows and each.last_ms - self._windows[-1].first_ms < DAY_MS:
            self._windows[-1].last_ms = each.last_ms
            self._windows[-1].counts += each.counts
        else:
            self._windows.append(_AuditedDay(each.first_ms, each.last_ms, each.counts.copy()))

    def against(self, stored: StoredSamples) -> AuditResult:
        """Return where the store's counts differ."""
        missing = doubled = 0
        differences: list[HeldDifference] = []
        for window in self._windows:
            held = stored.counts(window.first_ms, window.last_ms)
            more = held - window.counts
            missing -= int(np.minimum(more, 0).sum())
            doubled += int(np.maximum(more, 0).sum())
            differing = np.flatnonzero(more)[: SHOWN_MAX - len(differences)].tolist()
            differences += [
                HeldDifference(
                    self._labels[number], window.first_ms, window.last_ms,
                    int(window.counts[number]), int(held[number]),
                )
                for number in differing
            ]  # fmt: skip
        return AuditResult(missing, doubled, tuple(differences))
