"""What each alert did in a scenario, in one word of a closed list, the worst of its series.

Read by every form of the report, so that table, matrix and counts agree. It judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from verifier.judge.silence_verdicts import unjudged_alerts

if TYPE_CHECKING:
    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

State = Literal[
    "failed",
    "vacuous",
    "resolved",
    "fired",
    "explained",
    "pending",
    "could not fire",
    "need not fire",
    "silent",
    "not judged",
]
"""The worst first. `vacuous` could not have fired and is held against the run, `could not fire`
is not: it was accepted, or another scenario is long enough. `need not fire` did not, as explained.
"""
WORST_FIRST: Final[tuple[State, ...]] = get_args(State)
SILENT: Final[tuple[State, ...]] = ("pending", "silent")
"""The states of an alert that stayed silent, as expected, and could have fired."""


def alert_state(alert: AlertVerdict) -> State:
    """Return what an alert did."""
    if not alert.ok:
        return "vacuous" if alert.is_vacuous else "failed"
    if alert.is_vacuous:
        return "could not fire"
    if alert.firing_s is None:
        if alert.pending_s is not None:
            return "pending"
        return "need not fire" if alert.expected == "explained" else "silent"
    if alert.expected == "explained":
        return "explained"
    return "fired" if alert.resolved_s is None else "resolved"


def alert_states(outcome: ScenarioOutcome) -> dict[str, State]:
    """Return what each alert did by name, in the order of verdicts, those not judged last."""
    states: dict[str, State] = {}
    for alert in outcome.alerts:
        state = alert_state(alert)
        known = states.setdefault(alert.alert, state)
        states[alert.alert] = min(known, state, key=WORST_FIRST.index)
    for name in unjudged_alerts(outcome.not_judged):
        states.setdefault(name, "not judged")
    return states


def names_in(outcome: ScenarioOutcome, *states: State) -> list[str]:
    """Return the names of the alerts that are in one of these states."""
    return [name for name, state in alert_states(outcome).items() if state in states]


def why_it_need_not(accepted: str | None, could_fire_in: str | None) -> str:
    """Say why an alert that could not have fired is not held against the run."""
    return f"{could_fire_in} is long enough" if accepted is None else f"accepted: {accepted}"
