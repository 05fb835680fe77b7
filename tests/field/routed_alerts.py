"""Alerts sent through a real Alertmanager with a routing as a run in real time writes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.verifier.deliveries import post, wait_until
from verifier.pack.routes.zone_files import DateClock
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.receiver import Receiver

if TYPE_CHECKING:
    from verifier.pack.routes.routing import Routing

FOLDER = Path(__file__).parent / "routing"
FACTOR = 300.0
"""By which waits are divided: a group_interval of five minutes takes a second."""
QUIET_S = 0.6
"""How long after what was expected another notification is still waited for."""

Alert = dict[str, str]
Notified = dict[tuple[int, str], set[str]]
"""Alert and receiver, with the states that it was notified of."""


@dataclass(frozen=True)
class AlertRun:
    """A routing in an Alertmanager that runs, on a date of the scenario."""

    server: Alertmanager
    receiver: Receiver
    start_s: float = field(default_factory=time.time)

    def send(self, alerts: list[Alert], *, resolved: bool = False) -> None:
        """Send alerts as Prometheus does, or their end."""
        end_s = time.time() + (-0.001 if resolved else 60)
        times = {"startsAt": _stamp(self.start_s), "endsAt": _stamp(end_s)}
        body = [{"labels": labels, "annotations": {}, **times} for labels in alerts]
        assert post(f"{self.server.url}/api/v2/alerts", body) == 200

    def notified(self, alerts: list[Alert]) -> Notified:
        """Return what the receivers were notified of so far."""
        states: Notified = {}
        for each in self.receiver.notifications():
            index = alerts.index(dict(each.labels))
            states.setdefault((index, each.receiver), set()).add(each.status)
        return states


def date(text: str) -> float:
    """Return the Unix seconds of a date and time of day in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def notified_by_alertmanager(
    routing: Routing, alerts: list[Alert], date_s: float, expected: Notified
) -> Notified:
    """Return what Alertmanager notified of when all alerts fired, and then resolved.

    `expected` is waited for; what comes beside it is seen too.
    """
    with Receiver() as receiver, Alertmanager() as server:
        start_s = time.time()
        routing.write_zones(server.directory, DateClock(start_s, date_s, 1.0, 600.0))
        server.start(routing.config(receiver.url, FACTOR))
        run = AlertRun(server, receiver)
        run.send(alerts)
        firing = {key: {"firing"} for key in expected}
        wait_until(lambda: run.notified(alerts) == firing, 5)
        time.sleep(QUIET_S)
        run.send(alerts, resolved=True)
        wait_until(lambda: run.notified(alerts) == expected, 5)
        time.sleep(QUIET_S)
        return run.notified(alerts)


def notified_here(routing: Routing, alerts: list[Alert], date_s: float) -> Notified:
    """Return what our own reading says."""
    return {
        (index, name): {"firing"} if name in routing.unsent_ends else {"firing", "resolved"}
        for index, labels in enumerate(alerts)
        for name in routing.receivers_of(labels)
        if routing.muting(labels, name, date_s) is None
    }


def _stamp(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
