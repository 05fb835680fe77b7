"""Reads a server's own metrics from its `/metrics` page, in Prometheus's text format.

Called for Prometheus and Alertmanager, whose counters say what neither says on its own: samples
that were not written, notifications that failed.
"""

from __future__ import annotations

import math


def sum_metric(page: str, name: str) -> float:
    """Return the sum over all series of `name` on a page, 0 without any."""
    return math.fsum(
        float(line.rsplit(" ", 1)[1])
        for line in page.splitlines()
        if line.partition(" ")[0].partition("{")[0] == name
    )
