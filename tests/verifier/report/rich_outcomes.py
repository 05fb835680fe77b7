"""Outcomes in which alerts did all that they can do: in virtual and real time, on many seeds."""

from __future__ import annotations

from dataclasses import replace

from documents.mistakes import Place
from tests.verifier.outcomes import (
    alert,
    delivery,
    difference,
    fired,
    in_real_time,
    notified,
    outcome,
    unjudged,
)
from verifier.errors import NotJudged
from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers, DecisiveValue
from verifier.judge.verdict import Culprit, FailureEvidence, PanelVerdict
from verifier.panels.answers import PanelComparison
from verifier.run_record import InputFile, PlannedFault, RunRecord, ScenarioRecord

RUN = RunRecord(
    started="2026-03-02T09:00:00Z",
    version="1.2.3",
    command="agentaskit-sim verify drop --rules mine.yaml",
    files=(InputFile(kind="rules", path="mine.yaml", sha256="0123456789abcdef" * 4),),
)
GONE = PlannedFault(
    name="gone", kind="traffic_drop", start_s=180.0, end_s=720.0, ramp_s=60.0,
    parameters=(("share", 0.4), ("latency_s", 2.0)), targets=(("tiers", "L1"),),
)  # fmt: skip
BEFORE = PlannedFault(
    name="before", kind="agent_crash", start_s=-7200.0, end_s=-3600.0, ramp_s=0.0,
    parameters=(("rate_per_s", 0.5),), targets=(),
)  # fmt: skip
RECORD = ScenarioRecord(story="Tasks are lost & found.", load="100 tasks a second",
                        faults=(BEFORE, GONE))  # fmt: skip
MUTE = {"vacuous": "no metric `x` exists"}
OVERLAY = "{alert: Odd, cause: gone, fires_within: 2m, resolves_within: 1m}"
AT_THE_LIMIT = tuple(
    ComparisonNumbers(
        condition=f"x {operator} 3", operator=operator, threshold=3.0, nearest=3.0, at_s=205.0,
        labels=(), held_s=0.0, last=3.5, sustained=3.25, healthy=1.0,
        readings=(DecisiveValue("at the start", 0.0, 1.0), DecisiveValue("later", 260.0, None)),
    )
    for operator in (">", ">=", "<", "<=", "==", "!=")
)  # fmt: skip
CONDITION = ConditionNumbers(for_s=0.0, held_s=500.0, held_from_s=0.0, comparisons=AT_THE_LIMIT)


def panel(title, **changes):
    """Return a verdict on a panel of the board `SLA`, which answered."""
    values = {"dashboard": "SLA", "panel": title, "query": "up", "ok": True, "reason": ""}
    return PanelVerdict(**{**values, **changes})


