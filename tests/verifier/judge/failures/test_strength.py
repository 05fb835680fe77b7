"""How much stronger a fault would have to be: only what was measured, and what its kind allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.faults.fault import Fault
from simulator.faults.kinds.agents import AgentHang
from simulator.faults.kinds.tasks import DependencyOutage, TaskSlowdown
from simulator.faults.kinds.traffic import TrafficDrop
from verifier.evidence.measurement import ComparisonNumbers
from verifier.judge.failures.strength import needed_strength

KEPT = ComparisonNumbers(
    "x > 100", ">", 100.0, 75.0, 600.0, (), None, 1.0, healthy=20.0, sustained=70.0
)


def fault_of(parameters):
    """Return a fault with these numbers."""
    return Fault(name="gone", parameters=parameters, start_s=0.0, duration_s=60.0)


@pytest.mark.parametrize(
    ("parameters", "changes", "number"),
    [
        (TrafficDrop(share=0.4), {}, "1.7 times as strong (`share: 0.68`)"),
        (TaskSlowdown(factor=3.0), {}, "1.7 times as strong (`factor: 4.4`)"),
        (TrafficDrop(share=0.4), {"sustained": 99.0}, "1.1 times as strong (`share: 0.44`)"),
        # Three digits, rounded up; twice as strong is still named, and what suffices is not.
        (TrafficDrop(share=0.3333), {}, "1.7 times as strong (`share: 0.567`)"),
        (TrafficDrop(share=0.4), {"sustained": 61.5}, "2 times as strong (`share: 0.8`)"),
        (TrafficDrop(share=0.4), {"sustained": 105.0}, None),
        # What was kept decides, not what was reached for a moment.
        (TrafficDrop(share=0.4), {"nearest": 99.9}, "1.7 times as strong (`share: 0.68`)"),
        # More than there is, too far off, not measured, no one number.
        (TrafficDrop(share=0.7), {}, None),
        (TrafficDrop(share=0.0001), {"threshold": 0.9, "healthy": 5e-5, "sustained": 6e-5}, None),
        (TrafficDrop(share=0.1), {"sustained": 55.0}, None),
        (TrafficDrop(share=0.1), {"sustained": None}, None),
        (TrafficDrop(share=0.1), {"healthy": None}, None),
        (TrafficDrop(share=0.1), {"threshold": None}, None),
        (TrafficDrop(share=0.1), {"sustained": 20.0}, None),
        (DependencyOutage(share=0.1), {}, None),
        (AgentHang(), {}, None),
    ],
)
def test_a_strength_is_named_that_was_measured_and_can_be(parameters, changes, number):
    """At most twice the fault's own, and within the bounds of its kind."""
    strength = needed_strength(fault_of(parameters), replace(KEPT, **changes))
    assert strength == (number and f"{number} it would reach it, if its effect grows alike")


def test_of_an_incident_of_the_past_no_strength_is_named():
    """It is no fault of the scenario."""
    assert needed_strength(None, KEPT) is None
