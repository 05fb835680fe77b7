"""Whether a run in real time may end: not before every notification that may still be in time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from simulator.snapshot import FaultEffect
from tests.verifier.alerts import rule_files
from tests.verifier.judge.ledgers import CLOCK, FIRES, notification
from tests.verifier.judge.small_scenario import scenario_with, verdict_on
from verifier.evaluation.timeline import Timeline
from verifier.judge.verdict import AlertVerdict, Delivery
from verifier.pack.routes.matchers import parse_matchers
from verifier.pack.routes.route import Route
from verifier.pack.routes.routing import Routing
from verifier.pack.rules import RuleFiles
from verifier.real_time.observation import RunObservation, RunObserver
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import RangeQuery, Series
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from verifier.judge.verdict import Status
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


@pytest.mark.parametrize(
    ("alerts", "must_resolve", "ok"),
    [
        ((), False, True),
        ((FIRED,), False, True),
        ((replace(FIRED, resolves_within_s=60.0),), True, True),
        ((replace(FIRED, resolves_within_s=60.0, firing_s=None),), False, True),
        ((replace(RESOLVED, resolves_within_s=60.0),), False, True),
        ((FIRED, replace(FIRED, ok=False)), False, False),
        (
            (replace(RESOLVED, resolves_within_s=9.0), replace(FIRED, resolves_within_s=9.0)),
            True,
            True,
        ),
    ],
)
def test_a_run_goes_on_while_what_fired_has_to_resolve(
    alerts: tuple[AlertVerdict, ...], *, must_resolve: bool, ok: bool
) -> None:
    """Any of its alerts; it has passed when all of them have."""
    observation = RunObservation(100.0, alerts, (), (), 50.0)
    assert (observation.must_resolve, observation.ok) == (must_resolve, ok)


ENDS = (False, 30.0)
"""No sibling is asked as well; group_wait."""
DATABASE = Route("page", tuple(parse_matchers('team="db"')), *ENDS, 600.0, ())
ROUTE = Route("slack", (), *ENDS, 300.0, (DATABASE,))
ROUTING = Routing(("slack", "page"), ROUTE, (), {}, {}, {})


class RecordedServer:
    """A Prometheus that stored these samples of alerts and scrapes, at scenario seconds."""

    def __init__(self, firing: tuple[float, ...], scrapes: dict[float, float]) -> None:
        """Store when it was firing, 300 s of pending before it, and scrapes by their success."""
        self.firing, self.scrapes = firing, scrapes
        self.asked: list[tuple[str, float, float]] = []

    def stored(self, selector: str, start_s: float, end_s: float) -> list[Series]:
        """Return what was stored from `start_s` up to `end_s` of Unix time."""
        self.asked.append((selector, start_s, end_s))
        if selector.startswith("up"):
            samples = {CLOCK.unix_s(at_s): up for at_s, up in self.scrapes.items()}
            return [Series({}, np.array([*samples]), np.array([*samples.values()]))]
        pending = np.arange(210.0, 510.0, 15.0)
        return [
            Series(
                {"__name__": "ALERTS", "alertname": "Throughput", "alertstate": state, **LABELS},
                CLOCK.start_s + np.array(times_s) / CLOCK.factor,
                np.ones(len(times_s)),
            )
            for state, times_s in (("pending", pending), ("firing", self.firing))
            if len(self.firing)
        ]


LABELS = {"severity": "warning"}
FIRING = tuple(np.arange(510.0, 780.0, 15.0).tolist())
ENDED_S = 1800.0


def observed(
    *arrivals_s: float,
    firing: tuple[float, ...] = FIRING,
    scrapes: dict[float, float] | None = None,
    effects: tuple[FaultEffect, ...] = (),
    failed: int = 0,
) -> tuple[AlertVerdict, RunObservation]:
    """Return the verdict on the alert, whose notifications (firing, resolved) came at these times.

    It fires at 510 s and resolves at 780 s of a run of half an hour, compressed thirty times.
    """
    statuses = zip(("firing", "resolved"), arrivals_s, strict=False)
    ledger = [notification(status, at_s) for status, at_s in statuses]
    named = (("alertname", "Throughput"), ("severity", "warning"))
    stack = SimpleNamespace(
        prometheus=RecordedServer(firing, scrapes or {}),
        seen={named} if firing else set(),
        failed_notifications=lambda: failed,
        notifications=lambda: ledger,
    )
    observer = RunObserver(
        cast("Stack", stack),
        rule_files("Throughput", interval_s=15.0),
        rule_files("Throughput", interval_s=0.5),
        ROUTING,
        TimeCompression(CLOCK.factor),
        CLOCK,
        10.0,
    )
    observation = observer.observe(scenario_with(FIRES), CLOCK.unix_s(ENDED_S), effects=effects)
    starts_s = {query: start_s for query, start_s, _ in stack.prometheus.asked}
    assert starts_s["ALERTS"] == CLOCK.start_s - 10.0, "its past was stored before it began"
    assert starts_s["up"] == CLOCK.start_s
    return verdict_on(observation.alerts), observation


def test_a_compressed_run_that_went_well_passes() -> None:
    """Times are the scenario's."""
    verdict, observation = observed(541.0, 841.0)
    assert verdict.ok, verdict.reason
    assert [each.at_s for each in verdict.deliveries] == pytest.approx([541.0, 841.0])
    (timeline,) = observation.timelines
    assert [e.resolved_s for e in timeline.episodes] == pytest.approx([780.0], abs=0.01)
    assert observation.ended_s == ENDED_S
    assert observed(541.0, failed=3)[0].broke_at == "receiver"


