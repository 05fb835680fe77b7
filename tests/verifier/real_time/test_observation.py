"""Whether a run in real time may end: not before every notification that may still be in time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from verifier.judge.verdict import AlertVerdict, Delivery
from verifier.real_time.observation import RunObservation

if TYPE_CHECKING:
    from verifier.judge.verdict import Status

FIRED = AlertVerdict(
    alert="Slow",
    labels=(),
    expected="fires",
    ok=True,
    reason="",
    onset_s=60.0,
    pending_s=10.0,
    firing_s=40.0,
    receivers=("page",),
    notifies_resolved=True,
)
RESOLVED = replace(FIRED, resolved_s=140.0)


def delivered(*statuses: Status, receiver: str = "page") -> tuple[Delivery, ...]:
    """Return deliveries of these statuses to one receiver."""
    return tuple(Delivery(receiver=receiver, status=status, at_s=0.0) for status in statuses)


@pytest.mark.parametrize(
    ("alert", "ended_s", "expected"),
    [
        (FIRED, 100.0, True),
        (FIRED, 149.0, True),
        (FIRED, 150.0, False),  # it was due: now it is missing
        (replace(FIRED, deliveries=delivered("firing")), 110.0, False),
        (replace(FIRED, deliveries=delivered("firing", receiver="chat")), 110.0, True),
        (replace(FIRED, receivers=None), 110.0, True),
        (
            replace(FIRED, receivers=None, deliveries=delivered("firing", receiver="chat")),
            110.0,
            False,
        ),
        (replace(FIRED, receivers=()), 110.0, False),
        (replace(FIRED, expected="explained"), 110.0, False),
        (replace(FIRED, expected="silent"), 110.0, False),
        (replace(FIRED, firing_s=None), 110.0, False),
        (replace(RESOLVED, deliveries=delivered("firing")), 210.0, True),
        (replace(RESOLVED, deliveries=delivered("firing")), 250.0, False),
        (replace(RESOLVED, deliveries=delivered("firing", "resolved")), 210.0, False),
        (replace(RESOLVED, deliveries=delivered("firing"), notifies_resolved=False), 210.0, False),
        (replace(RESOLVED, expected="explained", deliveries=delivered("firing")), 210.0, True),
    ],
)
def test_a_run_goes_on_while_a_notification_may_still_be_in_time(
    alert: AlertVerdict, ended_s: float, *, expected: bool
) -> None:
    """Of what fired at 100 s and resolved at 200 s, within 50 s; else a pass might be too early."""
    observation = RunObservation(ended_s, (alert,), (), (), 50.0)
    assert observation.must_notify is expected
    assert RunObservation(ended_s, (), (), (), 50.0).must_notify is False
