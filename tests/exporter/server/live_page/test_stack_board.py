"""The board of a stack: episodes of alerts from what was seen once a second, within bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter.server.live_page.stack_board import AlertShown, NotificationShown, StackBoard

HOST = (("host", "a"),)


def shown(alert="Loud", *, pending_s=2.0, firing_s=None, labels=()):
    """Return an alert that is active."""
    return AlertShown(
        alert=alert, labels=labels, severity="page", pending_s=pending_s, firing_s=firing_s
    )


@pytest.fixture
def board():
    """Return a board of two rules."""
    return StackBoard(rules={"Calm": "x < 1", "Loud": "y < 1"})


def episodes(board, alert="Loud", labels=None):
    """Return the episodes of an alert as (pending, firing, resolved)."""
    (lane,) = (
        lane for lane in board.lanes if lane.alert == alert and labels in {None, lane.labels}
    )
    return [(e.pending_s, e.firing_s, e.resolved_s) for e in lane.episodes]


def test_every_rule_has_a_lane_from_the_start(board):
    """In the order of the rules, with nothing in it."""
    assert [(lane.alert, lane.episodes) for lane in board.lanes] == [("Calm", ()), ("Loud", ())]


def test_an_alert_goes_from_pending_to_firing_to_resolved(board):
    """One episode, which ends when the alert is no longer seen."""
    board.show([shown()], (), (), 3.0)
    assert episodes(board) == [(2.0, None, None)]
    board.show([shown(firing_s=5.0)], (), (), 6.0)
    assert episodes(board) == [(2.0, 5.0, None)]
    board.show([], (), (), 9.0)
    board.show([], (), (), 10.0)
    assert episodes(board) == [(2.0, 5.0, 9.0)]
    assert episodes(board, "Calm") == []


def test_active_since_another_instant_is_another_episode(board):
    """Between two looks it resolved and began again."""
    board.show([shown(firing_s=5.0)], (), (), 6.0)
    board.show([shown(pending_s=6.5)], (), (), 7.0)
    assert episodes(board) == [(2.0, 5.0, 6.5), (6.5, None, None)]


def test_labels_make_lanes_of_their_own_in_place_of_the_rules(board):
    """A rule that is active by labels needs no lane without any."""
    board.show([shown(labels=HOST), shown(labels=(("host", "b"),))], (), (), 3.0)
    assert [(lane.alert, lane.labels) for lane in board.lanes] == [
        ("Calm", ()), ("Loud", HOST), ("Loud", (("host", "b"),))
    ]  # fmt: skip


def test_nothing_grows_beyond_its_bound(board):
    """Lanes, episodes, notifications: the latest stay."""
    for number in range(25):
        board.show([shown(pending_s=float(number))], (), (), number + 0.5)
    assert [pending_s for pending_s, _, _ in episodes(board)] == list(range(5, 25))
    crowd = [shown(labels=(("host", str(number)),)) for number in range(250)]
    notified = [
        NotificationShown(receiver="r", alert="Loud", labels=(), status="firing", at_s=float(n))
        for n in range(205)
    ]
    board.show(crowd, notified, ("away",), 100.0)
    assert [lane.labels for lane in board.lanes] == [
        (), (), *((("host", str(number)),) for number in range(200))
    ]  # fmt: skip
    assert [each.at_s for each in board.notifications] == list(range(5, 205))
    assert board.unreachable == ("away",)
    board.show([shown(pending_s=50.0)], (), (), 101.0)
    assert episodes(board, labels=())[-1] == (50.0, None, None)
    assert episodes(board, labels=(("host", "199"),))[-1] == (2.0, None, 101.0)
    assert (board.notifications, board.unreachable) == ((), ())


def test_an_alert_that_will_be_pending_has_resolved_when_it_was_seen(board):
    """Its server's clock is ahead of ours: an episode never ends after the instant of a look."""
    board.show([shown(firing_s=5.0)], (), (), 6.0)
    board.show([shown(pending_s=7.5)], (), (), 7.0)
    assert episodes(board) == [(2.0, 5.0, 7.0), (7.5, None, None)]


def test_an_alert_has_the_severity_that_it_had_last(board):
    """A rule was loaded anew; what is over keeps its own."""
    board.show([shown()], (), (), 3.0)
    board.show([replace(shown(), severity="ticket")], (), (), 4.0)
    board.show([], (), (), 5.0)
    board.show([], (), (), 6.0)
    assert [lane.severity for lane in board.lanes] == ["", "ticket"]
    assert episodes(board) == [(2.0, None, 5.0)]


def test_an_episode_that_is_over_stays_as_it_was_when_the_next_begins(board):
    """Its end is when the alert was no longer seen, not when it came back."""
    board.show([shown(pending_s=2.0, firing_s=3.0)], (), (), 4.0)
    board.show([], (), (), 9.0)
    board.show([shown(pending_s=50.0)], (), (), 51.0)
    assert episodes(board) == [(2.0, 3.0, 9.0), (50.0, None, None)]
    assert [lane.severity for lane in board.lanes] == ["", "page"]
