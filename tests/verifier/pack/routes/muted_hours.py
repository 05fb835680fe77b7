"""Time intervals in an Alertmanager that believes in another date: which of them mute a route.

Each case has an interval and a date; all cases of a call run in a single process, each with a zone
of its own, a route that its interval mutes and a control route that nothing mutes.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.verifier.deliveries import post, wait_until
from verifier.pack.routes import zone_files
from verifier.pack.routes.zone_files import DateClock
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.receiver import Receiver

PLACES = (
    "", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca",
)  # fmt: skip
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
SETTLED_S = 0.5
"""How long after the last control notification another is still waited for."""


@dataclass(frozen=True)
class MutedHour:
    """The parts of an interval as a configuration has them, and a date, Unix seconds."""

    parts: list[dict[str, Any]]
    date_s: float


def muted_by_alertmanager(cases: list[MutedHour], factor: float = 1.0) -> list[bool]:
    """Return for each case whether Alertmanager notifies nobody on that date."""
    with Receiver() as receiver, Alertmanager() as server:
        start_s = time.time() + 0.3
        (server.directory / "Scenario").mkdir()
        for index, case in enumerate(cases):
            for at, part in enumerate(case.parts):
                clock = DateClock(start_s, case.date_s, factor, 600)
                zone = zone_files.zone_offsets(part.get("location", ""), (), clock)
                path = server.directory / "Scenario" / f"{index}-{at}"
                path.write_bytes(zone_files._zone_file(*zone))
        server.start(json.dumps(config(cases, receiver.url)))
        time.sleep(max(0.0, start_s - time.time()))
        alerts = [{"labels": {"alertname": "A", "case": str(at)}} for at in range(len(cases))]
        assert post(f"{server.url}/api/v2/alerts", alerts) == 200
        numbers = {str(at) for at in range(len(cases))}
        assert wait_until(lambda: notified(receiver, "control") == numbers, 30)
        time.sleep(SETTLED_S)
        unmuted = notified(receiver, "muted")
    return [str(at) not in unmuted for at in range(len(cases))]


def notified(receiver: Receiver, name: str) -> set[str]:
    """Return the cases of which a receiver was notified."""
    return {dict(n.labels)["case"] for n in receiver.notifications() if n.receiver == name}


def config(cases: list[MutedHour], url: str) -> dict[str, Any]:
    """Return a configuration with a muted and a control route for each case."""
    intervals = [
        {
            "name": str(index),
            "time_intervals": [
                {**part, "location": f"Scenario/{index}-{at}"} for at, part in enumerate(case.parts)
            ],
        }
        for index, case in enumerate(cases)
    ]
    routes: list[dict[str, Any]] = []
    for index in range(len(cases)):
        match = {"case": str(index)}
        muted = {"receiver": "muted", "match": match, "mute_time_intervals": [str(index)]}
        # The muted one first: its notification, if there is one, is on its way before the control.
        routes += [{**muted, "continue": True}, {"receiver": "control", "match": match}]
    hooks = [
        {"name": name, "webhook_configs": [{"url": f"{url}/{name}"}]}
        for name in ("control", "muted")
    ]
    root = {"receiver": "control", "group_wait": "0s", "group_by": ["..."], "routes": routes}
    return {"time_intervals": intervals, "route": root, "receivers": hooks}


def dice(seed: int) -> random.Random:
    """Return random numbers for the inputs of a test."""
    return random.Random(seed)  # noqa: S311 - they protect nothing


def random_muted_hour(drawn: random.Random) -> MutedHour:
    """Return an interval of one or two parts, near a date: month ends and clock changes often."""
    day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=drawn.randrange(16 * 365))
    if drawn.random() < 0.4:
        day = day.replace(day=1) - timedelta(days=drawn.randrange(3))
    if drawn.random() < 0.2:
        day = day.replace(month=drawn.choice((3, 10, 11)), day=drawn.randrange(25, 31))
    date = day + timedelta(minutes=drawn.randrange(1440), seconds=drawn.randrange(5, 40))
    parts = [_part(drawn, date) for _ in range(drawn.choice((1, 1, 2)))]
    return MutedHour(parts, date.timestamp())


def _part(drawn: random.Random, date: datetime) -> dict[str, Any]:
    part: dict[str, Any] = {}
    place = drawn.choice(PLACES)
    if place:
        part["location"] = place
    if drawn.random() < 0.5:
        part["times"] = [_times(drawn, date) for _ in range(drawn.choice((1, 1, 2)))]
    if drawn.random() < 0.4:
        part["weekdays"] = [_weekdays(drawn, date) for _ in range(drawn.choice((1, 2)))]
    if drawn.random() < 0.4:
        part["days_of_month"] = [_days(drawn, date) for _ in range(drawn.choice((1, 2)))]
    if drawn.random() < 0.3:
        part["months"] = [_months(drawn, date)]
    if drawn.random() < 0.2:
        first = date.year - drawn.randrange(-1, 3)
        part["years"] = [f"{first}:{first + drawn.randrange(3)}"]
    for key in ("times", "weekdays", "days_of_month", "months", "years"):
        if drawn.random() < 0.02:
            part[key] = []
    return part


def _times(drawn: random.Random, date: datetime) -> dict[str, str]:
    near = date.hour * 60 + date.minute + drawn.choice((-330, -60, 0, 60, 120, 330, 630))
    first = min(max(0, near - drawn.choice((0, 1, 59, 300))), 1438)
    last = min(max(first + 1, near + drawn.choice((-1, 0, 1, 60, 400))), 1440)
    return {
        "start_time": f"{first // 60:02}:{first % 60:02}",
        "end_time": f"{last // 60:02}:{last % 60:02}",
    }


def _weekdays(drawn: random.Random, date: datetime) -> str:
    first = (date.isoweekday() + drawn.randrange(-2, 3)) % 7
    last = min(6, first + drawn.randrange(3))
    return WEEKDAYS[first] if drawn.random() < 0.5 else f"{WEEKDAYS[first]}:{WEEKDAYS[last]}"


def _days(drawn: random.Random, date: datetime) -> str:
    if drawn.random() < 0.5:
        first = -drawn.choice((1, 1, 1, 2, 3, 5, 31))
        return f"{first}:{min(-1, first + drawn.randrange(3))}"
    first = min(31, max(1, date.day + drawn.randrange(-2, 2)))
    if drawn.random() < 0.3:
        return f"{min(first, 27)}:-1"
    return f"{first}:{min(31, first + drawn.randrange(4))}" if drawn.random() < 0.6 else str(first)


def _months(drawn: random.Random, date: datetime) -> str:
    first = max(1, date.month - drawn.randrange(-1, 3))
    first = min(first, 12)
    last = min(12, first + drawn.randrange(3))
    if drawn.random() < 0.5:
        return f"{MONTHS[first - 1].title()}:{MONTHS[last - 1]}"
    return f"{first}:{last}"
