"""The load: Poisson, shaped by stages, days and bursts; a recorded one is kept exactly."""

from __future__ import annotations

from math import cos, pi, sqrt

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.topology import PRIORITIES, Priority
from simulator.world import World
from tests.simulator.worlds import fault, small, station


def counts(world, window_ns, windows):
    """Return how many tasks arrived in each of so many windows."""
    totals = [0]
    for _ in range(windows):
        world.advance_ns(world.now_ns + window_ns)
        totals.append(int(world._state.priority[:, k.ARRIVED].sum()))
    return np.diff(totals)


def under(load, *faults, seed=3, topology=None):
    """Return a world of many quick servers under `load`."""
    return World(topology or station(100), Plan(load=load, faults=faults), seed)


def poisson(count, mean):
    """Assert that a Poisson count agrees with its mean, at four standard errors."""
    assert abs(count - mean) <= 4 * sqrt(mean), f"{count} is not Poisson of mean {mean}"


def dispersion(found):
    """Return variance over mean: 1 for Poisson, with standard error sqrt(2 / (n - 1))."""
    return found.var(ddof=1) / found.mean()


@pytest.mark.parametrize("rate", [37.0, 1000.0, 10_300.0])
def test_arrivals_are_poisson(rate):
    """Counts in equal windows: right mean, variance = mean, no memory from window to window."""
    windows = 8000
    found = counts(under(Load(rate=rate), topology=station(300)), round(5e9 / rate), windows)
    poisson(found.sum(), 5.0 * windows)
    assert abs(dispersion(found) - 1) < 4 * sqrt(2 / (windows - 1))
    centred = found - found.mean()
    memory = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
    assert abs(memory) < 4 / sqrt(windows)


def test_each_priority_and_class_gets_its_share():
    """The mix of 100,000 arrivals is multinomial, at four standard errors each."""
    shares = (0.05, 0.20, 0.50, 0.25)
    world = under(Load(rate=10_000.0), topology=station(200, shares=shares))
    world.advance(10.0)
    arrived = world.snapshot().tasks_arrived
    total = arrived.sum()
    for share, found in zip(shares, arrived, strict=True):
        assert abs(found - share * total) < 4 * sqrt(total * share * (1 - share))


def test_stages_ramp_and_hold_as_in_k6():
    """A ramp brings the mean of its ends, also over a broken second; a jump takes no time."""
    load = Load(
        rate=1000.0,
        stages=(
            Stage(duration_s=10, target=3000),
            Stage(duration_s=5, target=3000),
            Stage(duration_s=0, target=500),
            Stage(duration_s=4, target=500),
            Stage(duration_s=7.5, target=0),
            Stage(duration_s=10, target=0),
        ),
    )
    world = under(load)
    found = counts(world, 500_000_000, 80)
    for begins, ends, mean in (
        (0, 10, 20_000), (10, 15, 15_000), (15, 19, 2000), (19, 26.5, 1875),
    ):  # fmt: skip
        poisson(found[int(2 * begins) : int(2 * ends)].sum(), mean)
    assert found[53:].sum() == 0
    assert world.snapshot().arrival_rate == 0.0


def test_a_load_that_stopped_goes_on():
    """From 0 tasks a second back to many: the pending gap was kept."""
    load = Load(rate=0.0, stages=(Stage(duration_s=5, target=0), Stage(duration_s=0, target=800)))
    found = counts(under(load), 5_000_000_000, 3)
    assert found[0] == 0
    for count in found[1:]:
        poisson(count, 4000)


def test_a_day_has_its_curve():
    """24 hours, hour by hour: chi-square against the cosine, and least half a day from the peak."""
    day = Daily(amplitude=0.8, peak_s=14 * 3600.0)
    found = counts(under(Load(rate=2.0, daily=day), topology=station(2)), 3600 * 10**9, 24)
    middle = np.arange(24) + 0.5
    smooth = np.sin(pi / 24) / (pi / 24)
    mean = 7200 * (1 + 0.8 * smooth * np.array([cos(2 * pi * (h - 14) / 24) for h in middle]))
    chi_square = ((found - mean) ** 2 / mean).sum()
    assert abs(chi_square - 24) < 4 * sqrt(48)
    assert found[[13, 14]].mean() > 8 * found[[1, 2]].mean()


