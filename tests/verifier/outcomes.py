"""Outcomes to report on: one that holds, one that fails, one that could not be judged."""

from __future__ import annotations

from verifier.verdict import UNKNOWN_ENGINE, AlertVerdict, Engine, PanelVerdict, ScenarioOutcome


def alert(name, expected="fires", *, ok=True, **changes):
    """Return a verdict on one alert."""
    reason = changes.pop("reason", "as it should" if ok else "never fired")
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
        "panels": (
            PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=True, reason="1 series"),
        ),
    }
    return ScenarioOutcome(**{**values, **changes})


def failing(name="bad"):
    """Return an outcome in which an alert and a panel are not as they should be."""
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
