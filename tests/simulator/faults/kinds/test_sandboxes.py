"""Sandbox slots leak and go down, as declared, and come back."""

from __future__ import annotations

from dataclasses import replace

from tests.simulator.faults.samples import (
    between,
    effect,
)
from tests.simulator.worlds import fault, make


def test_sandbox_leak_loses_slots_one_execution_at_a_time():
    """Half of pool A's slots are lost as executions end; B and C lose none; all come back."""
    world = make(fault("sandbox_leak", share=0.5, sandboxes=("A",), duration_s=10.0))
    before, after = between(world, 1.0, 8.0)
    assert before.sandbox_leaked.sum() == 0
    assert after.sandbox_leaked.tolist() == [4, 0, 0]
    assert effect(after, "sandbox_leak") == 4
    assert after.sandbox_in_use[0] <= 4
    world.advance(11.0)
    assert world.snapshot().sandbox_leaked.sum() == 0


def test_sandbox_crash_takes_slots_and_the_executions_in_them():
    """All of B goes down at once: what ran there goes back for another try."""
    world = make(fault("sandbox_crash", share=1.0, sandboxes=("B",), duration_s=3.0))
    world.advance_ns(10**9 - 1)
    before = world.snapshot()
    world.advance(1.0)
    after = world.snapshot()
    lost = after.tasks_retried.sum() - before.tasks_retried.sum()
    assert after.sandbox_down.tolist() == [0, 8, 0]
    assert effect(after, "sandbox_crash") == 8
    assert 0 < lost == before.sandbox_in_use[1]
    assert (after.tasks_processed == before.tasks_processed).all()
    world.advance(3.9)
    assert world.snapshot().sandbox_executions[1] == after.sandbox_executions[1]
    world.advance(4.1)
    assert world.snapshot().sandbox_down.sum() == 0
    assert world.snapshot().sandbox_in_use[1] > 0


def test_of_a_pool_that_leaked_what_is_left_can_go_down():
    """Half of its slots have leaked: a crash of three quarters takes the other half."""
    leak = fault("sandbox_leak", share=0.5, sandboxes=("A",), duration_s=30.0)
    crash = fault("sandbox_crash", share=0.75, sandboxes=("A",), start_s=9.0, duration_s=5.0)
    world = make(leak, crash)
    world.advance(10.0)
    after = world.snapshot()
    assert (after.sandbox_leaked[0], after.sandbox_down[0]) == (4, 4)
    (effect_of_crash,) = (each for each in world.effects() if each.fault == "sandbox_crash")
    assert (effect_of_crash.measured, effect_of_crash.expected) == (4, 4)


def test_slots_that_leak_are_none_that_go_down_and_both_are_expected_so():
    """Seven tenths of eight slots twice: what the one has taken the other cannot."""
    leak, crash = (fault(f"sandbox_{kind}", share=0.7) for kind in ("leak", "crash"))
    for faults in ((leak, crash), (crash, leak), (replace(leak, start_s=0.0), crash)):
        world = make(*faults)
        world.advance(9.0)
        effects = world.effects()
        assert sum(effect.measured for effect in effects) == 3 * 8
        assert [effect.expected for effect in effects] == [effect.measured for effect in effects]
