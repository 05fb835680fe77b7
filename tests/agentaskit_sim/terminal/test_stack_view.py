"""What the page shows of a stack: alerts and notifications of one alert meet in one lane."""

from __future__ import annotations

from dataclasses import replace

from agentaskit_sim.terminal.addresses import Addresses
from agentaskit_sim.terminal.stack_view import link, show_on
from exporter.server.live_page.stack_board import StackBoard
from tests.agentaskit_sim.terminal.statuses import (
    FIRING_STATUS,
    NO_STATUS,
    NOTIFICATION,
    NOW_S,
    PENDING_STATUS,
)


def test_an_alert_and_its_notification_have_the_same_labels():
    """Those by which it differs from its siblings: neither the rule's nor those that all have."""
    board = StackBoard({"PoolExhausted": "x < 1", "Calm": "y < 1"})
    show_on(board, PENDING_STATUS, NOW_S - 10)
    status = replace(FIRING_STATUS, notifications=(NOTIFICATION,), unreachable=("away",))
    show_on(board, status, NOW_S)
    calm, lane = sorted(board.lanes, key=lambda lane: lane.alert)
    assert (calm.alert, calm.episodes) == ("Calm", ())
    assert (lane.labels, lane.severity) == ((("sandbox_type", "B"),), "warning")
    (episode,) = lane.episodes
    assert (episode.pending_s, episode.firing_s) == (NOW_S - 14, NOW_S - 2)
    (notified,) = board.notifications
    assert (notified.alert, notified.labels) == (lane.alert, lane.labels)
    assert (notified.receiver, notified.status, notified.at_s) == (
        "slack-warnings", "firing", NOW_S - 1
    )  # fmt: skip
    assert board.unreachable == ("away",)
    show_on(board, NO_STATUS, NOW_S + 5)
    assert board.lanes[-1].episodes[-1].resolved_s == NOW_S + 5


def test_the_page_links_to_servers_that_have_an_address():
    """An Alertmanager that only the user knows has none."""
    board = StackBoard({})
    link(board, Addresses(world="w", prometheus="http://p/", alertmanager=None, receiver="r"))
    assert board.links == (("Prometheus", "http://p/"),)
