"""A comparison of the share of failed requests, whatever form it is written in.

Called by `verifier.slo.alignment`. `1 - good / all < 0.999` and `errors / all * 100 > 0.1` state
the same of the failed requests; here they are one value with one threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.promql.conditions import COMPARISONS, close
from verifier.slo.conditions.indicator import counted
from verifier.slo.conditions.quantities import Share
from verifier.slo.conditions.unreadable import UnreadableConditionError
from verifier.slo.disagreements import (
    Statement,
    Threshold,
    WrongDivisor,
    WrongThreshold,
)

if TYPE_CHECKING:
    from verifier.pack.rules import AlertRule
    from verifier.slo.conditions.branches import Branch, StrictComparison
    from verifier.slo.conditions.indicator import StatedEvents
    from verifier.slo.disagreements import Disagreement

UNITS = (1.0, 100.0)
"""Slopes that are no division by a budget: a ratio and per cent."""


@dataclass(frozen=True, slots=True)
class ShareCondition:
    """A share of requests compared with a number; `counts_good` when its core is the good ones."""

    comparison: StrictComparison
    counts_good: bool
    ranges_s: frozenset[float]

    @property
    def window_s(self) -> float:
        """The longest range that is read."""
        return max(self.ranges_s, default=0.0)

    @property
    def threshold(self) -> Threshold:
        """The comparison as it is written."""
        return Threshold(self.comparison.operator, self.comparison.threshold)

    @property
    def fires_above(self) -> bool:
        """Whether it holds when more requests fail, not fewer."""
        return self.comparison.core_operator.startswith(">") != self.counts_good

    @property
    def divisor(self) -> float | None:
        """What the share of the failed requests is divided by, None for no more than a unit."""
        slope, offset = self.comparison.reading.slope, self.comparison.reading.offset
        if self.counts_good or offset or any(close(slope, unit) for unit in UNITS):
            return None
        return 1 / slope

    def at_failed(self, share: float) -> float:
        """Return what is compared when this share of the requests fails."""
        return self.comparison.reading.at_core(1 - share if self.counts_good else share)

    def failed_at(self, value: float) -> float:
        """Return which share of the requests fails when what is compared has this value."""
        core = self.comparison.reading.core_at(value)
        return 1 - core if self.counts_good else core

    def agrees(self, limit: float) -> bool:
        """Whether it holds when more than `limit` of the requests fail."""
        return self.fires_above and close(self.failed_at(self.comparison.threshold), limit)

    def expected(self, limit: float) -> Threshold:
        """Return the threshold, in its own unit, at which it would agree."""
        operator = self.comparison.operator
        return Threshold(
            operator if self.fires_above else COMPARISONS[operator], self.at_failed(limit)
        )


def share_conditions(branch: Branch, stated: StatedEvents | None) -> tuple[ShareCondition, ...]:
    """Return the comparisons of a branch, all of them on shares of requests.

    Raises UnreadableConditionError for any other, WrongEventsError for a share of other events.
    """
    return tuple(_share(comparison, stated) for comparison in branch.comparisons)


def _share(comparison: StrictComparison, stated: StatedEvents | None) -> ShareCondition:
    core, labels = comparison.reading.core, comparison.reading.labels
    if not isinstance(core, Share):
        raise UnreadableConditionError(
            f"it depends on {comparison.text!r}, which is no share of requests"
        )
    if not labels.is_single:
        names = ", ".join(sorted(labels.varying)) if labels.varying else "label set"
        summed = "" if core.numerator.is_summed else ", without sum"
        raise UnreadableConditionError(
            f"it compares one ratio for each {names}{summed}; the policy is of all requests"
        )
    sides = (core.numerator, core.denominator)
    if sides[0].function != sides[1].function:
        first, second = (side.function or "the bare counter" for side in sides)
        raise UnreadableConditionError(f"it divides {first} by {second}")
    counts_good = counted(core, stated) == "good"
    ranges_s = frozenset(side.window_s for side in sides if side.window_s is not None)
    return ShareCondition(comparison, counts_good, ranges_s)


@dataclass(frozen=True, slots=True)
class StatedRate:
    """`rate` times `budget`, a share of the requests, and where the policy states both."""

    rate: float
    budget: float
    statement: Statement
    target: Statement

    @property
    def share(self) -> float:
        """The share of failed requests above which an alert must fire."""
        return self.rate * self.budget


def threshold_problems(
    rule: AlertRule, share: ShareCondition, stated: StatedRate
) -> list[Disagreement]:
    """Return what is wrong with the threshold of `share`: its divisor, its number, or both."""
    if share.agrees(stated.share):
        return []
    place, alert, divisor = rule.position, rule.alert, share.divisor
    own, budget = share.threshold, stated.budget
    if divisor is None or close(divisor, budget) or not share.fires_above:
        expected = share.expected(stated.share)
        return [WrongThreshold(place, alert, own, expected, stated.statement)]
    problems: list[Disagreement] = [WrongDivisor(place, alert, divisor, budget, stated.target)]
    if not close(own.value, stated.rate):
        expected = Threshold(own.operator, stated.rate)
        problems.append(WrongThreshold(place, alert, own, expected, stated.statement))
    return problems
