"""Guards by the clock, against the calendar of the standard library."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import numpy as np
import pytest

from verifier.promql.parsing import parse
from verifier.slo.conditions.clock import (
    FUNCTIONS,
    TIMES_S,
    open_share,
    reads_clock_alone,
    without_guards,
)
from verifier.slo.conditions.unreadable import UnreadableConditionError

BY_CALENDAR = {
    "minute": lambda at: at.minute,
    "hour": lambda at: at.hour,
    "day_of_week": lambda at: at.isoweekday() % 7,
    "day_of_month": lambda at: at.day,
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "days_in_month": lambda at: calendar.monthrange(at.year, at.month)[1],
    "month": lambda at: at.month,
    "year": lambda at: at.year,
}
DATES = [datetime.fromtimestamp(at_s, UTC) for at_s in TIMES_S.tolist()]


def share(holds):
    """Return at which share of the times `holds(hour, weekday, minute)` is true."""
    return np.mean([holds(at.hour, at.isoweekday() % 7, at.minute) for at in DATES])


def test_every_function_of_the_clock_agrees_with_the_calendar():
    """Leap years, their ends and beginnings, and days before 1970 among the dates."""
    corners = [
        datetime(*date, tzinfo=UTC)
        for date in (
            (1969, 12, 31, 23, 59, 59), (1970, 1, 1), (2000, 2, 29, 12), (2023, 2, 28, 23, 59, 59),
            (2024, 2, 29), (2024, 12, 31, 23, 59, 59), (2025, 1, 1), (2100, 3, 1, 0, 0, 1),
        )
    ]  # fmt: skip
    dates = corners + DATES[::29]
    times_s = np.array([at.timestamp() for at in dates])
    assert FUNCTIONS.keys() == BY_CALENDAR.keys()
    for name, function in FUNCTIONS.items():
        assert function(times_s).tolist() == [BY_CALENDAR[name](at) for at in dates], name


SHARES = [
    ("hour() >= 8", lambda h, _d, _m: h >= 8),
    ("hour() > 8", lambda h, _d, _m: h > 8),
    ("hour() < 6", lambda h, _d, _m: h < 6),
    ("hour() <= 6", lambda h, _d, _m: h <= 6),
    ("hour() == 6", lambda h, _d, _m: h == 6),
    ("hour() != 6", lambda h, _d, _m: h != 6),
    ("8 <= hour()", lambda h, _d, _m: h >= 8),
    ("day_of_week() > 0 < 6", lambda _h, d, _m: 0 < d < 6),
    ("day_of_week() == 0", lambda _h, d, _m: d == 0),
    ("minute() >= 30", lambda _h, _d, m: m >= 30),
    ("(hour() >= 8) > 20", lambda h, _d, _m: h > 20),
    ("(8 <= hour()) > 20", lambda h, _d, _m: h > 20),
    ("((8) <= hour()) > 20", lambda h, _d, _m: h > 20),
    ("(4 + 4 <= hour()) > 20", lambda h, _d, _m: h > 20),
    ("(scalar(vector(8)) <= hour()) > 20", lambda h, _d, _m: h > 20),
    ("(vector(4) + 4 <= hour()) > 20", lambda _h, _d, _m: False),
    ("(4 + vector(4) <= hour()) > 20", lambda _h, _d, _m: False),
    ("hour() != (hour() + 1 > 20)", lambda h, _d, _m: h >= 20),
    ("(hour() + 1 > 20) != hour()", lambda h, _d, _m: h >= 20),
    ("(hour() > 20) != bool (minute() < 30)", lambda h, _d, m: h > 20 and m < 30),
    ("hour() > on() vector(8)", lambda h, _d, _m: h > 8),
    ("(-1 < hour()) > 20", lambda h, _d, _m: h > 20),
    ("(time() > hour()) > 20", lambda h, _d, _m: h > 20),
    ("hour() >= bool 8", lambda _h, _d, _m: True),
    ("(hour() >= bool 8) == 1", lambda h, _d, _m: h >= 8),
    ("(hour() > 20 >= bool 22) == 0", lambda h, _d, _m: h == 21),
    ("hour() > 20 or hour() < 4", lambda h, _d, _m: h > 20 or h < 4),
    ("(hour() > 20 or hour() < 4) < 22", lambda h, _d, _m: h == 21 or h < 4),
    ("hour() > 4 and hour() < 8", lambda h, _d, _m: 4 < h < 8),
    ("(hour() > 4 and minute() < 30) > 8", lambda h, _d, m: h > 8 and m < 30),
    ("hour() > 4 unless hour() < 8", lambda h, _d, _m: h >= 8),
    ("(hour() > 4 unless minute() < 30) < 8", lambda h, _d, m: 4 < h < 8 and m >= 30),
    ("hour() + 2 * 3 - 1 > 20", lambda h, _d, _m: h > 15),
    ("hour() / 2 > 10", lambda h, _d, _m: h > 20),
    ("hour() % 6 == 0", lambda h, _d, _m: h % 6 == 0),
    ("-hour() % 6 == -2", lambda h, _d, _m: h % 6 == 2),
    ("hour() % -6 == 2", lambda h, _d, _m: h % 6 == 2),
    ("(hour() or minute()) == 0", lambda h, _d, _m: h == 0),
    ("hour() ^ 2 > 400", lambda h, _d, _m: h > 20),
    ("-hour() < -20", lambda h, _d, _m: h > 20),
    ("vector(time()) % 86400 < 3600", lambda h, _d, _m: h == 0),
    ("hour(vector(time() + 3600)) < 6", lambda h, _d, _m: h >= 23 or h < 5),
    ("hour(vector(0))", lambda _h, _d, _m: True),
    ("hour(hour() > 20) == 0", lambda h, _d, _m: h > 20),
    ("vector(1) == 2", lambda _h, _d, _m: False),
]


@pytest.mark.parametrize(("expr", "holds"), SHARES, ids=[expr for expr, _ in SHARES])
def test_a_guard_has_a_value_at_the_hours_at_which_prometheus_has(expr, holds):
    """Filters keep the value of the vector, wherever it stands; `bool` always has one."""
    node = parse(expr)
    assert reads_clock_alone(node)
    assert open_share(node) == pytest.approx(share(holds))


@pytest.mark.parametrize(
    ("expr", "days"),
    [
        ("month() == 12", 31),
        ("month() == 1", 62),
        ("day_of_year() == 365", 1),
        ("year() == 2026", 365),
        ("year() == 2027", 35),
        ("days_in_month() == 28", 32),
    ],
)
def test_a_guard_by_the_date_is_open_for_its_part_of_four_hundred_days(expr, days):
    """From the first of January 2026 on, so that no day of a year is left out."""
    assert open_share(parse(expr)) == pytest.approx(days / 400)


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("round(hour()) > 8", r"round\(\) in a guard is not compared"),
        ("hour() > 8 and up", "a guard of this form is not compared"),
        ("sum(hour()) > 8", "a guard of this form is not compared"),
        ("hour() atan2 minute()", "'atan2' in a guard is not compared"),
    ],
)
def test_what_is_not_evaluated_is_refused(expr, reason):
    """Nothing is taken for open."""
    with pytest.raises(UnreadableConditionError, match=reason):
        open_share(parse(expr))


@pytest.mark.parametrize(
    ("expr", "left"),
    [
        ("a > 1 and on() (hour() > 8)", "a > 1"),
        ("on_call and on() hour() > 8", "on_call"),
        ("(hour() > 8) and on() (a > 1)", "a > 1"),
        ("a > 1 unless on() (hour() < 8)", "a > 1"),
        ("((a > 1 and on() (hour() > 8)) unless on() (day_of_week() == 0))", "a > 1"),
        ("(hour() > 8) unless on() (a > 1)", "(hour() > 8) unless on () (a > 1)"),
        ("a > 1 and b > 1", "a > 1 and b > 1"),
        ("a > 1 or hour() > 8", "a > 1 or hour() > 8"),
        ("rate(a[5m]) > 1", "rate(a[5m]) > 1"),
    ],
)
def test_a_condition_without_its_guards_is_what_it_measures(expr, left):
    """What a guard prevents, or adds beside it, is no guard of it."""
    assert " ".join(without_guards(parse(expr)).prettify().split()) == " ".join(
        parse(left).prettify().split()
    )


@pytest.mark.parametrize(("expr", "alone"), [("up", False), ("rate(up[5m])", False),
    ("hour() + up", False), ("hour(up)", False), ("time()", True), ("1", True)])  # fmt: skip
def test_only_what_reads_no_series_reads_the_clock_alone(expr, alone):
    """Neither an instant nor a range."""
    assert reads_clock_alone(parse(expr)) is alone
