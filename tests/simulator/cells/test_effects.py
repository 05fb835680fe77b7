"""What faults did in several cells: judged in each that they name, and said of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.cells.system import build_system
from simulator.load import Load
from simulator.plan import Plan
from tests.simulator.worlds import fault, make
from tests.verifier.judge.test_fault_effects import DROP
from verifier.judge.fault_effects import (
    faults_without_effect,
    ineffective_faults,
    measured_effects,
)

IDLE = ({}, {"expected": 10_300.0})


def test_a_fault_that_names_its_cells_must_act_in_each_of_them():
    """One for all cells acts where something is; in none of them may it be ineffective."""
    works, void = (replace(DROP, measured=6_180.0, cell=n, **IDLE[n]) for n in (0, 1))
    assert ineffective_faults((works, void)) == ()
    assert ineffective_faults((works, void), {"gone"}) == (
        "fault gone (traffic_drop) in cell 1 had nothing to act on: the load asked for no arrivals",
    )
    broken = replace(DROP, cell=1)
    assert "in cell 1 had no effect" in ineffective_faults((works, broken))[0]
    assert len(ineffective_faults((void, broken), {"gone"})) == 1


def test_what_was_measured_is_said_of_each_cell():
    """Once where it is the same."""
    alike = [replace(DROP, measured=6_180.0, cell=cell) for cell in (0, 2)]
    other = replace(DROP, measured=6_000.0, cell=1)
    assert measured_effects([*alike, other]) == {
        "gone": "gone (traffic_drop) did: in each of the cells 0, 2: 6,180 arrivals per second"
        " measured, 6,180 declared; in cell 1: 6,000 arrivals per second measured, 6,180 declared"
    }
    assert " in " not in measured_effects([replace(DROP, measured=6_180.0)])["gone"]


def test_a_cell_that_was_dead_had_nothing_to_slow_down():
    """The other one is slow: that is no excuse."""
    dead = fault("cell_down", start_s=0.0, duration_s=30.0, cells=(1,))
    slow = fault("task_slowdown", start_s=10.0, factor=3.0, cells=(0, 1))
    plan = Plan(load=Load(rate=200.0), faults=(dead, slow))
    system = build_system(replace(make().topology, cells=2), plan, 3)
    system.advance(25.0)
    (sentence,) = faults_without_effect(system, system.effects())
    assert sentence.startswith(
        "fault task_slowdown (task_slowdown) in cell 1 had nothing to act on"
    )


@pytest.mark.parametrize(
    ("kind", "number"), [("traffic_surge", "factor"), ("traffic_drop", "share")]
)
def test_a_change_of_traffic_is_measured_by_the_share_of_each_cell(kind, number):
    """A cell that gets a quarter of the other's load has a quarter of the effect."""
    change = fault(
        kind, start_s=2.0, duration_s=9.0, **{number: 1.5 if number == "factor" else 0.5}
    )
    plan = Plan(load=Load(rate=200.0), faults=(change,))
    system = build_system(replace(make().topology, cells=2, cell_weights=(4.0, 1.0)), plan, 3)
    system.advance(12.0)
    assert faults_without_effect(system, system.effects()) == ()
    large, little = (effect.expected - effect.base for effect in system.effects())
    assert large == pytest.approx(4 * little, rel=0.1)
