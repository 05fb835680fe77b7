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
from verifier.real_time.environment import Environment, ReceiverOnly
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
    for settled_s, alerts in ((NOW_S - 15, 2), (EXHAUSTED.active_s, 2), (NOW_S - 13, 1)):
        environment = Environment(
            prometheus=shown_now, alertmanager=None, servers=HealthyServers(), settled_s=settled_s
        )
        assert len(environment.observe(NO_STATUS).alerts) == alerts


def test_the_labels_of_a_rule_are_known_for_as_long_as_the_run():
    """Also of an alert that is no longer there; what is new is added."""
    first = NO_STATUS.with_alerts((replace(FIRING, rule=(("severity", "page"),)),))
    second = first.with_alerts((replace(FIRING, alert="Other", rule=(("team", "x"),)),))
    assert first.rule_labels == {FIRING.alert: frozenset({"severity"})}
    assert second.rule_labels == {**first.rule_labels, "Other": frozenset({"team"})}
    assert second.with_alerts(()).rule_labels == second.rule_labels


def test_one_who_watches_a_run_starts_and_joins_nothing():
    """Its judge does both; what arrived and what was restarted is seen by both."""
    joined, servers = [], HealthyServers()
    environment = Environment(
        prometheus=ForeignServerDouble(), alertmanager=None, servers=servers,
        join=lambda: joined.append("joined"),
    )  # fmt: skip
    watched = environment.watched()
    servers.check = lambda: joined.append("checked")
    watched.start()
    status = watched.observe(NO_STATUS)
    assert (joined, status.restarts) == ([], HealthyServers.restarts)
    assert status.notifications == (NOTIFICATION,)
    environment.start()
    environment.observe(NO_STATUS)
    assert joined == ["joined", "checked"]


def test_every_restart_of_the_receiver_is_kept():
    """A run may have several."""

    class DyingReceiver:
        restarted = 0

        def __init__(self):
            self.statuses = [-9, None, 1]

        def exit_status(self):
            return self.statuses.pop(0)

        def restart(self):
            self.restarted += 1

        def notifications(self):
            return (NOTIFICATION,)

    receiver = DyingReceiver()
    servers = ReceiverOnly(receiver)
    for _ in range(3):
        servers.check()
    assert servers.restarts == [
        "the receiver ended with signal 9 and was started again",
        "the receiver ended with status 1 and was started again",
    ]
    assert (receiver.restarted, servers.notifications()) == (2, (NOTIFICATION,))
