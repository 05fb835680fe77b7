"""What each kind of fault does, and is expected to do, is what was recorded, to six digits."""

from __future__ import annotations

import pytest

from simulator.faults import workload
from simulator.faults.kinds.catalogue import FAULTS
from tests.histories.effects import figures_of, recorded

HINT = "other effects: if that is meant, `make golden` and say it in CHANGELOG.md"


def test_every_kind_is_recorded():
    """None is missing, none is left over."""
    assert list(recorded()) == list(FAULTS)


@pytest.mark.parametrize("kind", FAULTS)
def test_two_faults_beside_others_have_the_effects_that_were_recorded(kind):
    """Measured, base and expected, both deviations, times, units and targets of each."""
    assert figures_of(kind) == recorded()[kind], HINT


def test_a_thousandth_of_an_expectation_is_noticed(monkeypatch):
    """Planted: of three runs the longest takes a little longer than it does."""
    monkeypatch.setattr(workload, "_LONGEST_OF_THREE", 1.22)
    assert figures_of("task_slowdown") != recorded()["task_slowdown"]
