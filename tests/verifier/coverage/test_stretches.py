"""What is a near miss, by its numbers alone."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.coverage.stretches import TimeSpan, is_near, longest, margin, stretches


@pytest.mark.parametrize(
    ("threshold", "healthy", "near_s"),
    [(50, 10, 5), (99.9, 100, 0.025), (10_000, 10_300, 75), (0, 8, 2), (0.1, 0.9, 0.01)],
)
def test_the_nearer_of_a_tenth_and_a_quarter_of_the_way_decides(threshold, healthy, near_s):
    """So neither 90 % availability nor a healthy value is ever a near miss."""
    assert margin(threshold, healthy) == pytest.approx(near_s)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (">", [False, True, True, False]),
        (">=", [False, True, False, False]),
        ("<", [False, False, True, True]),
        ("<=", [False, False, False, True]),
    ],
)
def test_near_is_on_the_silent_side_alone(operator, expected):
    """A value that meets its threshold is near only where that does not fire."""
    healthy = 0.0 if operator[0] == ">" else 200.0
    values = np.array([89.0, 91.0, 100.0, 109.0])
    assert is_near(values, operator, 100.0, healthy).tolist() == expected


def test_a_healthy_value_is_never_near():
    """Whatever its threshold."""
    for healthy in (0.0, 99.0, 99.999):
        assert not is_near(np.array([healthy]), ">", 100.0, healthy).any()


def test_a_stretch_has_no_gap_and_the_longest_is_long_enough():
    """A missing evaluation ends a stretch; of stretches that are too short there is none."""
    times_s = np.array([0.0, 15.0, 30.0, 60.0, 75.0, 90.0, 105.0])
    parts = stretches(times_s, np.array([1, 1, 1, 1, 1, 1, 0], dtype=bool), 15.0)
    assert parts == [TimeSpan(0.0, 30.0), TimeSpan(60.0, 90.0)]
    assert longest(parts, 30.0) == TimeSpan(0.0, 30.0)
    assert longest(parts, 45.0) is None
    assert stretches(times_s, np.zeros(7, dtype=bool), 15.0) == []
