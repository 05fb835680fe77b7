"""What the servers around a world show: their alerts, and which of them cannot be reached."""

from __future__ import annotations

from dataclasses import replace

from tests.agentaskit_sim.terminal.statuses import (
    EXHAUSTED,
    FIRING,
    FIRING_STATUS,
    NO_STATUS,
    NOTIFICATION,
    NOW_S,
)
from verifier.real_time.environment import Environment
from verifier.servers.foreign_server import ServerUnreachable


class HealthyServers:
    """Servers of ours that need no restart."""

    restarts = ("one was started again",)

    def check(self):
        """Start nothing again."""

    def notifications(self):
        """Return what arrived."""
        return (NOTIFICATION,)


class ForeignServerDouble:
    """A Prometheus, or an Alertmanager, that shows these alerts or cannot be reached."""

    def __init__(self, *alerts, why=""):
        """Be reached unless there is a reason why not."""
        self.alerts, self.why = alerts, why

    def check(self):
        """Raise when it cannot be reached."""
        if self.why:
            raise ServerUnreachable(self.why)

    def active_alerts(self):
        """Return the alerts."""
        self.check()
        return self.alerts


def test_a_server_that_cannot_be_reached_leaves_the_alerts_as_they_were():
    """Silence of Prometheus is no resolution; notifications still come."""
    environment = Environment(
        prometheus=ForeignServerDouble(why="p is away"),
        alertmanager=ForeignServerDouble(why="a is away"),
        servers=HealthyServers(),
    )
    status = environment.observe(FIRING_STATUS)
    assert status.alerts == (FIRING,)
    assert status.unreachable == ("p is away", "a is away")
    assert (status.notifications, status.restarts) == ((NOTIFICATION,), HealthyServers.restarts)


def test_an_alert_pending_for_the_gap_before_the_first_scrape_is_not_shown():
    """Compressed windows hold that gap; what fires is shown whenever it began."""
    shown_now = ForeignServerDouble(EXHAUSTED, replace(FIRING, alert="Other"))
    for settled_s, alerts in ((NOW_S - 15, 2), (NOW_S - 13, 1)):
        environment = Environment(
            prometheus=shown_now, alertmanager=None, servers=HealthyServers(), settled_s=settled_s
        )
        assert len(environment.observe(NO_STATUS).alerts) == alerts
