"""Whether a run in real time may end: not before every notification that may still be in time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from tests.verifier.alerts import rule_files
from verifier.judge.verdict import AlertVerdict, Delivery
from verifier.real_time.observation import RunObservation, RunObserver
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import RangeQuery, Series
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from verifier.judge.verdict import Status
    from verifier.pack.routes.routing import Routing
    from verifier.real_time.stack import Stack

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


class OnlyAt:
    """A Prometheus in which a condition holds at one instant, to the millisecond."""

    def __init__(self, instant_s: float) -> None:
        """Hold at `instant_s`, Unix seconds."""
        self.instant_s = instant_s

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return a sample if a point of the query's grid is at the instant."""
        points = (self.instant_s - query.start_s) / query.step_s
        is_point = abs(points - round(points)) * query.step_s < 0.001
        if not is_point or self.instant_s > query.end_s:
            return []
        return [Series({}, np.array([self.instant_s]), np.ones(1))]


@pytest.mark.parametrize("pending_s", [0.1, 9.42, 10.0, 33.3, 1234.5])
def test_a_condition_seen_just_before_its_evaluation_has_an_instant(pending_s: float) -> None:
    """The grid ends at the evaluation itself, however soon after the onset that was."""
    clock, rules = ScenarioClock(1_767_571_200.123, 30.0), rule_files()
    server = OnlyAt(clock.unix_s(FIRED.onset_s + pending_s))
    stack = cast("Stack", SimpleNamespace(prometheus=server))
    routing = cast("Routing", None)  # not asked here
    observer = RunObserver(stack, rules, rules, routing, TimeCompression(30), clock, 10.0)
    condition_s = observer._condition_s(FIRED, FIRED.onset_s + pending_s)
    assert condition_s == pytest.approx(pending_s, abs=0.03)
