"""Readings of a snapshot that take more than a line: of faults in effect, and of broken laws.

Called by the catalogue for its metrics; it names none. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.faults.kinds.catalogue import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.metrics.series import Values
    from simulator.snapshot import FaultStatus, Snapshot


def sum_by_fault(read: Callable[[FaultStatus], float]) -> Callable[[Snapshot], Values]:
    """Sum `read` over the faults in effect, by kind of fault."""
    index = {kind: i for i, kind in enumerate(FAULTS)}

    def sum_by_kind(snapshot: Snapshot) -> Values:
        sums = np.zeros(len(index))
        for status in snapshot.faults:
            sums[index[status.fault]] += read(status)
        return sums

    return sum_by_kind


def first_began_s(snapshot: Snapshot) -> Values:
    """Return when the first of the faults in effect began, by kind of fault; 0 without a fault."""
    index = {kind: i for i, kind in enumerate(FAULTS)}
    first_s = np.full(len(index), np.inf)
    for status in snapshot.faults:
        at = index[status.fault]
        first_s[at] = min(first_s[at], status.began_ns / 1e9)
    return np.where(np.isinf(first_s), 0.0, first_s)


def law_errors(s: Snapshot) -> tuple[int, int, int, int]:
    """Return by how much each conservation law is broken, over all its parts, in LAWS' order."""
    tasks = s.tasks_rejected + s.queue_depth + s.tasks_in_flight + s.tasks_timed_out
    tasks = s.tasks_arrived - tasks - s.tasks_processed.sum(axis=1)
    dispatch = s.dispatched - s.undispatched - s.in_flight_by_tier - s.finished.sum(axis=1)
    messages = s.messages_sent - int(s.messages_delivered.sum())
    messages -= s.messages_waiting + s.messages_dropped
    slots = s.sandbox_total - s.sandbox_available - s.sandbox_in_use
    slots = slots - s.sandbox_leaked - s.sandbox_down
    return (
        int(abs(tasks).sum()), int(abs(dispatch).sum()), abs(messages), int(abs(slots).sum()),
    )  # fmt: skip