@pytest.mark.parametrize("later_s", [0.0, 55.0])
@pytest.mark.parametrize(("which", "due_s"), [(0, 885.0), (1, 1155.0)])
def test_what_a_machine_adds_to_a_notification_is_allowed_in_real_seconds(
    which: int, due_s: float, later_s: float
) -> None:
    """Two of them are a minute here, beside group_interval and an evaluation."""
    arrivals_s = [541.0, 1000.0]
    arrivals_s[which] = due_s - 0.5 - later_s
    verdict, observation = observed(*arrivals_s)
    assert observation.due_s == 375.0
    assert verdict.ok, verdict.reason
    arrivals_s[which] = due_s + 0.5
    late, _ = observed(*arrivals_s)
    assert (late.ok, late.broke_at) == (False, "alertmanager"), late.reason


@pytest.mark.parametrize(
    ("factor", "labels", "due_s", "early_s"),
    [
        (1.0, [{}], 332.0, 32.0),
        (30.0, [{}], 390.0, 90.0),
        (1000.0, [{}], 2330.0, 2030.0),
        (1.0, [{"team": "db"}], 632.0, 32.0),
        (1.0, [{}, {"team": "db"}, {}], 632.0, 32.0),
        (1.0, [], 32.0, 32.0),
    ],
)
def test_a_notification_is_due_within_the_longest_wait_of_any_route(
    factor: float, labels: list[dict[str, str]], due_s: float, early_s: float
) -> None:
    """And the slowest group's evaluation, and the machine's two seconds on the scenario's clock."""
    slow = rule_files("Slower", interval_s=30.0)
    rules = RuleFiles((*rule_files(interval_s=15.0).groups, *slow.groups))
    stack, clock = cast("Stack", None), ScenarioClock(0.0, factor)
    observer = RunObserver(stack, rules, rules, ROUTING, TimeCompression(factor), clock, 0.0)
    lines = [Timeline("Slow", tuple(each.items()), ()) for each in labels]
    deadlines = observer._deadlines(lines)
    assert (deadlines.due_s, deadlines.early_s) == (due_s, early_s)


@pytest.mark.parametrize(
    ("scrapes", "hop"), [({300.0: 0.0}, "scrape"), ({300.0: 1.0}, "rule"), ({}, "rule")]
)
def test_an_alert_that_never_fired_broke_where_scrapes_failed(
    scrapes: dict[float, float], hop: str
) -> None:
    """Where they did, not where they succeeded."""
    verdict, _ = observed(firing=(), scrapes=scrapes)
    assert (verdict.ok, verdict.broke_at) == (False, hop)


NUMBERS = {
    "measured": 0.0,
    "base": 0.0,
    "expected": 100.0,
    "least": 0.5,
    "spread": 1.0,
    "noise": 1.0,
}
TIMES = {"began_ns": 0, "ended_ns": None}
EFFECT = FaultEffect(name="gone", fault="hang", unit="agents", idle="", **NUMBERS, **TIMES)


@pytest.mark.parametrize(
    ("effects", "hop"),
    [
        ((EFFECT,), "world"),
        ((replace(EFFECT, measured=90.0),), "rule"),
        ((replace(EFFECT, noise=90.0),), "rule"),  # too little to tell
        ((replace(EFFECT, name="other"),), "rule"),
        ((), "rule"),
    ],
)
def test_an_alert_whose_cause_had_no_effect_broke_in_the_world(
    effects: tuple[FaultEffect, ...], hop: str
) -> None:
    """Not for a cause that had one, and not for that of another alert."""
    verdict, _ = observed(firing=(), effects=effects)
    assert verdict.broke_at == hop


class TwoSeries:
    """A Prometheus in which a condition holds for two series, from two instants on."""

    def query_range(self, _: RangeQuery) -> list[Series]:
        """Return the series of a queue each."""
        starts_s = {"low": 70.0, "high": 65.0}
        return [
            Series({"queue": name}, np.array([at_s, 90.0]), np.ones(2))
            for name, at_s in starts_s.items()
        ]


CAUSED = replace(FIRED, cause="gone", deliveries=delivered("firing"))


@pytest.mark.parametrize(
    ("queue", "condition_s", "bound_s"),
    [("low", 10.0, 85.0), ("high", 5.0, 80.0), ("other", None, 85.0)],
)
def test_the_latency_of_an_alert_counts_from_the_condition_of_its_own_series(
    queue: str, condition_s: float | None, bound_s: float
) -> None:
    """Within a scrape, an evaluation and group_wait it must be notified."""
    rules = rule_files(interval_s=30.0)
    stack = cast("Stack", SimpleNamespace(prometheus=TwoSeries()))
    clock = ScenarioClock(0.0, 1.0)
    observer = RunObserver(stack, rules, rules, ROUTING, TimeCompression(1), clock, 0.0)
    alert = replace(CAUSED, labels=(("queue", queue), ("severity", "page")))
    (timed,) = observer.with_latency([alert])
    assert timed.latency is not None
    assert (timed.latency.condition_s, timed.latency.bound_s) == (condition_s, bound_s)
    assert replace(timed, latency=None) == alert


@pytest.mark.parametrize(
    "changes", [{"cause": None}, {"firing_s": None}, {"pending_s": None, "firing_s": None}]
)
def test_what_has_no_cause_or_never_fired_has_no_latency(changes: dict[str, None]) -> None:
    """There is nothing that it could count from, or to; the others have theirs."""
    rules, clock = rule_files(), ScenarioClock(0.0, 1.0)
    stack = cast("Stack", SimpleNamespace(prometheus=TwoSeries()))
    observer = RunObserver(stack, rules, rules, ROUTING, TimeCompression(1), clock, 0.0)
    untimed, timed = observer.with_latency([replace(CAUSED, **changes), CAUSED])
    assert untimed == replace(CAUSED, **changes)
    assert timed.latency is not None
