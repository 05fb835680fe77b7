"""A rule that reads the clock says what time it was, in a scenario that names none."""

from __future__ import annotations

import promql_parser as promql
import pytest

from exporter.history.samples import EPOCH_S
from verifier.evidence.clock_reading import clock_finding, clock_functions


@pytest.mark.parametrize(
    ("expr", "functions"),
    [
        ("x > 1 and on() hour() >= 8 < 17", ("hour()",)),
        ("x > 1 unless on() (day_of_week() == 0 or day_of_week() == 6)", ("day_of_week()",)),
        ("month(vector(time())) == 12 and on() x > 5", ("month()", "time()")),
        ("vector(time() % 86400) > 28800 and on() x", ("time()",)),
        ("x and on() vector(time() - 1.7e9) > 0", ("time()",)),
        ("x and on() vector(time() > bool 1.7e9) == 1", ("time()",)),
        ("x > 1", ()),
        ("time() - x > 600", ()),
        ("time() - max(timestamp(x)) > 600", ()),
        ("x < time()", ()),
        ("hour(x) > 5", ()),
        ("timestamp(x) > 5", ()),
    ],
)
def test_the_functions_that_tell_the_time_are_named(expr, functions):
    """An age is none: it is the same whatever the clock says."""
    assert clock_functions(promql.parse(expr)) == functions


def test_the_finding_says_what_time_it_was():
    """And how to set another."""
    assert clock_finding("Office", promql.parse("hour() > 8"), EPOCH_S) == (
        "alert Office: it reads the clock (hour()), and the scenario names no time: it began on"
        " Monday, 2026-01-05 at 00:00 UTC; `starts_at` sets another"
    )
    assert clock_finding("Any", promql.parse("x > 8"), EPOCH_S) is None
