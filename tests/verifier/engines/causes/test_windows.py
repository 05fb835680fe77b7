"""What functions make of small windows, by hand: a counter of 100 a second, scraped every 15 s."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.engines.causes.traits import (
    PROMETHEUS_2,
    PROMETHEUS_3,
    VICTORIA_METRICS,
    Trait,
    acting,
    sentence,
)
from verifier.engines.causes.windows import (
    AskedRange,
    SeriesSamples,
    WindowView,
    instant_values,
    range_values,
)

NO_TIMES = np.empty(0, np.int64)
ASKED = AskedRange(0, 3_600_000, 15_000)


def samples(*values, step_s=15, ended_s=()):
    """Return samples from second 0 on; None is none."""
    kept = [(number, value) for number, value in enumerate(values) if value is not None]
    times = np.array([step_s * 1000 * number for number, _ in kept], dtype=np.int64)
    ended = np.array([1000 * at for at in ended_s], dtype=np.int64)
    return SeriesSamples(times, np.array([value for _, value in kept], dtype=np.float64), ended)


def at(function, series, seconds, traits, *, window_s=60, asked=ASKED):
    """Return the value of a function at one second, None where there is none."""
    view = WindowView(window_s * 1000, asked, traits)
    times = np.array([round(seconds * 1000)], dtype=np.int64)
    if not function:
        value = instant_values(series, times, asked, traits)[0]
    else:
        value = range_values(function, series, times, view)[0]
    return None if np.isnan(value) else pytest.approx(float(value), abs=0.5)


GROWS = [1500 * number for number in range(21)]
STANDS = samples(*GROWS, *[30_000] * 20)
VANISHES = samples(*GROWS, *[None] * 20, 30_000)


@pytest.mark.parametrize(
    ("series", "traits", "values"),
    [
        (STANDS, PROMETHEUS_2, [100, 67, 33, 33, 0, 0, 0]),
        (STANDS, VICTORIA_METRICS, [100, 75, 50, 50, 25, 0, 0]),
        (VANISHES, PROMETHEUS_2, [100, 77, 61, 44, None, None, None]),
        (VANISHES, VICTORIA_METRICS, [100, 100, 100, 100, 100, 0, 0]),
    ],
)
def test_a_rate_after_a_counter_stands_still_or_vanishes(series, traits, values):
    """As both engines answered: the table in the page on engines, 11 to 71 seconds after."""
    seconds = [311, 321, 331, 341, 351, 361, 371]
    assert [at("rate", series, second, traits) for second in seconds] == values


@pytest.mark.parametrize(
    ("function", "traits", "value"),
    [
        ("count_over_time", PROMETHEUS_2, 5),
        ("count_over_time", PROMETHEUS_3, 4),
        ("sum_over_time", PROMETHEUS_2, 30),
        ("sum_over_time", PROMETHEUS_3, 28),
        ("avg_over_time", PROMETHEUS_2, 6),
        ("min_over_time", PROMETHEUS_3, 4),
        ("max_over_time", VICTORIA_METRICS, 10),
        ("last_over_time", VICTORIA_METRICS, 10),
        ("present_over_time", PROMETHEUS_2, 1),
        ("delta", PROMETHEUS_2, 8),
        ("irate", PROMETHEUS_2, pytest.approx(2 / 15, abs=0.001)),
    ],
)
def test_a_sample_at_the_left_end_of_a_window_is_in_it_or_not(function, traits, value):
    """Of five samples from 0 to 60 s, at second 60."""
    assert at(function, samples(2, 4, 6, 8, 10), 60, traits) == value


@pytest.mark.parametrize(
    ("lost", "traits", "value"),
    [(99, PROMETHEUS_2, 1001), (99, VICTORIA_METRICS, 100),
     (200, PROMETHEUS_2, 900), (200, VICTORIA_METRICS, 900)],
)  # fmt: skip
def test_a_small_step_back_is_a_restart_or_none(lost, traits, value):
    """From 900 to 1,000, then back: by less than an eighth, or by more."""
    series = samples(900, 900, 1000, 1000 - lost, 1000 - lost)
    assert at("increase", series, 60, traits | {Trait.UNEXTENDED}) == value


def test_a_series_that_begins_small_began_at_zero():
    """For VictoriaMetrics; a large first value is taken for what was there before."""
    assert at("increase", samples(7), 10, VICTORIA_METRICS) == 7
    assert at("increase", samples(7), 10, PROMETHEUS_2) is None
    assert at("increase", samples(7_000_000, 7_000_001), 20, VICTORIA_METRICS) == 1


@pytest.mark.parametrize(
    ("seconds", "traits", "value"),
    [
        (15 + 300, PROMETHEUS_2, 4),
        (15 + 300, PROMETHEUS_3, None),
        (15 + 22, VICTORIA_METRICS, 4),
        (15 + 30, VICTORIA_METRICS, None),
    ],
)
def test_how_long_a_value_is_known(seconds, traits, value):
    """Five minutes, or by step and scrape interval."""
    assert at("", samples(2, 4), seconds, traits) == value


def test_a_marker_ends_a_series_for_all():
    """From the marker on, until there is a sample again."""
    series = samples(2, 4, None, None, 8, ended_s=(30,))
    for traits in (PROMETHEUS_2, VICTORIA_METRICS):
        assert [at("", series, second, traits) for second in (29, 30, 40, 60)] == [4, None, None, 8]


def test_each_trait_is_said_and_acts_somewhere_or_is_no_engines():
    """What no function is changed by is not tried."""
    assert all(sentence(trait) for trait in Trait)
    assert acting(VICTORIA_METRICS, ("rate",)) >= {Trait.SAMPLE_BEFORE, Trait.EMPTY_IS_ZERO}
    assert Trait.SHORT_LOOKBACK not in acting(VICTORIA_METRICS, ("rate",))
