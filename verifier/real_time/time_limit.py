"""A scenario cut short by a time limit: what can still be judged of it.

Called by `RealTimeRun`, whose time is real and may be limited. Nothing becomes easier than it
must: only deadlines beyond the limit are dropped, and there is a note for each.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from documents.durations import format_duration

if TYPE_CHECKING:
    from scenarios.scenario import Expectation, Scenario


def limit_scenario(scenario: Scenario, until_s: float) -> tuple[Scenario, tuple[str, ...]]:
    """Return the scenario as it can be judged at `until_s`, and a note for all that it drops.

    An alert due to fire later may fire and need not: its expectation becomes explained. One due to
    resolve later need not resolve. Everything else is judged as before; the plan is left as it is.
    """
    if until_s >= scenario.duration_s:
        return scenario, ()
    limited = [_limit_expectation(expectation, until_s) for expectation in scenario.expectations]
    expectations = tuple(expectation for expectation, _ in limited)
    notes = tuple(note for _, note in limited if note)
    return replace(scenario, duration_s=until_s, expectations=expectations), notes


def first_due_s(scenario: Scenario) -> float | None:
    """Return when the first alert that must fire is due, seconds of the scenario; None without one.

    A limit before that leaves nothing to judge but silence.
    """
    return min(
        (
            expectation.onset_s + expectation.fires_within_s
            for expectation in scenario.expectations
            if expectation.expected == "fires" and expectation.fires_within_s is not None
        ),
        default=None,
    )


def _limit_expectation(expectation: Expectation, until_s: float) -> tuple[Expectation, str]:
    if expectation.fires_within_s is None:
        return expectation, ""
    alert, end = expectation.alert, format_duration(until_s)
    fires_by_s = expectation.onset_s + expectation.fires_within_s
    if fires_by_s > until_s:
        why = f"due to fire by {format_duration(fires_by_s)}, watched until {end}"
        explained = replace(
            expectation, expected="explained", fires_within_s=None, resolves_within_s=None, why=why
        )
        return explained, f"{alert} was {why}: whether it fires was not judged"
    if expectation.resolves_within_s is None:
        return expectation, ""
    resolves_by_s = expectation.end_s + expectation.resolves_within_s
    if resolves_by_s <= until_s:
        return expectation, ""
    due = f"due to resolve by {format_duration(resolves_by_s)}, watched until {end}"
    note = f"{alert} was {due}: whether it resolves was not judged"
    return replace(expectation, resolves_within_s=None), note
