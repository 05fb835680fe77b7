"""Tests of many cases, of which `make test` takes some, evenly spread: the others are long tests.

`@pytest.mark.sampled(3)` above a parametrized test leaves it three of its cases, its first and its
last among them, and marks the further ones as long.
"""

from __future__ import annotations

import pytest


def spread(number: int, count: int) -> set[int]:
    """Return so many of the first `number` integers, evenly spread, both ends included."""
    if count >= number:
        return set(range(number))
    if count == 1:
        return {0}
    return {round(place * (number - 1) / (count - 1)) for place in range(count)}


def leave_to_the_long(items: list[pytest.Item]) -> None:
    """Mark as long the cases of sampled tests that `make test` does without."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") and not item.get_closest_marker("long"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for each in cases.values():
        marker = each[0].get_closest_marker("sampled")
        assert marker is not None
        stay = spread(len(each), *marker.args)
        for number, item in enumerate(each):
            if number not in stay:
                item.add_marker(pytest.mark.long)
