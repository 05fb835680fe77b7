"""The laws of cells and router, over random systems: in each cell, and in sum."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.cells.system import HEALTH_CHECK_NS, build_system
from tests.simulator.cells.laws import broken_laws_of_router
from tests.simulator.kernel.laws import broken_laws, broken_ties, decreased_counters
from tests.simulator.random_worlds import OF_CELLS, random_system

SYSTEMS = 200
UNTIL_S = 6.0
DEVIATIONS = 6.0
"""Of a Poisson count, in standard deviations: one cell in half a billion is further off."""


def sent_and_arrived(system, until_s):
    """Advance to `until_s`, in steps in which no rate changes; return both, by cell.

    What the router sends to a cell is its share of the load at each instant, a rate; what arrives
    there is a count.
    """
    sent = np.zeros(len(system.cells))
    before = np.array([cell.snapshot().tasks_arrived.sum() for cell in system.cells])
    until_ns = round(until_s * 1e9)
    while (now_ns := system.now_ns) < until_ns:
        check_ns = now_ns // HEALTH_CHECK_NS * HEALTH_CHECK_NS + HEALTH_CHECK_NS
        step_ns = min(until_ns, check_ns, max(system.next_change_ns(), now_ns + 1))
        sent += [cell.snapshot().arrival_rate * (step_ns - now_ns) / 1e9 for cell in system.cells]
        system.advance_ns(step_ns)
    after = np.array([cell.snapshot().tasks_arrived.sum() for cell in system.cells])
    return sent, after - before


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=[pytest.mark.long] * (s % 10 > 0)) for s in range(SYSTEMS)]
)
def test_every_law_holds_in_every_cell_and_in_sum(seed):
    """1 to 20 cells with faults of cells, of the router and of what is in a cell."""
    topology, plan = random_system(seed)
    system = build_system(topology, plan, seed)
    totals, before = np.zeros((2, topology.cells)), None
    for until_s in np.linspace(0, UNTIL_S, 9)[1:]:
        totals += sent_and_arrived(system, float(until_s))
        failures = []
        if topology.cells > 1:
            failures += broken_laws_of_router(system)
        for cell in system.cells:
            failures += broken_laws(cell.snapshot(), topology) + broken_ties(cell)
        after = system.snapshot()
        if before is not None:
            failures += [f"{name} never falls" for name in decreased_counters(before, after)]
        assert not failures, f"seed {seed}, t = {until_s} s: {failures}"
        before = after
    sent, arrived = totals
    off = np.abs(arrived - sent) > DEVIATIONS * np.sqrt(sent) + DEVIATIONS
    assert not off.any(), f"seed {seed}: sent {sent.round()}, arrived {arrived}"


def test_the_random_systems_cover_every_fault_of_cells():
    """And one cell, and twenty."""
    systems = [random_system(seed) for seed in range(SYSTEMS)]
    kinds = {fault.kind for _, plan in systems for fault in plan.faults}
    assert set(OF_CELLS) <= kinds
    assert {topology.cells for topology, _ in systems} >= {1, 20}


def test_a_router_that_does_not_send_what_it_says_is_noticed():
    """Planted: a cell gets twice its share."""
    topology, plan = random_system(4)
    system = build_system(topology, plan, 4)
    real = system.cells[0].take_share
    system.cells[0].take_share = lambda share: real(2.0 * share)
    system.cells[0].take_share(1.0)
    assert topology.cells > 1
    expected = np.array(system.shares) * system.cells[1].snapshot().arrival_rate
    rates = np.array([cell.snapshot().arrival_rate for cell in system.cells])
    assert rates[0] != pytest.approx(expected[0])


def test_a_cell_at_another_instant_is_noticed():
    """Planted: one cell is ahead of the others."""
    topology, plan = random_system(0)
    system = build_system(topology, plan, 0)
    system.advance(1.5)
    assert broken_laws_of_router(system) == []
    system.cells[-1].advance(1.7)
    assert broken_laws_of_router(system) == ["cells stand at one instant"]
