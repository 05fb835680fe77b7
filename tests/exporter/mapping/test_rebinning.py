"""Buckets of another exporter: ours where the bound is ours, even spread between two of ours."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.mapping.rebinning import Rebinning, is_among

OURS = (0.1, 0.5, 1.0)


@pytest.mark.parametrize(
    ("theirs", "counts"),
    [
        ((0.1, 0.5, 1.0), [10, 14, 21]),
        ((0.5,), [14]),
        ((0.3,), [12]),
        ((0.2, 0.4), [11, 13]),
        ((0.05,), [5]),
        ((0.75, 1.0), [17, 21]),
        ((0.0, 0.1), [0, 10]),
        ((0.499, 0.501), [13, 14]),
        ((0.5 + 1e-15, 1.0 + 1e-15), [14, 21]),
    ],
)
def test_counts_below_their_bounds(theirs, counts):
    """Of 10 up to 0.1, 4 more up to 0.5 and 7 more up to 1."""
    assert Rebinning(OURS, theirs).rebin(np.array([10.0, 14.0, 21.0])).tolist() == counts


def test_buckets_fall_neither_with_time_nor_with_the_bound():
    """Whatever arrives in which of our buckets."""
    draws = np.random.default_rng(1)
    ours = np.cumsum(np.cumsum(draws.integers(0, 3, (500, 3)), axis=1), axis=0).astype(float)
    rebinning = Rebinning(OURS, (0.05, 0.11, 0.3, 0.49, 0.5, 0.99))
    theirs = np.array([rebinning.rebin(row) for row in ours])
    assert (np.diff(theirs, axis=0) >= 0).all()
    assert (np.diff(theirs, axis=1) >= 0).all()
    assert np.array_equal(theirs, np.rint(theirs))


def test_a_bound_is_ours_whatever_the_unit_did_to_it():
    """0.3 s is 300 ms, times 1000 in floating point as well."""
    assert is_among(300.0, [bound * 1000 for bound in (0.1, 0.3)])
    assert not is_among(301.0, [300.0])
    assert not is_among(300.0001, [300.0])
