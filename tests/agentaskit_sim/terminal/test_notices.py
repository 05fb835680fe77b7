"""The sentences of `up` on what changed, from values alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentaskit_sim.terminal.notices import count_alerts, describe_fault, notice_stack
from tests.agentaskit_sim.terminal.statuses import (
    EXHAUSTED,
    FIRING,
    FIRING_STATUS,
    NO_STATUS,
    NOTIFICATION,
    NOW_S,
    PENDING_STATUS,
)
from tests.fakes import FakeWorld


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        (NO_STATUS, NO_STATUS, []),
        (NO_STATUS, PENDING_STATUS, ["PoolExhausted sandbox_type=B is pending"]),
        (PENDING_STATUS, PENDING_STATUS, []),
        (PENDING_STATUS, FIRING_STATUS, ["PoolExhausted sandbox_type=B FIRES after 12s pending"]),
        (FIRING_STATUS, NO_STATUS, ["PoolExhausted sandbox_type=B has resolved"]),
        (PENDING_STATUS, NO_STATUS, ["PoolExhausted sandbox_type=B is no longer pending"]),
        (
            FIRING_STATUS,
            replace(FIRING_STATUS, notifications=(NOTIFICATION,)),
            ["slack-warnings was notified: PoolExhausted sandbox_type=B fires"],
        ),
        (
            replace(FIRING_STATUS, notifications=(NOTIFICATION,)),
            replace(
                FIRING_STATUS,
                notifications=(
                    NOTIFICATION,
                    replace(NOTIFICATION, status="resolved", receiver="b"),
                ),
            ),
            ["b was notified: PoolExhausted sandbox_type=B has resolved"],
        ),
        (
            NO_STATUS,
            replace(NO_STATUS, unreachable=("x cannot be reached",)),
            ["x cannot be reached"],
        ),
        (
            replace(FIRING_STATUS, unreachable=("x cannot be reached",)),
            FIRING_STATUS,
            ["every server answers again"],
        ),
        (NO_STATUS, replace(NO_STATUS, restarts=("a has ended",)), ["a has ended"]),
        (replace(NO_STATUS, restarts=("a",)), replace(NO_STATUS, restarts=("a", "a")), ["a"]),
    ],
)
def test_every_change_of_the_stack_is_a_sentence_and_nothing_else_is(before, after, sentences):
    """Pending, firing, resolved, notified, unreachable and back, started again."""
    assert notice_stack(before, after) == sentences


def test_an_alert_that_becomes_pending_anew_between_two_readings_is_noticed():
    """Resolved and active again: the same alert and state, another beginning."""
    anew = NO_STATUS.with_alerts((replace(EXHAUSTED, active_s=NOW_S, since_s=NOW_S),))
    assert notice_stack(PENDING_STATUS, anew) == ["PoolExhausted sandbox_type=B is pending"]


def test_of_an_alert_that_was_never_observed_only_the_name_is_printed():
    """Which of its labels distinguish it from others is known from its rule alone."""
    assert notice_stack(NO_STATUS, replace(NO_STATUS, notifications=(NOTIFICATION,))) == [
        "slack-warnings was notified: PoolExhausted fires"
    ]


def test_a_fault_is_described_by_its_strength_its_effect_and_its_end():
    """On its ramp both strengths are printed; a name that is the fault's is not printed twice."""
    world = FakeWorld()
    world.begin_fault("traffic_drop", 0.4, 12.345)
    [status] = world.snapshot().faults
    ramping = replace(status, name="traffic-drop", declared=0.8)
    assert describe_fault(ramping, 15 * 10**9) == (
        "traffic_drop 0.4 of 0.8, 12.3 things, ends in 45s"
    )


def test_alerts_are_counted_by_state():
    """Both states are named, whatever their number."""
    assert count_alerts(()) == "0 firing, 0 pending"
    assert count_alerts((EXHAUSTED, FIRING, FIRING)) == "2 firing, 1 pending"
