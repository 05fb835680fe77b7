"""Configurations as people have them: read, routed and muted as Alertmanager does it.

From the field are `kinds`, `null-receiver`, `numbers`, `tricky` and `muted-always`; our own, of
other shapes, are `operator` (blackholes, inhibitions, numbers in nested routes), `office` (hours in
two places, ends of months, holidays) and `texts` (every way of writing a matcher).
"""

from __future__ import annotations

import time

import pytest

from tests.field.routed_alerts import (
    FOLDER,
    AlertRun,
    date,
    notified_by_alertmanager,
    notified_here,
)
from tests.verifier.deliveries import wait_until
from tests.verifier.pack.routes.random_routes import receivers_by_amtool
from verifier.pack.routes.routing import load_routing
from verifier.pack.routes.zone_files import DateClock
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.receiver import Receiver

CASES = {
    "kinds": [
        {"alertname": "A", "severity": "critical", "pool": "A"},
        {"alertname": "A", "severity": "critical", "pool": "C"},
        {"alertname": "B", "severity": "warning", "component": "x"},
        {"alertname": "SandboxPoolExhaustion", "severity": "info", "component": "x"},
        {"alertname": "C", "severity": "warning"},
    ],
    "null-receiver": [
        {"alertname": "Watchdog"},
        {"alertname": "InfoInhibitor"},
        {"alertname": "A", "severity": "critical"},
        {"alertname": "A", "severity": "info", "namespace": "n"},
    ],
    "numbers": [
        {"alertname": "A", "severity_num": "300"},
        {"alertname": "B", "team": "42"},
        {"alertname": "C", "team": "4"},
    ],
    "tricky": [
        {"alertname": "A", "severity": "critical"},
        {"alertname": "A", "severity": "'critical'", "owner": "o"},
        {"alertname": "B", "path": "C:\\x", "note": "a,b", "owner": "o"},
        {"alertname": "C", "job": "agents", "owner": "o"},
        {"alertname": "D", "job": "7", "owner": "o"},
        {"alertname": "E", "job": "größe", "owner": "o"},
    ],
    "muted-always": [{"alertname": "A", "severity": "critical"}, {"alertname": "A"}],
    "operator": [
        {"alertname": "Watchdog"},
        {"alertname": "A", "severity": "critical", "namespace": "n"},
        {"alertname": "B", "severity": "critical", "shard": "007", "replica": "1.50",
         "drained": "no"},
        {"alertname": "B", "severity": "critical", "shard": "7", "replica": "1.5",
         "drained": "false"},
        {"alertname": "C", "severity": "none"},
    ],
    "office": [
        {"alertname": "A", "team": "sre"},
        {"alertname": "A", "team": "sre", "kind": "batch"},
        {"alertname": "A", "team": "DBA"},
        {"alertname": "A", "team": "db"},
        {"alertname": "A", "team": "ops"},
        {"alertname": "A"},
    ],
    "texts": [
        {"alertname": "A", "team": "a,b", "env": "stage"},
        {"alertname": "B", "team": "'quoted'", "note": 'say "x"', "owner": "o"},
        {"alertname": "C", "path": "C:\\x"},
        {"alertname": "D", "name": "Zoë", "host": "ab12", "owner": "o", "n": "1_000"},
        {"alertname": "E", "on": "off", "n": "1_000", "hex": "0x1F", "date": "2026-01-05",
         "owner": "o"},
        {"alertname": "F", "hex": "0x1F", "date": "2026-01-05", "owner": "o"},
        {"alertname": "G", "hex": "31", "date": "2026-01-05", "owner": "o"},
    ],
}  # fmt: skip
DATES = [
    ("kinds", "2026-03-02T19:30"),  # nights in Berlin: a Monday, 20:30 there
    ("kinds", "2026-03-07T19:30"),  # a Saturday
    ("muted-always", "2026-01-05T00:00"),
    ("null-receiver", "2026-01-05T00:00"),
    ("operator", "2026-01-05T00:00"),
    ("texts", "2026-01-05T00:00"),
    ("office", "2026-07-01T15:45"),  # a Wednesday: after 17:30 in Berlin, before noon in New York
    ("office", "2026-03-31T06:30"),  # month end, and summer time since two days in Berlin
    ("office", "2026-12-26T12:00"),  # a holiday on a Saturday
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_a_configuration_from_the_field_is_routed_as_amtool_says(name: str) -> None:
    """Read without a mistake, every alert to the receivers that amtool names."""
    path = FOLDER / f"{name}.yml"
    routing = load_routing(path)
    assert not [finding for finding in routing.findings if "not understood" in str(finding)]
    for labels in CASES[name]:
        receivers = [route.receiver for route in routing.root.matching(labels)]
        assert receivers == receivers_by_amtool(path, labels), labels


@pytest.mark.ci
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "day"), DATES)
def test_alertmanager_notifies_of_what_our_reading_says_on_that_date(name: str, day: str) -> None:
    """Muted and active hours, and whether the end is told of, with the configuration of a run."""
    routing, alerts = load_routing(FOLDER / f"{name}.yml"), CASES[name]
    expected = notified_here(routing, alerts, date(day))
    assert notified_by_alertmanager(routing, alerts, date(day), expected) == expected


def test_the_dates_make_a_difference() -> None:
    """Or nothing would show that intervals are heeded."""
    for name in ("kinds", "office"):
        routing = load_routing(FOLDER / f"{name}.yml")
        days = [date(day) for case, day in DATES if case == name]
        answers = [str(notified_here(routing, CASES[name], date_s)) for date_s in days]
        assert len(set(answers)) == len(days)


def test_hours_begin_on_the_clock_of_a_compressed_scenario() -> None:
    """Sixty times: three seconds after 19:57 in Berlin it is night."""
    routing = load_routing(FOLDER / "kinds.yml")
    alerts = [{"alertname": str(n), "severity": "critical", "pool": "A"} for n in range(2)]
    with Receiver() as receiver, Alertmanager() as server:
        start_s = time.time()
        clock = DateClock(start_s, date("2026-03-02T18:57"), 60.0, 600.0)
        routing.write_zones(server.directory, clock)
        server.start(routing.config(receiver.url, 60.0))
        run = AlertRun(server, receiver)
        run.send(alerts[:1])
        # Duty is active at night alone; what everybody else is told of does not change.
        time.sleep(max(0.0, start_s + 2.0 - time.time()))
        assert (0, "duty") not in run.notified(alerts)
        time.sleep(max(0.0, start_s + 4.5 - time.time()))
        run.send(alerts[1:])
        assert wait_until(lambda: (1, "duty") in run.notified(alerts), 5)
