"""What the report lists below its table: what failed and why, what was silent, what was found.

Called by `text` for every form of the report. It judges nothing and leaves nothing out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.report import real_time_text, virtual_time_text
from verifier.report.panel_lists import answered, not_judged, unanswered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

NAMED_MAX: Final = 3
"""Scenarios that a line names."""
WAY_OUT: Final = (
    "Mend the rule, or let a scenario show what it reads; to accept one as it is:"
    " --accept 'ALERT=REASON', or `accept` in an overlay"
)


def lists(outcomes: Sequence[ScenarioOutcome]) -> Iterable[tuple[str, list[str]]]:
    """Yield (heading, lines) for every part of the report that has lines."""
    rows = sorted(virtual_time_text.rows(outcomes), key=lambda row: row.scenario)
    parts = {
        "Could not be judged": [f"{o.name}: {reason}" for o in outcomes for reason in o.invalid],
        "Failed": [
            f"{row.scenario}: {row.title}: {_below_each_other(row.reason)}"
            for row in rows
            if not row.ok
        ],
        "Vacuous: could not have fired": _vacuous(outcomes),
        "Panels that did not answer": unanswered(outcomes),
        "Not judged": not_judged(outcomes),
        "Also fired, as explained": [
            f"{outcome.name}: {alert.alert}: {alert.reason}{_notified(alert)}"
            for outcome in outcomes
            for alert in outcome.alerts
            if alert.expected == "explained" and alert.ok and alert.firing_s is not None
        ],
        "Silent, as expected": [_silence(outcome) for outcome in outcomes if not outcome.invalid],
        "Could not have fired, and need not": _forgiven(outcomes),
        "Fired in no scenario": _never_fired(outcomes),
        "Incidents during the run": list(real_time_text.notes(outcomes)),
        "Findings in rules, dashboards and routing": _unique(
            f for o in outcomes for f in o.findings
        ),
        "Panels": answered(outcomes),
    }
    return ((heading, lines) for heading, lines in parts.items() if lines)


def _notified(alert: AlertVerdict) -> str:
    names = real_time_text.notified_receivers(alert, "firing")
    return f" (notified: {', '.join(names)})" if names else ""


def _silence(outcome: ScenarioOutcome) -> str:
    quiet = {
        alert.alert
        for alert in outcome.alerts
        if alert.expected == "silent" and alert.ok and alert.vacuous is None
    }
    names = {alert.alert for alert in outcome.alerts}
    return f"{outcome.name}: {len(quiet)} of {len(names)} alerts"


def _below_each_other(reason: str) -> str:
    """Return the sentences of a reason, each on a line of its own below the first."""
    return reason.replace("; ", "\n    ")


def _vacuous(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts whose silence proves nothing, each reason once, and the way out."""
    scenarios: dict[str, list[str]] = {}
    for outcome in outcomes:
        for alert in outcome.alerts:
            if alert.is_vacuous and not alert.ok:
                text = f"{alert.alert}: {alert.vacuous}"
                scenarios.setdefault(text, []).append(outcome.name)
    if not scenarios:
        return []
    lines = [f"{text}{_where(names, len(outcomes))}" for text, names in scenarios.items()]
    return [*lines, WAY_OUT]


def _forgiven(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts that could not have fired and are not held against the run, and why."""
    scenarios: dict[str, list[str]] = {}
    for outcome in outcomes:
        for alert in outcome.alerts:
            if alert.is_vacuous and alert.ok:
                why = f"accepted: {alert.accepted}"
                if alert.accepted is None:
                    why = f"{alert.could_fire_in} is long enough"
                scenarios.setdefault(f"{alert.alert} ({why})", []).append(outcome.name)
    return [f"{text}{_where(names, len(outcomes))}" for text, names in scenarios.items()]


def _where(names: Sequence[str], of: int) -> str:
    """Say in which scenarios of `of`, where there are several."""
    if of == 1:
        return ""
    if len(names) == of:
        return f" (in all {of} scenarios)"
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f" ({', '.join(names[:NAMED_MAX])}{more})"


def _never_fired(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts that fired in no scenario; of interest in a run of several scenarios."""
    if len(outcomes) < 2:
        return []
    names = _unique(alert.alert for o in outcomes for alert in o.alerts)
    fired = {alert.alert for o in outcomes for alert in o.alerts if alert.firing_s is not None}
    return [name for name in names if name not in fired]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
