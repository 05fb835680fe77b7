"""How many more tasks failed than on average: of the last scrapes, since the last change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from verifier.virtual_time.failure_surplus import FAILED, FailureSurplus, surplus_of


def snapshot(completed: int, failed: int, *, faults: tuple[str, ...] = ()) -> Any:
    """Return a snapshot with so many tasks of each outcome, of two classes together."""
    outcomes = np.zeros((2, 2))
    outcomes[:, FAILED], outcomes[:, 1 - FAILED] = failed / 2, completed / 2
    return SimpleNamespace(tasks_processed=outcomes, faults=faults)


SNAPSHOTS = [snapshot(0, 0), snapshot(90, 10), snapshot(180, 20), snapshot(270, 40)]
"""Ten, ten and twenty of a hundred or so fail, where a tenth does on average."""


def test_the_surplus_is_what_failed_beyond_the_share_that_does() -> None:
    """Between each two readings."""
    assert surplus_of(SNAPSHOTS, 0.1).tolist() == pytest.approx([0.0, 0.0, 9.0])


def test_the_last_scrapes_are_the_latest() -> None:
    """In their order; fewer where fewer have come."""
    surplus = FailureSurplus(SNAPSHOTS[0], 0.0)
    for each in SNAPSHOTS[1:]:
        surplus.note(each)
    assert surplus.last(1).tolist() == [20.0]
    assert surplus.last(2).tolist() == [10.0, 20.0]
    assert surplus.last(9).tolist() == [10.0, 10.0, 20.0]
    surplus.begin(SNAPSHOTS[1])
    surplus.note(SNAPSHOTS[3])
    assert surplus.last(2).tolist() == [30.0]


def test_a_stretch_with_a_fault_in_it_is_not_healthy() -> None:
    """Wherever in it; a new beginning forgets it."""
    surplus = FailureSurplus(SNAPSHOTS[0], 0.1)
    for each, healthy in ((SNAPSHOTS[1], True), (snapshot(180, 20, faults=("f",)), False)):
        surplus.note(each)
        assert surplus.healthy is healthy
    surplus.note(SNAPSHOTS[3])
    assert not surplus.healthy
    surplus.begin(SNAPSHOTS[3])
    assert surplus.healthy
    surplus.begin(snapshot(1, 1, faults=("f",)))
    assert not surplus.healthy
