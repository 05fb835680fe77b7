"""The grid of a group's evaluations: from its offset, in its interval, to the end."""

from __future__ import annotations

import pytest

from verifier.evaluation.timeline import Grid


@pytest.mark.parametrize(
    ("start_s", "end_s", "times_s"),
    [
        (5.0, 5.0, [5.0]),
        (5.0, 19.9, [5.0]),
        (5.0, 20.0, [5.0, 20.0]),
        (5.0, 4.9, []),  # its first evaluation would come when all is over, by however little
        (5.0, -60.0, []),
        (-25.0, 10.0, [-25.0, -10.0, 5.0]),
        (0.1 + 0.2, 0.3, [0.3]),  # equal but for the last digits of binary fractions
        (0.1, 0.1 + 3 * 15.0 - 1e-12, [0.1, 15.1, 30.1, 45.1]),
    ],
)
def test_evaluations_come_from_the_first_to_the_last_that_is_not_after_the_end(
    start_s: float, end_s: float, times_s: list[float]
) -> None:
    """Every 15 s; the end itself is one of them."""
    grid = Grid(start_s, end_s, 15.0)
    assert grid.count == len(times_s)
    assert grid.times_s.tolist() == pytest.approx(times_s)
