"""Reading a server's own metrics: every series of a name, and of no other."""

from __future__ import annotations

import pytest

from verifier.servers.metrics_page import sum_metric

PAGE = """\
# HELP sent_total sent_total 9
# TYPE sent_total counter
sent_total{to="a b",how="x{y"} 2
sent_total{to="c"} 1.5e+00
sent_total_more 100
sent 50
"""


@pytest.mark.parametrize(
    ("name", "expected"), [("sent_total", 3.5), ("sent", 50), ("sent_total_more", 100), ("no", 0)]
)
def test_all_series_of_a_name_are_added_up(name: str, expected: float) -> None:
    """Comments and longer names do not count; without a series it is 0."""
    assert sum_metric(PAGE, name) == expected
