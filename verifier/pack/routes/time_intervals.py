"""Alertmanager's time intervals: whether an instant is inside, and when that changes.

An interval is a list of parts, and inside when any of them is; a part is inside when each of its
fields is. Fields that are left out hold always, empty lists never. Times are Unix seconds. What is
said here explains verdicts and findings; in a run, Alertmanager itself decides (see
`verifier.pack.routes.zone_files`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MINUTE_S: Final = 60
DAY_S: Final = 86_400
YEAR_DAYS: Final = 366
"""Days after which every date of a year has come."""
MINUTES_OF_DAY: Final = 1440

Ranges = tuple[tuple[int, int], ...]
"""Inclusive ranges; None where a field is left out."""


@dataclass(frozen=True, slots=True)
class IntervalPart:
    """One entry of a time interval.

    `times` are minutes of the day, the last of each excluded; weekdays count from Sunday, 0; days
    of the month may be negative, from its end. `location` is a zone of the tz database; UTC.
    """

    times: Ranges | None = None
    weekdays: Ranges | None = None
    days_of_month: Ranges | None = None
    months: Ranges | None = None
    years: Ranges | None = None
    location: str = ""

    def contains(self, at_s: float) -> bool:
        """Return whether an instant is inside."""
        local = local_time(self.location, at_s)
        if self.times is not None:
            minute = local.hour * 60 + local.minute
            if not any(first <= minute < last for first, last in self.times):
                return False
        return (
            _within(self.months, local.month)
            and _within(self.weekdays, local.isoweekday() % 7)
            and _within(self.years, local.year)
            and (self.days_of_month is None or self._contains_day(local))
        )

    def _contains_day(self, local: datetime) -> bool:
        length = _days_in_month(self.location, local.year, local.month)
        for begin, end in self.days_of_month or ():
            first, last = (day + length + 1 if day < 0 else day for day in (begin, end))
            if first <= length and first <= local.day <= min(last, length):
                return True
        return False


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A named time interval: inside when any of its parts is."""

    name: str
    parts: tuple[IntervalPart, ...]

    def contains(self, at_s: float) -> bool:
        """Return whether an instant is inside."""
        return any(part.contains(at_s) for part in self.parts)


def local_time(location: str, at_s: float) -> datetime:
    """Return date and time of day in a place, without its zone; fractions of a second cut off."""
    return datetime.fromtimestamp(at_s // 1, zone(location)).replace(tzinfo=None)


def utc_offset_s(location: str, at_s: float) -> int:
    """Return by how much a place is ahead of UTC."""
    utc = datetime.fromtimestamp(at_s // 1, UTC).replace(tzinfo=None)
    return round((local_time(location, at_s) - utc).total_seconds())


def zone(location: str) -> tzinfo | None:
    """Return a time zone as Go knows it, None for that of this machine.

    Raises ValueError where there is none of this name.
    """
    if location in ("", "UTC"):
        return UTC
    if location == "Local":
        return None
    try:
        return ZoneInfo(location)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {location!r}") from None


def changes_s(intervals: Sequence[TimeInterval], from_s: float, until_s: float) -> Iterable[float]:
    """Yield every instant in [from_s, until_s) at which an interval could begin or end, in order.

    `from_s` is the first of them.
    """
    instants = {from_s}
    # A file may repeat a part a thousand times, and days and months begin with others' midnights.
    parts = {(part.location, part.times) for interval in intervals for part in interval.parts}
    for location, times in parts:
        instants.update(_part_changes_s(location, times, from_s, until_s))
    return sorted(s for s in instants if from_s <= s < until_s)


def _part_changes_s(
    location: str, times: Ranges | None, from_s: float, until_s: float
) -> Iterable[float]:
    minutes = {0, *(minute for bounds in times or () for minute in bounds)} - {MINUTES_OF_DAY}
    days = int((until_s - from_s) // DAY_S) + 3
    midnight = datetime.combine(
        local_time(location, from_s).date() - timedelta(days=1), datetime.min.time()
    )
    place = zone(location)
    for day in range(days):
        for minute in minutes:
            local = midnight + timedelta(days=day, minutes=minute)
            # Both readings of an hour that comes twice.
            for fold in (0, 1):
                yield local.replace(tzinfo=place, fold=fold).timestamp()
    # A change of the zone moves the time of day.
    yield from offset_changes_s(location, from_s, until_s)


def offset_changes_s(location: str, from_s: float, until_s: float) -> list[float]:
    """Return the dates at which clocks go forward or back in a place, to the minute."""
    changes = []
    at_s = from_s // DAY_S * DAY_S
    while at_s < until_s:
        low, high = at_s, at_s + DAY_S
        if utc_offset_s(location, low) != utc_offset_s(location, high):
            before = utc_offset_s(location, low)
            while high - low > MINUTE_S:
                middle = (low + high) // 2 // MINUTE_S * MINUTE_S
                if utc_offset_s(location, middle) == before:
                    low = middle
                else:
                    high = middle
            changes.append(high)
        at_s += DAY_S
    return changes


def _within(ranges: Ranges | None, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


@lru_cache(maxsize=1024)
def _days_in_month(location: str, year: int, month: int) -> int:
    """Return how many whole days of 24 hours a month has.

    As Alertmanager counts them up to 0.33: a month in which clocks go forward lacks one.
    """
    place = zone(location)
    begin = datetime(year, month, 1, tzinfo=place)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=place)
    return int((end.timestamp() - begin.timestamp()) // DAY_S)
