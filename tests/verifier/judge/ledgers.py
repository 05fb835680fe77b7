"""A ledger in which every notification came as it should, and verdicts on it or on others.

The scenario is the small one. `GOOD` are the times of its alert; `FIRES` expects it, at a receiver.
"""

from __future__ import annotations

from tests.verifier.judge.small_scenario import ALERTS, GOOD, scenario_with, verdict_on
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.alert_verdicts import judge
from verifier.judge.hop_evidence import HopEvidence, NotificationDeadlines
from verifier.judge.notification_verdicts import judge_deliveries
from verifier.scenario_clock import ScenarioClock
from verifier.servers.ledger import Notification

FIRES = "{alert: Throughput, receivers: [slack], fires_within: 7m, resolves_within: 3m}"
CLOCK = ScenarioClock(start_s=1_700_000_000.0, factor=30.0)
"""Time compressed thirty times; the deadlines below cover a group_interval of 5m."""
DEADLINES = NotificationDeadlines(due_s=330.0, early_s=15.0)
NAMED = (("alertname", "Throughput"), ("severity", "warning"))
SEEN = frozenset({NAMED})


def timeline(alert="Throughput", *episodes, **labels):
    """Return a timeline of (pending, firing, resolved) episodes."""
    labels = {"severity": "warning", **labels}
    return Timeline(
        alert, tuple(sorted(labels.items())), tuple(Episode(*instants) for instants in episodes)
    )


def notification(
    status, at_s, *, since_s=510.0, receiver="slack", alert="Throughput", times=1, **labels
):
    """Return a notification that arrived at `at_s` scenario seconds, of what fired at `since_s`."""
    labels = {"alertname": alert, "severity": "warning", **labels}
    return Notification(
        receiver=receiver,
        status=status,
        group_key=f"{{}}:{{alertname={alert}}}",
        fingerprint=str(hash(tuple(labels.items()))),
        labels=tuple(sorted(labels.items())),
        annotations=(),
        starts_at_s=CLOCK.unix_s(since_s),
        ends_at_s=None,
        received_s=CLOCK.unix_s(at_s),
        deliveries=times,
    )


LEDGER = (notification("firing", 541.0), notification("resolved", 841.0))


def evidence(**changes):
    """Return the evidence of a run of half an hour in which nothing went wrong."""
    return HopEvidence(
        **{"clock": CLOCK, "ended_s": 1800.0, "seen_by_alertmanager": SEEN, **changes}
    )


def verdicts(ledger=LEDGER, timelines=None, expectations=(FIRES,), **changes):
    """Return the verdicts on a ledger."""
    timelines = [timeline("Throughput", GOOD)] if timelines is None else timelines
    judged = judge(scenario_with(*expectations), ALERTS, timelines)
    return judge_deliveries(
        judged, timelines, ledger, evidence=evidence(**changes), deadlines=DEADLINES
    )


def outcome_of(results, alert="Throughput"):
    """Return whether the verdict on `alert` is ok, the hop that broke, and the reason."""
    verdict = verdict_on(results, alert)
    return verdict.ok, verdict.broke_at, verdict.reason
