"""Why an alert failed, with numbers: sentences made from what was measured.

Called by `failures.explanation`. A condition that never held says how near it came; one that held
too briefly says for how long; a limit that was missed says which would have held. Times count from
the onset of the cause, or from the scenario's start where there is none.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from documents.amounts import figure
from documents.durations import format_duration
from verifier.judge.expectation_matching import time_text

if TYPE_CHECKING:
    from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers
    from verifier.judge.verdict import AlertVerdict, Culprit

FIRED: Final = "when it fired"
"""The decisive instant at which an alert fired."""
CONDITION_LETTERS_MAX: Final = 90
"""Letters of a condition that a sentence repeats."""


def failure_sentences(verdict: AlertVerdict, numbers: ConditionNumbers) -> list[str]:
    """Return what the numbers say of an alert that is not ok."""
    if verdict.expected == "fires" and verdict.firing_s is None:
        changes = map(change_sentence, changes_that_would_fire(verdict, numbers))
        if numbers.held_s is None:
            return [
                *(_nearest(verdict, numbers) or ["its condition never had a value"]),
                *changes,
            ]
        held = f"its condition held for {time_text(numbers.held_s)} at the longest"
        since = f"from {_when(verdict, numbers.held_from_s or 0.0)} on"
        return [
            f"{held}, {since}, its `for` is {format_duration(numbers.for_s)}",
            *_nearest(verdict, numbers),
            *_lost(verdict),
            *changes,
        ]
    if verdict.expected != "fires":
        return [*_when_it_fired(verdict, numbers), *_nearest(verdict, numbers)]
    lost = _lost(verdict) if _is_late(verdict) else []
    if verdict.resolved_s is None:
        return [*lost, *_at_the_end(numbers)]
    from_s, held_s = numbers.held_from_s, numbers.held_s
    if from_s is None or held_s is None:
        return lost
    held = f"from {_when(verdict, from_s)} to {_when(verdict, from_s + held_s)}"
    wait = f"its `for` is {format_duration(numbers.for_s)}"
    return [*lost, f"its condition held {held} at the longest, {wait}"]


def _is_late(verdict: AlertVerdict) -> bool:
    """Whether an alert fired after its limit."""
    firing_s, within_s = verdict.firing_s, verdict.fires_within_s
    return firing_s is not None and within_s is not None and firing_s > within_s


def _lost(verdict: AlertVerdict) -> list[str]:
    """Say how often an alert was pending and did not fire; nothing of one that was so once."""
    lost = verdict.lost_pending
    times = len(lost)
    if verdict.firing_s is None:
        return [f"it was pending {times} times, never for its `for`"] if times > 1 else []
    if not lost:
        return []
    from_s, until_s = lost[0]
    first = f"{_when(verdict, verdict.onset_s + from_s)} for {time_text(until_s - from_s)}"
    before = f"once before, {first}" if times == 1 else f"{times} times before, first {first}"
    return [f"it had been pending {before}, and had to begin anew"]


def bounds_that_would_hold(verdict: AlertVerdict, duration_s: float) -> tuple[str, ...]:
    """Return the limits under which an alert that came too late would have been in time.

    None that ends after the scenario of `duration_s` does: it would be refused.
    """
    bounds = []
    last_s = duration_s - verdict.onset_s
    fires_s = math.ceil(verdict.firing_s or 0.0)
    if _is_late(verdict) and fires_s <= last_s:
        bounds.append(f"fires_within: {format_duration(fires_s)}")
    resolved_s, within_s = verdict.resolved_s, verdict.resolves_within_s
    if resolved_s is not None and within_s is not None:
        cause_end_s = verdict.cause_end_s or 0.0
        after_s = resolved_s - cause_end_s
        if after_s > within_s and cause_end_s + math.ceil(after_s) <= last_s:
            bounds.append(f"resolves_within: {format_duration(math.ceil(after_s))}")
    return tuple(bounds)


def changes_that_would_fire(verdict: AlertVerdict, numbers: ConditionNumbers) -> tuple[str, ...]:
    """Return the `for` or the threshold with which an alert that never fired would have fired."""
    if verdict.expected != "fires" or verdict.firing_s is not None:
        return ()
    shorter_s = numbers.firing_for_s
    return (
        *(
            f"{each.operator} {plain_number(each.firing_threshold)}"
            for each in numbers.comparisons
            if each.firing_threshold is not None
        ),
        *(() if shorter_s is None else (f"for: {format_duration(shorter_s)}",)),
    )


def change_sentence(change: str) -> str:
    """Say that an alert would have fired with another `for`, or with another threshold."""
    less = " or less" if change.startswith("for: ") and change != "for: 0s" else ""
    return f"with `{change}`{less} it would have fired in time"


def plain_number(value: float) -> str:
    """Write a number as a rule holds it: without separators and without an exponent."""
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def culprit_sentence(culprit: Culprit) -> str:
    """Say what is likely to blame, and why."""
    return f"likely culprit: the {culprit.suspect}, since {culprit.because}"


def _nearest(verdict: AlertVerdict, numbers: ConditionNumbers) -> list[str]:
    """Return how near each comparison came to holding, and for how long it held.

    Those that never held come first: they decided.
    """
    several = len(numbers.comparisons) > 1
    deciding = sorted(numbers.comparisons, key=lambda each: each.held_s is not None)
    return [_comparison(verdict, each, named=several) for each in deciding]


def _comparison(verdict: AlertVerdict, numbers: ComparisonNumbers, *, named: bool) -> str:
    held = numbers.held_s is not None
    at = _when(verdict, numbers.at_s)
    if numbers.threshold is None:
        gap = f"its left side less its right side was {figure(numbers.nearest)}"
        rule = f"`{_short(numbers.condition)}`: at its {'furthest' if held else 'nearest'}"
        return f"{rule}, {at}, {gap}"
    limit = f"{numbers.operator} {figure(numbers.threshold)}"
    subject = f"`{_short(numbers.condition)}`: the value" if named else "its value"
    came = "reached" if held else "came nearest with"
    held_for = ""
    if numbers.held_s is not None and named:
        held_for = f", and held for {time_text(numbers.held_s)} at the longest"
    must = f"its threshold is {limit}" if held else f"it must be {limit}"
    return f"{subject} {came} {figure(numbers.nearest)} {at}, {must}{held_for}"


def _when_it_fired(verdict: AlertVerdict, numbers: ConditionNumbers) -> list[str]:
    """Return the values of an alert that must not have fired, at that instant."""
    return [
        f"its value was {figure(reading.value)} {_when(verdict, reading.at_s)}, when it fired"
        for each in numbers.comparisons[:1]
        for reading in each.readings
        if reading.moment == FIRED and reading.value is not None and reading.value != each.nearest
    ]


def _at_the_end(numbers: ConditionNumbers) -> list[str]:
    """Return the values at the end of conditions that did not end."""
    return [
        f"at the end `{_short(each.condition)}` had the value {figure(each.last)}"
        for each in numbers.comparisons
        if each.last is not None
    ]


def _when(verdict: AlertVerdict, at_s: float) -> str:
    """Return a scenario time, counted as the verdict counts its own."""
    if verdict.cause is None:
        return f"at {time_text(at_s)}" if at_s >= 0 else f"{time_text(-at_s)} before the start"
    after_s = at_s - verdict.onset_s
    return f"{time_text(abs(after_s))} {'after' if after_s >= 0 else 'before'} the onset"


def _short(condition: str) -> str:
    if len(condition) <= CONDITION_LETTERS_MAX:
        return condition
    half = CONDITION_LETTERS_MAX // 2
    return f"{condition[:half]} ... {condition[-half:]}"
