"""Outcomes to report: of a pass, of a failure, of a scenario that could not be judged."""

from __future__ import annotations

from verifier.judge.verdict import (
    UNKNOWN_ENGINE,
    AlertVerdict,
    ClockDifference,
    Delivery,
    Engine,
    Latency,
    PanelVerdict,
    ScenarioOutcome,
)
from verifier.servers.ledger import Notification


def alert(name, expected="fires", *, ok=True, **changes):
    """Return a verdict on one alert."""
    reason = changes.pop("reason", "as expected" if ok else "never fired")
    values = {"labels": (), "alert": name, "expected": expected, "ok": ok, "reason": reason}
    return AlertVerdict(**{**values, **changes})


def fired(name, **changes):
    """Return a verdict on an alert that fired and resolved after a cause of nine minutes."""
    times = {
        "cause": "gone",
        "onset_s": 180.0,
        "cause_end_s": 540.0,
        "pending_s": 30.0,
        "firing_s": 330.0,
        "resolved_s": 600.0,
        "fires_within_s": 420.0,
        "resolves_within_s": 180.0,
    }
    return alert(name, **{**times, **changes})


def outcome(name="drop", **changes):
    """Return the outcome of one scenario."""
    values = {
        "name": name,
        "seed": 42,
        "engine": Engine(name="prometheus", version="2.42.0"),
        "duration_s": 1200.0,
        "exact_s": 1800.0,
        "resampled_s": 5400.0,
        "wall_s": 2.0,
        "alerts": (
            fired("Throughput", labels=(("severity", "warning"),)),
            alert("Latency", "silent", reason="stayed silent"),
        ),
        "panels": (PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=True, reason=""),),
    }
    return ScenarioOutcome(**{**values, **changes})


def failing(name="bad"):
    """Return an outcome in which an alert and a panel fail."""
    return outcome(
        name,
        alerts=(
            alert("Throughput", ok=False, fires_within_s=420.0),
            alert("Planted", "unexpected", ok=False, firing_s=60.0, pending_s=0.0, reason="fired"),
            alert("Queue", "explained", reason="the queue grows", firing_s=90.0),
        ),
        panels=(PanelVerdict(dashboard="SLA", panel="P99", query="x", ok=False, reason="NaN"),),
        findings=("slo.yaml:3:1: same condition twice",),
    )


def unjudged(name="burn"):
    """Return an outcome that is invalid."""
    reason = "http_requests_total: a window of 30d needs as much history"
    return outcome(name, engine=UNKNOWN_ENGINE, alerts=(), panels=(), invalid=(reason,))


def delivery(receiver, at_s, status="firing", deliveries=1):
    """Return a delivery to one receiver."""
    return Delivery(receiver=receiver, status=status, at_s=at_s, deliveries=deliveries)


def notified(name, *receivers, **changes):
    """Return a verdict on an alert that fired, with both notifications of its receivers."""
    deliveries = [delivery(receiver, 541.2) for receiver in receivers]
    deliveries += [delivery(receiver, 841.7, "resolved") for receiver in receivers]
    latency = Latency(
        condition_s=11.0, pending_s=30.0, firing_s=330.0, notified_s=361.2, bound_s=386.0
    )
    values = {"receivers": receivers, "deliveries": tuple(deliveries), "latency": latency}
    return fired(name, **{**values, "notifies_resolved": True, **changes})


def in_real_time(name="drop", **changes):
    """Return the outcome of one scenario in real time."""
    notification = Notification(
        receiver="slack-warnings",
        status="firing",
        group_key='{}:{alertname="Throughput"}',
        fingerprint="0123456789abcdef",
        labels=(("alertname", "Throughput"), ("severity", "warning")),
        annotations=(("summary", "too few tasks"),),
        starts_at_s=1_700_000_017.0,
        ends_at_s=None,
        received_s=1_700_000_018.04,
        deliveries=2,
    )
    values = {
        "clock": "real",
        "compress": 30.0,
        "alerts": (
            notified("Throughput", "slack-warnings", labels=(("severity", "warning"),)),
            alert("Latency", "silent", reason="stayed silent"),
        ),
        "notifications": (notification,),
    }
    return outcome(name, **{**values, **changes})


def difference(transition="firing", virtual_s=510.0, real_s=510.0, **changes):
    """Return one transition on both clocks; they agree unless changed."""
    values = {
        "alert": "Throughput",
        "labels": (("severity", "warning"),),
        "transition": transition,
        "episode": 0,
        "virtual_s": virtual_s,
        "real_s": real_s,
        "allowed_s": 0.0,
        "ok": True,
        "reason": "the same evaluation",
    }
    return ClockDifference(**{**values, **changes})