PANELS = (
    panel("P95", truth=PanelComparison("requests", (30.0, 60.0), "")),
    panel("P99", ok=False, reason="NaN at every instant"),
    panel("Rate", ok=False, reason="twice as much", truth=PanelComparison("x", (30.0,), "twice")),
    panel("Spare", reason="no series", accepted="its exporter is another"),
    panel("Idle", reason="no series, and none is healthy"),
)
NOT_JUDGED = (
    NotJudged("alert Join", "the engine refuses it: many-to-many", Place("a.yaml", 5, 11)),
    NotJudged("alert Quiet", "the other one of this name", Place("a.yaml", 9, 11)),
    NotJudged("panel SLA / Logs", "it asks Loki", Place("b.json", 3, 2), keeps_from_passing=False),
)
ODD = alert(
    "Odd", "unexpected", ok=False, pending_s=200.0, firing_s=260.0, resolved_s=705.0,
    reason="unexpected: it fired at 4m20s; its value was 3", labels=(("zone", "a"),),
    evidence=FailureEvidence(
        overlay=OVERLAY, culprit=Culprit(suspect="rule", because="`x > 1` is near"),
        condition=CONDITION, fault_effect="gone did: 60 measured, 61.5 declared",
        would_hold=("fires_within: 9m", "resolves_within: 4m"), would_fire=("> 2", "for: 30s"),
    ),
)  # fmt: skip
LATE = fired(
    "Queue", ok=False, labels=(("priority", "low"), ("severity", "page")), firing_s=500.0,
    lost_pending=((20.0, 50.0),), reason="fired 8m20s after the onset; too late",
)  # fmt: skip
DROP = outcome(
    alerts=(
        alert("Idle", "silent", reason="stayed silent"),
        fired("Throughput", labels=(("severity", "warning"),), resolved_s=601.25),
        LATE,
        fired("Queue", labels=(("priority", "high"), ("severity", "page")), resolves_within_s=None),
        fired("Flapping", firings=((330.0, 400.0), (430.0, 500.0), (520.0, 600.0))),
        fired("Early", resolved_s=400.3, firings=((330.0, 400.3),)),
        fired("Long", resolved_s=None, resolves_within_s=None, receivers=("pager",)),
        fired("Fast", cause=None, onset_s=0.0, cause_end_s=None, lost_pending=((1.0, 2.0),) * 12),
        fired("Old", cause="before", onset_s=0.0, cause_end_s=0.0, pending_s=-90.0),
        ODD,
        alert("Known", "explained", reason="the queue grows", firing_s=90.0, pending_s=30.0),
        alert("Free", "explained", reason="did not fire, and need not"),
        alert("Slow", "silent", reason="stayed silent, pending", pending_s=40.0),
        alert("Quiet", "silent", reason="stayed silent"),
        alert("Mute", "silent", **MUTE, accepted="another exporter", reason="silent, but"),
        alert("Day", "silent", **MUTE, could_fire_in="healthy-day", reason="silent, but"),
        alert("Dead", "silent", ok=False, **MUTE, reason="silent, but it could not"),
        alert("Never", ok=False, fires_within_s=420.0, cause="gone", onset_s=180.0, **MUTE,
              evidence=FailureEvidence(culprit=Culprit(suspect="rule", because="it is mute")),
              reason="never fired, and could not have"),
    ),
    panels=PANELS,
    findings=("slo.yaml:3:1: same | condition twice",),
    notes=("the receiver ended with status 1 and was started again",),
    not_judged=NOT_JUDGED,
    record=RECORD,
    fault_effects={"gone": "gone (traffic_drop) did: 60 measured, 61.5 declared"},
)  # fmt: skip
CALM = outcome(
    "calm",
    duration_s=600.0,
    exact_s=90.0,
    resampled_s=0.0,
    wall_s=1.26,
    alerts=(
        fired("Quiet", resolved_s=None, resolves_within_s=None),
        alert("Known", "silent", reason="stayed silent"),
        alert("Throughput", "silent", reason="stayed silent"),
        alert("Mute", "silent", **MUTE, accepted="another exporter", reason="silent, but"),
    ),
    panels=(panel("P95"), panel("Rate", truth=PanelComparison("x", (60.0,), ""))),
    findings=("slo.yaml:3:1: same | condition twice", "slo.yaml:9:1: no `for`"),
    record=replace(RECORD, story="", faults=()),
)
VIRTUAL = [DROP, CALM, unjudged()]


def on_seeds(name, failing, *firing_s, invalid=()):
    """Return a scenario's runs: one that passes for each time to fire, then those that do not."""
    runs = [outcome(alerts=(fired("Throughput", firing_s=at_s),)) for at_s in firing_s]
    runs += [outcome(alerts=(alert("Throughput", ok=False, fires_within_s=420.0),))] * failing
    runs += [unjudged()] * len(invalid)
    return [
        replace(run, name=f"{name}@{seed}", seed=seed, replay=f"verify {name} --seed {seed}")
        for seed, run in enumerate(runs, 1)
    ]


SEEDS = [
    *on_seeds("drop", 10, 330.0, 330.0, 360.5, invalid=(14,)),
    *on_seeds("calm", 10, 330.0),
    *on_seeds("fine", 0, 300.0, 310.0, invalid=(3,)),
]

STUCK = notified(
    "Throughput", ok=False, labels=(("severity", "page"),), resolved_s=None, broke_at="scrape",
    reason="still firing when the scenario ended; 2 scrapes failed meanwhile",
    deliveries=(delivery("pager", 560.0), delivery("chat", 540.4)),
)  # fmt: skip
REAL = [
    in_real_time(
        alerts=(
            notified("Throughput", "chat", "pager", labels=(("severity", "warning"),)),
            STUCK,
            fired("Alone", cause=None, onset_s=0.0, cause_end_s=None, latency=None,
                  deliveries=(delivery("chat", 400.0), delivery("chat", 700.0, "resolved"),
                              delivery("pager", 900.0, "resolved"))),
            alert("Lost", ok=False, fires_within_s=420.0),
            alert("Loud", "explained", reason="it may", firing_s=9.0, pending_s=1.0,
                  deliveries=(delivery("chat", 12.0),)),
            alert("Latency", "silent", reason="stayed silent"),
        ),
        panels=(
            panel("P95", truth=PanelComparison("requests", (), "it never answered")),
            panel("Rate", ok=False, reason="twice", truth=PanelComparison("x", (30.0,), "twice")),
        ),
        compress=2.5,
        duration_s=1260.0,
        clocks=(
            difference(),
            difference("pending", 300.0, 300.01),
            difference("resolved", 780.0, 780.02, reason="0.0 s later", allowed_s=90.0),
            difference("firing", None, 600.0, episode=1, ok=False, reason="in real time only"),
        ),
        notes=("Alertmanager ended with signal 9 and was started again",),
        record=RECORD,
    ),
    in_real_time("again", compress=1.0, exact_s=10.0, duration_s=30.0, wall_s=40.5, record=None),
    unjudged(),
]  # fmt: skip
