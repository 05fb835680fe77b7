"""Cells in step: the same bytes for any number of workers, forks, skips, changes by hand."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from simulator.bounds import BoundError
from simulator.cells.system import CellSystem, build_system, seed_of_cell
from simulator.faults.targets import Targets
from simulator.load import Burst, Load, Stage
from simulator.plan import Plan
from simulator.snapshot import CellReading
from simulator.world import World
from tests.simulator.random_worlds import random_system
from tests.simulator.worlds import fault, make, small

RATE_PER_S = 400.0


def cells(count, *faults, seed=1, workers=1, load=None, **changes):
    """Return small cells behind a router, half used."""
    topology = small(cells=count, router_ramp_s=4.0, **changes)
    return build_system(topology, Plan(load=load or Load(rate=RATE_PER_S), faults=faults), seed,
                        workers=workers)  # fmt: skip


def test_one_cell_is_a_world_as_ever():
    """To the byte: nothing of cells is in the way of who has none."""
    plan = Plan(load=Load(rate=RATE_PER_S))
    system, world = build_system(small(), plan, 7), World(small(), plan, 7)
    assert isinstance(system, World)
    for each in (system, world):
        each.advance(3.3)
    assert system.fingerprint() == world.fingerprint()


def test_a_healthy_cell_is_the_world_of_its_own_seed():
    """The router leaves no trace in it, and further cells leave it as it is."""
    plan = Plan(load=Load(rate=RATE_PER_S))
    alone = World(small(), plan, seed_of_cell(1, 2))
    alone.advance(3.3)
    for count in (3, 5):
        system = cells(count)
        system.advance(3.3)
        assert system.cells[2].fingerprint() == alone.fingerprint()
        assert len({cell.fingerprint() for cell in system.cells}) == count


@pytest.mark.sampled(1)
@pytest.mark.parametrize("seed", [3, 12, 16])
def test_workers_and_steps_change_no_byte(seed):
    """One, two or four threads; one step, or many that end between two health checks."""
    topology, plan = random_system(seed)
    assert topology.cells > 4
    prints = set()
    for workers in (1, 2, 4):
        system = build_system(topology, plan, seed, workers=workers)
        steps = [6.0] if workers == 1 else np.linspace(0, 6, 7 + 10 * workers)[1:]
        for until_s in steps:
            system.advance(float(until_s))
            system.snapshot()
        prints.add(system.fingerprint())
    assert len(prints) == 1


def test_a_fork_goes_on_as_its_original_and_leaves_it_alone():
    """In the middle of a fault, with the router's health of that instant."""
    system = cells(3, fault("cell_down", start_s=1.0, duration_s=2.5, cells=(0,)))
    system.advance(4.6)
    twin = system.fork()
    assert twin.shares == system.shares != (1.0,) * 3
    twin.advance(9.0)
    before = system.fingerprint()
    system.advance(9.0)
    assert before != system.fingerprint() == twin.fingerprint()
    assert twin.router_changes == system.router_changes > 2


def test_each_health_check_that_moves_load_is_one_change():
    """Out at once, back in four seconds, quarter by quarter, however many cells get other shares.

    A fork begins with as many as its original.
    """
    system, changes = cells(3, fault("cell_down", start_s=1.0, duration_s=2.0, cells=(0,))), []
    for second in range(9):
        system.advance(second)
        changes.append(system.router_changes)
    assert changes == [0, 1, 1, 2, 3, 4, 5, 5, 5]
    assert system.fork().router_changes == system.fork(Plan()).router_changes == 5


def test_a_fork_with_a_plan_keeps_the_shares():
    """A cell that is just coming back gets its share of the new plan's load, too."""
    system = cells(2, fault("cell_down", start_s=0.5, duration_s=2.0, cells=(1,)))
    system.advance(3.5)
    branched = system.fork(Plan(load=Load(rate=RATE_PER_S)))
    rates = [cell.snapshot().arrival_rate for cell in branched.cells]
    assert rates == pytest.approx([RATE_PER_S * share for share in system.shares])
    assert branched.plan_s == 0.0


