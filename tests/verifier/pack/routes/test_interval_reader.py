"""Time intervals are read field by field; each mistake has its place, and the rest is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from documents.yaml_reader import parse_texts
from verifier.pack.routes.interval_reader import read_intervals
from verifier.pack.routes.time_intervals import (
    IntervalPart,
    TimeInterval,
    changes_s,
    local_time,
    offset_changes_s,
    utc_offset_s,
)
from verifier.pack.walker import PackWalker


def read(*intervals, key="time_intervals"):
    """Return the intervals of a file and the mistakes in it."""
    text = json.dumps({key: list(intervals)}, indent=1)
    walker = PackWalker(next(parse_texts(text, "alertmanager.yml")))
    read_here = read_intervals(walker, walker.document.data)
    return read_here, [str(mistake) for mistake in walker.mistakes]


def part(**fields):
    """Return the only part of an interval with these fields, and the mistakes in it."""
    intervals, mistakes = read({"name": "x", "time_intervals": [fields]})
    (only,) = intervals["x"].parts
    return only, mistakes


def times(start, end):
    """Return a range of hours as it is written."""
    return {"start_time": start, "end_time": end}


@pytest.mark.parametrize(
    ("field", "written", "ranges"),
    [
        ("times", [times("00:00", "24:00")], ((0, 1440),)),
        ("times", [times("09:05", "17:59"), times("20:00", "23:59")],
         ((545, 1079), (1200, 1439))),
        ("times", [], ()),
        ("weekdays", ["sunday", "monday:friday", "Saturday"], ((0, 0), (1, 5), (6, 6))),
        ("days_of_month", ["1", "-1", "-7:-1", "1:31"], ((1, 1), (-1, -1), (-7, -1), (1, 31))),
        ("months", ["january", "May:august", "12", "2:3", "march:4"],
         ((1, 1), (5, 8), (12, 12), (2, 3), (3, 4))),
        ("years", ["2026", "2027:2030"], ((2026, 2026), (2027, 2030))),
    ],
)  # fmt: skip
def test_a_field_is_read_as_ranges_that_hold_both_of_their_ends(field, written, ranges):
    """What is left out is no limit at all."""
    only, mistakes = part(**{field: written})
    assert mistakes == []
    expected = dict.fromkeys(("times", "weekdays", "days_of_month", "months", "years"))
    assert only == IntervalPart(**{**expected, field: ranges}, location="")


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        ("weekdays", ["mon", "monday"], ((1, 1),)),
        ("weekdays", ["monday:", "1", ":friday"], ()),
        ("days_of_month", ["first", "1:x", "2"], ((2, 2),)),
        ("months", ["jan", "december"], ((12, 12),)),
        ("years", ["2026:2027:2028", "26.5"], ()),
    ],
)
def test_a_range_of_another_kind_is_a_mistake_and_the_others_are_read(field, written, kept):
    """Each with its own place."""
    only, mistakes = part(**{field: written})
    assert getattr(only, field) == kept
    assert len(mistakes) == len(written) - len(kept)
    rule = f"{field} must be one of its kind or a range of two, as in monday:friday or 1:5"
    assert all(rule in mistake for mistake in mistakes)


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("10:00", "09:59", "end_time must be after start_time"),
        ("10:00", "10:00", "end_time must be after start_time"),
        ("24:00", "24:00", "end_time must be after start_time"),
        ("24:01", "24:00", "start_time must be a time of day from 00:00 to 24:00"),
        ("9:00", "10:00", "start_time must be a time of day"),
        ("09:60", "10:00", "start_time must be a time of day"),
        ("09:00", "25:00", "end_time must be a time of day"),
        ("09:00", "", "end_time must be a time of day"),
        ("09:00", None, "end_time must be a time of day"),
    ],
)
def test_hours_must_be_of_a_day_and_in_their_order(start, end, problem):
    """A minute later they are right."""
    only, mistakes = part(times=[times(start, end), times("09:59", "10:00")])
    assert only.times[-1] == (599, 600)
    assert len(mistakes) == 1
    assert problem in mistakes[0]


def test_a_place_that_is_not_known_is_a_mistake_and_as_if_left_out():
    """One that is known is kept as it is written."""
    only, mistakes = part(location="Mars/Olympus")
    assert only.location == ""
    assert len(mistakes) == 1
    assert "location: " in mistakes[0]
    assert part(location="Europe/Berlin") == (
        IntervalPart(None, None, None, None, None, "Europe/Berlin"), []
    )  # fmt: skip


def test_two_intervals_of_one_name_are_a_mistake_under_either_key():
    """Of different names both are read, with all of their parts."""
    own = {"name": "x", "time_intervals": [{"years": ["2026"]}, {"years": ["2027"]}]}
    intervals, mistakes = read(own, {**own, "name": "y"}, key="mute_time_intervals")
    assert mistakes == []
    assert [(name, len(each.parts)) for name, each in intervals.items()] == [("x", 2), ("y", 2)]
    _, mistakes = read(own, own)
    assert len(mistakes) == 1
    assert "time interval" in mistakes[0]


def unix(text):
    """Return the Unix time of a date in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("fields", "inside", "outside"),
    [
        ({"times": ((480, 1050),)}, ["08:00:00", "17:29:59"], ["07:59:59", "17:30:00"]),
        ({"times": ((0, 1), (1439, 1440))}, ["00:00:30", "23:59:59"], ["00:01:00", "23:58:59"]),
        ({"times": ()}, [], ["00:00:00", "12:00:00"]),
    ],
)
def test_hours_hold_from_their_start_until_before_their_end(fields, inside, outside):
    """To the second; no hours at all never."""
    part = IntervalPart(**fields)
    assert [at for at in (*inside, *outside) if part.contains(unix(f"2026-01-05T{at}"))] == inside


