"""The load: Poisson, shaped by stages, days and bursts; a recorded trace is kept exactly."""

from __future__ import annotations

from dataclasses import replace
from math import cos, inf, nan, pi, sqrt

import numpy as np
import pytest

from simulator.arrivals import recorded_per_s, trace_gaps
from simulator.bounds import BoundError
from simulator.kernel import loop as k
from simulator.load import RATE_MAX_PER_S, Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.world import World
from tests.simulator.worlds import fault, station


def count_arrivals(world, window_ns, windows):
    """Return how many tasks arrived in each of `windows` windows."""
    totals = [0]
    for _ in range(windows):
        world.advance_ns(world.now_ns + window_ns)
        totals.append(int(world._state.priority[:, k.ARRIVED].sum()))
    return np.diff(totals)


def world_under(load, *faults, seed=3, topology=None):
    """Return a world of many quick servers under `load`."""
    return World(topology or station(100), Plan(load=load, faults=faults), seed)


def assert_poisson(count, mean):
    """Assert that a Poisson count agrees with its mean, at four standard errors."""
    assert abs(count - mean) <= 4 * sqrt(mean), f"{count} is not Poisson of mean {mean}"


def dispersion(arrivals):
    """Return variance over mean: 1 for Poisson, with standard error sqrt(2 / (n - 1))."""
    return arrivals.var(ddof=1) / arrivals.mean()


@pytest.mark.parametrize("rate", [37.0, 1000.0, 10_300.0])
def test_arrivals_are_poisson(rate):
    """Counts in equal windows: right mean, variance = mean, no memory from window to window."""
    windows = 8000
    arrivals = count_arrivals(
        world_under(Load(rate=rate), topology=station(300)), round(5e9 / rate), windows
    )
    assert_poisson(arrivals.sum(), 5.0 * windows)
    assert abs(dispersion(arrivals) - 1) < 4 * sqrt(2 / (windows - 1))
    centred = arrivals - arrivals.mean()
    memory = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
    assert abs(memory) < 4 / sqrt(windows)


def test_each_priority_and_class_gets_its_share():
    """The mix of 100,000 arrivals is multinomial, at four standard errors each."""
    shares = (0.05, 0.20, 0.50, 0.25)
    world = world_under(Load(rate=10_000.0), topology=station(200, shares=shares))
    world.advance(10.0)
    arrived = world.snapshot().tasks_arrived
    total = arrived.sum()
    for share, arrivals in zip(shares, arrived, strict=True):
        assert abs(arrivals - share * total) < 4 * sqrt(total * share * (1 - share))


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
    world = world_under(load)
    arrivals = count_arrivals(world, 500_000_000, 80)
    for begins, ends, mean in (
        (0, 10, 20_000), (10, 15, 15_000), (15, 19, 2000), (19, 26.5, 1875),
    ):  # fmt: skip
        assert_poisson(arrivals[int(2 * begins) : int(2 * ends)].sum(), mean)
    assert arrivals[53:].sum() == 0
    assert world.snapshot().arrival_rate == 0.0


def test_a_load_that_stopped_starts_again():
    """From 0 tasks a second back to many: the pending gap was kept."""
    load = Load(rate=0.0, stages=(Stage(duration_s=5, target=0), Stage(duration_s=0, target=800)))
    arrivals = count_arrivals(world_under(load), 5_000_000_000, 3)
    assert arrivals[0] == 0
    for count in arrivals[1:]:
        assert_poisson(count, 4000)


def test_a_gap_that_would_take_an_age_is_kept_as_one_without_an_end():
    """A task in millions of years, or none: the same gap is left for the rate that follows."""
    stages = (Stage(duration_s=5, target=0), Stage(duration_s=0, target=800))
    instants = []
    for rate in (0.0, 1e-14):
        world = world_under(Load(rate=rate, stages=(replace(stages[0], target=rate), stages[1])))
        world.advance(5.0)
        instants.append(world._state.head[k.NEXT_ARRIVAL])
    assert instants[0] == instants[1] < 6 * 10**9


def test_the_part_of_a_gap_that_is_left_when_a_load_stops_is_waited_for_when_it_is_back():
    """Between two arrivals for five seconds: the next one comes as long after the pause."""
    stages = (
        Stage(duration_s=5, target=100), Stage(duration_s=0, target=0),
        Stage(duration_s=5, target=0), Stage(duration_s=0, target=100),
    )  # fmt: skip
    world = world_under(Load(rate=100.0, stages=stages))
    world.advance_ns(5 * 10**9 - 1)
    left_ns = world._state.head[k.NEXT_ARRIVAL] - 5 * 10**9
    world.advance(10.0)
    assert world._state.head[k.NEXT_ARRIVAL] - 10 * 10**9 == pytest.approx(left_ns, abs=2)


def test_a_daily_curve_is_followed():
    """24 hours, hour by hour: chi-square against the cosine, and least half a day from the peak."""
    day = Daily(amplitude=0.8, peak_s=14 * 3600.0)
    arrivals = count_arrivals(
        world_under(Load(rate=2.0, daily=day), topology=station(2)), 3600 * 10**9, 24
    )
    middle = np.arange(24) + 0.5
    smooth = np.sin(pi / 24) / (pi / 24)
    mean = 7200 * (1 + 0.8 * smooth * np.array([cos(2 * pi * (h - 14) / 24) for h in middle]))
    chi_square = ((arrivals - mean) ** 2 / mean).sum()
    assert abs(chi_square - 24) < 4 * sqrt(48)
    assert arrivals[[13, 14]].mean() > 8 * arrivals[[1, 2]].mean()