def test_whatever_is_no_200_is_an_error_to_the_router():
    """What the gateway's rate limit turns away, and what fails."""
    world = make(rate=600.0, rate_limit_per_s=400.0, rate_limit_burst=1, error_share=0.1)
    world.advance(5.0)
    answers = world.snapshot().http_requests
    assert (answers[1:3] > 0).all()
    assert world.cell_reading == CellReading(
        up=True, answered=answers.sum(), errors=answers[1:].sum()
    )


def test_what_a_cell_got_before_its_share_changed_was_of_the_share_before():
    """Half of the load for four seconds, then half of twice the load for as long."""
    world = make(fault("traffic_drop", share=0.5, start_s=0.0))
    world.advance(4.0)
    assert world.take_share(2.0)
    world.advance(8.0)
    (effect,) = world.effects()
    assert effect.expected == pytest.approx((0.5 + 1.0) / 2 * RATE_PER_S)


def test_a_skip_moves_the_health_checks_of_the_router():
    """After it a health check is due as many nanoseconds later as before."""
    system = cells(2)
    system.advance(1.4)
    system.skip_ns(10**10)
    system.advance(11.9)
    assert system.router.seen[0].answered == pytest.approx(RATE_PER_S, rel=0.3)
    system.advance(12.1)
    assert system.router.seen[0].answered == pytest.approx(2 * RATE_PER_S, rel=0.3)


@pytest.mark.parametrize("forked", [False, True])
def test_bursts_come_to_all_cells_at_once(forked):
    """They are the load's, in a fork as well: only arrivals are each cell's own."""
    load = Load(rate=RATE_PER_S, burst=Burst(factor=5, every_s=1.0, last_s=0.5))
    system = cells(3).fork(Plan(load=load)) if forked else cells(3, load=load)
    seen = set()
    for step in range(1, 200):
        system.advance(step / 20)
        rates = {cell.snapshot().arrival_rate for cell in system.cells}
        assert len(rates) == 1
        seen |= rates
    assert len(seen) == 2


def test_a_recorded_trace_is_refused_before_several_cells():
    """Whose arrival is whose is not in it."""
    with pytest.raises(BoundError, match="without a recorded trace before several cells"):
        cells(2, load=Load(trace_s=(1.0, 2.0)))


def test_faults_by_hand_reach_the_cells_that_they_target():
    """Injected, changed, ended and withdrawn as in a world; the plan says what is in effect."""
    system = cells(3)
    system.advance(1.5)
    slow = fault("task_slowdown", name="slow", factor=2.0, start_s=1.5, duration_s=60.0, cells=(1,))
    system.inject(slow)
    system.advance(2.0)
    assert [len(cell.snapshot().faults) for cell in system.cells] == [0, 1, 0]
    slower = replace(slow, parameters=replace(slow.parameters, factor=4.0))
    system.change(slower)
    assert system.plan.faults == (slower,)
    assert system.cells[1].snapshot().faults[0].magnitude == 4.0
    with pytest.raises(BoundError, match="a name of its own"):
        system.inject(slow)
    system.end("slow")
    later = fault("cell_down", name="later", start_s=30.0, duration_s=1.0)
    system.inject(later)
    system.withdraw("later")
    assert system.plan.faults == ()
    assert [len(cell.plan.faults) for cell in system.cells] == [0, 0, 0]
    with pytest.raises(KeyError):
        system.end("slow")


@pytest.mark.parametrize(
    "other", [fault("router_stale", name="slow", cells=(1,)), fault("slow_start", factor=2.0)]
)
def test_a_change_to_another_kind_or_to_other_cells_is_refused(other):
    """By the cell in which the fault is in effect, wherever the other one would be."""
    slow = fault("slow_start", name="slow", factor=2.0, cells=(1,))
    system = cells(2, slow)
    system.advance(1.5)
    with pytest.raises(BoundError, match="the one in effect but for parameters and duration"):
        system.change(replace(other, name="slow"))
    assert system.plan.faults == (slow,)
    assert [len(cell.plan.faults) for cell in system.cells] == [0, 1]
    with pytest.raises(BoundError, match="the one in effect but for parameters and duration"):
        system.change(replace(slow, targets=Targets(cells=(0,))))


