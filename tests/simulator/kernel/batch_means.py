"""Batch means: whether a simulated mean agrees with theory, within four standard errors."""

from __future__ import annotations

from math import factorial, sqrt

import numpy as np

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
