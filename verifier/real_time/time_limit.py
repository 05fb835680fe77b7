"""A scenario that is watched for a part of its duration only: what can still be judged of it.

Used by the live judge, where time is real and may be cut short. Nothing becomes easier than it
must: only bounds that lie beyond the end are dropped, and each of them is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from documents.durations import format_duration

if TYPE_CHECKING:
    from scenarios.scenario import Expectation, Scenario


def clip(scenario: Scenario, until_s: float) -> tuple[Scenario, tuple[str, ...]]:
    """Return the scenario as it can be judged at `until_s`, and a note for all that it drops.

    An alert due to fire later may fire and need not: its expectation becomes explained. One due to
    resolve later need not resolve. Everything else is judged as before; the plan is left as it is.
    """
    if until_s >= scenario.duration_s:
        return scenario, ()
    clipped = [_clip_one(one, until_s) for one in scenario.expectations]
    expectations = tuple(one for one, _ in clipped)
    notes = tuple(note for _, note in clipped if note)
    return replace(scenario, duration_s=until_s, expectations=expectations), notes


def _clip_one(one: Expectation, until_s: float) -> tuple[Expectation, str]:
    if one.fires_within_s is None:
        return one, ""
    end = format_duration(until_s)
    fires_by_s = one.onset_s + one.fires_within_s
    if fires_by_s > until_s:
        why = f"due to fire by {format_duration(fires_by_s)}, watched until {end}"
        may = replace(
            one, expected="explained", fires_within_s=None, resolves_within_s=None, why=why
        )
        return may, f"{one.alert} was {why}: whether it fires was not judged"
    if one.resolves_within_s is None:
        return one, ""
    over_by_s = one.end_s + one.resolves_within_s
    if over_by_s <= until_s:
        return one, ""
    due = f"due to resolve by {format_duration(over_by_s)}, watched until {end}"
    note = f"{one.alert} was {due}: whether it resolves was not judged"
    return replace(one, resolves_within_s=None), note
