"""What is told of an SLO check: the compliance report in Markdown, and one JSON document.

Called by the front door with the outcome of a check. It judges nothing and leaves nothing out;
times and shares are computed from the policy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.durations import format_duration
from verifier.promql.conditions import number_text
from verifier.slo.policy import DAY_S, PERIOD_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.slo.check import Compliance, Guard
    from verifier.slo.panels import AlertPanels
    from verifier.slo.policy import Policy

MARKS = {"ok": "ok", "fail": "FAIL", "not seen": "not seen", "skipped": "skipped"}


def budget_of(policy: Policy | None) -> dict[str, Any] | None:
    """Return the error budget and what becomes of it, None without a target.

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
    """Return the budget in words, a line each; none without a target."""
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
            f" exhausted in {_long(window['exhaustion_s'])}; {lookback} at that rate spend"
            f" {100 * window['budget_spent_share']:.3g} % of it"
        )
        outage = format_duration(round(window["outage_s"]))
        lines.append(f"{line}, {outage} of full outage as much")
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
    if compliance.guards:
        head = ("objective", "policy", "alert", "agrees")
        rows = (_guard_row(guard) for guard in compliance.guards)
        lines += ["", "## Objectives and alerts", "", *_table(head, rows)]
    if compliance.drawn:
        head = ("alert", "fires at", "drawn by", "thresholds there")
        rows = (_drawn_row(one) for one in compliance.drawn)
        lines += ["", "## Alerts and panels", "", *_table(head, rows)]
    if compliance.findings:
        lines += ["", "## Findings", "", "To know; none of them fails the check.", ""]
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
                "objective": guard.objective.name,
                "stated": guard.objective.stated,
                "alerts": [rule.alert for rule in guard.alerts],
                "agrees": guard.agrees,
            }
            for guard in compliance.guards
        ],
        "panels": [
            {
                "alert": one.rule.alert,
                "dashboard": panel.dashboard,
                "panel": panel.title,
                "fires_at": asked,
                "thresholds": list(own),
            }
            for one in compliance.drawn
            for panel, asked, own in one.panels
        ],
        "findings": [str(finding) for finding in compliance.findings],
    }


def _guard_row(guard: Guard) -> Sequence[str]:
    alerts = ", ".join(rule.alert for rule in guard.alerts) or "none"
    return guard.objective.name, guard.objective.stated, alerts, "yes" if guard.agrees else "NO"


def _drawn_row(one: AlertPanels) -> Sequence[str]:
    panels = "<br>".join(f"{panel.title} ({panel.dashboard})" for panel, _, _ in one.panels)
    own = "<br>".join(", ".join(map(number_text, own)) or "none" for _, _, own in one.panels)
    return one.rule.alert, number_text(one.threshold), panels or "no panel", own or "-"


def _long(seconds: float) -> str:
    """Write a long time in hours, and in days beside it."""
    return f"{seconds / 3600:g} h ({seconds / DAY_S:.3g} days)"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    whole = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in whole]
