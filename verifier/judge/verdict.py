"""What a run hands on: its progress, and the verdict on every alert, panel and scenario.

Values only, made by the judge, read by reports and the front door; `document` is their JSON form,
described by `verdict.schema.json` beside this file. What could not be judged is invalid, with the
reason, and never a pass.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.labels import Labels
    from verifier.servers.ledger import Notification

Verdict = Literal["pass", "fail", "invalid"]
Clock = Literal["virtual", "real"]
Hop = Literal["world", "scrape", "rule", "alertmanager", "receiver"]
Status = Literal["firing", "resolved"]
Transition = Literal["pending", "firing", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one scenario is: `virtual_s` of `of_s` simulated seconds; `phase` in a few words."""

    scenario: str
    phase: str
    virtual_s: float
    of_s: float
    times_real_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What evaluated the rules: always a real Prometheus."""

    name: str
    version: str


UNKNOWN_ENGINE = Engine(name="prometheus", version="unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one receiver was told of an alert, at `at_s` scenario seconds from the start.

    `deliveries` is how often the same thing arrived: repeats and retries tell nothing new.
    """

    receiver: str
    status: Status
    at_s: float
    deliveries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long an alert took to reach somebody, in scenario seconds from its cause's onset.

    `condition_s` is when its condition became true, None when that was not measured; `notified_s`
    is None when nobody was told. `bound_s` is when somebody must have been told, by the intervals
    that stand between (see `deliveries.bound_s`).
    """

    condition_s: float | None
    pending_s: float
    firing_s: float
    notified_s: float | None
    bound_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertVerdict:
    """One alert (one label set of it) in one scenario, judged.

    `pending_s`, `firing_s` and `resolved_s` count from `onset_s`, the onset of `cause` (the
    scenario's start when there is none), and are None for what did not happen. `cause_end_s`
    counts from there too; `resolves_within_s` counts from `cause_end_s`.

    Seen live only: `deliveries` in the order of their arrival, `latency`, and `broke_at`, the first
    hop on the way from the cause to the receiver that did not do its part. `receivers` and
    `notifies_resolved` repeat what was expected (see `scenarios.scenario.Expectation`).
    """

    alert: str
    labels: Labels
    expected: Literal["fires", "silent", "explained", "unexpected"]
    ok: bool
    reason: str
    cause: str | None = None
    onset_s: float = 0.0
    cause_end_s: float | None = None
    pending_s: float | None = None
    firing_s: float | None = None
    resolved_s: float | None = None
    fires_within_s: float | None = None
    resolves_within_s: float | None = None
    receivers: tuple[str, ...] | None = None
    notifies_resolved: bool = False
    deliveries: tuple[Delivery, ...] = ()
    latency: Latency | None = None
    broke_at: Hop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDifference:
    """When one transition of one alert came in virtual and in real time, held side by side.

    Times are scenario seconds from the start, None where it did not come; `episode` counts from 0.
    """

    alert: str
    labels: Labels
    transition: Transition
    episode: int
    virtual_s: float | None
    real_s: float | None
    allowed_s: float
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelVerdict:
    """One query of one dashboard panel: whether it answered."""

    dashboard: str
    panel: str
    query: str
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOutcome:
    """One scenario, run and judged. `virtual_s` = `exact_s` + `resampled_s`, history included.

    `invalid` holds the reasons why nothing may be concluded, empty when it may. `findings` are
    remarks on rules and dashboards that change no verdict.

    `clock` says whether it was lived in virtual time or on the real stack, there with time
    compressed `compress` times. `notes` are what befell the run (a restart, an early end),
    `clocks` the comparison of both clocks, None when there was none, and `notifications` the
    receiver's whole ledger.
    """

    name: str
    seed: int
    engine: Engine
    duration_s: float
    exact_s: float
    resampled_s: float
    wall_s: float
    alerts: tuple[AlertVerdict, ...] = ()
    panels: tuple[PanelVerdict, ...] = ()
    findings: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    clock: Clock = "virtual"
    compress: float = 1.0
    notes: tuple[str, ...] = ()
    clocks: tuple[ClockDifference, ...] | None = None
    notifications: tuple[Notification, ...] = ()

    @property
    def virtual_s(self) -> float:
        """Virtual seconds that Prometheus was shown, history included."""
        return self.exact_s + self.resampled_s

    @property
    def times_real_time(self) -> float:
        """Virtual seconds per second of wall clock."""
        return self.virtual_s / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def verdict(self) -> Verdict:
        """Invalid when it could not be judged, pass when every part of it is as it should be."""
        if self.invalid:
            return "invalid"
        held = [part.ok for part in self.alerts] + [part.ok for part in self.panels]
        return "pass" if all(held) and all(one.ok for one in self.clocks or ()) else "fail"


def overall(outcomes: Sequence[ScenarioOutcome]) -> Verdict:
    """Fail when any scenario fails, else invalid when any (or none at all) could not be judged."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "invalid"


def engine_of(outcomes: Sequence[ScenarioOutcome]) -> Engine:
    """Return the run's engine; `UNKNOWN_ENGINE` when no scenario came as far as to start it."""
    known = (outcome.engine for outcome in outcomes if outcome.engine != UNKNOWN_ENGINE)
    return next(known, UNKNOWN_ENGINE)


def document(outcomes: Sequence[ScenarioOutcome]) -> dict[str, Any]:
    """Return the verdict as JSON values."""
    engine = engine_of(outcomes)
    return {
        "verdict": overall(outcomes),
        "engine": {"name": engine.name, "version": engine.version},
        "scenarios": [_scenario(outcome) for outcome in outcomes],
    }


def ledger(outcomes: Sequence[ScenarioOutcome]) -> dict[str, Any]:
    """Return what receivers were told in live scenarios as JSON values; times are Unix seconds."""
    return {
        outcome.name: [
            {**asdict(one), "labels": dict(one.labels), "annotations": dict(one.annotations)}
            for one in outcome.notifications
        ]
        for outcome in outcomes
        if outcome.clock == "real"
    }


def verdict_schema() -> dict[str, Any]:
    """Return the JSON Schema of `document`."""
    text = Path(__file__).with_name("verdict.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _scenario(outcome: ScenarioOutcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "seed": outcome.seed,
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
            }
            for panel in outcome.panels
        ],
        "findings": list(outcome.findings),
        "clock": outcome.clock,
        "compress": outcome.compress,
        "notes": list(outcome.notes),
        "clocks": None if outcome.clocks is None else [_difference(one) for one in outcome.clocks],
    }


def _difference(one: ClockDifference) -> dict[str, Any]:
    return {
        "alert": one.alert,
        "labels": dict(one.labels),
        "transition": one.transition,
        "episode": one.episode,
        "virtual_s": _rounded(one.virtual_s),
        "real_s": _rounded(one.real_s),
        "allowed_s": _rounded(one.allowed_s),
        "ok": one.ok,
        "reason": one.reason,
    }


def _alert(alert: AlertVerdict) -> dict[str, Any]:
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
    }


def _latency(latency: Latency) -> dict[str, Any]:
    return {
        "condition_s": _rounded(latency.condition_s),
        "pending_s": _rounded(latency.pending_s),
        "firing_s": _rounded(latency.firing_s),
        "notified_s": _rounded(latency.notified_s),
        "bound_s": _rounded(latency.bound_s),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
