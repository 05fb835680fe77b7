"""What faults in effect promise together: sums, products, limits, and what is kept of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.faults.declared_effect import ActiveFault, DeclaredEffect
from simulator.faults.effective_parameters import (
    FACTOR_MAX,
    FLOOD_MAX_PER_S,
    LATENCY_MAX_S,
    TRAFFIC_FACTOR_MAX,
)
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import FaultTargets
from tests.simulator.faults.samples import IN_THE_WORLD, SAMPLES, world_with
from tests.simulator.worlds import fault, make, small

TOPOLOGY = small(error_share=0.1)
ALL = FaultTargets(np.arange(40), (0, 1, 2, 3), (0, 1, 2))
FIRST = FaultTargets(np.arange(10), (0,), (0,))


def active(kind, targets=ALL, *, start_s=0, ramp_s=0, at_s=10, **numbers):
    """Return a fault in effect, asked for `at_s`."""
    times = (round(seconds * 1e9) for seconds in (start_s, ramp_s, at_s))
    return ActiveFault(FAULTS[kind](**numbers), targets, *times)


def declared(*faults):
    """Return what faults of the test's system promise."""
    return DeclaredEffect(TOPOLOGY, faults)


def test_nothing_is_promised_without_faults():
    """The base: factors of 1, its error, no rates."""
    base = declared()
    for factors in (base.start_slowness(), base.task_slowness(), base.inbox_slowness()):
        assert factors.tolist() == [1.0] * 40
    assert base.failing_share() == pytest.approx(np.full(40, 0.1))
    assert (base.latency_s(), base.traffic_factor(), base.flood_per_s()) == (0.0, 1.0, 0.0)


def test_factors_multiply_where_targets_overlap():
    """A slow host slows starts and inboxes as well, a slowdown work alone."""
    both = declared(active("task_slowdown", factor=3.0), active("slow_host", FIRST, factor=2.0))
    assert both.task_slowness().tolist() == [6.0] * 10 + [3.0] * 30
    assert both.inbox_slowness().tolist() == [2.0] * 10 + [1.0] * 30
    assert both.start_slowness().tolist() == [2.0] * 10 + [1.0] * 30


def test_shares_that_fail_are_of_what_is_left():
    """Base 0.1, a fault's half, and a dependency that 8 % of the tasks call and that is down."""
    effect = declared(active("task_failure", FIRST, share=0.5),
                      active("dependency_outage", share=1.0, latency_s=2.0))  # fmt: skip
    assert effect.failing_share()[0] == pytest.approx(1 - 0.9 * 0.5 * 0.92)
    assert effect.failing_share()[-1] == pytest.approx(1 - 0.9 * 0.92)
    assert effect.latency_s() == 2.0


def test_a_loop_promises_the_life_that_was_declared():
    """Three seconds for its targets; whoever is in none never dies of one."""
    loop = declared(active("crash_loop", FIRST, alive_s=3.0))
    assert loop.alive_s.tolist() == [3.0] * 10 + [np.inf] * 30


def test_a_cell_promises_what_becomes_of_all_its_agents():
    """Everything three times as slow; or nobody comes up, and who does dies at once."""
    slow = declared(active("cell_brownout", factor=3.0))
    for factors in (slow.start_slowness(), slow.task_slowness(), slow.inbox_slowness()):
        assert factors.tolist() == [3.0] * 40
    down = declared(active("cell_down"))
    assert down.start_slowness().tolist() == [FACTOR_MAX] * 40
    assert down.alive_s.tolist() == [0.001] * 40


def test_everything_stays_within_what_the_kernel_takes():
    """Two of each that together ask for more."""
    slow = [active("slow_host", factor=FACTOR_MAX)] * 2
    assert declared(*slow).task_slowness().max() == FACTOR_MAX
    assert declared(*slow).start_slowness().max() == FACTOR_MAX
    assert declared(*slow).inbox_slowness().max() == FACTOR_MAX
    surges = [active("traffic_surge", factor=50)] * 2
    assert declared(*surges).traffic_factor() == TRAFFIC_FACTOR_MAX
    floods = [active("message_flood", rate_per_s=6e6)] * 2
    assert declared(*floods).flood_per_s() == FLOOD_MAX_PER_S
    outages = [active("dependency_outage", share=0.1, latency_s=3000.0)] * 2
    assert declared(*outages).latency_s() == LATENCY_MAX_S