@pytest.mark.parametrize("kind", ["traffic_drop", "router_stale"])
def test_a_fault_that_ends_at_this_instant_is_over_and_its_name_free(kind):
    """Not a nanosecond before, in the cells as in front of them."""
    numbers = {"share": 0.5} if kind == "traffic_drop" else {}
    old = fault(kind, name="old", start_s=1.0, duration_s=1.5, **numbers)
    system = cells(2, old)
    again = replace(old, start_s=3.0)
    system.advance_ns(2_500_000_000 - 1)
    with pytest.raises(BoundError, match="a name of its own"):
        system.inject(again)
    assert [each.name for each in system.snapshot().faults] == ["old"]
    system.advance_ns(2_500_000_000)
    assert system.snapshot().faults == ()
    system.inject(again)
    assert system.plan.faults == (again,)
    assert (system.next_change_ns(), system.plan_s, system.origin_s) == (3 * 10**9, 2.5, 0.0)
    ended = {(effect.name, effect.began_ns, effect.ended_ns) for effect in system.effects()}
    assert ended == {("old", 10**9, 2_500_000_000)}


def test_a_change_of_the_load_keeps_the_shares():
    """It is the load of each cell, of which one that is down gets nothing."""
    system = cells(2, fault("cell_down", start_s=0.5, duration_s=60.0, cells=(0,)))
    system.advance(1.5)
    system.change_load((Stage(duration_s=0, target=100.0), Stage(duration_s=9.0, target=100.0)))
    assert [cell.snapshot().arrival_rate for cell in system.cells] == pytest.approx([0.0, 200.0])
    system.end_load_change()
    rates = [cell.snapshot().arrival_rate for cell in system.cells]
    assert rates == pytest.approx([0.0, 2 * RATE_PER_S])


def test_what_is_counted_of_a_system_is_the_sum_over_its_cells():
    """Restarts of exporters, leaked memory and the load; unlike in each of the cells."""
    reset = fault("counter_reset", start_s=0.5, cells=(0, 2))
    leak = fault("memory_leak", start_s=0.5, bytes_per_s=1e6, cells=(1, 2))
    system = cells(3, reset, leak, fault("counter_reset", name="again", start_s=1.0, cells=(2,)))
    system.advance(1.5)
    assert [cell.exporter_restarts for cell in system.cells] == [1, 0, 2]
    assert system.exporter_restarts == system.snapshot().exporter_restarts == 3
    assert system.cells[1].leaked_bytes == pytest.approx(40 * 1e6, rel=0.05)
    assert system.leaked_bytes == 2 * system.cells[1].leaked_bytes
    assert system.requested_per_s == 3 * RATE_PER_S


def test_threads_end_when_they_are_told_to_and_others_begin():
    """None is left of a system that nobody advances any more; ended twice is ended."""
    system = cells(3, workers=3)
    system.end_threads()
    for until_s in (1.5, 2.5):
        system.advance(until_s)
        assert any(thread.name.startswith("cells") for thread in threading.enumerate())
        system.end_threads()
        system.end_threads()
        assert not any(thread.name.startswith("cells") for thread in threading.enumerate())
    assert system.snapshot().now_ns == 2_500_000_000


def test_a_target_beyond_the_cells_is_refused():
    """By the number that there is."""
    with pytest.raises(BoundError, match=r"cells must be among range\(0, 2\)"):
        cells(2, fault("cell_down", cells=(2,)))


def test_it_is_a_system_of_cells():
    """What is built for several is no world."""
    assert isinstance(cells(2), CellSystem)
