"""Windows at their edges, to the last digit: what is extended, read before them, or counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from verifier.engines.causes.over_time import OVER_TIME, WindowSamples
from verifier.engines.causes.traits import PROMETHEUS_2, PROMETHEUS_3, VICTORIA_METRICS, Trait
from verifier.engines.causes.windows import (
    AskedRange,
    SeriesSamples,
    WindowView,
    instant_values,
    margin_ms,
    range_values,
)

ASKED = AskedRange(0, 3_600_000, 30_000)


def samples(*pairs):
    """Return samples of (second, value)."""
    times, values = zip(*pairs, strict=True)
    at_ms = np.round(np.array(times) * 1000).astype(np.int64)
    return SeriesSamples(at_ms, np.array(values, float), np.empty(0, np.int64))


def every(step_s, *values, first_s=0):
    """Return samples at even distances."""
    return samples(*((first_s + step_s * number, value) for number, value in enumerate(values)))


def at(function, series, seconds, traits, *, window_s=60, argument=math.nan):
    """Return the value of a function at one second, None where there is none."""
    view = WindowView(round(window_s * 1000), ASKED, frozenset(traits), argument)
    value = range_values(function, series, np.array([round(seconds * 1000)]), view)[0]
    return None if np.isnan(value) else pytest.approx(float(value), rel=1e-12)


GROWS = every(15, 12, 22, 32, 42, first_s=15)
FROM_TEN = every(15, 10, 20, 30, 40, first_s=15)
FROM_TWO = every(15, 2, 12, 22, 32, first_s=15)
GAUGE = every(15, 1000, 1010, 1020, first_s=15)


@pytest.mark.parametrize(
    ("function", "series", "when", "traits", "value"),
    [
        ("increase", FROM_TEN, (67, 60), PROMETHEUS_2, 30 * (1 + (8 + 7) / 45)),
        ("rate", FROM_TEN, (67, 60), PROMETHEUS_2, 30 * (1 + (8 + 7) / 45) / 60),
        ("increase", FROM_TWO, (67, 60), PROMETHEUS_2, 30 * (1 + (3 + 7) / 45)),  # not below 0
        ("delta", FROM_TWO, (67, 60), PROMETHEUS_2, 30 * (1 + (8 + 7) / 45)),
        ("increase", FROM_TEN, (67, 120), PROMETHEUS_2, 30 * (1 + (15 + 7) / 45)),
        ("increase", FROM_TEN, (67, 120), PROMETHEUS_3, 30 * (1 + (7.5 + 7) / 45)),
        ("increase", GROWS, (67, 120), PROMETHEUS_2, 30 * (1 + (7.5 + 7) / 45)),
        ("increase", FROM_TWO, (67, 120), PROMETHEUS_3, 30 * (1 + (3 + 7) / 45)),
        ("delta", GAUGE, (58.5, 60), PROMETHEUS_2, 20 * (1 + (7.5 + 13.5) / 30)),  # just too far
        ("delta", GAUGE, (58.4, 60), PROMETHEUS_2, 20 * (1 + (7.5 + 13.4) / 30)),
        ("delta", GAUGE, (58.6, 60), PROMETHEUS_2, 20 * (1 + (16.4 + 13.6) / 30)),
        ("delta", GAUGE, (61.5, 60), PROMETHEUS_2, 20 * (1 + (13.5 + 7.5) / 30)),
        ("delta", GAUGE, (61.4, 60), PROMETHEUS_2, 20 * (1 + (13.6 + 16.4) / 30)),
        ("delta", GAUGE, (16, 60), PROMETHEUS_2, None),
        ("rate", every(15, -10, 20, first_s=15), (31, 20), PROMETHEUS_2, 30 * (1 + 5 / 15) / 20),
        ("increase", FROM_TEN, (67, 60), {Trait.UNEXTENDED}, 30.0),
        ("rate", FROM_TEN, (67, 60), {Trait.UNEXTENDED}, 30 / 45),
        ("irate", FROM_TEN, (67, 60), PROMETHEUS_2, 10 / 15),
        ("irate", FROM_TEN, (16, 60), PROMETHEUS_2, None),
        ("irate", every(15, 30, 40, 4), (30, 60), PROMETHEUS_2, 4 / 15),  # after a restart
        ("increase", every(15, 30, 40, 4), (30, 60), {Trait.UNEXTENDED}, 14.0),
    ],
)  # fmt: skip
def test_a_change_is_extended_to_the_ends_of_its_window(
    function, series, when, traits, value
):  # fmt: skip
    """By half an interval where the end is further than one and a tenth; a counter to its 0."""
    assert at(function, series, when[0], traits, window_s=when[1]) == value


@pytest.mark.parametrize(
    ("interval_s", "margin_s"),
    [(1, 5), (2, 10), (3, 9), (4, 12), (5, 10), (8, 16), (9, 13.5), (16, 24), (17, 21.25),
     (32, 40), (33, 37.125), (60, 67.5)],
)  # fmt: skip
def test_the_sample_before_a_window_is_looked_for_by_the_scrape_interval(interval_s, margin_s):
    """The shorter it is, by the more intervals."""
    assert margin_ms(every(interval_s, *range(30)), ASKED, 60_000) == margin_s * 1000


def test_the_scrape_interval_is_that_of_what_is_read_first():
    """Twenty intervals from five minutes before the window on; most of them count."""
    series = samples(*((15 * n, 0) for n in range(20)), *((285 + 60 * n, 0) for n in range(1, 30)))
    assert margin_ms(series, ASKED, 60_000) == 22_500
    later = AskedRange(660_000, 3_600_000, 30_000)
    assert margin_ms(series, later, 60_000) == 67_500  # from second 300 on
    assert margin_ms(series, AskedRange(630_000, 3_600_000, 30_000), 30_000) == 67_500
    assert margin_ms(series, AskedRange(600_000, 600_000, 30_000), 60_000) == 30_000  # an instant
    assert margin_ms(samples((7000, 1)), ASKED, 60_000) == 37_500  # by the step
    few = samples((0, 1), (10, 1), (20, 1), (60, 1), (100, 1), (140, 1))
    assert margin_ms(few, ASKED, 60_000) == 45_000  # 40 s: three fifths of the way up
    assert margin_ms(few, AskedRange(0, 60_000, 30_000), 60_000) == 24_000  # 16 s


BEFORE = samples(*((15 * n, 10 * n) for n in range(5)), (600, 43), (615, 50))
"""Up to 40 at second 60, then nothing until second 600."""
VM = VICTORIA_METRICS


@pytest.mark.parametrize(
    ("function", "seconds", "window_s", "value"),
    [
        ("increase", 60, 30, 20.0),  # from second 30, which is just outside
        ("rate", 60, 30, 20 / 30),
        ("delta", 60, 30, 20.0),
        ("increase", 65, 10, 10.0),
        ("rate", 65, 10, 10 / 15),
        ("irate", 65, 10, 10 / 15),
        ("rate", 0, 60, None),
        ("irate", 0, 60, None),
        *[(name, 112.4, 30, 0.0) for name in ("rate", "increase", "delta", "changes", "resets")],
        *[(name, 112.5, 30, None) for name in ("rate", "increase", "delta", "changes", "resets")],
        ("irate", 112.4, 30, None),
        ("increase", 605, 10, 3.0),  # against the last that was there
        ("delta", 605, 10, 3.0),
        ("rate", 605, 10, None),
        ("rate", 616, 20, 7 / 15),
        ("increase", 616, 20, 10.0),
        ("increase", 700, 10, None),  # nothing is read after it
    ],
)
def test_victoria_metrics_reads_the_sample_before_a_window(function, seconds, window_s, value):
    """Up to a margin, and what it has none of in a window is then 0."""
    assert at(function, BEFORE, seconds, VM, window_s=window_s) == value


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ([7], 7), ([9.9], 9.9), ([10], 0), ([-9.9], -9.9), ([19, 20], 20), ([20, 21], 1),
        ([19, 18], 19), ([0, 5], 5),
    ],
)  # fmt: skip
def test_a_small_first_value_was_counted_from_zero(values, value):
    """Below ten times its first step and one."""
    assert at("increase", every(15, *values), 20, VM) == value
    assert at("rate", every(15, 7), 20, VM) is None


def test_a_counter_lost_little_up_to_an_eighth():
    """A restart counts from 0 on; less of it counts for nothing until it is above again."""
    for last, value in ((875, 975), (876, 100), (1010, 110)):
        series = every(15, 900, 900, 1000, last, last)
        assert at("increase", series, 60, {Trait.SMALL_STEP_BACK, Trait.UNEXTENDED}) == value
    back = every(15, 900, 1000, 990, 995, 1001)
    assert at("increase", back, 60, {Trait.SMALL_STEP_BACK, Trait.UNEXTENDED}) == 111
    assert at("irate", every(15, 1000, 990), 15, {Trait.SMALL_STEP_BACK}) == 0


STEPS = every(15, 5, 5, 6, 4, 4)
AFTER_GAP = samples((0, 5), (15, 5), (600, 4))


@pytest.mark.parametrize(
    ("function", "series", "seconds", "traits", "value"),
    [
        ("changes", STEPS, 60, PROMETHEUS_2, 2),
        ("resets", STEPS, 60, PROMETHEUS_2, 1),
        ("changes", STEPS, 59, PROMETHEUS_2, 2),
        ("changes", STEPS, 30, VM, 2),  # the first is one, too
        ("resets", STEPS, 45, VM, 1),
        ("changes", STEPS, 0, PROMETHEUS_2, 0),
        ("changes", AFTER_GAP, 610, PROMETHEUS_2, 0),
        ("changes", AFTER_GAP, 610, VM, 1),
        ("resets", AFTER_GAP, 610, VM, 0),
        ("changes", samples((0, 5), (600, 5)), 610, VM, 0),
        ("changes", AFTER_GAP, 500, PROMETHEUS_2, None),
    ],
)
def test_steps_are_counted_within_a_window_and_before_it(function, series, seconds, traits, value):
    """What is the same is no step; one after a gap is, for one of them."""
    assert at(function, series, seconds, traits) == value


def test_a_step_down_from_the_sample_before_a_window_is_a_reset_for_one_of_them():
    """The other sees a window of one sample."""
    series = every(15, 1, 2, 5, 4, 4)
    assert at("resets", series, 50, VM, window_s=10) == 1
    assert at("resets", series, 50, PROMETHEUS_2, window_s=10) == 0


@pytest.mark.parametrize(
    ("step_s", "traits", "last_s", "first_gone_s"),
    [
        (30, PROMETHEUS_2, 315, 315.001),
        (30, PROMETHEUS_3, 314.999, 315),
        (10, VM, 37.499, 37.5),  # one and a half scrapes
        (60, VM, 74.999, 75),  # a step
    ],
)
def test_a_value_is_known_just_so_long(step_s, traits, last_s, first_gone_s):
    """To the millisecond."""
    asked = AskedRange(0, 3_600_000, step_s * 1000)
    at_ms = np.round(1000 * np.array([-1, 0, 14.999, 15, last_s, first_gone_s])).astype(np.int64)
    values = instant_values(every(15, 2, 4), at_ms, asked, traits)
    assert [None if np.isnan(value) else value for value in values] == [None, 2, 2, 4, 4, None]


def test_an_offset_moves_both_ends_of_what_is_asked():
    """And not its step."""
    assert AskedRange(100, 200, 10).moved(30) == AskedRange(70, 170, 10)


VALUES = (1.0, 4.0, 2.0, 5.0)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("avg_over_time", 3.0), ("min_over_time", 1.0), ("max_over_time", 5.0),
        ("sum_over_time", 12.0), ("count_over_time", 4.0), ("last_over_time", 5.0),
        ("present_over_time", 1.0), ("stdvar_over_time", 2.5), ("stddev_over_time", 2.5**0.5),
        ("deriv", 0.1), ("predict_linear", 3.0 + 0.1 * 20 + 0.1 * 100),
    ],
)  # fmt: skip
def test_a_function_of_the_samples_alone(function, value):
    """Of four from 35 to 5 seconds before."""
    window = WindowSamples(np.array([-35.0, -25.0, -15.0, -5.0]), np.array(VALUES), 100.0)
    assert OVER_TIME[function](window) == pytest.approx(value)


@pytest.mark.parametrize(
    ("quantile", "value"),
    [(0.0, 1.0), (0.5, 3.0), (0.9, 4.7), (1.0, 5.0), (-0.1, -math.inf), (1.1, math.inf)],
)
def test_a_quantile_beyond_its_bounds_is_infinite(quantile, value):
    """Between two samples it is in proportion."""
    window = WindowSamples(np.zeros(4), np.array(VALUES), quantile)
    assert OVER_TIME["quantile_over_time"](window) == pytest.approx(value)


def test_a_line_needs_two_samples_or_an_engine_that_lays_one_through_one():
    """Through samples that are all alike it is flat."""
    alone = every(15, 7)
    for function, value in (("deriv", 0), ("predict_linear", 7)):
        assert at(function, alone, 10, PROMETHEUS_2, argument=60.0) is None
        assert at(function, alone, 10, {Trait.ONE_IS_FLAT}, argument=60.0) == value
        assert at(function, every(15, 7, 7), 20, PROMETHEUS_2, argument=60.0) == value
    assert at("predict_linear", every(15, 0, 15), 20, PROMETHEUS_2, argument=60.0) == 80
    assert at("max_over_time", alone, 10, PROMETHEUS_2) == 7
    gaps = samples((0, math.nan), (15, 3.0), (30, 1.0))
    assert [at(f"{name}_over_time", gaps, 30, PROMETHEUS_2) for name in ("min", "max")] == [1, 3]


@pytest.mark.parametrize("function", ["rate", "increase", "delta", "changes", "resets"])
def test_nothing_is_before_a_window_after_which_nothing_was_read(function):
    """A series that has ended has no value there; one that goes on later has stood still."""
    ended = every(15, 0, 1, 2, 3, 4)
    assert at(function, ended, 75, VM, window_s=10) is None
    goes_on = samples(*((15 * n, n) for n in range(5)), (600, 9))
    assert at(function, goes_on, 75, VM, window_s=10) == 0.0
    beyond = samples(*((15 * n, n) for n in range(5)), (3_600.001, 9))
    assert at(function, beyond, 75, VM, window_s=10) is None


@pytest.mark.parametrize(
    ("function", "change"), [("delta", -6.0), ("increase", 4.0), ("rate", 4 / 15)]
)
def test_a_fall_is_a_restart_of_a_counter_and_no_more_than_a_fall_of_a_gauge(function, change):
    """Only what counts begins anew."""
    assert at(function, every(15, 10, 4, first_s=15), 30, {Trait.UNEXTENDED}) == change
