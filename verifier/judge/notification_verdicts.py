"""The closed verdict, continued to the receiver: who was notified of which alert, and when.

Called by the judge of runs in real time with the verdicts on Prometheus's timelines and the
receiver's ledger. Named receivers must be notified in time, and no others; what is notified must
have fired; a receiver that was notified that an alert fires must be notified that it resolved. A
verdict that fails names the first hop from the cause to the receiver that broke. Pure; times are
scenario seconds unless said otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from documents.amounts import listed
from documents.mistake_kinds import UnknownName
from documents.mistakes import gather
from exporter.history.samples import EPOCH_S
from verifier.judge.hop_evidence import HOPS
from verifier.judge.notification_checks import DeliveryChecks, were, whole_seconds
from verifier.judge.notification_matching import match, receivers_of, with_name
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.hop_evidence import HopEvidence, HopFailure, NotificationDeadlines
    from verifier.judge.notification_matching import AlertCase
    from verifier.judge.verdict import Delivery
    from verifier.labels import Labels
    from verifier.pack.routes.routing import Routing
    from verifier.servers.ledger import Notification


def check_receivers_exist(scenario: Scenario, receivers: Sequence[str]) -> None:
    """Raise `InputError` for every expectation that names a receiver not among `receivers`."""
    hint = f", Alertmanager has {listed(receivers)}"
    mistakes = [
        expectation.place.mistake(
            UnknownName(f"receiver of {expectation.alert}", name, tuple(receivers), hint)
        )
        for expectation in scenario.expectations
        for name in expectation.receivers or ()
        if name not in receivers
    ]
    if mistakes:
        raise gather(mistakes)


def routing_findings(scenario: Scenario, routing: Routing) -> tuple[str, ...]:
    """Return what to know of a routing, and of it in this scenario; nothing of it is a verdict."""
    findings = [str(finding) for finding in routing.findings]
    if routing.timed_routes and scenario.starts_at_s is None:
        date = datetime.fromtimestamp(EPOCH_S, UTC)
        findings += [
            f"{place}: the time intervals of this route are judged as of {date:%A, %Y-%m-%d %H:%M}"
            f" UTC, when {scenario.name} starts: set its starts_at to choose another time"
            for place in routing.timed_routes
        ]
    for expectation in scenario.expectations:
        wants_end = expectation.notifies_resolved
        for name in (expectation.receivers or ()) if wants_end else ():
            if name in routing.unsent_ends:
                findings.append(
                    f"{expectation.place}: {expectation.alert} expects {name} to be notified that"
                    f" it resolved, but {routing.unsent_ends[name]}"
                )
    return tuple(dict.fromkeys(findings))


def judge_deliveries(
    verdicts: Sequence[AlertVerdict],
    timelines: Sequence[Timeline],
    notifications: Iterable[Notification],
    *,
    evidence: HopEvidence,
    deadlines: NotificationDeadlines,
) -> tuple[AlertVerdict, ...]:
    """Return the verdicts, judged as far as the receivers.

    `verdicts` are what `judgement.judge` returned for `timelines`. A notification of an alert that
    did not fire in Prometheus adds an unexpected verdict. What had resolved before the scenario
    began is not judged, nor are its notifications.
    """
    cases, unmatched = match(
        verdicts, timelines, notifications, clock=evidence.clock, early_s=deadlines.early_s
    )
    checks = DeliveryChecks(cases, evidence, deadlines)
    judged = [_judged(case, checks) for case in cases]
    return (
        *_not_contradicted(judged, unmatched),
        *(_never_fired(labels, deliveries) for labels, deliveries in unmatched.items()),
    )


def _judged(case: AlertCase, checks: DeliveryChecks) -> AlertVerdict:
    """Return the verdict of a case, its notifications judged too."""
    verdict = case.verdict
    failures: list[HopFailure] = []
    remarks: list[str] = []
    if verdict.expected in ("fires", "explained"):
        if verdict.expected == "fires" and not verdict.ok:
            failures.append(checks.before_alertmanager(verdict))
        if case.episodes:
            failures += checks.failures(case)
            remarks += checks.postponed(case)
            if checks.not_due_yet(case):
                remarks.append("no notification was due yet when the run ended")
    elif not verdict.ok and case.receivers:
        remarks.append(f"{were(case.receivers)} notified")
    broken = {failure.hop for failure in failures}
    # The reason of a verdict that was ok is no part of what is wrong; another comes first.
    reasons = [verdict.reason] if not verdict.ok or not failures else []
    reasons += [failure.sentence for failure in failures]
    return replace(
        verdict,
        ok=verdict.ok and not broken,
        reason="; ".join((*reasons, *remarks)),
        deliveries=case.deliveries,
        broke_at=next((hop for hop in HOPS if hop in broken), None),
    )


def _not_contradicted(
    verdicts: Iterable[AlertVerdict], unmatched: Iterable[Labels]
) -> Iterable[AlertVerdict]:
    """Yield the verdicts but those that call an alert silent of which a receiver was notified."""
    notified = [set(labels) for labels in unmatched]
    for verdict in verdicts:
        labels = with_name(verdict.alert, verdict.labels)
        silent = verdict.expected == "silent" and verdict.ok
        if not (silent and any(others.issuperset(labels) for others in notified)):
            yield verdict


def _never_fired(labels: Labels, deliveries: Sequence[Delivery]) -> AlertVerdict:
    """Return the verdict on an alert that was notified and never fired."""
    receivers, at_s = receivers_of(deliveries), deliveries[0].at_s
    return AlertVerdict(
        alert=dict(labels).get("alertname", ""),
        labels=tuple(pair for pair in labels if pair[0] != "alertname"),
        expected="unexpected",
        ok=False,
        reason=(
            f"{were(receivers)} notified of it at {whole_seconds(at_s)}, but it did not fire in"
            " Prometheus"
        ),
        deliveries=tuple(deliveries),
        broke_at="alertmanager",
    )
