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


@pytest.mark.parametrize(
    ("duration_s", "length_s"),
    [(0.0, 3600.0), (60.0, 3720.0), (86400.0, 176400.0), (3000000.0, 2678400.0),
     (float("inf"), 2678400.0)],
)  # fmt: skip
def test_zones_follow_the_clock_for_twice_the_scenario_and_an_hour(duration_s, length_s) -> None:
    """At most a month; then the clock is again as far from the date as at the start."""
    date_s = datetime(2026, 1, 5, 7, 0, 30, tzinfo=UTC).timestamp()
    clock = DateClock(NOW_S, date_s, 60.0, duration_s)
    before, offsets = zone_offsets("", (), clock)
    distance_s = round(date_s - NOW_S)
    assert before == distance_s
    assert offsets[0] == (round(NOW_S), distance_s)
    assert offsets[-1] == (round(NOW_S + length_s / 60.0), distance_s)


def test_a_zone_is_set_anew_each_minute_of_the_scenario_where_these_are_few() -> None:
    """From the start, then at whole minutes; else at what could change an interval."""
    date_s = datetime(2026, 1, 5, 7, 0, 30, tzinfo=UTC).timestamp()
    start_s = date_s + 4_000_000.0
    _, offsets = zone_offsets("", (), DateClock(start_s, date_s, 30.0, 0.0))
    assert [at - start_s for at, _ in offsets] == [0, *range(1, 120, 2), 120]
    assert [offset + 4_000_000 for _, offset in (*offsets[:3], offsets[-1])] == [0, 29, 87, 0]
    # Two hundred evaluations of a minute: the start, and 199 whole minutes.
    longest = DateClock(NOW_S, date_s, 60.0, (199 * 60 - 3600) / 2)
    assert len(zone_offsets("", (), longest)[1]) == STEPS_MAX + 1
    assert len(zone_offsets("", (), replace(longest, duration_s=longest.duration_s + 31))[1]) < 10


def test_at_the_speed_of_real_time_a_zone_is_only_as_far_off_as_the_date() -> None:
    """Clocks go forward in the scenario when they do there; a year before and after."""
    date_s = datetime(2026, 3, 28, 0, 0, tzinfo=UTC).timestamp()
    spring, autumn = (
        datetime(2026, *day, 1, tzinfo=UTC).timestamp() for day in ((3, 29), (10, 25))
    )
    clock = DateClock(date_s + 1000.0, date_s, 1.0, 3600.0)
    before, offsets = zone_offsets("Europe/Berlin", (), clock)
    assert before == 3600 - 1000  # a year before, in winter
    assert {(spring + 1000, 7200 - 1000), (autumn + 1000, 3600 - 1000)} <= {*offsets}
    assert len(offsets) == 5
    compressed = zone_offsets("Europe/Berlin", (), replace(clock, factor=60.0))
    run = [at for at, _ in compressed[1] if clock.start_s <= at <= clock.start_s + 180]
    assert (len(run), compressed[0]) == (181, before)
    assert [change for change in compressed[1] if change[0] > clock.start_s + 180] == [
        change for change in offsets if change[0] > clock.start_s + 180
    ]
    assert clock.unix_s(date_s + 120.0) == clock.start_s + 120.0
    assert replace(clock, factor=60.0).unix_s(date_s + 120.0) == clock.start_s + 2.0
