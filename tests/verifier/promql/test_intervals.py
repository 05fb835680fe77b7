"""The arithmetic of bounds, and what a comparison lets through."""

from __future__ import annotations

import pytest

from verifier.promql.intervals import (
    INF,
    NO_VALUE,
    NOT_NEGATIVE,
    UNKNOWN,
    ValueBounds,
    bounds_text,
    passing,
)

PASSING = {
    ">": (None, None, (2, 2)),
    ">=": (None, (2, 2), (2, 2)),
    "<": ((2, 2), None, None),
    "<=": ((2, 2), (2, 2), None),
    "==": (None, (2, 2), None),
    "!=": ((2, 2), (2, 2), (2, 2)),
}


@pytest.mark.parametrize("operator", PASSING)
def test_nothing_passes_beyond_the_end_of_the_bounds_or_at_it(operator):
    """Of a value of 2 alone, compared with 3, with 2 itself, and with 1; what is open may pass."""
    for limit, ends in zip((3.0, 2.0, 1.0), PASSING[operator], strict=True):
        bounds = NO_VALUE if ends is None else ValueBounds(*ends)
        assert passing(ValueBounds(2.0, 2.0), operator, ValueBounds(limit, limit)) == bounds
    for limit in (-1e300, 0.0, 1e300):
        assert not passing(UNKNOWN, operator, ValueBounds(limit, limit)).is_empty
        assert not passing(ValueBounds(2.0, 2.0), operator, UNKNOWN).is_empty


@pytest.mark.parametrize("operator", PASSING)
def test_a_limit_that_is_not_known_to_be_beyond_lets_through(operator):
    """Values from 1 to 3 and limits from 2 to 4, and the other way round."""
    low, high = ValueBounds(1.0, 3.0), ValueBounds(2.0, 4.0)
    for value, limit in ((low, high), (high, low)):
        passed = passing(value, operator, limit)
        assert value.least <= passed.least <= passed.greatest <= value.greatest


@pytest.mark.parametrize(
    ("ends", "of_three"),
    [
        ((0, 1), (0, 3)),
        ((2, 3), (2, 9)),
        ((-2, -1), (-6, -1)),
        ((-1, 1), (-3, 3)),
        ((0, 0), (0, 0)),
    ],
)
def test_a_sum_has_one_value_at_least(ends, of_three):
    """And three at most."""
    assert ValueBounds(*ends).sum(3.0) == ValueBounds(*of_three)


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (ValueBounds(0.0, 1.0), "between 0 and 1"),
        (ValueBounds(2.0, 2.0), "at 2"),
        (ValueBounds(2.0, INF), "at 2 or above"),
        (ValueBounds(-INF, 2.0), "at 2 or below"),
    ],
)
def test_a_person_is_told_where_a_value_stays(bounds, text):
    """In words."""
    assert bounds_text(bounds) == text


def test_one_of_nothing_and_something_is_something():
    """And only nothing is empty."""
    assert NO_VALUE | ValueBounds(1.0, 2.0) == ValueBounds(1.0, 2.0)
    assert NO_VALUE.is_empty
    assert not UNKNOWN.is_empty


ENDS = (-2.0, -0.5, 0.0, 0.5, 2.0)
SOME = [ValueBounds(low, high) for low in ENDS for high in ENDS if low <= high]


@pytest.mark.parametrize("value", SOME, ids=bounds_text)
def test_what_is_reckoned_of_two_values_lies_between_the_bounds_and_reaches_them(value):
    """Their sum, product, larger and smaller value, and either of both, at the ends of each."""
    for other in SOME:
        pairs = [
            (a, b) for a in (value.least, value.greatest) for b in (other.least, other.greatest)
        ]
        for bounds, values in (
            (value + other, [a + b for a, b in pairs]),
            (value * other, [a * b for a, b in pairs]),
            (value.at_least(other), [max(a, b) for a, b in pairs]),
            (value.at_most(other), [min(a, b) for a, b in pairs]),
            (value | other, [a for pair in pairs for a in pair]),
        ):
            assert (bounds.least, bounds.greatest) == (min(values), max(values))
    assert -value == ValueBounds(-value.greatest, -value.least)


@pytest.mark.parametrize(
    ("ends", "inverse"),
    [
        ((0.5, 2.0), ValueBounds(0.5, 2.0)),
        ((-4.0, -2.0), ValueBounds(-0.5, -0.25)),
        ((0.0, 2.0), NOT_NEGATIVE),
        ((-2.0, 0.0), UNKNOWN),
        ((-1.0, 1.0), UNKNOWN),
    ],
)
def test_one_over_a_value_is_bounded_where_it_cannot_be_0(ends, inverse):
    """Down to 0 from above it may be anything that is not negative."""
    assert ValueBounds(*ends).inverse() == inverse


def test_nothing_times_anything_is_nothing():
    """However large that may be."""
    assert ValueBounds(0.0, 0.0) * UNKNOWN == ValueBounds(0.0, 0.0)
    assert ValueBounds(0.0, 1.0) * NOT_NEGATIVE == NOT_NEGATIVE