@pytest.mark.parametrize(
    ("fields", "inside", "outside"),
    [
        ({"weekdays": ((1, 5),)}, ["2026-01-05", "2026-01-09"], ["2026-01-04", "2026-01-10"]),
        ({"weekdays": ((0, 0),)}, ["2026-01-04"], ["2026-01-05", "2026-01-10"]),
        ({"weekdays": ((6, 6),)}, ["2026-01-10"], ["2026-01-04"]),
        ({"days_of_month": ((1, 2),)}, ["2026-01-01", "2026-01-02"], ["2026-01-03"]),
        ({"days_of_month": ((-1, -1),)}, ["2026-02-28", "2024-02-29", "2026-01-31"],
         ["2024-02-28", "2026-01-30"]),
        ({"days_of_month": ((-3, -2),)}, ["2026-01-29", "2026-01-30"],
         ["2026-01-28", "2026-01-31"]),
        ({"days_of_month": ((31, 31),)}, ["2026-01-31"], ["2026-02-28", "2026-04-30"]),
        ({"days_of_month": ((28, 40),)}, ["2026-02-28", "2026-01-31"], ["2026-01-27"]),
        ({"days_of_month": ((30, -1),)}, ["2026-01-30", "2026-01-31"], ["2026-02-28"]),
        ({"days_of_month": ()}, [], ["2026-01-01"]),
        ({"months": ((2, 3),)}, ["2026-02-01", "2026-03-31"], ["2026-01-31", "2026-04-01"]),
        ({"months": ()}, [], ["2026-01-01"]),
        ({"years": ((2026, 2026),)}, ["2026-01-01", "2026-12-31"], ["2025-12-31", "2027-01-01"]),
        ({"years": ((2026, 2026),), "months": ((1, 1),)}, ["2026-01-31"],
         ["2026-02-01", "2027-01-31"]),
        ({}, ["2026-01-01"], []),
    ],
)  # fmt: skip
def test_days_months_and_years_hold_with_both_of_their_ends(fields, inside, outside):
    """Every field must; days from the end of a month are counted in that month."""
    part = IntervalPart(**fields)
    both = (*inside, *outside)
    assert [day for day in both if part.contains(unix(f"{day}T12:00:00"))] == inside
    either = TimeInterval("x", (IntervalPart(times=()), part))
    assert [day for day in both if either.contains(unix(f"{day}T12:00:00"))] == inside


def test_the_time_of_day_is_that_of_the_place():
    """Cut to the second; ahead of UTC, behind it, and in summer."""
    at_s = unix("2026-07-01T23:30:00") + 0.9
    places = {"": 0, "UTC": 0, "Europe/Berlin": 7200, "America/New_York": -14400,
              "Asia/Kolkata": 19800}  # fmt: skip
    assert {place: utc_offset_s(place, at_s) for place in places} == places
    assert local_time("Europe/Berlin", at_s) == datetime.fromisoformat("2026-07-02T01:30")
    july = IntervalPart(months=((7, 7),), days_of_month=((1, 1),), location="Europe/Berlin")
    assert not july.contains(at_s)
    assert july.contains(at_s - 5401)


def test_clocks_go_forward_and_back_at_their_minute():
    """Twice a year where they do, in the first and last day as well; never in UTC."""
    spring, autumn = unix("2026-03-29T01:00:00"), unix("2026-10-25T01:00:00")
    year = unix("2026-01-01T00:00:00"), unix("2027-01-01T00:00:00")
    assert offset_changes_s("Europe/Berlin", *year) == [spring, autumn]
    assert offset_changes_s("Europe/Berlin", spring - 600, spring + 600) == [spring]
    assert offset_changes_s("UTC", *year) == []


def test_what_could_change_an_interval_is_each_of_its_hours_and_each_midnight():
    """In the order of time, from the first instant on, until before the last."""
    office = TimeInterval("x", (IntervalPart(times=((480, 1440),)), IntervalPart()))
    from_s, until_s = unix("2026-01-05T07:00:00"), unix("2026-01-06T08:00:00")
    assert list(changes_s([office], from_s, until_s)) == [
        from_s, unix("2026-01-05T08:00:00"), unix("2026-01-06T00:00:00"),
    ]  # fmt: skip
    assert list(changes_s([], from_s, until_s)) == [from_s]


def test_an_hour_that_comes_twice_changes_an_interval_twice():
    """And so does the change of the clock itself, as seen from UTC."""
    early = TimeInterval("x", (IntervalPart(times=((150, 160),), location="Europe/Berlin"),))
    day = unix("2026-10-25T00:00:00")
    minutes = [(at_s - day) / 60 for at_s in changes_s([early], day, day + 6 * 3600)]
    assert minutes == [0, 30, 40, 60, 90, 100]
