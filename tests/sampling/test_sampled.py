"""Of a sampled test, make test takes so many cases, and make test-long the others: none is lost."""

from __future__ import annotations

import pytest

from tests.sampling.sampled import leave_to_the_long, spread


@pytest.mark.parametrize(
    ("number", "count", "expected"),
    [(9, 3, {0, 4, 8}), (3, 9, {0, 1, 2}), (5, 1, {0}), (4, 2, {0, 3}), (1, 1, {0})],
)
def test_cases_are_spread_from_the_first_to_the_last(number, count, expected):
    """As many as were asked for, where there are as many."""
    assert spread(number, count) == expected


@pytest.mark.parametrize("number", range(1, 40))
@pytest.mark.sampled(4)
def test_no_sample_is_smaller_than_it_says(number):
    """Rounding takes no two places for one."""
    assert all(len(spread(number, count)) == min(number, count) for count in range(1, 45))


@pytest.mark.parametrize("case_number", range(5))
@pytest.mark.sampled(2)
def test_what_is_left_out_is_long(case_number, request):
    """Of these five the first and the last are no long tests."""
    is_long = request.node.get_closest_marker("long") is not None
    assert is_long == (case_number not in {0, 4})


def test_who_is_not_sampled_stays(request):
    """Planted: without the mark, nothing is left to the long tests."""
    leave_to_the_long([request.node])
    assert request.node.get_closest_marker("long") is None
