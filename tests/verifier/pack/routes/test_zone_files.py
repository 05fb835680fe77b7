"""Zones in which it is what the scenario's clock says, at every speed of it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.verifier.pack.routes.muted_hours import dice
from verifier.pack.routes.time_intervals import IntervalPart, TimeInterval, changes_s
from verifier.pack.routes.zone_files import STEPS_MAX, DateClock, write_zones, zone_offsets

NOW_S = 1_790_000_000.3
"""When a run starts, a September; what it believes is another month."""
OFFICE = IntervalPart(times=((480, 1050),), weekdays=((1, 5),))
LUNCH = IntervalPart(times=((720, 722), (760, 800)), months=((3, 3), (10, 10)))


def local_s(zone: tuple[int, list[tuple[int, int]]], unix_s: float) -> float:
    """Return what time it is in a zone, as if it were UTC."""
    before, offsets = zone
    at = bisect_right([instant for instant, _ in offsets], unix_s)
    return unix_s + (offsets[at - 1][1] if at else before)


@pytest.mark.sampled(15)
@pytest.mark.parametrize("factor", [1.0, 10.0, 60.0])
@pytest.mark.parametrize("duration_s", [960.0, 6 * 3600.0, 30 * 3600.0])
@pytest.mark.parametrize(
    ("place", "day"),
    [
        ("", "2026-01-05T07:55"),
        ("Europe/Berlin", "2026-03-29T00:30"),  # clocks go forward at 01:00 UTC
        ("Europe/Berlin", "2026-10-25T00:30"),  # and back
        ("America/New_York", "2026-03-06T16:30"),
        ("Asia/Kolkata", "2031-12-31T18:00"),
    ],
)
def test_an_interval_is_inside_when_it_is_on_the_scenarios_clock(
    factor: float, duration_s: float, place: str, day: str
) -> None:
    """But for two seconds of real time around its ends: offsets are whole seconds."""
    date_s = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    parts = tuple(replace(part, location=place) for part in (OFFICE, LUNCH))
    intervals = [TimeInterval("i", parts)]
    clock = DateClock(NOW_S, date_s, factor, duration_s)
    zone = zone_offsets(place, intervals, clock)
    assert len({offset for _, offset in zone[1]}) < 256
    ends = changes_s(intervals, date_s, date_s + duration_s)
    drawn = dice(3)
    for _ in range(300):
        at_s = date_s + drawn.random() * duration_s
        if any(abs(at_s - end) < 2 * factor for end in ends):
            continue
        local = local_s(zone, clock.unix_s(at_s))
        for part in parts:
            assert replace(part, location="").contains(local) == part.contains(at_s)


def test_a_zone_that_stood_still_would_be_detected() -> None:
    """The comparison can fail: ten minutes before eight it is not yet office."""
    date_s = datetime(2026, 1, 5, 7, 50, tzinfo=UTC).timestamp()
    clock = DateClock(NOW_S, date_s, 60.0, 1800.0)
    before, offsets = zone_offsets("", [TimeInterval("i", (OFFICE,))], clock)
    at_s = date_s + 1200
    assert OFFICE.contains(at_s)
    assert OFFICE.contains(local_s((before, offsets), clock.unix_s(at_s)))
    assert not OFFICE.contains(local_s((before, []), clock.unix_s(at_s)))
    assert len(offsets) <= STEPS_MAX + 10


def test_each_zone_has_a_file_of_the_tz_databases_format(tmp_path) -> None:
    """Written whole: nothing else stays in the folder."""
    clock = DateClock(NOW_S, NOW_S, 10.0, 60.0)
    write_zones(tmp_path, (), clock, ("", "Europe/Berlin"))
    files = sorted((tmp_path / "Scenario").iterdir())
    assert [file.name for file in files] == ["0", "1"]
    assert all(file.read_bytes().startswith(b"TZif2") for file in files)
