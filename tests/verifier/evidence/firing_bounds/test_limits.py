"""Thresholds and waits with which an alert would have fired, at the edge of what is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from verifier.evidence.firing_bounds import (
    ComparedValues,
    FiringBounds,
    FiringWindow,
    HeldTime,
    kept_value,
    lasting_score,
    longest_wait_s,
    threshold_between,
)


def values(*numbers, first_s=0.0, times_s=None, sign=1):
    """Return a series with a value each 10 s; more is nearer, or less where `sign` is -1."""
    own_s = first_s + 10.0 * np.arange(len(numbers)) if times_s is None else np.array(times_s)
    own = np.array(numbers, dtype=float)
    return ComparedValues(np.asarray(own_s, dtype=float), own, sign * own)


def bounds(series, *others, operator=">", evaluations=2, **window):
    """Return the value that was kept, and the threshold that would have fired."""
    of = FiringBounds(operator, evaluations, FiringWindow(**window), 10.0)
    return of.of(series, [series, *others])


CALM = (1.0, 3.0) * 10
"""Twenty healthy values: 2 on average, 1 apart, 3 at most."""


@pytest.mark.parametrize(
    ("risen", "threshold"), [(6.0, None), (6.01, 4.6), (6.5, 4.8), (13.0, 8.0), (5.5, None)]
)
def test_three_deviations_beyond_the_healthy_extreme_are_noise(risen, threshold):
    """A value that is kept is named all the same."""
    assert bounds(values(*CALM, risen, risen), not_before_s=200.0) == (risen, threshold)


@pytest.mark.parametrize(
    ("operator", "peak", "threshold"),
    [(">", 8.0, 8.0), (">", 8.01, None), (">=", 8.0, None), (">=", 7.99, 8.0)],
)
def test_a_threshold_that_a_peak_long_before_would_have_met_is_none(operator, peak, threshold):
    """At the threshold itself only where the comparison holds there; what came before 0 is past."""
    series = values(peak, *CALM, 13.0, 13.0)
    assert bounds(series, operator=operator, not_before_s=210.0)[1] == threshold
    past = values(peak, *CALM, 13.0, 13.0, first_s=-10.0)
    assert bounds(past, operator=operator, not_before_s=200.0)[1] == 8.0
    other = values(peak, *CALM, 1.0, 1.0)
    calm = values(1.0, *CALM, 13.0, 13.0)
    assert bounds(calm, other, operator=operator, not_before_s=210.0)[1] == threshold


def test_a_threshold_with_which_the_alert_would_end_before_its_cause_is_none():
    """It fires after two evaluations in a row; a gap of one ends it, and begins another."""
    lasting = values(9.0, 1.0, 9.0, 9.0, 9.0, 9.0, 1.0)
    assert bounds(lasting, cause_end_s=60.0) == (9.0, 8.6)
    early = values(9.0, 9.0, 1.0, 9.0, 9.0, 9.0, 1.0)
    assert bounds(early, cause_end_s=60.0) == (9.0, None)
    assert bounds(early, cause_end_s=60.0, evaluations=3) == (9.0, 8.6)
    assert bounds(early) == (9.0, 8.6)


@pytest.mark.parametrize(
    ("window", "evaluations", "kept"),
    [
        (FiringWindow(), 1, 9.0),
        (FiringWindow(), 2, 7.0),
        (FiringWindow(), 3, 4.0),
        (FiringWindow(not_before_s=20.0), 2, 4.0),
        (FiringWindow(not_before_s=10.0), 2, 7.0),
        (FiringWindow(due_s=20.0), 2, 7.0),
        (FiringWindow(due_s=19.0), 2, 2.0),
        (FiringWindow(due_s=9.0), 2, None),
        (FiringWindow(), 6, None),
    ],
)
def test_a_value_is_kept_over_so_many_evaluations_within_the_window(window, evaluations, kept):
    """The lowest of each such stretch counts, the best of them."""
    series = values(2.0, 7.0, 9.0, 4.0, 4.0)
    assert kept_value(series, evaluations, window, -math.inf) == kept
    if kept is not None:
        assert kept_value(series, evaluations, window, kept) is None, "it was as far before"


def test_a_stretch_with_a_gap_in_it_is_none():
    """Evaluations must follow one another, whether a value or a time is missing."""
    gap = values(1.0, 9.0, 9.0, 1.0, times_s=[0, 10, 30, 40])
    assert kept_value(gap, 2, FiringWindow(), -math.inf) == 1.0
    assert lasting_score(gap, 2, FiringWindow(), 10.0) == 1.0
    no_number = values(1.0, 9.0, math.nan, 9.0, 1.0)
    assert kept_value(no_number, 2, FiringWindow(), -math.inf) == 1.0
    assert lasting_score(no_number, 2, FiringWindow(), 10.0) == 1.0
    assert lasting_score(values(9.0, 9.0), 2, FiringWindow(), 10.0) == 9.0
    assert lasting_score(values(9.0), 2, FiringWindow(), 10.0) is None


@pytest.mark.parametrize(
    ("window", "best"),
    [
        (FiringWindow(), 8.0),
        (FiringWindow(cause_end_s=50.0), 6.0),
        (FiringWindow(cause_end_s=51.0), 5.0),
        (FiringWindow(cause_end_s=65.0), 5.0),
        (FiringWindow(cause_end_s=66.0), None),
        (FiringWindow(cause_end_s=0.0), None),
        (FiringWindow(cause_end_s=50.0, due_s=10.0), 3.0),
        (FiringWindow(cause_end_s=50.0, due_s=30.0), 6.0),
        (FiringWindow(cause_end_s=20.0), 8.0),
        (FiringWindow(not_before_s=40.0), 5.0),
        (FiringWindow(not_before_s=41.0), None),
    ],
)
def test_a_score_lasts_from_when_the_alert_is_due_to_the_end_of_its_cause(window, best):
    """Two evaluations are the least; an evaluation at the very end is after it."""
    assert lasting_score(values(3.0, 8.0, 8.0, 6.0, 6.0, 5.0), 2, window, 10.0) == best


@pytest.mark.parametrize(
    ("operator", "kept", "healthy", "threshold"),
    [
        *[
            (">", 5.0, 5.0, None),
            (">=", 5.0, 5.0, None),
            ("<", 5.0, 5.0, None),
            (">", 4.0, 5.0, None),
        ],
        *[(">", 6.0, 2.0, 4.0), ("<", 2.0, 6.0, 4.0), (">", 100.0, 99.0, None)],
        *[(">", -2.0, -6.0, -4.0), ("<", -6.0, -2.0, -4.0), (">", -99.0, -100.0, None)],
        *[(">", 10.0, -math.inf, 9.5), ("<", 10.0, math.inf, 10.5), (">", -10.0, -math.inf, -10.5)],
        *[("==", 5.0, 1.0, None), (">", math.inf, 1.0, None), (">", 5.0, math.nan, None)],
        *[(">", 1.02, 1.0, None), (">", 0.123456, 0.111111, 0.12), (">", 1234.0, 1000.0, 1200.0)],
        *[(">=", 0.0, -math.inf, 0.0), (">", 0.0, -math.inf, None), ("<=", 0.0, math.inf, 0.0)],
    ],
)
def test_a_threshold_lies_midway_in_the_fewest_digits(operator, kept, healthy, threshold):
    """Not nearer to the healthy level than a twentieth of it; no minus before a 0."""
    limit = threshold_between(operator, kept, healthy)
    assert limit == threshold
    assert limit is None or math.copysign(1.0, limit) == math.copysign(1.0, threshold or 0.0)


@pytest.mark.parametrize(
    ("held", "window", "wait_s"),
    [
        ([(10.0, 40.0)], FiringWindow(), 30.0),
        ([(10.0, 40.0), (60.0, 120.0)], FiringWindow(), 60.0),
        ([(10.0, 40.0)], FiringWindow(due_s=25.0), 10.0),
        ([(10.0, 10.0)], FiringWindow(), 0.0),
        ([(10.0, 40.0)], FiringWindow(due_s=9.0), None),
        ([(10.0, 40.0)], FiringWindow(not_before_s=10.0), 30.0),
        ([(10.0, 40.0)], FiringWindow(not_before_s=11.0), None),
        ([(-90.0, -10.0), (10.0, 40.0)], FiringWindow(not_before_s=5.0), 80.0),
        ([(-90.0, 0.0), (10.0, 40.0)], FiringWindow(not_before_s=5.0), None),
        ([], FiringWindow(), None),
    ],
)
def test_the_longest_wait_is_that_of_what_held_longest_in_time(held, window, wait_s):
    """None where any would have begun before its cause; what was over at the start is past."""
    times = [HeldTime(*each) for each in held]
    assert longest_wait_s(times, times, window, 10.0) == wait_s