def test_bursts_come_and_go():
    """Two rates and no other, each for its share of the time, and more than Poisson's spread."""
    load = Load(rate=500.0, burst=Burst(factor=3.0, every_s=0.6, last_s=0.4))
    world = world_under(load)
    high, passed = [], 25_000
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
    rng = np.random.default_rng(seed)
    trace = np.round(np.sort(rng.uniform(0, 20, 1500)), int(rng.integers(3, 10)))
    world = world_under(Load(trace_s=tuple(trace.tolist())))
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


def test_the_instants_of_a_recorded_trace_are_rounded_and_not_its_gaps():
    """Three thousand a second have come after a second, for all the thirds of a nanosecond."""
    gaps = trace_gaps(Load(trace_s=tuple(n / 3000 for n in range(1, 3001))))
    assert gaps.sum() == 10**9


def test_a_surge_speeds_a_recorded_trace_up_while_it_lasts():
    """Twice as fast while the surge lasts, at its own speed before and after."""
    trace = tuple(np.arange(1, 1001) / 100.0)
    surge = fault("traffic_surge", factor=2.0, start_s=2.0, duration_s=1.0)
    arrivals = count_arrivals(world_under(Load(trace_s=trace), surge), 10**9, 10)
    assert arrivals.tolist() == [100, 100, 200, 100, 100, 100, 100, 100, 100, 0]


def test_the_rate_of_a_recorded_trace_is_that_of_its_arrivals_around_now():
    """Sped up by a surge; none after the last, the most there is where all come at once."""
    trace = tuple(np.concatenate((np.arange(1, 401) / 100.0, 4.0 + np.arange(1, 1001) / 500.0)))
    surge = fault("traffic_surge", factor=2.0, start_s=1.0, duration_s=1.0)
    world, rates = world_under(Load(trace_s=trace), surge), []
    for at_s in (0.0, 0.5, 1.5, 2.4, 3.5, 5.1):
        world.advance(at_s)
        rates.append(world.snapshot().arrival_rate)
    assert rates == pytest.approx([100.0, 100.0, 200.0, 100.0, 500.0, 0.0], rel=0.03)
    at_once = Load(trace_s=(0.0, 0.0))
    for faults in ((), (replace(surge, start_s=0.0),), (fault("traffic_drop", share=0.5),)):
        assert world_under(at_once, *faults).snapshot().arrival_rate == RATE_MAX_PER_S


def test_the_rate_of_a_recorded_trace_is_the_mean_over_fifty_arrivals_to_either_side():
    """A hundred at one a second, a hundred at two: near the change neither of the two."""
    trace = (*(float(n) for n in range(1, 101)), *(100.0 + n / 2 for n in range(1, 101)))
    rates = [recorded_per_s(trace, arrived) for arrived in (49, 75, 100, 125, 151)]
    assert rates == pytest.approx([1.0, 101 / 88, 101 / 75.5, 101 / 63, 2.0], rel=1e-9)


@pytest.mark.parametrize("arrived", [0, 3, 50, 60, 150, 199])
def test_the_rate_of_a_recorded_trace_counts_each_of_its_arrivals_once(arrived):
    """One a second is one a second: at the beginning, in the middle and at the end."""
    trace = tuple(float(second) for second in range(1, 201))
    assert recorded_per_s(trace, arrived) == 1.0


@pytest.mark.parametrize(
    ("make", "owner", "field"),
    [
        (lambda: Stage(duration_s=-1, target=1), "stage", "duration_s"),
        (lambda: Stage(duration_s=inf, target=1), "stage", "duration_s"),
        (lambda: Stage(duration_s=1, target=-1), "stage", "target"),
        (lambda: Stage(duration_s=1, target=2.1e6), "stage", "target"),
        (lambda: Burst(factor=101, every_s=1, last_s=1), "burst", "factor"),
        (lambda: Burst(factor=2, every_s=0, last_s=1), "burst", "every_s"),
        (lambda: Burst(factor=2, every_s=1, last_s=nan), "burst", "last_s"),
        (lambda: Daily(amplitude=1.1), "daily", "amplitude"),
        (lambda: Daily(amplitude=1, peak_s=inf), "daily", "peak_s"),
        (lambda: Load(rate=-1), "load", "rate"),
        (lambda: Load(rate=nan), "load", "rate"),
        (lambda: Load(trace_s=(1.0, 0.5)), "load", "trace_s"),
        (lambda: Load(trace_s=(0.0, 1.0, 4e8)), "load", "trace_s"),
        (lambda: Load(trace_s=(-1.0, 1.0)), "load", "trace_s"),
        (lambda: Load(trace_s=(-0.1, 0.5)), "load", "trace_s"),
    ],
)
def test_a_load_that_cannot_be_is_refused_by_field(make, owner, field):
    """The refusal names the part of the load and the field, so that a file's key can be found."""
    with pytest.raises(BoundError) as raised:
        make()
    assert (raised.value.owner, raised.value.field) == (owner, field)