def test_a_ramp_promises_its_part():
    """Nothing before its start, a quarter after a quarter, all of it at its end and later."""
    parts = [
        active("task_slowdown", factor=5.0, start_s=2, ramp_s=4, at_s=at_s).strength
        for at_s in (1, 2, 3, 6, 60)
    ]
    assert parts == [0.0, 0.0, 0.25, 1.0, 1.0]
    ramp = active("task_slowdown", factor=5.0, start_s=2, ramp_s=4, at_s=3)
    assert declared(ramp).task_slowness()[0] == 2.0
    assert declared(ramp).strength_of(ALL) == 0.25


@pytest.mark.parametrize("kind", IN_THE_WORLD)
def test_without_a_kind_the_others_stay(kind):
    """Nothing of the kind is left, however many there were; asked twice, it is the same object."""
    others = "task_failure" if kind != "task_failure" else "slow_start"
    other = active(others, **SAMPLES[others])
    mixed = declared(active(kind, **SAMPLES[kind]), other, active(kind, **SAMPLES[kind]))
    without, alone = mixed.without(FAULTS[kind]), declared(other)
    assert without is mixed.without(FAULTS[kind])
    for name in ("start_factor", "task_factor", "inbox_factor", "tasks_kept", "alive_s",
                 "leaked_share", "down_share", "stolen_share", "crash_targets"):  # fmt: skip
        assert np.array_equal(getattr(without, name), getattr(alone, name)), name
    assert without.floods_per_s == alone.floods_per_s


def test_a_sum_is_kept_while_nothing_changes():
    """Another instant of the same faults: the same object. Any difference: added up anew."""
    steady, ramp = (active("task_slowdown", factor=5.0, ramp_s=ramp_s) for ramp_s in (0, 20))
    effect = declared(steady)
    later = steady._replace(plan_ns=99 * 10**9)
    assert effect.at((later,)) is effect
    climbing = declared(ramp)
    for others in (
        (),
        (steady, later),
        (steady._replace(parameters=replace(steady.parameters, factor=4.0)),),
        (steady._replace(targets=FIRST),),
        (steady._replace(start_ns=10**9),),
    ):
        anew = effect.at(others)
        assert anew is not effect
        assert anew.task_slowness().tolist() == declared(*others).task_slowness().tolist()
    other = active("task_slowdown", factor=2.0)
    faster = other._replace(parameters=replace(other.parameters, factor=3.0))
    assert declared(steady, other).at((steady, faster)).task_slowness()[0] == 15.0
    further = ramp._replace(plan_ns=15 * 10**9)
    assert climbing.at((further,)).task_slowness()[0] == pytest.approx(1 + 4 * 0.75)


def test_a_live_change_is_not_answered_from_what_was_kept():
    """The same fault with another number: its effect is expected of the new one from then on."""
    world = world_with("traffic_surge")
    world.advance(5.0)
    old = world._ledger.in_effect["traffic_surge-0"].fault
    world.snapshot()
    world.change(replace(old, parameters=FAULTS["traffic_surge"](factor=4.0)))
    world.advance(9.0)
    world.snapshot()
    assert world._ledger.declared.traffic_factor() == 4.0


def test_measures_write_nothing_into_what_is_kept():
    """One of each kind in the world, read several times: what was declared stays as it was."""
    kinds = [kind for kind in IN_THE_WORLD if kind != "crash_loop"]
    world = make(*(fault(kind, **SAMPLES[kind]) for kind in kinds))
    world.advance(3.0)
    kept = world._ledger.declared
    assert kept is not None
    arrays = {name: np.copy(value) for name, value in vars(kept).items()
              if isinstance(value, np.ndarray)}  # fmt: skip
    for until_s in (3.5, 4.0, 7.5):
        world.advance(until_s)
        world.effects()
        world.snapshot()
    assert world._ledger.declared is kept
    for name, value in arrays.items():
        assert np.array_equal(getattr(kept, name), value), name
