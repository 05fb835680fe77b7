"""By how much more tasks failed, scrape by scrape, than fail on average in a world without a fault.

Failures are so rare that a pool of minutes holds too many of them or too few; their average is
known from the topology. Called by `verifier.virtual_time.simulation` and `.past`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.snapshot import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.snapshot import Snapshot

FAILED = OUTCOMES.index("failed")


class FailureSurplus:
    """The surplus of each scrape since a change, while no fault is in effect."""

    def __init__(self, before: Snapshot, error_share: float) -> None:
        """Count from `before` on; `error_share` of the tasks fail on average."""
        self._error_share = error_share
        self.begin(before)

    def begin(self, before: Snapshot) -> None:
        """Begin anew at `before`: load or faults have changed."""
        self._last = before
        self._surplus: list[float] = []
        self.healthy = not before.faults

    def note(self, snapshot: Snapshot) -> None:
        """Add the scrape at `snapshot`."""
        ended = snapshot.tasks_processed - self._last.tasks_processed
        self._surplus.append(float(ended[:, FAILED].sum() - self._error_share * ended.sum()))
        self._last = snapshot
        self.healthy = self.healthy and not snapshot.faults

    def last(self, scrapes: int) -> NDArray[np.float64]:
        """Return the surplus of the last `scrapes`, (scrapes,)."""
        return np.array(self._surplus[-scrapes:])


def surplus_of(snapshots: Sequence[Snapshot], error_share: float) -> NDArray[np.float64]:
    """Return the surplus between each two of `snapshots` (n + 1 of them), (n,)."""
    failures = FailureSurplus(snapshots[0], error_share)
    for snapshot in snapshots[1:]:
        failures.note(snapshot)
    return failures.last(len(snapshots) - 1)
