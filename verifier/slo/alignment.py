"""Do the alert rules say what the policy says? Each disagreement with its place.

Called by the SLO check. Every objective of the policy finds its alerts by their labels and is
compared with the threshold in their conditions, in any form and unit. Single files are judged when
they are read; panels are compared in `verifier.slo.panels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.pack.rules import RuleFiles
from verifier.promql.conditions import COMPARISONS, close, conditions_of
from verifier.slo.disagreements import (
    NoAlert,
    NoThreshold,
    Statement,
    Threshold,
    WrongBudget,
    WrongBudgetPeriod,
    WrongFullBudget,
    WrongQuantile,
    WrongThreshold,
    WrongWindow,
)
from verifier.slo.policy import PERIOD_S

if TYPE_CHECKING:
    from documents.document import Step
    from verifier.pack.rules import AlertRule
    from verifier.promql.conditions import Condition
    from verifier.slo.disagreements import Disagreement
    from verifier.slo.policy import Policy, Window


OPTIONAL: Final = "extras.yaml"
"""Alerts in a file of this name are loaded only on request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A number of the policy, and the labels by which its alerts are found.

    `limit` is what the alert's core must be compared with: a share of failed requests, or seconds.
    `range_s` and `quantile` are what must be read, None when the policy does not say.
    """

    name: str
    stated: str
    labels: dict[str, str]
    limit: float
    steps: tuple[Step, ...]
    is_share: bool = False
    range_s: float | None = None
    quantile: float | None = None

    def alerts(self, rules: RuleFiles) -> list[AlertRule]:
        """Return the alerts that carry this objective's labels."""
        labels = self.labels.items()
        return [rule for _, rule in rules.alerts if labels <= dict(rule.labels).items()]


def objectives(policy: Policy) -> list[Objective]:
    """Return every objective that the policy states, burn-rate windows among them."""
    stated = []
    budget = policy.budget
    if budget is not None:
        stated.append(
            Objective(
                name="availability",
                stated=f"{policy.target_percent:g} %",
                labels={"slo": "availability"},
                limit=budget,
                steps=("availability", "target"),
                is_share=True,
            )
        )
        stated += [_burn_rate(window, budget) for window in policy.windows]
    stated += [
        _response_time(section, field, limit_ms)
        for (section, field), limit_ms in policy.objectives_ms.items()
    ]
    return stated


def _burn_rate(window: Window, budget: float) -> Objective:
    return Objective(
        name=f"burn rate, window {window.name}",
        stated=f"{window.burn_rate:g} over {format_duration(window.lookback_s)}",
        labels={"slo": "burn_rate", "window": window.name},
        limit=window.burn_rate * budget,
        steps=(*window.steps, "burn_rate"),
        is_share=True,
        range_s=window.lookback_s,
    )


def _response_time(section: str, field: str, limit_ms: float) -> Objective:
    percentile = field.removesuffix("_ms")
    labels = {"slo": section}
    return Objective(
        name=f"{section} {percentile}",
        stated=f"{limit_ms:g} ms",
        labels=labels | ({"percentile": percentile} if section == "latency" else {}),
        limit=limit_ms / 1000,
        steps=(section, field),
        quantile=float(percentile[1:]) / 100,
    )


def objectives_without_alert(policy: Policy, rules: RuleFiles) -> list[NoAlert]:
    """Return every objective, and the error budget, that no alert watches.

    Alerts of a file called `OPTIONAL` are compared like all others but do not count here: they may
    not be loaded.
    """
    loaded = RuleFiles(tuple(g for g in rules.groups if Path(g.file).name != OPTIONAL))
    missing = [
        NoAlert(policy.place(objective.steps), objective.name, tuple(objective.labels.items()))
        for objective in objectives(policy)
        if not objective.alerts(loaded)
    ]
    if policy.budget is not None and not _budget_rules(loaded):
        place = policy.place(("availability", "target"))
        missing.append(NoAlert(place, "error budget", (("slo", "error_budget"),)))
    return missing


def differences(policy: Policy, rules: RuleFiles, objective: Objective) -> list[Disagreement]:
    """Return what every alert of `objective` says that the policy does not."""
    place = policy.place(objective.steps)
    statement = Statement(place, objective.stated, objective.name)
    compared = (_difference(rule, objective, statement) for rule in objective.alerts(rules))
    return [difference for difference in compared if difference is not None]


def _difference(rule: AlertRule, objective: Objective, statement: Statement) -> Disagreement | None:
    conditions = conditions_of(rule.expr)
    if not conditions:
        return NoThreshold(rule.position, rule.alert)
    matching = [condition for condition in conditions if _reads(condition, objective)]
    if not matching:
        first = conditions[0]
        if objective.range_s is not None:
            return WrongWindow(rule.position, rule.alert, first.ranges_s, statement)
        return WrongQuantile(rule.position, rule.alert, first.quantile, statement)
    if any(_agrees(condition, objective) for condition in matching):
        return None
    own, expected = _thresholds(matching[0], objective)
    return WrongThreshold(rule.position, rule.alert, own, expected, statement)


def budget_differences(policy: Policy, rules: RuleFiles) -> list[Disagreement]:
    """Return every error-budget alert that has another budget or period than the policy."""
    budget = policy.budget
    if budget is None:
        return []
    compared = (_budget_difference(rule, budget) for rule in _budget_rules(rules))
    return [difference for difference in compared if difference is not None]


def _budget_difference(rule: AlertRule, budget: float) -> Disagreement | None:
    """Return what is wrong with an alert on `(budget - failed share) / budget`."""
    conditions = conditions_of(rule.expr)
    if len(conditions) != 1:
        return NoThreshold(rule.position, rule.alert)
    [condition] = conditions
    full, empty_at = condition.quantity.at_core(0), condition.quantity.core_at(0)
    if condition.ranges_s != {PERIOD_S}:
        return WrongBudgetPeriod(rule.position, rule.alert, condition.ranges_s, PERIOD_S)
    if not close(full, 1) and not close(full, 100):
        return WrongFullBudget(rule.position, rule.alert, full)
    if not close(empty_at, budget):
        return WrongBudget(rule.position, rule.alert, empty_at, budget)
    return None


def _budget_rules(rules: RuleFiles) -> list[AlertRule]:
    return [rule for _, rule in rules.alerts if ("slo", "error_budget") in rule.labels]


def _reads(condition: Condition, objective: Objective) -> bool:
    if objective.range_s is not None and condition.ranges_s != {objective.range_s}:
        return False
    return objective.quantile is None or (
        condition.quantile is not None and close(condition.quantile, objective.quantile)
    )


def _agrees(condition: Condition, objective: Objective) -> bool:
    limit = _limit(condition, objective)
    above = condition.core_operator.startswith(">")
    return close(condition.core_threshold, limit) and above == (limit == objective.limit)


def _limit(condition: Condition, objective: Objective) -> float:
    """Return the core's limit: of failed requests, or of good ones if that is what is counted."""
    counts_good = objective.is_share and not condition.core_operator.startswith(">")
    return 1 - objective.limit if counts_good else objective.limit


def _thresholds(condition: Condition, objective: Objective) -> tuple[Threshold, Threshold]:
    """Return the alert's own threshold and that of the policy, in the alert's unit."""
    expected = condition.quantity.at_core(_limit(condition, objective))
    wrong_way = not objective.is_share and condition.core_operator.startswith("<")
    operator = COMPARISONS[condition.operator] if wrong_way else condition.operator
    return Threshold(condition.operator, condition.threshold), Threshold(operator, expected)
