"""What most likely made an alert fail: the fault, the rule, the route, or the expectation.

Called by `failures.explanation` for every verdict that is not ok, with everything that is known of
it. The strongest evidence comes first: that the rule says other than the bundled one of its name,
and what the other alerts of the same cause did. The rest is a judgement by how far and how long a
value came. Pure; times are scenario seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isclose
from typing import TYPE_CHECKING, Final

from documents.amounts import figure, listed
from documents.durations import format_duration
from verifier.judge.alert_verdicts import PENDING_ROOM_S
from verifier.judge.expectation_matching import time_text, times_text
from verifier.judge.failures.strength import needed_strength
from verifier.judge.verdict import Culprit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.faults.fault import Fault
    from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers
    from verifier.judge.verdict import AlertVerdict, Suspect

OUTLIER: Final = 3.0
"""A `for` this many times as long as every other is none that was meant."""
MOVED_DEVIATIONS: Final = 3.0
MOVED_SHARE: Final = 0.01
"""A value moved when it left its healthy mean by more than both: its noise, and a hundredth."""
NEAR_DEVIATIONS: Final = 3.0
"""A threshold that is no further from where a cause holds a value is crossed by its noise."""
LARGE_SHARE: Final = 0.25
"""A fault that moves a value by this share of its healthy level is no weak one ..."""
NEAR_SHARE: Final = 0.5
"""... unless that was half of the way to the threshold, or more."""
LEAST_SHARE: Final = 0.01
"""What is less of the way is called so, and not none of it."""
FAR_SHARE: Final = 0.1
"""Of a value that is 0 when healthy: a threshold ten times as far as it came is out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCase:
    """An alert that failed, with what is known around it.

    `siblings` are the other alerts that must fire by the same cause. `active_fault` is the fault
    that had begun last when it became pending, and had ended by then if it `is_over`;
    `not_before_s` is when its cause truly began. `difference` is what the rule has, and the bundled
    one of its name instead: "" nothing, None there is none. `longest_for_s` is the longest `for`
    among the other rules, `fault` the cause where it is one of the scenario, `refusal` why the
    engine refused every evaluation of the rule, in its words.
    """

    verdict: AlertVerdict
    numbers: ConditionNumbers | None
    siblings: Sequence[AlertVerdict] = ()
    active_fault: str | None = None
    is_over: bool = False
    not_before_s: float = float("-inf")
    difference: str | None = None
    longest_for_s: float = 0.0
    fault: Fault | None = None
    refusal: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the rule is known to say other than the bundled one."""
        return bool(self.difference)

    @property
    def is_as_bundled(self) -> bool:
        """Whether the rule says what the bundled one says."""
        return self.difference == ""

    @property
    def came_uncalled(self) -> bool:
        """Whether it was pending or fired when it must not have."""
        verdict = self.verdict
        if verdict.expected != "fires" or verdict.firing_s is None:
            return verdict.expected != "fires"
        return verdict.onset_s + (verdict.pending_s or 0.0) < self.not_before_s

    @property
    def fired_siblings(self) -> tuple[str, ...]:
        """The other alerts of the same cause that fired, by name, each once."""
        names = (each.alert for each in self.siblings if each.firing_s is not None)
        return tuple(dict.fromkeys(names))


def likely_culprit(case: FailedCase) -> Culprit | None:
    """Return what is to blame, None when scrapes failed: that is none of the four."""
    verdict = case.verdict
    if verdict.broke_at == "scrape":
        return None
    if case.refusal is not None:
        # A reason is cut into sentences at this mark.
        return _blame("rule", case.refusal.replace("; ", ", "))
    return (_plain_case(case) or _not_aggregated(verdict)) or (
        _uncalled_for(case) if case.came_uncalled else _never_or_late(case)
    )


def _plain_case(case: FailedCase) -> Culprit | None:
    """Blame where no number has to be weighed."""
    verdict = case.verdict
    if verdict.broke_at in ("alertmanager", "receiver"):
        return _blame("route", "Prometheus did what was expected, and what followed did not")
    if verdict.vacuous is not None:
        return _blame("rule", "it could not have fired, whatever the scenario does")
    if verdict.broke_at == "world":
        return _blame("fault", f"{verdict.cause} had no effect")
    if case.differs:
        return _blame("rule", f"it has {case.difference}")
    if _stood_still(case):
        return _blame("rule", "its condition held for its `for` in time, and it did not fire")
    return None


def _not_aggregated(verdict: AlertVerdict) -> Culprit | None:
    """Blame the rule of an alert that carries labels which it must not."""
    if not verdict.other_labels:
        return None
    parts = listed(verdict.other_labels)
    return _blame("rule", f"it fires for each {parts} by itself: is an aggregation missing?")


def _never_or_late(case: FailedCase) -> Culprit:
    """Blame for an alert that had to fire, and did not, or not as it should."""
    verdict = case.verdict
    if verdict.firing_s is None:
        if case.numbers is None or not case.numbers.comparisons:
            return _blame("rule", "its condition never had a value")
        if case.numbers.held_s is not None:
            return _held_briefly(case, case.numbers)
        deciding = min(case.numbers.comparisons, key=lambda each: each.held_s is not None)
        short = _shortness(case, case.numbers)
        if short and not case.fired_siblings:
            return _blame("fault", f"{short}: too short for it")
        return _never_held(case, deciding)
    if verdict.fires_within_s is not None and verdict.firing_s > verdict.fires_within_s:
        return _late(case, verdict.firing_s, verdict.fires_within_s)
    return _too_soon(verdict) or _other_wait(case, verdict.firing_s) or _lasting(case)


def _stood_still(case: FailedCase) -> bool:
    """Whether a condition held in time and for long enough, in a run in real time.

    In virtual time the engine is asked for the very evaluations of the rule.
    """
    verdict, numbers = case.verdict, case.numbers
    if verdict.broke_at != "rule" or numbers is None:
        return False
    held_s, from_s, within_s = numbers.held_s, numbers.held_from_s, verdict.fires_within_s
    if held_s is None or from_s is None or within_s is None or held_s < numbers.for_s:
        return False
    in_time = verdict.firing_s is not None and verdict.firing_s <= within_s
    return not in_time and from_s + numbers.for_s <= verdict.onset_s + within_s


def _blame(suspect: Suspect, because: str) -> Culprit:
    return Culprit(suspect=suspect, because=because)


def _uncalled_for(case: FailedCase) -> Culprit:
    """Blame for an alert that was pending or fired when it must not have."""
    if case.active_fault is None:
        return _blame("rule", "its condition held before any fault began, in a healthy system")
    during = f"while {case.active_fault} was in effect"
    if case.is_over:
        during = f"after {case.active_fault} had ended"
    because = f"its condition held {during}"
    return _blame("expectation", f"{because}, and no expectation says so")


def _shortness(case: FailedCase, numbers: ConditionNumbers) -> str:
    """Say that a fault ends before the `for` does; "" when it lasts."""
    lasts_s = case.verdict.cause_end_s
    if lasts_s is None or lasts_s >= numbers.for_s:
        return ""
    lasts = f"{case.verdict.cause} lasts {format_duration(lasts_s)}"
    return f"its `for` is {format_duration(numbers.for_s)}, and {lasts}"


def _held_briefly(case: FailedCase, numbers: ConditionNumbers) -> Culprit:
    """Blame for a condition that held, but not for as long as its `for`."""
    held = f"its condition held for {time_text(numbers.held_s or 0.0)}"
    wait = f"its `for` is {format_duration(numbers.for_s)}"
    short = _shortness(case, numbers)
    # Before what the other alerts did: their thresholds may be as they should.
    many = len(case.verdict.lost_pending) > 1
    if many and not short and (flapping := _flapping(case)) is not None:
        return flapping
    if not case.is_as_bundled:
        if case.longest_for_s and numbers.for_s > OUTLIER * case.longest_for_s:
            longest = f"the longest of the others {format_duration(case.longest_for_s)}"
            return _blame("rule", f"{short or wait}, {longest}")
        if case.fired_siblings:
            return _blame("rule", f"{short or wait}, {_of_which_fired(case)}")
    if short:
        return _blame("fault", f"{short}: too short for it")
    return _blame("fault", f"{held}, {wait}: too weak, or too unsteady, to keep it up")


def _flapping(case: FailedCase) -> Culprit | None:
    """Blame for an alert that was pending time and again, as its threshold lies in its value."""
    measured = [] if case.numbers is None else case.numbers.comparisons
    for each in measured:
        if each.plateau is None or each.threshold is None or each.operator in ("==", "!="):
            continue
        gap = abs(each.plateau - each.threshold)
        if gap > max(NEAR_DEVIATIONS * each.plateau_spread, MOVED_SHARE * abs(each.plateau)):
            continue
        times = len(case.verdict.lost_pending) + (case.verdict.firing_s is not None)
        limit = f"{each.operator} {figure(each.threshold)}"
        share = f" ({gap / abs(each.plateau):.1%})" if each.plateau else ""
        near = f"its threshold {limit} is only {figure(gap)}{share} from {figure(each.plateau)}"
        held = f"{near}, about which {case.verdict.cause} holds its value"
        suspect: Suspect = "fault" if case.is_as_bundled else "rule"
        return _blame(suspect, f"{held}: so it was pending {times_text(times)}")
    return None


def _never_held(case: FailedCase, numbers: ComparisonNumbers) -> Culprit:
    """Blame for a condition that never held, by how far its value came."""
    healthy, cause = numbers.healthy, case.verdict.cause or "the load"
    if healthy is None:
        suspect: Suspect = "rule" if case.fired_siblings else "fault"
        return _blame(suspect, f"its value came no nearer than {figure(numbers.nearest)}")
    if numbers.at_s < case.verdict.onset_s:
        return _blame("rule", f"what it compares had no value from the onset of {cause} on")
    moved = numbers.nearest - healthy
    noise = max(MOVED_DEVIATIONS * numbers.healthy_spread, MOVED_SHARE * abs(healthy))
    values = f"from a healthy mean of {figure(healthy)} to {figure(numbers.nearest)}"
    if abs(moved) <= noise:
        return _blame("expectation", f"{cause} does not move what this alert reads: {values}")
    gap = (numbers.threshold or 0.0) - healthy
    share = moved / gap if gap else 0.0
    limit = f"{numbers.operator} {figure(numbers.threshold or 0.0)}"
    way = f"{cause} moved its value {values}, {_percent(share)} of the way to {limit}"
    strength = needed_strength(case.fault, numbers)
    weak = _blame("fault", f"{way}: {strength or 'too weak'}")
    if case.is_as_bundled:
        return weak
    if case.siblings:
        return _blame("rule", f"{way}, {_of_which_fired(case)}") if case.fired_siblings else weak
    large = abs(moved) >= LARGE_SHARE * abs(healthy) and share < NEAR_SHARE
    if healthy == 0:
        large = share < FAR_SHARE
    return _blame("rule", f"{way}: its threshold is out of reach") if large else weak


def _late(case: FailedCase, firing_s: float, within_s: float) -> Culprit:
    """Blame for an alert that fired too late."""
    wait_s = case.numbers.for_s if case.numbers is not None else 0.0
    wait, limit = (format_duration(seconds) for seconds in (wait_s, within_s))
    if wait_s > within_s:
        outlier = case.longest_for_s and wait_s > OUTLIER * case.longest_for_s
        if outlier and not case.is_as_bundled:
            longest = format_duration(case.longest_for_s)
            return _blame("rule", f"its `for` is {wait}, the longest of the others {longest}")
        return _blame("expectation", f"its `for` alone is {wait}: nothing fires it within {limit}")
    lost = [from_s for from_s, _ in case.verdict.lost_pending if from_s >= 0]
    if lost and lost[0] + wait_s <= within_s:
        times = times_text(len(case.verdict.lost_pending) + 1)
        unsteady = f"it was pending {times}, at first early enough: too unsteady to keep it up"
        return _flapping(case) or _blame("fault", unsteady)
    judged = [each for each in case.siblings if each.firing_s is not None and each.fires_within_s]
    slow = (case.verdict.pending_s or 0.0) >= NEAR_SHARE * within_s
    all_late = all((each.firing_s or 0.0) > (each.fires_within_s or 0.0) for each in judged)
    if slow and judged and all_late:
        others = listed(each.alert for each in judged)
        return _blame("fault", f"{case.verdict.cause} acts slowly: {others} fired too late as well")
    from_what = "the onset" if case.verdict.cause else "the start"
    because = f"it fired {time_text(firing_s)} after {from_what}, {wait} of it its `for`"
    return _blame("expectation", f"{because}: the rule did what it says, {limit} is too short")


def _too_soon(verdict: AlertVerdict) -> Culprit | None:
    """Blame the rule of an alert that fired or resolved before its cause lets it."""
    firing_s, resolved_s = verdict.firing_s or 0.0, verdict.resolved_s
    if verdict.fires_after_s is not None and firing_s < verdict.fires_after_s:
        return _blame("rule", "it fired before its cause can have brought it to that")
    after_s = None if resolved_s is None else resolved_s - (verdict.cause_end_s or 0.0)
    if after_s is not None and after_s < (verdict.resolves_after_s or -inf):
        return _blame("rule", "it resolved while its window still sees the cause")
    return None


def _other_wait(case: FailedCase, firing_s: float) -> Culprit | None:
    """Blame the rule of an alert that was pending for another time than it must be."""
    expected_s = case.verdict.pends_for_s
    pended_s = firing_s - (case.verdict.pending_s or 0.0)
    if expected_s is None or isclose(pended_s, expected_s, abs_tol=PENDING_ROOM_S):
        return None
    wait = "" if case.numbers is None else f", its `for` is {format_duration(case.numbers.for_s)}"
    return _blame("rule", f"it was pending for {time_text(pended_s)}{wait}")


def _lasting(case: FailedCase) -> Culprit:
    """Blame for an alert that did not resolve in time."""
    verdict = case.verdict
    fired = [each for each in case.siblings if each.firing_s is not None]
    if fired and all(each.resolved_s is None for each in (verdict, *fired)):
        others = listed(each.alert for each in fired)
        return _blame("fault", f"its effect outlasts {verdict.cause}: {others} kept firing too")
    limit = format_duration(verdict.resolves_within_s or 0.0)
    if verdict.resolved_s is None:
        if verdict.cause is None:
            return _blame("expectation", f"it has no cause that ends, and still fires {limit} on")
        return _blame("expectation", f"{limit} after its cause its window still sees the cause")
    after = time_text(verdict.resolved_s - (verdict.cause_end_s or 0.0))
    from_what = "its cause" if verdict.cause else "the start"
    return _blame("expectation", f"it resolved {after} after {from_what}: {limit} is too short")


def _of_which_fired(case: FailedCase) -> str:
    names = case.fired_siblings
    fired = "fires" if len(names) == 1 else "fire"
    return f"while {listed(names)} {fired} by the same cause"


def _percent(share: float) -> str:
    return f"{share:.0%}" if abs(share) >= LEAST_SHARE else f"less than {LEAST_SHARE:.0%}"
