"""Agents die, die again, hang and start slowly, as declared, and no other agent does."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from simulator.kernel import loop as k
from tests.simulator.faults.samples import (
    assert_near,
    between,
    effect,
)
from tests.simulator.worlds import fault, make


@pytest.mark.parametrize("rate", [2.0, 30.0])
def test_agent_crash_ends_running_agents_at_its_rate(rate):
    """Crashes are Poisson of the declared rate, though the dead and the stopped cannot die."""
    world = make(fault("agent_crash", rate_per_s=rate, tiers=("worker",)), rate=150.0)
    before, after = between(world, 1.0, 61.0)
    crashes = after.agents_crashed - before.agents_crashed
    assert_near(crashes, 60 * rate, sqrt(60 * rate))
    assert effect(after, "agent_crash") == crashes
    assert abs(after.agents_started - before.agents_started - crashes) <= 36
    assert after.agents[0, 5] == 0
    assert after.tasks_retried.sum() > 0


def test_crash_loop_crashes_its_targets_again_and_again_and_no_other_agent():
    """Each target dies `alive_s` after each start; backoff, start-up and life make the period."""
    loop = fault("crash_loop", alive_s=0.2, tiers=("worker",), fraction=0.25, duration_s=40.0)
    world = make(loop, rate=150.0)
    before, after = between(world, 11.0, 31.0)
    period_s = 1.0 + 0.045 + 0.2
    starts = after.agents_started - before.agents_started
    assert abs(starts - 9 * 20 / period_s) <= 9
    assert abs(after.agents_crashed - before.agents_crashed - starts) <= 9
    assert effect(after, "crash_loop") == after.agents_crashed
    handled = after.messages_delivered - before.messages_delivered
    assert (handled > 0).all()
    targets = np.flatnonzero(world._state.agent[:, k.LOOPS])
    assert len(targets) == 9
    assert (world._state.agent[targets, k.PLACE] < 0).all()
    world.advance(45.0)
    calm = world.snapshot()
    assert calm.active_agents.tolist() == [4, 36]
    world.advance(60.0)
    assert world.snapshot().agents_crashed == calm.agents_crashed


def test_agent_hang_takes_one_more_task_until_the_watchdog_comes():
    """The targets hang one after the other, hold their task, and are restarted after 2 s."""
    hang = fault("agent_hang", tiers=("worker",), fraction=0.5, duration_s=1.9)
    world = make(hang, rate=150.0, watchdog_s=2.0)
    world.advance(2.85)
    s = world.snapshot()
    assert s.agents[:, 4].tolist() == [0, 18]
    assert effect(s, "agent_hang") == 18
    assert s.agents_crashed == 0
    world.advance(8.0)
    s = world.snapshot()
    assert s.agents_crashed == 18
    assert s.agents[:, 4].sum() == 0
    assert s.tasks_retried.sum() == 18
    assert s.active_agents.tolist() == [4, 36]


def test_slow_start_multiplies_the_time_to_start():
    """Mean of the starts under the fault: factor x 45 ms; of those before it: 45 ms."""
    world = make(fault("slow_start", factor=4.0, start_s=30.0), recycle_per_s=10.0)
    before, after = between(world, 30.0, 60.0)
    for histogram_before, histogram_after, mean_s in (
        (None, before, 0.045),
        (before, after, 4 * 0.045),
    ):
        now = histogram_after.startup_duration
        count, total = now.counts.sum(), now.sum_ns
        if histogram_before is not None:
            count -= histogram_before.startup_duration.counts.sum()
            total -= histogram_before.startup_duration.sum_ns
        assert count > 200
        # Those that began before the onset end at their own pace.
        assert_near(total / count / 1e9, mean_s, mean_s * 0.3 / sqrt(count) + 0.001)
    assert effect(after, "slow_start") == pytest.approx(4 * 0.045, rel=0.05)


def test_restarts_missed_while_all_agents_hang_are_not_made_up_for_at_once():
    """While every worker hangs no agent restarts; afterwards they restart at the usual rate."""
    hang = fault("agent_hang", tiers=("worker",), duration_s=50.0)
    world = make(hang, recycle_per_s=2.0, watchdog_s=55.0)
    world.advance(50.0)
    assert world.snapshot().agents[1, 4] == 36
    before, after = between(world, 60.0, 70.0)
    assert (before.agents[1] == [0, 0, 0, 36, 0, 0]).sum() >= 4
    assert 15 <= after.agents_started - before.agents_started <= 25


def test_an_agent_in_a_loop_is_no_target_of_random_crashes():
    """It dies of the loop already: all random crashes beside it are none to be expected."""
    loop = fault("crash_loop", alive_s=0.2, tiers=("worker",))
    world = make(loop, fault("agent_crash", rate_per_s=100.0, tiers=("worker",)))
    world.advance(31.0)
    both, crash = world.effects()
    assert (both.fault, crash.fault) == ("crash_loop", "agent_crash")
    assert crash.expected == crash.base
    assert both.measured == pytest.approx(both.expected, rel=0.1)


@pytest.mark.parametrize(
    ("backoff_s", "limit_s", "others"),
    [
        (0.2, 5.0, ()),
        (5.0, 0.2, ()),
        (0.2, 0.2, (fault("slow_start", factor=20.0, start_s=0.5),)),
    ],
)
def test_targets_that_die_as_soon_as_they_run_die_once_for_each_backoff_and_start(
    backoff_s, limit_s, others
):
    """A first backoff, not the longest, which is 25 times as long: an agent that runs has none.

    Nor is it longer than the longest, and a start may be a slow one.
    """
    crash = fault("agent_crash", rate_per_s=1000.0, tiers=("worker",))
    world = make(*others, crash, restart_backoff_s=backoff_s, restart_backoff_limit_s=limit_s)
    world.advance(21.0)
    effect = world.effects()[-1]
    assert effect.measured >= effect.expected
    assert effect.measured == pytest.approx(effect.expected, rel=0.2)


def test_no_crash_is_expected_of_a_target_in_a_loop_that_is_stopped():
    """Most of the fleet is: it grows by one agent a second, for those who die."""
    loop = fault("crash_loop", alive_s=0.2, tiers=("worker",))
    world = make(loop, rate=20.0, active_floor=10, scale_up_per_s=1)
    world.advance(6.0)
    (effect,) = world.effects()
    assert (world._state.agent[:, k.STATE] == k.STOPPED).sum() >= 20
    assert effect.measured == pytest.approx(effect.expected, rel=0.35)


def test_targets_that_hang_already_count_for_the_second_fault_as_for_the_first():
    """They cannot be distinguished: whoever hangs is what both of them asked for."""
    first = fault("agent_hang", name="first", tiers=("worker",))
    second = fault("agent_hang", name="second", tiers=("worker",), start_s=5.0)
    world = make(first, second, watchdog_s=30.0)
    world.advance(10.0)
    assert [(each.measured, each.expected) for each in world.effects()] == [(36, 36)] * 2


def test_a_slow_start_of_those_who_never_start_slows_nothing():
    """Workers are recycled, the leads alone would start slowly: nothing is expected of it."""
    world = make(fault("slow_start", factor=4.0, tiers=("lead",)), recycle_per_s=5.0)
    world.advance(11.0)
    (effect,) = world.effects()
    assert effect.base > 0.0
    assert effect.expected == pytest.approx(effect.base)


def test_a_crash_loop_is_expected_to_begin_with_who_runs():
    """Six of 36 workers: the others, which are stopped, have nothing to die of."""
    world = make(fault("crash_loop", alive_s=0.2, tiers=("worker",)), rate=0.0, active_floor=10)
    world.advance(1.0)
    (effect,) = world.effects()
    assert effect.measured == effect.expected == 6


def test_a_crash_loop_begins_with_every_target_wherever_it_stands_in_the_directory():
    """The lead that is first of all, too."""
    world = make(fault("crash_loop", alive_s=0.2, tiers=("lead",), start_s=1.0), rate=0.0)
    world.advance(1.0)
    assert world.snapshot().agents_crashed == 4
    assert (world._state.agent[:4, k.STATE] == k.CRASH).all()


def test_random_crashes_are_of_the_targets_and_expected_of_those_that_are_not_stopped():
    """Five a second over a quarter of the fleet; far more than a fleet that grows slowly has."""
    world = make(fault("agent_crash", rate_per_s=5.0, fraction=0.25))
    world.advance(1.0)
    below = world._state.agent[:, k.CRASHES_BELOW]
    assert (below > 0).sum() == 10
    assert below.sum() / 2**31 == pytest.approx(0.5)
    crash = fault("agent_crash", rate_per_s=1000.0, tiers=("worker",))
    world = make(crash, rate=20.0, active_floor=10, scale_up_per_s=1)
    world.advance(6.0)
    (effect,) = world.effects()
    assert (world._state.agent[:, k.STATE] == k.STOPPED).sum() >= 20
    assert effect.measured == pytest.approx(effect.expected, rel=0.35)
