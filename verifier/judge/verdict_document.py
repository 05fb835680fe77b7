"""The verdict as JSON: what `verdict.json`, `notifications.json` and `--json` hold.

Called by the front door and `report.saved.results`. The form of `document` is described, closed at
every level, by `verdict.schema.json` beside this file: a key is added in both or a test fails.
Seconds are rounded to a millisecond here and nowhere else. It judges nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.judge.verdict import INTERRUPTED, engine_of, overall
from verifier.run_record import fault_document, run_document
from verifier.seeds.across import across_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.document import Value
    from verifier.evidence.measurement import ComparisonNumbers
    from verifier.judge.verdict import (
        AlertVerdict,
        ClockDifference,
        FailureEvidence,
        Latency,
        ScenarioOutcome,
    )
    from verifier.pack.spread import Spread
    from verifier.panels.answers import PanelComparison
    from verifier.run_record import RunRecord

LOST_MAX: Final = 20
"""Times that an alert was pending and did not fire that are listed."""


def document(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> dict[str, Value]:
    """Return the verdict as JSON values, with what was run where that is known."""
    engine = engine_of(outcomes)
    return {
        "verdict": overall(outcomes),
        "partial": any(INTERRUPTED in outcome.invalid for outcome in outcomes),
        "engine": {"name": engine.name, "version": engine.version},
        "run": run_document(run),
        "seeds": list(across_document(outcomes)),
        "scenarios": [_scenario(outcome) for outcome in outcomes],
    }


def notifications_document(outcomes: Sequence[ScenarioOutcome]) -> dict[str, Value]:
    """Return the notifications of runs in real time as JSON values; times are Unix seconds."""
    return {
        outcome.name: [
            {
                **asdict(notification),
                "labels": dict(notification.labels),
                "annotations": dict(notification.annotations),
            }
            for notification in outcome.notifications
        ]
        for outcome in outcomes
        if outcome.clock == "real"
    }


def verdict_schema() -> dict[str, Value]:
    """Return the JSON Schema of `document`."""
    text = Path(__file__).with_name("verdict.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Value] = json.loads(text)
    return schema


def _scenario(outcome: ScenarioOutcome) -> dict[str, Value]:
    return {
        "name": outcome.name,
        "seed": outcome.seed,
        "replay": outcome.replay or None,
        "verdict": outcome.verdict,
        "reasons": list(outcome.invalid),
        "duration_s": _rounded(outcome.duration_s),
        "virtual_s": _rounded(outcome.virtual_s),
        "exact_s": _rounded(outcome.exact_s),
        "resampled_s": _rounded(outcome.resampled_s),
        "wall_s": _rounded(outcome.wall_s),
        "times_real_time": round(outcome.times_real_time, 1),
        "alerts": [_alert(alert) for alert in outcome.alerts],
        "panels": [
            {
                "dashboard": panel.dashboard,
                "panel": panel.panel,
                "query": panel.query,
                "ok": panel.ok,
                "reason": panel.reason,
                "accepted": panel.accepted,
                "truth": None if panel.truth is None else _truth(panel.truth),
            }
            for panel in outcome.panels
        ],
        "findings": list(outcome.findings),
        "not_judged": [
            {
                "subject": item.subject,
                "reason": item.reason,
                "place": str(item.place),
                "keeps_from_passing": item.keeps_from_passing,
            }
            for item in outcome.not_judged
        ],
        "clock": outcome.clock,
        "compress": outcome.compress,
        "notes": list(outcome.notes),
        "clocks": None if outcome.clocks is None else list(map(_difference, outcome.clocks)),
        "offsets": None if outcome.offsets is None else _offsets(outcome.offsets),
        "story": outcome.record.story if outcome.record else None,
        "load": outcome.record.load if outcome.record else None,
        "faults": [
            fault_document(fault, outcome.fault_effects)
            for fault in (outcome.record.faults if outcome.record else ())
        ],
    }


def _truth(truth: PanelComparison) -> dict[str, Value]:
    return {
        "shows": truth.shows,
        "instants_s": [_rounded(at_s) for at_s in truth.instants_s],
        "agrees": truth.agrees if truth.instants_s or truth.reason else None,
        "reason": truth.reason,
    }


def _offsets(offsets: Spread) -> dict[str, Value]:
    return {
        "scrape_s": _rounded(offsets.scrape_s),
        "groups": [
            {
                "file": group.file,
                "group": group.group,
                "interval_s": _rounded(group.interval_s),
                "offset_s": _rounded(group.offset_s),
            }
            for group in offsets.groups
        ],
    }


def _difference(difference: ClockDifference) -> dict[str, Value]:
    return {
        "alert": difference.alert,
        "labels": dict(difference.labels),
        "transition": difference.transition,
        "episode": difference.episode,
        "virtual_s": _rounded(difference.virtual_s),
        "real_s": _rounded(difference.real_s),
        "allowed_s": _rounded(difference.allowed_s),
        "ok": difference.ok,
        "reason": difference.reason,
    }


def _alert(alert: AlertVerdict) -> dict[str, Value]:
    return {
        "alert": alert.alert,
        "labels": dict(alert.labels),
        "expected": alert.expected,
        "cause": alert.cause,
        "onset_s": _rounded(alert.onset_s),
        "cause_end_s": _rounded(alert.cause_end_s),
        "pending_s": _rounded(alert.pending_s),
        "firing_s": _rounded(alert.firing_s),
        "resolved_s": _rounded(alert.resolved_s),
        "lost_pending": [
            {"from_s": _rounded(from_s), "until_s": _rounded(until_s)}
            for from_s, until_s in alert.lost_pending[:LOST_MAX]
        ],
        "firings": [
            {"from_s": _rounded(from_s), "until_s": _rounded(until_s)}
            for from_s, until_s in alert.firings
        ],
        "fires_within_s": _rounded(alert.fires_within_s),
        "resolves_within_s": _rounded(alert.resolves_within_s),
        "receivers": None if alert.receivers is None else list(alert.receivers),
        "notifies_resolved": alert.notifies_resolved,
        "deliveries": [
            {
                "receiver": delivery.receiver,
                "status": delivery.status,
                "at_s": _rounded(delivery.at_s),
                "deliveries": delivery.deliveries,
            }
            for delivery in alert.deliveries
        ],
        "latency": None if alert.latency is None else _latency(alert.latency),
        "ok": alert.ok,
        "reason": alert.reason,
        "broke_at": alert.broke_at,
        "vacuous": alert.vacuous,
        "accepted": alert.accepted,
        "could_fire_in": alert.could_fire_in,
        "evidence": None if alert.evidence is None else _evidence(alert.evidence),
        "margin": list(map(_comparison, alert.margin)),
    }


def _evidence(evidence: FailureEvidence) -> dict[str, Value]:
    condition = evidence.condition
    return {
        "for_s": _rounded(condition.for_s if condition else None),
        "held_s": _rounded(condition.held_s if condition else None),
        "held_from_s": _rounded(condition.held_from_s if condition else None),
        "comparisons": list(map(_comparison, condition.comparisons if condition else ())),
        "fault_effect": evidence.fault_effect,
        "would_hold": list(evidence.would_hold),
        "would_fire": list(evidence.would_fire),
        "overlay": evidence.overlay,
        "culprit": None
        if evidence.culprit is None
        else {"suspect": evidence.culprit.suspect, "because": evidence.culprit.because},
    }


def _comparison(comparison: ComparisonNumbers) -> dict[str, Value]:
    return {
        "condition": comparison.condition,
        "operator": comparison.operator,
        "threshold": _finite(comparison.threshold),
        "nearest": _finite(comparison.nearest),
        "at_s": _rounded(comparison.at_s),
        "labels": dict(comparison.labels),
        "held_s": _rounded(comparison.held_s),
        "last": _finite(comparison.last),
        "readings": [
            {
                "moment": reading.moment,
                "at_s": _rounded(reading.at_s),
                "value": _finite(reading.value),
            }
            for reading in comparison.readings
        ],
        "healthy": _finite(comparison.healthy),
        "sustained": _finite(comparison.sustained),
    }


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has; infinities and NaN are none."""
    return value if value is not None and math.isfinite(value) else None


def _latency(latency: Latency) -> dict[str, Value]:
    return {
        "condition_s": _rounded(latency.condition_s),
        "pending_s": _rounded(latency.pending_s),
        "firing_s": _rounded(latency.firing_s),
        "notified_s": _rounded(latency.notified_s),
        "bound_s": _rounded(latency.bound_s),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
