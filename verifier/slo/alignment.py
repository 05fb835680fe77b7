"""Do the alert rules say what the policy says? Each disagreement by name and place.

Called by the SLO check. Every objective of the policy is looked for among the alerts by its labels
and compared with the threshold in their conditions, in any form and unit. It judges no single
file: that is done when they are read; panels are compared in `slo_panels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.pack.rules import RuleFiles
from verifier.promql.conditions import close, conditions_of, number_text
from verifier.slo.policy import PERIOD_S

if TYPE_CHECKING:
    from documents.document import Step
    from verifier.pack.rules import AlertRule
    from verifier.promql.conditions import Condition
    from verifier.slo.policy import Policy


OPTIONAL: Final = "extras.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One number of the policy and the alert that guards it.

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

    def guards(self, rules: RuleFiles) -> list[AlertRule]:
        """Return the alerts that carry this objective's labels."""
        wanted = self.labels.items()
        return [rule for _, rule in rules.alerts if wanted <= dict(rule.labels).items()]


def objectives(policy: Policy) -> list[Objective]:
    """Return every objective that the policy states, burn-rate windows among them."""
    found = []
    budget = policy.budget
    if budget is not None:
        found.append(
            Objective(
                name="availability",
                stated=f"{policy.target_percent:g} %",
                labels={"slo": "availability"},
                limit=budget,
                steps=("availability", "target"),
                is_share=True,
            )
        )
        found += [
            Objective(
                name=f"burn rate, window {window.name}",
                stated=f"{window.burn_rate:g} over {format_duration(window.lookback_s)}",
                labels={"slo": "burn_rate", "window": window.name},
                limit=window.burn_rate * budget,
                steps=(*window.steps, "burn_rate"),
                is_share=True,
                range_s=window.lookback_s,
            )
            for window in policy.windows
        ]
    for (section, field), limit_ms in policy.objectives_ms.items():
        percentile = field.removesuffix("_ms")
        labels = {"slo": section}
        found.append(
            Objective(
                name=f"{section} {percentile}",
                stated=f"{limit_ms:g} ms",
                labels=labels | ({"percentile": percentile} if section == "latency" else {}),
                limit=limit_ms / 1000,
                steps=(section, field),
                quantile=float(percentile[1:]) / 100,
            )
        )
    return found


def unguarded(policy: Policy, rules: RuleFiles) -> list[str]:
    """Return a line for every objective, and for the error budget, that no alert guards.

    Alerts of a file called `OPTIONAL` are compared like all others but guard nothing: they are not
    loaded unless somebody chooses so.
    """
    rules = RuleFiles(tuple(one for one in rules.groups if Path(one.file).name != OPTIONAL))
    wanted = [(one.name, one.steps, one.labels, one.guards(rules)) for one in objectives(policy)]
    if policy.budget is not None:
        labels = {"slo": "error_budget"}
        wanted.append(("error budget", ("availability", "target"), labels, _budget_rules(rules)))
    return [
        str(policy.document.error(f"{name}: no alert has the labels {_labels(labels)}", steps))
        for name, steps, labels, guards in wanted
        if not guards
    ]


def differences(policy: Policy, rules: RuleFiles, objective: Objective) -> list[str]:
    """Return a line for every alert of `objective` that says something else than the policy."""
    place = ":".join(map(str, (policy.document.path, *policy.document.position(objective.steps))))
    stated = f"{place} says {objective.stated} ({objective.name})"
    found = []
    for rule in objective.guards(rules):
        conditions = conditions_of(rule.expr)
        reads = [one for one in conditions if _reads(one, objective)]
        if not conditions:
            problem = f"{rule.alert} must compare one quantity with a number"
        elif not reads:
            problem = f"{rule.alert} reads {_describe_read(conditions[0], objective)}, {stated}"
        elif not any(_agrees(one, objective) for one in reads):
            own, asked = _both(reads[0], objective)
            problem = f"{rule.alert} fires at {own}, it must be {asked}: {stated}"
        else:
            continue
        found.append(str(rule.position.error(problem)))
    return found


def budget_differences(policy: Policy, rules: RuleFiles) -> list[str]:
    """Return a line for every error-budget alert that reckons with another budget or period."""
    budget = policy.budget
    if budget is None:
        return []
    problems = [(rule, _budget_problem(rule, budget)) for rule in _budget_rules(rules)]
    return [str(rule.position.error(f"{rule.alert} {text}")) for rule, text in problems if text]


def _budget_problem(rule: AlertRule, budget: float) -> str:
    """Return what is wrong with an alert on `(budget - failed share) / budget`, or nothing."""
    conditions = conditions_of(rule.expr)
    if len(conditions) != 1:
        return "must compare one quantity with a number"
    [condition] = conditions
    full, empty_at = condition.quantity.of_core(0), condition.quantity.to_core(0)
    if condition.ranges_s != {PERIOD_S}:
        read, period = _durations(condition.ranges_s), format_duration(PERIOD_S)
        return f"reads {read}, the error budget's period is {period}"
    if not close(full, 1) and not close(full, 100):
        return f"must read 1 or 100 per cent of the budget while nothing fails, it reads {full:g}"
    if not close(empty_at, budget):
        return (
            f"reckons with an error budget of {100 * empty_at:g} % of the requests, the policy"
            f" leaves {100 * budget:g} %"
        )
    return ""


def _budget_rules(rules: RuleFiles) -> list[AlertRule]:
    return [rule for _, rule in rules.alerts if ("slo", "error_budget") in rule.labels]


def _reads(condition: Condition, objective: Objective) -> bool:
    if objective.range_s is not None and condition.ranges_s != {objective.range_s}:
        return False
    return objective.quantile is None or (
        condition.quantile is not None and close(condition.quantile, objective.quantile)
    )


def _agrees(condition: Condition, objective: Objective) -> bool:
    asked = _asked(condition, objective)
    above = condition.core_operator.startswith(">")
    return close(condition.core_threshold, asked) and above == (asked == objective.limit)


def _asked(condition: Condition, objective: Objective) -> float:
    """Return the core's limit: of failed requests, or of good ones if that is what is counted."""
    counts_good = objective.is_share and not condition.core_operator.startswith(">")
    return 1 - objective.limit if counts_good else objective.limit


def _both(condition: Condition, objective: Objective) -> tuple[str, str]:
    """Return the alert's own condition and the one the policy asks for, in the alert's unit."""
    asked = condition.quantity.of_core(_asked(condition, objective))
    turned = {">": "<", "<": ">"}[condition.operator[0]] + condition.operator[1:]
    wrong_way = not objective.is_share and condition.core_operator.startswith("<")
    operator = turned if wrong_way else condition.operator
    return (
        f"{condition.operator} {number_text(condition.threshold)}",
        f"{operator} {number_text(asked)}",
    )


def _describe_read(condition: Condition, objective: Objective) -> str:
    if objective.range_s is not None:
        return _durations(condition.ranges_s)
    return "no quantile" if condition.quantile is None else f"the {condition.quantile:g} quantile"


def _durations(seconds: frozenset[float]) -> str:
    return " and ".join(map(format_duration, sorted(seconds))) or "no range"


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
