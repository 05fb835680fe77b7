"""Time intervals are read field by field; each mistake has its place, and the rest is read."""

from __future__ import annotations

import json

import pytest

from documents.yaml_reader import parse_texts
from verifier.pack.routes.interval_reader import read_intervals
from verifier.pack.routes.time_intervals import IntervalPart
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
