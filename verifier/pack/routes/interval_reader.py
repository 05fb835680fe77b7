"""Reads the time intervals of an alertmanager.yml, all their fields.

Called by the reader of the whole file. Scalars are as written: an unquoted `20:00` is a text.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, RepeatedName
from documents.mistakes import InputError, Mistake
from verifier.pack.routes.time_intervals import IntervalPart, TimeInterval, zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from documents.document import Steps, Value
    from verifier.pack.routes.time_intervals import Ranges
    from verifier.pack.walker import PackWalker

INTERVAL_KEYS: Final = ("mute_time_intervals", "time_intervals")
_PART_KEYS: Final = ("times", "weekdays", "days_of_month", "months", "years", "location")
_WEEKDAYS: Final = (
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
)  # fmt: skip
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")


def read_intervals(walker: PackWalker, top: Mapping[str, Value]) -> dict[str, TimeInterval]:
    """Return the time intervals of a file by name; mistakes are noted in `walker`."""
    intervals: dict[str, TimeInterval] = {}
    for key in INTERVAL_KEYS:
        for index, raw in enumerate(walker.sequence(top.get(key), (key,))):
            steps: Steps = (key, index)
            holder = walker.mapping(raw, steps, ("name", "time_intervals"))
            name = walker.text(holder, "name", steps)
            if name in intervals:
                walker.reject(RepeatedName("time interval", name), (*steps, "name"))
            entries = walker.sequence(holder.get("time_intervals"), (*steps, "time_intervals"))
            parts = [
                _part(walker, entry, (*steps, "time_intervals", at))
                for at, entry in enumerate(entries)
            ]
            intervals[name] = TimeInterval(name, tuple(parts))
    return intervals


def _part(walker: PackWalker, raw: Value, steps: Steps) -> IntervalPart:
    part = walker.mapping(raw, steps, _PART_KEYS)
    named = str(part.get("location") or "")
    # One that is not known here is as if left out.
    location = walker.attempt(lambda: _known_zone(named), (*steps, "location")) or ""
    return IntervalPart(
        times=_times(walker, part.get("times"), (*steps, "times")),
        weekdays=_ranges(walker, part.get("weekdays"), (*steps, "weekdays"), _weekday),
        days_of_month=_ranges(
            walker, part.get("days_of_month"), (*steps, "days_of_month"), _whole_number
        ),
        months=_ranges(walker, part.get("months"), (*steps, "months"), _month),
        years=_ranges(walker, part.get("years"), (*steps, "years"), _whole_number),
        location=location,
    )


def _times(walker: PackWalker, raw: Value, steps: Steps) -> Ranges | None:
    if raw is None:
        return None
    ranges = []
    for index, entry in enumerate(walker.sequence(raw, steps)):
        where = (*steps, index)
        times = walker.mapping(entry, where, ("start_time", "end_time"))
        minutes = [
            walker.attempt(partial(_minute, times.get(key), key), (*where, key))
            for key in ("start_time", "end_time")
        ]
        if None in minutes:
            continue
        first, last = (minute or 0 for minute in minutes)
        if first >= last:
            walker.reject(BrokenRule("end_time", "be after start_time", times["end_time"]), where)
        ranges.append((first, last))
    return tuple(ranges)


def _ranges(
    walker: PackWalker, raw: Value, steps: Steps, member: Callable[[str], int]
) -> Ranges | None:
    """Return the ranges of a field, `monday:friday` or `-1`; None when it is left out."""
    if raw is None:
        return None
    ranges = []
    for index, entry in enumerate(walker.sequence(raw, steps)):
        key = str(steps[-1])
        pair = walker.attempt(partial(_range, key, str(entry), member), (*steps, index))
        if pair is not None:
            ranges.append(pair)
    return tuple(ranges)


def _range(key: str, text: str, member: Callable[[str], int]) -> tuple[int, int]:
    first, colon, last = text.lower().partition(":")
    try:
        return member(first), member(last if colon else first)
    except ValueError:
        rule = "be one of its kind or a range of two, as in monday:friday or 1:5"
        raise InputError(Mistake(BrokenRule(key, rule, text))) from None


def _weekday(text: str) -> int:
    return _WEEKDAYS.index(text)


def _month(text: str) -> int:
    return _MONTHS.index(text) + 1 if text in _MONTHS else _whole_number(text)


def _whole_number(text: str) -> int:
    return int(text)


def _minute(raw: Value, key: str) -> int:
    match = _TIME.fullmatch(str(raw))
    if match is None:
        raise InputError(Mistake(BrokenRule(key, "be a time of day from 00:00 to 24:00", raw)))
    hour, minute = (int(number) for number in match.groups() if number is not None)
    return hour * 60 + minute


def _known_zone(location: str) -> str:
    try:
        zone(location)
    except ValueError as error:
        raise InputError(f"location: {error}") from None
    return location
