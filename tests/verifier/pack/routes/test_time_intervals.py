"""Time intervals beside a real Alertmanager that believes in any date that we choose."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from documents.yaml_reader import parse_texts
from tests.verifier.pack.routes.muted_hours import (
    MutedHour,
    dice,
    muted_by_alertmanager,
    random_muted_hour,
)
from verifier.pack.routes import time_intervals
from verifier.pack.routes.interval_reader import read_intervals
from verifier.pack.routes.time_intervals import (
    DAY_S,
    MINUTE_S,
    IntervalPart,
    TimeInterval,
    changes_s,
    offset_changes_s,
)
from verifier.pack.walker import PackWalker

CASES = 60
"""Of which a process judges all at once, in some seconds."""


def interval_of(case: MutedHour) -> TimeInterval:
    """Return a case's interval as our reader has it."""
    text = json.dumps({"time_intervals": [{"name": "x", "time_intervals": case.parts}]})
    walker = PackWalker(next(parse_texts(text, "alertmanager.yml")))
    intervals = read_intervals(walker, walker.document.data)
    assert walker.mistakes == []
    return intervals["x"]


def differences(cases: list[MutedHour]) -> list[MutedHour]:
    """Return the cases of which Alertmanager thinks otherwise."""
    muted = muted_by_alertmanager(cases)
    here = [interval_of(case).contains(case.date_s) for case in cases]
    assert min(sum(here), len(here) - sum(here)) > len(cases) / 10
    return [case for case, ours, its in zip(cases, here, muted, strict=True) if ours != its]


def in_utc(interval: TimeInterval) -> TimeInterval:
    """Return an interval with its places forgotten, the planted fault."""
    return replace(interval, parts=tuple(replace(part, location="") for part in interval.parts))


def test_intervals_are_inside_when_alertmanager_mutes() -> None:
    """All fields, many zones, month ends, clocks that go forward and back.

    It can fail: a reader that forgets where an interval is would be detected.
    """
    drawn = dice(1)
    cases = [random_muted_hour(drawn) for _ in range(CASES)]
    assert differences(cases) == []
    assert [
        case for case in cases
        if interval_of(case).contains(case.date_s)
        != in_utc(interval_of(case)).contains(case.date_s)
    ]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 16))
def test_more_intervals_are_inside_when_alertmanager_mutes(seed: int) -> None:
    """As above, some two thousand."""
    drawn = dice(seed)
    assert differences([random_muted_hour(drawn) for _ in range(CASES)]) == []


def test_an_end_that_was_included_would_be_detected() -> None:
    """The comparison can fail: the last minute of a time is outside."""
    noon = 1_767_571_200 + DAY_S / 2
    times = [{"start_time": "11:00", "end_time": "12:00"}]
    before, at = (MutedHour([{"times": times}], noon + shift_s) for shift_s in (-30, 30))
    assert muted_by_alertmanager([before, at]) == [True, False]
    wrong = replace(interval_of(at).parts[0], times=((660, 721),))
    assert wrong.contains(at.date_s)
    assert not interval_of(at).contains(at.date_s)


def test_an_interval_changes_at_no_other_instant_than_is_said() -> None:
    """Between two of the instants it is always inside, or never."""
    drawn = dice(5)
    for _ in range(40):
        case = random_muted_hour(drawn)
        interval = interval_of(case)
        from_s = case.date_s - DAY_S
        instants = [*changes_s([interval], from_s, from_s + 3 * DAY_S), from_s + 3 * DAY_S]
        for first, last in itertools.pairwise(instants):
            inside = interval.contains(first)
            steps = {first + drawn.random() * (last - first) for _ in range(8)} | {last - 1}
            assert {interval.contains(at_s) for at_s in steps if at_s >= first} <= {inside}


@pytest.mark.parametrize(("day", "hours", "count"), [("10-25", 4, 2), ("03-29", 3, 1)])
def test_an_hour_that_comes_twice_has_every_change_twice(day: str, hours: int, count: int) -> None:
    """To 02:30 of the day on which clocks go back, or skip that hour: found minute by minute."""
    berlin = ZoneInfo("Europe/Berlin")
    from_s = datetime.fromisoformat(f"2026-{day}T01:00:00").replace(tzinfo=berlin).timestamp()
    until_s = from_s + hours * 3600
    parts = (IntervalPart(times=((0, 150),), location="Europe/Berlin"),)
    interval = TimeInterval("night", parts)
    minutes = [from_s + MINUTE_S * n for n in range(hours * 60)]
    ends = [
        later
        for earlier, later in itertools.pairwise(minutes)
        if interval.contains(earlier) and not interval.contains(later)
    ]
    assert len(ends) == count
    assert set(ends) <= set(changes_s([interval], from_s, until_s))


def test_parts_of_the_same_hours_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may repeat one a thousand times: a year of each took a second."""
    looked_up: list[str] = []

    def looks(location: str, *_: float) -> list[float]:
        looked_up.append(location)
        return offset_changes_s(location, *_)

    monkeypatch.setattr(time_intervals, "offset_changes_s", looks)
    parts = tuple(IntervalPart(days_of_month=((day, day),)) for day in range(1, 29)) * 30
    night = IntervalPart(times=((0, 90),), location="Europe/Berlin")
    intervals = [TimeInterval("days", parts), TimeInterval("nights", (night, night))]
    instants = changes_s(intervals, 0.0, 10 * DAY_S)
    assert sorted(looked_up) == ["", "Europe/Berlin"]
    assert len(list(instants)) == 10 + 2 * 10
