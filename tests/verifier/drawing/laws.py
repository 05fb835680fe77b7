"""What a drawn scenario must agree with: its verdict, its plan, and the contract's thresholds.

Reads the document that is drawn, not what it was made from. Each law returns its complaints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.scenario import Scenario
    from verifier.judge.verdict import AlertVerdict

THRESHOLDS = {
    "TaskThroughputBelowTarget": ("below", 10_000),
    "MessageThroughputBelowTarget": ("below", 100_000),
    "HighTaskProcessingTime": ("above", 1.0),
    "AgentStartupSlow": ("above", 100),
    "HighAgentChurnRate": ("above", 100),
    "AgentCapacityNearLimit": ("above", 0.9),
    "HighMemoryUsage": ("above", 10_737_418_240),
    "HighCPUUtilization": ("above", 80),
    "AvailabilitySLOBreach": ("below", 99.9),
    "ErrorBudgetExhausted": ("below", 10),
    "FastBurnRateHigh": ("above", 14.4),
    "SlowBurnRateHigh": ("above", 6.0),
    "P95LatencySLOBreach": ("above", 50),
    "P99LatencySLOBreach": ("above", 100),
    "AgentStartupTimeSLOBreach": ("above", 100),
    "HighTaskQueueDepth": ("above", 1000),
    "CriticalTaskQueueDepth": ("above", 5000),
    "MessageQueueBackpressure": ("above", 100),
    "SandboxPoolExhaustion": ("below", 0.1),
}
"""The threshold of each of the nineteen alerts, as the contract has it."""


def threshold_complaints(chart: dict) -> Iterator[str]:
    """Yield a line for each row whose drawn threshold is not the contract's."""
    for row in chart["rows"]:
        if (expected := THRESHOLDS.get(row["alert"])) is None:
            continue
        drawn = [(line["fires"], line["value"]) for line in row["thresholds"]]
        if drawn != [expected]:
            yield f"{row['alert']}: threshold {drawn}, the contract has {expected}"


def crossing_complaints(chart: dict, verdicts: Sequence[AlertVerdict]) -> Iterator[str]:
    """Yield a line for each drawn condition that does not begin and end as the verdict says.

    It must hold at the very evaluations at which the alert was active, and not at those beside
    them; what began before the scenario is drawn from its start on.
    """
    rows = {row["alert"]: row for row in chart["rows"] if row["alert"] in THRESHOLDS}
    for verdict in verdicts:
        if verdict.pending_s is None:
            continue
        pending_s = verdict.onset_s + verdict.pending_s
        row, name = rows[verdict.alert], f"{verdict.alert} {dict(verdict.labels)}"
        held = holding(row, dict(verdict.labels))
        times = row["times_s"]
        first = [t for t, h in zip(times, held, strict=True) if h and t >= pending_s - 0.002]
        if pending_s > times[0] and (not first or abs(first[0] - pending_s) > 0.002):
            yield f"{name}: pending at {pending_s}, drawn to cross at {first[:1]}"
            continue
        before = [h for t, h in zip(times, held, strict=True) if t < pending_s - 0.002]
        if before and before[-1]:
            yield f"{name}: pending at {pending_s}, drawn to hold before"
        if verdict.resolved_s is None:
            continue
        resolved_s = verdict.onset_s + verdict.resolved_s
        inside = [
            (t, h) for t, h in zip(times, held, strict=True) if pending_s <= t <= resolved_s + 0.002
        ]
        if inside and (inside[-1][1] or not inside[-2][1]):
            yield f"{name}: resolved at {resolved_s}, drawn otherwise: {inside[-2:]}"


def holding(row: dict, labels: dict[str, str]) -> list[bool]:
    """Return at which of a row's times any series with such labels is beyond the threshold."""
    (line,) = row["thresholds"]
    sign = 1 if line["fires"] == "above" else -1
    series = [s for s in row["series"] if s["labels"].items() <= labels.items()]
    return [
        any(
            s["values"][index] is not None and sign * (s["values"][index] - line["value"]) > 0
            for s in series
        )
        for index in range(len(row["times_s"]))
    ]


def lane_complaints(chart: dict, verdicts: Sequence[AlertVerdict]) -> Iterator[str]:
    """Yield a line for each verdict whose times its lane does not show."""
    for verdict in verdicts:
        # Of an alert that never fired a verdict names the labels that were expected, maybe not all.
        lane = next(
            lane
            for lane in chart["lanes"]
            if lane["alert"] == verdict.alert
            and dict(verdict.labels).items() <= lane["labels"].items()
        )
        for field in ("pending_s", "firing_s", "resolved_s"):
            judged_s = getattr(verdict, field)
            drawn = [episode[field] for episode in lane["episodes"]]
            at_s = None if judged_s is None else round(verdict.onset_s + judged_s, 3)
            if at_s is not None and not any(d is not None and abs(d - at_s) < 0.002 for d in drawn):
                yield f"{verdict.alert}: {field} at {at_s}, the lane has {drawn}"
        if (lane["failure"] is None) != verdict.ok:
            yield f"{verdict.alert}: ok is {verdict.ok}, the lane says {lane['failure']}"


def band_complaints(chart: dict, scenario: Scenario) -> Iterator[str]:
    """Yield a line for each fault whose band is not where the plan has it."""
    drawn = {b["name"]: (b["from_s"], b["to_s"]) for b in chart["bands"] if b["kind"] == "fault"}
    for fault in scenario.plan.faults:
        planned = (fault.start_s, min(fault.start_s + fault.duration_s, scenario.duration_s))
        if drawn.get(fault.name) != planned:
            yield f"{fault.name}: {planned} in the plan, drawn as {drawn.get(fault.name)}"
