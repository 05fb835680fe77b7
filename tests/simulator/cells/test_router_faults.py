"""When the router checks no health, what came of it, and that a fault without effect is noticed."""

from __future__ import annotations

import pytest

from simulator.cells.router_faults import RouterFaults
from tests.simulator.cells.test_system import cells
from tests.simulator.worlds import fault


def test_a_stale_router_keeps_sending_to_a_cell_that_is_down():
    """It sees nothing from 1 s to 6 s: the cell that goes down at 2 s is left out at 6 s."""
    stale = fault("router_stale", start_s=1.0, duration_s=5.0)
    system = cells(2, stale, fault("cell_down", start_s=1.5, duration_s=30.0, cells=(0,)))
    system.advance(5.9)
    assert system.shares == (1.0, 1.0)
    assert system.cells[0].snapshot().tasks_arrived.sum() > 1500
    (status,) = [each for each in system.snapshot().faults if each.fault == "router_stale"]
    assert (status.effect, status.expected) == (5, 5)
    system.advance(6.0)
    assert system.shares == (0.0, 2.0)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.base, effect.expected) == (5.0, 0.0, 5.0)
    assert effect.ended_ns == 6 * 10**9


def test_a_stale_router_that_checks_all_the_same_has_no_effect(monkeypatch):
    """Planted: the fault does nothing, and the account says so."""
    monkeypatch.setattr(RouterFaults, "active", lambda *_: ())
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=5.0))
    system.advance(8.0)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.expected) == (0.0, 5.0)


@pytest.mark.parametrize(
    ("start_s", "duration_s", "due"), [(1.0, 1.0, 1), (0.5, 1.0, 1), (1.2, 0.5, 0), (0.0, 2.5, 2)]
)
def test_health_checks_are_due_at_whole_seconds(start_s, duration_s, due):
    """A fault between two checks has nothing to act on; at 0 nothing has been sent yet."""
    system = cells(2, fault("router_stale", start_s=start_s, duration_s=duration_s))
    system.advance(4.0)
    (effect,) = system.router_effects()
    assert effect.measured == due
    assert effect.expected == due


def test_its_begin_and_end_are_changes_of_the_plan():
    """Virtual time does not pass over them."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=5.0))
    assert system.next_change_ns() == 10**9
    system.advance(1.0)
    assert system.next_change_ns() == 6 * 10**9


@pytest.mark.parametrize("passed_s", [1, 15, 600])
def test_no_health_check_is_due_in_time_that_is_passed_over(passed_s):
    """What is not simulated is neither missed nor expected, while the fault lasts and after."""
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=605.0))
    system.advance(3.5)
    system.skip_ns(passed_s * 10**9)
    (effect,) = system.router_effects()
    assert (effect.measured, effect.expected) == (3.0, 3.0)
    (status,) = system.snapshot().faults
    assert (status.effect, status.expected) == (3.0, 3.0)
    system.advance_ns(system.now_ns + 10**9)
    (effect,) = system.fork().router_effects()
    assert (effect.measured, effect.expected) == (4.0, 4.0)


def test_what_is_passed_over_counts_for_the_fault_in_effect_alone():
    """One that is over, and one that is to come, expect every check of their own."""
    system = cells(
        2,
        fault("router_stale", name="before", start_s=1.0, duration_s=2.0),
        fault("router_stale", name="during", start_s=4.0, duration_s=20.0),
        fault("router_stale", name="after", start_s=24.0, duration_s=3.0),
    )
    system.advance(5.5)
    system.skip_ns(18 * 10**9)
    system.advance(30.0)
    counted = {each.name: (each.measured, each.expected) for each in system.router_effects()}
    assert counted == {"before": (2.0, 2.0), "during": (2.0, 2.0), "after": (3.0, 3.0)}
