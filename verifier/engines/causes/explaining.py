"""Why an alert differs between two engines: each value recomputed under the traits of both.

Called by the judge of two engines while both still hold the histories. A difference is explained
when with the traits of each engine its very answer comes out, and when some of the traits in which
they differ turn the one value into the other: the fewest such are its causes. Else it is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from verifier.engines.causes.conditions import ROUNDING, RuleInBoth, is_nearly
from verifier.engines.causes.leaves import NotReckonedError
from verifier.engines.causes.traits import (
    KNOWN,
    PROMETHEUS_2,
    PROMETHEUS_3,
    VICTORIA_METRICS,
    Trait,
)
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.changes.timelines import AlertChange
    from verifier.engines.causes.conditions import ConditionSide, DifferingValue, Servers
    from verifier.engines.causes.reckoning import Reckoning
    from verifier.engines.causes.traits import Traits
    from verifier.evaluation.engine import SpreadSchedule
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleFiles

SAME_SHARE: Final = 1e-6
"""What is recomputed may miss an answer by this share of it, and of the difference to explain."""
RECORDED_MAX: Final = 50
"""Values of a rule that records of which it is explained why they differ."""


@dataclass(frozen=True, slots=True)
class ActingTrait:
    """A trait that turns the value of one engine into that of the other.

    `engine` is 0 or 1, the one that has the trait.
    """

    trait: Trait
    engine: int


@dataclass(frozen=True, slots=True)
class DifferenceReason:
    """Evaluations, at scenario seconds, at which a side says different things for one reason.

    `values` are those of the first of them. `unexplained` says why there are no causes.
    """

    times_s: tuple[float, ...]
    side: ConditionSide | None
    values: tuple[float | None, float | None]
    causes: tuple[ActingTrait, ...] = ()
    unexplained: str = ""

    @property
    def outline(self) -> tuple[object, ...]:
        """All but the values: what is the same of series that differ alike."""
        return self.times_s, self.side, self.causes, self.unexplained


@dataclass(frozen=True, slots=True)
class AlertExplanation:
    """Why one alert with one set of labels differs: every evaluation that does is in a reason."""

    alert: str
    labels: Labels
    reasons: tuple[DifferenceReason, ...]

    @property
    def is_explained(self) -> bool:
        """Whether a cause is known of every evaluation that differs."""
        return bool(self.reasons) and not any(each.unexplained for each in self.reasons)


@dataclass(frozen=True, slots=True)
class EnginePair:
    """Two engines that hold the same histories, and the rules that both evaluated.

    `traits` is what each of them may be.
    """

    names: tuple[str, str]
    servers: Servers
    traits: tuple[tuple[Traits, ...], tuple[Traits, ...]]
    rules: RuleFiles
    schedule: SpreadSchedule


def traits_of(name: str, version: str) -> tuple[Traits, ...]:
    """Return what an engine with this name and version may be, the likeliest first."""
    if name == "victoria-metrics":
        return (VICTORIA_METRICS,)
    if name != "prometheus":
        return KNOWN
    newest = PROMETHEUS_3 if not version.startswith("2.") else PROMETHEUS_2
    # Some versions of 2.x extend a counter that began in mid-window as 3.x does.
    return newest, newest ^ {Trait.LATE_ZERO}


def explain(
    pair: EnginePair, reckoning: Reckoning, changes: Iterable[AlertChange]
) -> tuple[AlertExplanation, ...]:
    """Return why each of `changes`, alerts that differ, does."""
    explainer = _Explainer(pair, reckoning)
    return tuple(
        AlertExplanation(change.alert, change.labels, tuple(explainer.reasons(change)))
        for change in changes
    )


class _Explainer:
    """Explains the alerts of one scenario."""

    def __init__(self, pair: EnginePair, reckoning: Reckoning) -> None:
        self.pair, self.reckoning = pair, reckoning
        self._in_both: dict[int, RuleInBoth] = {}
        self._steps: dict[str, set[int]] = {}
        self._behind: dict[str, tuple[tuple[ActingTrait, ...], str]] = {}

    def reasons(self, change: AlertChange) -> Iterator[DifferenceReason]:
        """Yield why one alert differs."""
        nothing = True
        for number, (_, rule) in enumerate(self.pair.rules.alerts):
            if not _may_make(rule, change):
                continue
            try:
                reasons = list(self._of_rule(number, change))
            except (QueryError, ValueError) as error:
                reasons = [_unexplained(f"a part of it cannot be asked for: {error}")]
            nothing &= not reasons
            yield from reasons
        if nothing:
            yield _unexplained("its condition has the same values in both")

    def _of_rule(self, number: int, change: AlertChange) -> Iterator[DifferenceReason]:
        in_both = self._rule(number)
        grouped: dict[tuple[object, ...], list[tuple[float, DifferenceReason]]] = {}
        for labels in in_both.label_sets():
            if not _belongs(labels, change.labels, in_both):
                continue
            differing = list(in_both.differing(labels))
            self._note_steps(differing)
            for step, values in differing:
                if not values:
                    yield _unexplained("no part of its condition differs", in_both.time_s(step))
                for value in values:
                    reason = self._reason(value, in_both.time_s(step))
                    key = (reason.side, reason.causes, reason.unexplained)
                    grouped.setdefault(key, []).append((in_both.time_s(step), reason))
        for same in grouped.values():
            first = same[0][1]
            times_s = tuple(dict.fromkeys(time_s for time_s, _ in same))
            yield DifferenceReason(
                times_s, first.side, first.values, first.causes, first.unexplained
            )

    def _rule(self, number: int) -> RuleInBoth:
        if number not in self._in_both:
            group, rule = self.pair.rules.alerts[number]
            self._in_both[number] = RuleInBoth(self.pair.servers, group, rule, self.pair.schedule)
        return self._in_both[number]

    def _note_steps(self, differing: Sequence[tuple[int, Sequence[DifferingValue]]]) -> None:
        """Note which evaluations are recomputed of each side: all of them in one go."""
        self._steps = {}
        for step, values in differing:
            for value in values:
                self._steps.setdefault(value.side.expr, set()).add(step)

    def _reason(self, value: DifferingValue, time_s: float) -> DifferenceReason:
        """Return why one value differs."""
        try:
            causes, unexplained = self._causes(value)
        except NotReckonedError as error:
            causes, unexplained = (), f"{error} is not recomputed"
        return DifferenceReason((time_s,), value.side, value.values, causes, unexplained)

    def _causes(self, value: DifferingValue) -> tuple[tuple[ActingTrait, ...], str]:
        """Return the fewest traits that turn the first value into the second, or why none do."""
        if value.values[0] != value.values[1] and is_nearly(*value.values):
            return (ActingTrait(Trait.ROUNDING, 1),), ""
        recorded = self._recorded(value.side.expr)
        missed = [True, True]
        for own, other in product(*self.pair.traits):
            met = [self._comes_out(value, 0, own, 0), self._comes_out(value, 1, other, 1)]
            missed = [before and not now for before, now in zip(missed, met, strict=True)]
            if all(met):
                some = self._fewest(value, own, other, is_recorded=bool(recorded))
                causes = tuple(ActingTrait(each, int(each not in own)) for each in some)
                return self._with_recorded(causes, recorded)
        names = [name for name, miss in zip(self.pair.names, missed, strict=True) if miss]
        return (), f"what is known of {' and '.join(names) or 'both'} gives another value"

    def _fewest(
        self, value: DifferingValue, own: Traits, other: Traits, *, is_recorded: bool
    ) -> tuple[Trait, ...]:
        """Return the fewest of the traits that differ with which the second value comes out."""
        acting = sorted(own ^ other, key=list(Trait).index)
        acting += [Trait.RECORDED] if is_recorded else []
        for count in range(1, len(acting)):
            for some in combinations(acting, count):
                traits = own ^ (frozenset(some) - {Trait.RECORDED})
                if self._comes_out(value, 1, traits, int(Trait.RECORDED in some)):
                    return some
        return tuple(acting)

    def _comes_out(self, value: DifferingValue, engine: int, traits: Traits, held_by: int) -> bool:
        """Whether an engine with these traits, on what one holds, gives what `engine` answered."""
        steps = self._steps.get(value.side.expr, {value.step})
        values = self.reckoning.values(value.query, steps, traits, held_by=held_by)
        reckoned = values.get(value.labels, {}).get(value.step)
        answer, other = value.values[engine], value.values[1 - engine]
        is_met = value.side.says(reckoned) == value.side.says(answer)
        return is_met and _is_same(reckoned, answer, other)

    def _recorded(self, expr: str) -> tuple[str, ...]:
        """Return what of what `expr` reads rules record."""
        names = dict.fromkeys(rule.record for _, rule in self.pair.rules.recordings)
        return tuple(name for name in names if any(read.matches(name) for read in all_reads(expr)))

    def _with_recorded(
        self, causes: tuple[ActingTrait, ...], names: tuple[str, ...]
    ) -> tuple[tuple[ActingTrait, ...], str]:
        """Return `causes`, and behind what is recorded otherwise those of that."""
        if not any(cause.trait is Trait.RECORDED for cause in causes):
            return causes, ""
        behind: list[ActingTrait] = []
        for name in names:
            if name not in self._behind:
                self._behind[name] = (), f"{name} is recorded by a rule that reads itself"
                self._behind[name] = self._behind_recorded(name)
            own, unexplained = self._behind[name]
            if unexplained:
                return (), unexplained
            behind += own
        return tuple(dict.fromkeys((*causes, *behind))), ""

    def _behind_recorded(self, name: str) -> tuple[tuple[ActingTrait, ...], str]:
        """Return why both record `name` otherwise."""
        causes: list[ActingTrait] = []
        for group, rule in self.pair.rules.recordings:
            if rule.record != name:
                continue
            in_both = RuleInBoth(self.pair.servers, group, rule, self.pair.schedule)
            for value in in_both.differing_values(RECORDED_MAX):
                own, unexplained = self._causes(value)
                if unexplained:
                    return (), f"{name} differs: {unexplained}"
                causes += own
        return tuple(dict.fromkeys(causes)), ""


def _is_same(reckoned: float | None, answer: float | None, other: float | None) -> bool:
    """Whether two values are one, as nearly as it takes to tell them from the `other`."""
    if is_nearly(reckoned, answer):
        return True
    if reckoned is None or answer is None or math.isnan(reckoned) or math.isnan(answer):
        return False
    apart = abs(answer) if other is None or math.isnan(other) else abs(answer - other)
    near = max(SAME_SHARE * min(apart, abs(answer)), ROUNDING * apart)
    return abs(reckoned - answer) <= near


def _may_make(rule: AlertRule, change: AlertChange) -> bool:
    """Whether an alert may be this rule's: by its name and the labels that are no templates."""
    own = dict(change.labels)
    return rule.alert == change.alert and all(
        own.get(name) == text for name, text in rule.labels if "{{" not in text
    )


def _belongs(labels: Labels, alert: Labels, in_both: RuleInBoth) -> bool:
    """Whether a series with these labels becomes the alert with those."""
    own = {name for name, _ in in_both.rule.labels}
    return [each for each in labels if each[0] not in own] == [
        each for each in alert if each[0] not in own
    ]


def _unexplained(why: str, *times_s: float) -> DifferenceReason:
    return DifferenceReason(times_s, None, (None, None), unexplained=why)
