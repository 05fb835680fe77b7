"""The outcome of an SLO check, written: a compliance report in Markdown, and a JSON document.

Called by the front door. It judges nothing and leaves nothing out; times and shares are computed
from the policy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.durations import format_duration
from verifier.promql.conditions import number_text
from verifier.slo.policy import DAY_S, PERIOD_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.slo.compliance import Compliance, ObjectiveAlerts
    from verifier.slo.panels import AlertPanels
    from verifier.slo.policy import Policy

MARKS = {"ok": "ok", "fail": "FAIL", "not seen": "n/a", "skipped": "skipped"}


def budget_of(policy: Policy | None) -> dict[str, Any] | None:
    """Return the error budget and how fast it is spent, None without a target.

    `exhaustion_s` is how long a full budget lasts at a burn rate; a full outage burns at
    1 / allowed share. `outage_s` is how long a full outage lasts until the window passes its rate.
    """
    if policy is None or policy.budget is None:
        return None
    budget = policy.budget
    return {
        "period_days": round(PERIOD_S / DAY_S),
        "target_percent": policy.target_percent,
        "allowed_share": round(budget, 12),
        "full_outage_exhaustion_s": round(budget * PERIOD_S, 3),
        "windows": [
            {
                "name": window.name,
                "lookback_s": window.lookback_s,
                "burn_rate": window.burn_rate,
                "exhaustion_s": round(window.exhaustion_s, 3),
                "budget_spent_share": round(window.budget_spent, 6),
                "outage_s": round(window.lookback_s * min(1.0, window.burn_rate * budget), 3),
            }
            for window in policy.windows
        ],
    }


def budget_lines(policy: Policy | None) -> list[str]:
    """Return the budget as lines of text; none without a target."""
    budget = budget_of(policy)
    if budget is None:
        return []
    share = f"{100 * budget['allowed_share']:g} % of the requests of {budget['period_days']} days"
    allowed = format_duration(round(budget["full_outage_exhaustion_s"]))
    lines = [
        f"target {budget['target_percent']:g} %: {share} may fail",
        f"full outage: the budget is exhausted in {allowed}",
    ]
    for window in budget["windows"]:
        lookback = format_duration(window["lookback_s"])
        line = (
            f"{window['name']}: at {window['burn_rate']:g} times the allowed rate the budget is"
            f" exhausted in {_long(window['exhaustion_s'])}; {lookback} at that rate uses"
            f" {100 * window['budget_spent_share']:.3g} % of it"
        )
        outage = format_duration(round(window["outage_s"]))
        lines.append(f"{line}, as much as {outage} of full outage")
    return lines


def markdown(compliance: Compliance) -> str:
    """Return the compliance report."""
    policy = compliance.policy
    service = (policy.service if policy else None) or "unknown service"
    when = f"{compliance.checked_at:%Y-%m-%d %H:%M:%S %Z}"
    lines = [
        f"# SLO compliance of {service}: {'pass' if compliance.passed else 'FAIL'}",
        "",
        f"Pack `{compliance.pack}`, checked {when} with {compliance.engine}.",
        "",
        *_table(
            ("#", "step", "outcome", "reason"),
            (
                (str(number), step.name, MARKS[step.status], "<br>".join(step.reasons))
                for number, step in enumerate(compliance.steps, 1)
            ),
        ),
    ]
    budget = budget_lines(policy)
    if budget:
        lines += ["", "## Error budget", "", *(f"- {line}" for line in budget)]
    if compliance.objectives:
        head = ("objective", "policy", "alert", "agrees")
        rows = (_objective_row(each) for each in compliance.objectives)
        lines += ["", "## Objectives and alerts", "", *_table(head, rows)]
    if compliance.alert_panels:
        head = ("alert", "fires at", "shown by", "thresholds there")
        rows = (_panels_row(alert) for alert in compliance.alert_panels)
        lines += ["", "## Alerts and panels", "", *_table(head, rows)]
    if compliance.findings:
        lines += ["", "## Findings", "", "For information; none of them fails the check.", ""]
        lines += [f"- {finding}" for finding in compliance.findings]
    return "\n".join(lines) + "\n"


def document(compliance: Compliance) -> dict[str, Any]:
    """Return the outcome as one JSON document."""
    return {
        "verdict": "pass" if compliance.passed else "fail",
        "pack": compliance.pack,
        "checked_at": compliance.checked_at.isoformat(),
        "engine": compliance.engine,
        "service": compliance.policy.service if compliance.policy else None,
        "steps": [
            {"step": step.name, "status": step.status, "reasons": list(step.reasons)}
            for step in compliance.steps
        ],
        "budget": budget_of(compliance.policy),
        "objectives": [
            {
                "objective": each.objective.name,
                "stated": each.objective.stated,
                "alerts": [rule.alert for rule in each.alerts],
                "agrees": each.agrees,
            }
            for each in compliance.objectives
        ],
        "panels": [
            {
                "alert": alert.rule.alert,
                "dashboard": shown.panel.dashboard,
                "panel": shown.panel.title,
                "fires_at": shown.fires_at,
                "thresholds": list(shown.thresholds),
            }
            for alert in compliance.alert_panels
            for shown in alert.panels
        ],
        "findings": [str(finding) for finding in compliance.findings],
    }


def _objective_row(each: ObjectiveAlerts) -> Sequence[str]:
    alerts = ", ".join(rule.alert for rule in each.alerts) or "none"
    return each.objective.name, each.objective.stated, alerts, "yes" if each.agrees else "NO"


def _panels_row(alert: AlertPanels) -> Sequence[str]:
    panels = "<br>".join(f"{s.panel.title} ({s.panel.dashboard})" for s in alert.panels)
    thresholds = "<br>".join(
        ", ".join(map(number_text, shown.thresholds)) or "none" for shown in alert.panels
    )
    fires_at = number_text(alert.threshold)
    return alert.rule.alert, fires_at, panels or "no panel", thresholds or "-"


def _long(seconds: float) -> str:
    """Write a long time in hours, and in days beside it."""
    return f"{seconds / 3600:g} h ({seconds / DAY_S:.3g} days)"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    whole = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in whole]
