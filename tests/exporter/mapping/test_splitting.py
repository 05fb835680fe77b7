"""Shares of counts: whole, never falling, adding up; and a plain multiplication that is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.mapping.splitting import Splitter, share_steps

SHARES = [(1.0,), (0.5, 0.5), (0.6, 0.3, 0.1), (0.0001, 0.9999), (0.25, 0.25, 0.25, 0.25)]


def laws_broken(parts, totals):
    """Return which laws the parts (n, values) of growing totals (n,) break."""
    broken = []
    if not np.array_equal(parts, np.rint(parts)):
        broken.append("whole")
    if not np.array_equal(parts.sum(axis=1), totals):
        broken.append("adds up")
    if (np.diff(parts, axis=0) < 0).any():
        broken.append("never falls")
    return broken


@pytest.mark.parametrize("shares", SHARES)
def test_parts_are_whole_add_up_and_never_fall(shares):
    """At every total of two periods of the pattern and a bit."""
    totals = np.arange(20_010.0)
    assert laws_broken(Splitter(shares).split(totals), totals) == []


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=20), st.sampled_from(SHARES))
def test_any_growing_total_is_split_by_the_laws(totals, shares):
    """However large, and by however much it grows at a time."""
    growing = np.sort(np.array(totals, np.float64))
    parts = Splitter(shares).split(growing)
    assert laws_broken(parts, growing) == []
    assert (abs(parts - growing[:, None] * np.array(shares)) <= len(shares)).all()


@pytest.mark.parametrize(
    ("planted", "broken"),
    [
        (lambda totals, shares: totals[:, None] * shares, ["whole", "adds up"]),
        (lambda totals, shares: np.floor(totals[:, None] * shares), ["adds up"]),
        (lambda totals, shares: np.diff(np.rint(totals[:, None] * np.cumsum(shares)),
                                        axis=1, prepend=0), ["never falls"]),
    ],
)  # fmt: skip
def test_plainer_ways_of_rounding_break_a_law(planted, broken):
    """Each of them was thought of first, and the laws see it."""
    totals, shares = np.arange(1000.0), np.array([0.6, 0.3, 0.1])
    assert laws_broken(planted(totals, shares), totals) == broken


@pytest.mark.parametrize(
    ("share", "steps"),
    [(0.6, 6000), (0.0001, 1), (1.0, 10_000), (1 / 3, None), (0.600005, None)],
)
def test_a_share_is_a_multiple_of_a_ten_thousandth(share, steps):
    """Anything else has no pattern."""
    assert share_steps(share) == steps


def test_a_total_that_floating_point_left_short_is_whole():
    """Of a sum of counts: three are three."""
    assert Splitter((0.5, 0.5)).split(np.array([3.0 - 1e-9])).sum() == 3.0


def test_what_need_not_be_whole_is_multiplied():
    """Sums of durations."""
    parts = Splitter((0.6, 0.4)).portion(np.array([[10.0]]))
    assert parts.ravel().tolist() == [6.0, 4.0]
