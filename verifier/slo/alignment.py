"""Do the alert rules say what the policy says? Each disagreement with its place.

Called by the SLO check. The condition of every alert of an objective is read as branches
(`verifier.slo.conditions`); each way in which it fires must be what the policy states: the right
events, summed, over the right window, at the right rate. What cannot be read is a disagreement.
Panels are compared in `verifier.slo.panels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents.durations import format_duration
from verifier.promql.conditions import close, is_response_time
from verifier.slo.conditions.branches import branches_of
from verifier.slo.conditions.indicator import WrongEventsError, requests_of
from verifier.slo.conditions.quantities import QuantileReading, Share
from verifier.slo.conditions.recordings import Recordings
from verifier.slo.conditions.unreadable import UnreadableConditionError
from verifier.slo.disagreements import (
    NotComparable,
    OtherRequests,
    Statement,
    Threshold,
    UnstatedWindow,
    WrongBudget,
    WrongBudgetPeriod,
    WrongEvents,
    WrongFullBudget,
    WrongQuantile,
    WrongShortWindow,
    WrongThreshold,
    WrongWindow,
)
from verifier.slo.objectives import budget_rules, objectives, share_rules
from verifier.slo.policy import PERIOD_S
from verifier.slo.shares import StatedRate, share_conditions, threshold_problems

if TYPE_CHECKING:
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.slo.conditions.branches import Branch
    from verifier.slo.disagreements import Disagreement
    from verifier.slo.objectives import Objective
    from verifier.slo.policy import Policy
    from verifier.slo.shares import ShareCondition


def differences(policy: Policy, rules: RuleFiles, objective: Objective) -> list[Disagreement]:
    """Return what every alert of `objective` says that the policy does not."""
    compared = _Comparison(policy, recordings_of(rules), objective)
    return [each for rule in objective.alerts(rules) for each in compared.differences(rule)]


def recordings_of(rules: RuleFiles) -> Recordings:
    """Return the recording rules of a pack."""
    return Recordings(tuple(rule for _, rule in rules.recordings))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Compares alerts with one objective of the policy."""

    policy: Policy
    recordings: Recordings
    objective: Objective

    def differences(self, rule: AlertRule) -> list[Disagreement]:
        """Return what is wrong with an alert: what it cannot be compared for, else its numbers."""
        try:
            branches = branches_of(rule.expr, self.recordings)
            if self.objective.quantile is not None:
                return self._quantiles(rule, branches)
            stated = self.policy.events
            shares = [share_conditions(branch, stated) for branch in branches]
        except (UnreadableConditionError, WrongEventsError) as error:
            return [unreadable(rule, error)]
        if self.objective.range_s is None:
            return self._shares(rule, shares)
        return self._windows(rule, shares)

    def _shares(
        self, rule: AlertRule, branches: list[tuple[ShareCondition, ...]]
    ) -> list[Disagreement]:
        """Compare every comparison with the target itself, over any single window."""
        statement = self._statement(self.objective)
        stated = StatedRate(1.0, self.objective.limit, statement, statement)
        problems: list[Disagreement] = []
        for share in (share for branch in branches for share in branch):
            if len(share.ranges_s) != 1:
                reads = " and ".join(map(format_duration, sorted(share.ranges_s))) or "no range"
                problems.append(unreadable(rule, f"a share over {reads}"))
            else:
                problems += threshold_problems(rule, share, stated)
        return problems

    def _windows(
        self, rule: AlertRule, branches: list[tuple[ShareCondition, ...]]
    ) -> list[Disagreement]:
        """Compare every branch with the policy's window of its own longest window."""
        ranges_s = frozenset(s for branch in branches for share in branch for s in share.ranges_s)
        mixed = any(len(share.ranges_s) != 1 for branch in branches for share in branch)
        reads = {max(share.window_s for share in branch) for branch in branches}
        if mixed or self.objective.range_s not in reads:
            return [
                WrongWindow(rule.position, rule.alert, ranges_s, self._statement(self.objective))
            ]
        return [problem for branch in branches for problem in self._branch(rule, branch)]

    def _branch(self, rule: AlertRule, branch: tuple[ShareCondition, ...]) -> list[Disagreement]:
        longest = max(branch, key=lambda share: share.window_s)
        window = next(
            (each for each in self.policy.windows if each.lookback_s == longest.window_s), None
        )
        if window is None:
            return [UnstatedWindow(rule.position, rule.alert, longest.window_s, longest.threshold)]
        all_stated = objectives(self.policy)
        target = next(each for each in all_stated if each.is_share)
        own = next(each for each in all_stated if each.steps[:-1] == window.steps)
        rate = StatedRate(
            window.burn_rate, target.limit, self._statement(own), self._statement(target)
        )
        problems = threshold_problems(rule, longest, rate)
        if problems:
            return problems
        return [
            WrongShortWindow(
                rule.position,
                rule.alert,
                share.window_s,
                share.threshold,
                share.expected(rate.share),
                longest.window_s,
            )
            for share in branch
            if not share.agrees(rate.share)
        ]

    def _quantiles(self, rule: AlertRule, branches: tuple[Branch, ...]) -> list[Disagreement]:
        objective, statement = self.objective, self._statement(self.objective)
        for comparison in (each for branch in branches for each in branch.comparisons):
            core = comparison.reading.core
            if not isinstance(core, QuantileReading):
                return [
                    unreadable(rule, f"{comparison.text!r} is no quantile of the response time")
                ]
            if objective.labels["slo"] == "startup_time" and is_response_time(core.events.metric):
                return [unreadable(rule, f"{core.events.metric} is no time to start up")]
            if not close(core.quantile, objective.quantile or 0.0):
                return [WrongQuantile(rule.position, rule.alert, core.quantile, statement)]
            above = comparison.core_operator.startswith(">")
            if not above or not close(comparison.core_threshold, objective.limit):
                own = Threshold(comparison.operator, comparison.threshold)
                sign = ">" if comparison.reading.slope > 0 else "<"
                expected = Threshold(
                    comparison.operator if above else sign,
                    comparison.reading.at_core(objective.limit),
                )
                return [WrongThreshold(rule.position, rule.alert, own, expected, statement)]
        return []

    def _statement(self, objective: Objective) -> Statement:
        return Statement(self.policy.place(objective.steps), objective.stated, objective.name)