def test_bursts_come_and_go():
    """Two rates and no other, each for its share of the time, and more than Poisson's spread."""
    load = Load(rate=500.0, burst=Burst(factor=3.0, every_s=0.6, last_s=0.4))
    world = under(load)
    high, passed = [], 60_000
    totals = []
    for _ in range(passed):
        world.advance_ns(world.now_ns + 10_000_000)
        rate = float(world._state.real_head[k.RATE]) * 1e9
        assert rate in (pytest.approx(500.0), pytest.approx(1500.0))
        high.append(rate > 1000)
        totals.append(int(world._state.priority[:, k.ARRIVED].sum()))
    on, off = 1 / 0.4, 1 / 0.6
    error = sqrt(2 * on * off / (on + off) ** 3 / (passed / 100))
    assert abs(np.mean(high) - 0.4) < 4 * error
    mean = 500.0 * (1 + 2 * np.mean(high)) * passed / 100
    assert abs(totals[-1] - mean) < 5 * sqrt(mean)
    assert dispersion(np.diff(totals[::20])) > 5


@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_trace_is_kept_to_the_nanosecond(seed):
    """Arrival n has come at its recorded instant, and not one nanosecond earlier."""
    chance = np.random.default_rng(seed)
    trace = np.round(np.sort(chance.uniform(0, 20, 1500)), int(chance.integers(3, 10)))
    world = under(Load(trace_s=tuple(trace.tolist())))
    instants, first = np.unique(np.rint(trace * 1e9).astype(np.int64), return_counts=True)
    total = 0
    for instant, count in zip(instants.tolist(), first.tolist(), strict=True):
        if instant > 0:
            world.advance_ns(instant - 1)
            assert world._state.priority[:, k.ARRIVED].sum() == total
        world.advance_ns(instant)
        total += count
        assert world._state.priority[:, k.ARRIVED].sum() == total
    world.advance(30.0)
    assert world.snapshot().tasks_arrived.sum() == len(trace)


def test_a_recorded_trace_feels_a_surge_and_then_runs_on():
    """Twice as fast while the surge lasts, at its own pace before and after."""
    trace = tuple(np.arange(1, 1001) / 100.0)
    surge = fault("traffic_surge", factor=2.0, start_s=2.0, duration_s=1.0)
    found = counts(under(Load(trace_s=trace), surge), 10**9, 10)
    assert found.tolist() == [100, 100, 200, 100, 100, 100, 100, 100, 100, 0]


@pytest.mark.parametrize("limit", [100.0, 333.0])
def test_the_rate_limit_admits_its_rate_and_its_burst_and_no_more(limit):
    """A token bucket: at most burst + rate x time pass, and under pressure exactly that many."""
    topology = small(rate_limit_per_s=limit, rate_limit_burst=50)
    world = World(topology, Plan(load=Load(rate=900.0)), 1)
    for second in range(1, 21):
        world.advance(second)
        s = world.snapshot()
        admitted = s.tasks_arrived.sum() - s.http_requests[1]
        assert admitted <= 50 + limit * second + 1e-6
        assert admitted >= 50 + limit * second - 3


def test_backpressure_sheds_low_first_then_normal_and_never_the_others():
    """Level by level under a load no fleet could bear; high and critical queue in peace."""
    wide = tuple(
        Priority(name=name, share=share, queue_limit=limit, wait_limit_s=600.0)
        for name, share, limit in zip(
            PRIORITIES, (0.01, 0.01, 0.49, 0.49), (1000, 1000, 2000, 2000), strict=True
        )
    )
    world = World(small(priorities=wide), Plan(load=Load(rate=2500.0)), 4)
    levels, before = [], world.snapshot()
    for step in range(1, 400):
        world.advance(step / 20)
        after = world.snapshot()
        refused = after.tasks_rejected - before.tasks_rejected
        if before.backpressure_level < 2 and after.backpressure_level < 2:
            assert refused.sum() == 0
        if before.backpressure_level < 3 and after.backpressure_level < 3:
            assert refused[:3].sum() == 0
        levels.append(after.backpressure_level)
        before = after
    assert before.tasks_rejected[:2].sum() == 0
    assert (before.tasks_rejected[2:] > 0).all()
    assert set(levels) >= {0, 1, 2, 3}
