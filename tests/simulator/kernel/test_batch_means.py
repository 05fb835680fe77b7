"""Batch means: whether a simulated mean agrees with theory, within four standard errors.

Used by the tests of the loop's physics. The statistics themselves are tested here: right where the
answer is known, able to fail.
"""

from __future__ import annotations

from math import factorial, sqrt

import numpy as np
import pytest

SIGMAS = 4.0


def agrees(batches, theory):
    """Assert that the mean of independent batch means is `theory`, within 4 standard errors."""
    batches = np.asarray(batches, dtype=float)
    error = batches.std(ddof=1) / sqrt(len(batches))
    mean = batches.mean()
    assert abs(mean - theory) <= SIGMAS * error, (
        f"{mean:.6g} +- {error:.2g} is {abs(mean - theory) / error:.1f} sigma from {theory:.6g}"
    )
    return error


def erlang_c(servers: int, offered: float) -> float:
    """Probability that an arrival waits in M/M/c: Erlang's second formula (1917)."""
    blocked = offered**servers / factorial(servers) * servers / (servers - offered)
    return blocked / (sum(offered**n / factorial(n) for n in range(servers)) + blocked)


@pytest.mark.parametrize(
    ("servers", "offered", "waits"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 9.0, 0.6687)]
)
def test_erlang_c_gives_the_values_of_the_tables(servers, offered, waits):
    """One server: the load itself; two at half load: a third; ten at nine: the printed value."""
    assert erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)


def test_a_mean_that_is_off_is_refused():
    """Ten standard errors away is no agreement."""
    batches = np.random.default_rng(1).normal(5.0, 0.1, 32)
    error = agrees(batches, 5.0)
    with pytest.raises(AssertionError, match="sigma from"):
        agrees(batches, 5.0 + 10 * error)
