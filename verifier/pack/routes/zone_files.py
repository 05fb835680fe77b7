"""Time zones in which it is what the scenario's clock says, for an Alertmanager in real time.

Alertmanager asks the time of day of its own clock, in the zone of each time interval. So a run
gives it zones of our own: their offset from UTC is the distance between the scenario's date and
today's, and grows with the scenario's clock where time is compressed. The real engine then decides
by the intervals as they are written, and a configuration need not change during the run.

The files have the tz database's format (RFC 8536). An offset there is whole seconds, and a zone
has at most 256 of them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.pack.routes.time_intervals import (
    DAY_S,
    MINUTE_S,
    YEAR_DAYS,
    changes_s,
    offset_changes_s,
    utc_offset_s,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verifier.pack.routes.time_intervals import TimeInterval

FOLDER: Final = "Scenario"
STEPS_MAX: Final = 200
"""Offsets that follow the clock; the rest of 256 is for clocks that go forward or back."""

_HEADER: Final = ">4sc15x6I"
_ABBREVIATION: Final = b"SIM\0"


@dataclass(frozen=True, slots=True)
class DateClock:
    """The scenario's date and time of day at an instant of Unix time.

    At `start_s` of Unix time it is `date_s` in the scenario, and `factor` seconds pass there in
    one; the scenario ends `duration_s` scenario seconds later (inf: never).
    """

    start_s: float
    date_s: float
    factor: float
    duration_s: float

    def unix_s(self, date_s: float) -> float:
        """Return the Unix time at a date of the scenario."""
        return self.start_s + (date_s - self.date_s) / self.factor


def zone_name(location: str, locations: Sequence[str]) -> str:
    """Return how the zone that stands for `location`, one of `locations`, is called."""
    return f"{FOLDER}/{locations.index(location)}"


def write_zones(
    folder: Path, intervals: Sequence[TimeInterval], clock: DateClock, locations: Sequence[str]
) -> None:
    """Write a file for each of `locations` below `folder`; raises OSError."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for location in locations:
        path = folder / zone_name(location, locations)
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(_zone_file(*zone_offsets(location, intervals, clock)))
        unfinished.replace(path)


def zone_offsets(
    location: str, intervals: Sequence[TimeInterval], clock: DateClock
) -> tuple[int, list[tuple[int, int]]]:
    """Return the offset before the run, and the instants of Unix time with the offset from then on.

    Between two instants the zone's clock goes at the speed of real time, that is slower than the
    scenario's: it never runs into what comes next. After the run it is as before, so that a month
    has the length that it has.
    """
    distance_s = clock.date_s - clock.start_s
    year_s = YEAR_DAYS * DAY_S
    first_s = clock.date_s - year_s
    before = round(distance_s + utc_offset_s(location, first_s))
    offsets = [
        (round(at_s - distance_s), round(distance_s + utc_offset_s(location, at_s)))
        for at_s in offset_changes_s(location, first_s, clock.date_s + year_s)
    ]
    if clock.factor == 1:
        return before, offsets
    run = [
        (round(clock.unix_s(at_s)), round(at_s + utc_offset_s(location, at_s) - clock.unix_s(at_s)))
        for at_s in _steps_s(intervals, clock)
    ]
    begin, end = run[0][0], round(clock.unix_s(clock.date_s + _length_s(clock)))
    after_s = clock.date_s + _length_s(clock)
    back = (end, round(distance_s + utc_offset_s(location, after_s)))
    return before, [
        *(change for change in offsets if change[0] < begin),
        *run,
        back,
        *(change for change in offsets if change[0] > end),
    ]


def _length_s(clock: DateClock) -> float:
    """Return for how long the zones follow the clock: twice the scenario, at least an hour more.

    A run goes on after its scenario until what is due has been notified.
    """
    return min(2 * clock.duration_s + 3600, 31 * DAY_S)


def _steps_s(intervals: Sequence[TimeInterval], clock: DateClock) -> list[float]:
    """Return dates of the scenario at which the zones are set anew: the start, then what matters.

    Each minute where these are few enough, else whatever could change an interval.
    """
    end_s = clock.date_s + _length_s(clock)
    first = int(clock.date_s // MINUTE_S + 1) * MINUTE_S
    minutes = [clock.date_s, *map(float, range(first, int(end_s), MINUTE_S))]
    if len(minutes) <= STEPS_MAX:
        return minutes
    return list(changes_s(intervals, clock.date_s, end_s))[:STEPS_MAX]


def _zone_file(before: int, offsets: Sequence[tuple[int, int]]) -> bytes:
    """Return a zone in the format of the tz database, version 2, without a rule for the future."""
    latest = dict(offsets)  # of several changes within a second the last holds
    kinds = list(dict.fromkeys([before, *latest.values()]))

    def block(instants: Sequence[int]) -> bytes:
        times = b"".join(struct.pack(">q", at) for at in instants)
        indices = bytes(kinds.index(latest[at]) for at in instants)
        types = b"".join(struct.pack(">iBB", kind, 0, 0) for kind in kinds)
        counts = (0, 0, 0, len(instants), len(kinds), len(_ABBREVIATION))
        header = struct.pack(_HEADER, b"TZif", b"2", *counts)
        return header + times + indices + types + _ABBREVIATION

    # The block of version 1 knows 32 bits alone; whoever reads version 2 passes over it.
    return block(()) + block(sorted(latest)) + b"\n\n"
