"""Points that no screen can show go; peaks, gaps and crossings stay as they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from charts.thinning import kept_points

COLUMNS = 10


def columns_of(times_s):
    """Return the stretch that each time is in."""
    width = (times_s[-1] - times_s[0]) / COLUMNS
    return np.minimum(((times_s - times_s[0]) / width).astype(int), COLUMNS - 1)


@given(arrays(np.float64, (2, 300), elements=st.sampled_from([0.0, 1.0, 2.5, 7.0, np.nan])))
def test_of_each_column_the_least_and_the_largest_stay(values):
    """Of every series, and where it has no value."""
    times_s = np.arange(300.0)
    kept = kept_points(times_s, list(values), columns=COLUMNS)
    assert (np.diff(kept) > 0).all()
    assert {0, 299} <= set(kept.tolist())
    column = columns_of(times_s)
    for series in values:
        for number in range(COLUMNS):
            inside = series[column == number]
            drawn = series[kept][column[kept] == number]
            assert np.isnan(drawn).any() == np.isnan(inside).any()
            if not np.isnan(inside).all():
                assert np.nanmin(drawn) == np.nanmin(inside)
                assert np.nanmax(drawn) == np.nanmax(inside)


@given(arrays(np.float64, 300, elements=st.floats(0, 10)), st.floats(0, 10))
def test_both_sides_of_a_crossing_stay(values, level):
    """So that a threshold is crossed where it was, to the evaluation."""
    kept = kept_points(np.arange(300.0), [values], [level], columns=COLUMNS)
    crossed = np.flatnonzero((values[1:] > level) != (values[:-1] > level))
    assert set(crossed) | set(crossed + 1) <= set(kept.tolist())


def test_few_points_all_stay_and_many_become_few():
    """Two a column are no more than there are pixels."""
    assert len(kept_points(np.arange(20.0), [np.zeros(20)], columns=COLUMNS)) == 20
    noise = np.random.default_rng(1).random(100_000)
    assert len(kept_points(np.arange(100_000.0), [noise], columns=COLUMNS)) <= 3 * COLUMNS + 1


def test_a_peak_that_is_left_out_is_noticed():
    """Every n-th point, the plain way, loses it: what this replaces."""
    values = np.zeros(3000)
    values[1234] = 99.0
    kept = kept_points(np.arange(3000.0), [values], columns=COLUMNS)
    assert values[kept].max() == 99.0
    assert values[:: 3000 // (2 * COLUMNS)].max() == 0.0
