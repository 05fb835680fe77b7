"""The pacer with a clock that jumps: in time or behind, and it reports which."""

from __future__ import annotations

import asyncio

import pytest

from simulator.pacer import STEP_LIMIT_S, WINDOW_S, Pacer, SystemClock
from tests.fakes import MockClock


class SlowWorld:
    """A world in which a virtual second costs `cost_s` of the clock's time to simulate."""

    def __init__(self, clock, cost_s=0.0, now_s=60.0):
        """Begin after a minute of warm-up."""
        self.clock, self.cost_s, self.now_s, self.targets_s = clock, cost_s, now_s, []

    def advance(self, until_s):
        """Let the cost pass on the clock, then be at `until_s`."""
        assert until_s > self.now_s
        self.targets_s.append(until_s)
        self.clock.spend((until_s - self.now_s) * self.cost_s)
        self.now_s = until_s


def make(cost_s=0.0, **options):
    """Return a clock, a world on it and its pacer."""
    clock = MockClock()
    world = SlowWorld(clock, cost_s)
    return clock, world, Pacer(world, clock, **options)


async def test_a_fast_world_keeps_real_time_tick_by_tick():
    """After ten seconds of the clock ten virtual seconds have passed, in even steps."""
    clock, world, pacer = make(cost_s=0.004, tick_s=0.05)
    await pacer.run(until_s=70.0)
    assert clock.now_s - 1000.0 == pytest.approx(10.0, abs=0.06)
    steps = [b - a for a, b in zip(world.targets_s, world.targets_s[1:], strict=False)][:-1]
    assert steps == pytest.approx([0.05] * len(steps), abs=1e-6)
    pace = pacer.pace()
    assert pace.times_real_time == pytest.approx(250.0)
    assert pace.late_ticks == 0
    assert pace.ticks == len(world.targets_s)


async def test_a_world_that_cannot_keep_up_reports_how_far_behind_it_is():
    """At half of real time the drift grows by half a second a second; nothing is skipped."""
    clock, world, pacer = make(cost_s=2.0)
    await pacer.run(until_s=65.0)
    assert world.now_s == 65.0
    assert clock.now_s - 1000.0 == pytest.approx(10.0, abs=0.3)
    pace = pacer.pace()
    assert pace.drift_s == pytest.approx(5.0, abs=0.3)
    assert pace.times_real_time == pytest.approx(0.5)
    assert pace.late_ticks > 40
    assert pace.elapsed_s == clock.now_s - 1000.0
    assert pace.computing_s == pytest.approx(10.0)
    assert 0 in clock.slept


@pytest.mark.parametrize(("cost_s", "late"), [(0.8, 0), (1.4, 1)])
def test_a_tick_is_late_when_the_world_is_more_than_a_tick_behind_after_it(cost_s, late):
    """Forty milliseconds behind are on time, seventy are not."""
    clock, _, pacer = make(cost_s=cost_s)
    clock.spend(0.05)
    pacer.step()
    assert pacer.pace().late_ticks == late


async def test_a_world_that_is_behind_does_not_wait_and_then_ticks_from_there():
    """A quarter of a second behind: two further steps at once, then what is left of a tick."""
    clock, _, pacer = make(cost_s=0.2)
    clock.spend(0.25)
    await pacer.run(until_s=60.35)
    assert clock.slept[:3] == pytest.approx([0.0, 0.0, 0.032])


def test_how_fast_a_world_is_is_that_of_the_last_minute():
    """Also of steps that somebody else asks for: twice real time at first, four times by now."""
    clock, world, pacer = make(cost_s=0.5)
    begun_s = clock.now_s
    for until_s in (clock.now_s + WINDOW_S + 5.0, clock.now_s + 3 * WINDOW_S + 10.0):
        while clock.now_s < until_s:
            clock.spend(0.1)
            pacer.step()
        world.cost_s = 0.25
    pace = pacer.pace()
    assert pace.times_real_time == pytest.approx(4.0)
    assert pace.elapsed_s == clock.now_s - begun_s > 3 * WINDOW_S
    assert pace.ticks == len(world.targets_s)


async def test_other_tasks_run_while_the_world_catches_up():
    """A minute behind is caught up in steps, and the event loop is never held for long."""
    clock, world, pacer = make(cost_s=0.01)
    clock.spend(60.0)
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await pacer.run(until_s=120.0)
    counting.cancel()
    assert turns >= 60.0 / STEP_LIMIT_S
    assert max(b - a for a, b in zip(world.targets_s, world.targets_s[1:], strict=False)) < 0.11


def test_a_step_advances_to_the_instant_and_not_beyond():
    """Asked twice at one instant it advances once; `until_s` is not passed."""
    clock, world, pacer = make()
    clock.spend(0.01)
    pacer.step()
    pacer.step()
    assert world.targets_s == [pytest.approx(60.01)]
    clock.spend(0.05)
    pacer.step(until_s=60.03)
    assert world.now_s == 60.03


async def test_a_late_event_loop_is_measured():
    """Every sleep ends 30 ms late: that is the lag, and its maximum."""
    clock, _, pacer = make()
    clock.oversleeps_s = 0.03
    await pacer.run(until_s=61.0)
    clock.oversleeps_s = 0.0
    await pacer.run(until_s=62.0)
    pace = pacer.pace()
    assert pace.loop_lag_s == pytest.approx(0.0, abs=1e-9)
    assert pace.loop_lag_max_s == pytest.approx(0.03)


async def test_no_sleep_is_shorter_than_none():
    """Late by most of a tick, with some computing after it: the next tick is due at once."""
    clock, _, pacer = make(cost_s=0.2)
    clock.oversleeps_s = 0.04
    await pacer.run(until_s=61.0)
    assert min(clock.slept) == 0.0


async def test_the_maximum_of_the_lag_is_forgotten_after_a_minute():
    """An old delay must not be shown as a present one."""
    clock, world, pacer = make()
    clock.oversleeps_s = 0.5
    await pacer.run(until_s=61.0)
    clock.oversleeps_s = 0.0
    await pacer.run(until_s=world.now_s + 2 * WINDOW_S + 1.0)
    assert pacer.pace().loop_lag_max_s < 0.01


@pytest.mark.parametrize("windows", [0.1, 1.1, 2.1, 3.5])
async def test_the_maximum_of_the_lag_is_shown_for_half_a_minute_at_least(windows):
    """Whenever the delay came: a reader may come by only every so often."""
    clock, world, pacer = make()
    await pacer.run(until_s=world.now_s + windows * WINDOW_S)
    clock.oversleeps_s = 0.5
    await pacer.run(until_s=world.now_s + 0.4)
    clock.oversleeps_s = 0.0
    await pacer.run(until_s=world.now_s + WINDOW_S - 2.0)
    assert pacer.pace().loop_lag_max_s == pytest.approx(0.5)


async def test_the_callback_follows_every_step():
    """There the exporter notices restarts."""
    times_s = []
    clock = MockClock()
    world = SlowWorld(clock)
    pacer = Pacer(world, clock, on_tick=lambda: times_s.append(world.now_s))
    await pacer.run(until_s=60.5)
    assert times_s == world.targets_s


def test_a_tick_must_be_positive():
    """With a tick of 0 the loop would never sleep."""
    clock = MockClock()
    with pytest.raises(ValueError, match="tick_s must be above 0, got 0"):
        Pacer(SlowWorld(clock), clock, tick_s=0)


async def test_the_system_clock_runs():
    """The only test of this file that waits."""
    clock = SystemClock()
    before_s = clock.monotonic()
    await clock.sleep(0.01)
    assert 0.005 < clock.monotonic() - before_s < 5