def unreadable(rule: AlertRule, error: Exception | str) -> Disagreement:
    """Return the disagreement for what cannot be compared, or counts other events."""
    if isinstance(error, WrongEventsError):
        return WrongEvents(rule.position, rule.alert, str(error))
    return NotComparable(rule.position, rule.alert, str(error))


def budget_differences(policy: Policy, rules: RuleFiles) -> list[Disagreement]:
    """Return every error-budget alert that has another budget or period than the policy."""
    if policy.budget is None:
        return []
    compared = (
        _budget_difference(rule, policy, recordings_of(rules)) for rule in budget_rules(rules)
    )
    return [difference for difference in compared if difference is not None]


def _budget_difference(
    rule: AlertRule, policy: Policy, recordings: Recordings
) -> Disagreement | None:
    """Return what is wrong with an alert on `(budget - failed share) / budget`."""
    budget = policy.budget or 0.0
    try:
        branches = branches_of(rule.expr, recordings)
        shares = [s for branch in branches for s in share_conditions(branch, policy.events)]
    except (UnreadableConditionError, WrongEventsError) as error:
        return unreadable(rule, error)
    if len(shares) != 1:
        return unreadable(rule, "it has more than one condition on the budget")
    [share] = shares
    full, empty_at = share.at_failed(0.0), share.failed_at(0.0)
    problem: Disagreement | None = None
    if share.ranges_s != {PERIOD_S}:
        problem = WrongBudgetPeriod(rule.position, rule.alert, share.ranges_s, PERIOD_S)
    elif not close(full, 1) and not close(full, 100):
        problem = WrongFullBudget(rule.position, rule.alert, full)
    elif not close(empty_at, budget):
        problem = WrongBudget(rule.position, rule.alert, empty_at, budget)
    elif not share.fires_above:
        problem = unreadable(rule, "it fires while budget is left, not when little is")
    return problem


def request_differences(policy: Policy, rules: RuleFiles) -> list[Disagreement]:
    """Return every alert that takes its share of other requests than the first that can be read."""
    recordings = recordings_of(rules)
    first: tuple[str, str] | None = None
    problems: list[Disagreement] = []
    for rule in share_rules(policy, rules):
        for requests in sorted(_requests(rule, recordings)):
            first = first or (rule.alert, requests)
            if requests != first[1]:
                problems.append(
                    OtherRequests(rule.position, rule.alert, requests, first[0], first[1])
                )
    return problems


def _requests(rule: AlertRule, recordings: Recordings) -> set[str]:
    """Return the requests of which an alert's shares are taken; none if it cannot be read."""
    try:
        branches = branches_of(rule.expr, recordings)
    except UnreadableConditionError:
        return set()
    cores = (each.reading.core for branch in branches for each in branch.comparisons)
    return {requests_of(core).in_words() for core in cores if isinstance(core, Share)}
