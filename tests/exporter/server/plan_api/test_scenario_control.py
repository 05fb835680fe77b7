"""Scenarios of more than the two that a server offers by itself: in any order, several at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.server.exposition import Exposition
from exporter.server.plan_api.scenario_control import OfferedScenario, ScenarioControl
from simulator.load import Load
from simulator.plan import Plan
from simulator.world import World
from tests.exporter.server.plan_api.served import OUTAGE
from tests.fakes import MockClock
from tests.simulator.worlds import small

GONE, HUNG = OUTAGE.faults
BACKWARDS = OfferedScenario(
    name="backwards",
    story="Its first fault is written last and ends last.",
    faults=(
        replace(HUNG, name="second", start_s=307.0, duration_s=2.0),
        replace(GONE, name="first", start_s=300.0, duration_s=12.0),
        replace(HUNG, name="third", start_s=308.0, duration_s=3.0),
    ),
)


@pytest.fixture
def control():
    """Return the scenarios of a world of one second."""
    world = World(small(), Plan(load=Load(rate=400.0)), 7)
    world.advance(1.0)
    exposition = Exposition(world, MockClock(), version="1", scenario="calm")

    class PairLibrary:
        """Two scenarios of different names."""

        def scenarios(self):
            """Return them."""
            return (OUTAGE, BACKWARDS)

    made = ScenarioControl(world, exposition, PairLibrary())
    made.world = world
    return made


def test_a_scenario_lasts_from_its_earliest_start_to_its_latest_end():
    """In whatever order its faults are written."""
    assert (OUTAGE.duration_s, BACKWARDS.duration_s) == (25.0, 12.0)


def test_the_earliest_fault_of_a_scenario_begins_at_once(control):
    """The others as long after it as the scenario has them."""
    control.begin("backwards")
    plan = {fault.name: fault.start_s for fault in control.world.plan.faults}
    assert plan == {"first": 1.0, "second": 8.0, "third": 9.0}
    assert [fault.name for fault in control.world.snapshot().faults] == ["first"]
    assert [(fault.name, in_s) for fault, in_s in control.planned()] == [
        ("second", 7.0),
        ("third", 8.0),
    ]


def test_several_scenarios_run_at_once_and_are_ended_together(control):
    """In the order in which they were begun; each is over by itself."""
    control.begin("backwards")
    control.begin("outage")
    assert control.running() == ("backwards", "outage")
    control.world.advance(13.0)
    assert control.running() == ("outage",)
    control.begin("backwards")
    assert control.end_all() == ("outage", "backwards")
    assert (control.running(), control.planned(), control.world.snapshot().faults) == ((), (), ())
