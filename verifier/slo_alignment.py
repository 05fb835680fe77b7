"""Do policy, alert rules and dashboards say the same? Each disagreement by name and place.

Called by the SLO check. Every objective of the policy is looked for among the alerts by its labels
and compared with the threshold in their conditions; every alert's threshold is looked for on the
panels that draw the same quantity. Quantities are compared by `slo_condition`, in any form and
unit. It judges no single file: that is done when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenarios.durations import format_duration
from verifier.slo_condition import close, conditions_of, figure, quantity_of, same_up_to_unit
from verifier.slo_policy import PERIOD_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.yaml import Step
    from verifier.dashboards import Panel
    from verifier.rules import AlertRule, RuleFiles
    from verifier.slo_condition import Condition, Quantity
    from verifier.slo_policy import Policy


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


@dataclass(frozen=True, slots=True)
class Drawn:
    """An alert of one condition, and the panels that draw its quantity.

    `panels` holds (panel, the alert's threshold in the panel's unit, the panel's own thresholds).
    """

    rule: AlertRule
    threshold: float
    panels: tuple[tuple[Panel, float, tuple[float, ...]], ...]


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
    """Return a line for every objective, and for the error budget, that no alert guards."""
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
    found = []
    for rule in _budget_rules(rules):
        conditions = conditions_of(rule.expr)
        if len(conditions) != 1:
            problem = f"{rule.alert} must compare one quantity with a number"
        else:
            quantity, ranges_s = conditions[0].quantity, conditions[0].ranges_s
            if quantity.offset:
                budgets = [-quantity.offset / quantity.slope]
            else:
                budgets = [1 / quantity.slope, 100 / quantity.slope]
            if ranges_s != {PERIOD_S}:
                problem = (
                    f"{rule.alert} reads {_durations(ranges_s)}, the error budget's period is"
                    f" {format_duration(PERIOD_S)}"
                )
            elif not any(close(one, budget) for one in budgets):
                problem = (
                    f"{rule.alert} reckons with an error budget of {100 * budgets[0]:g} % of the"
                    f" requests, a target of {policy.target_percent:g} % leaves {100 * budget:g} %"
                )
            else:
                continue
        found.append(str(rule.position.error(problem)))
    return found


def draw(rules: RuleFiles, panels: Sequence[Panel]) -> list[Drawn]:
    """Return every alert of a single condition with the panels that draw the same quantity."""
    found = []
    for _, rule in rules.alerts:
        conditions = conditions_of(rule.expr)
        if len(conditions) != 1:
            continue
        [condition] = conditions
        matches = tuple(
            (panel, quantity.of_core(condition.core_threshold), thresholds(panel.raw))
            for panel in panels
            if (quantity := _drawn(panel, condition)) is not None
        )
        found.append(Drawn(rule, condition.threshold, matches))
    return found


def panel_differences(drawn: Sequence[Drawn]) -> list[str]:
    """Return a line for every panel whose thresholds leave out that of an alert it draws."""
    return [
        str(
            panel.position.error(
                f"panel {panel.title!r} of {panel.dashboard!r} has the"
                f" threshold{'s' if len(own) > 1 else ''} {', '.join(map(figure, own))}, but"
                f" {one.rule.alert} fires at {figure(asked)}"
            )
        )
        for one in drawn
        for panel, asked, own in one.panels
        if own and not any(close(value, asked) for value in own)
    ]


def thresholds(raw: Any) -> tuple[float, ...]:
    """Return the values at which a panel changes colour, of any age of Grafana.

    `steps` (their first is the base, whatever its value), a list of values, `"50,100"`, and the
    conditions of an alert embedded in a panel. Percentages of a range are left out.
    """
    return tuple(sorted(set(_thresholds(raw))))


def _thresholds(raw: Any) -> Iterator[float]:
    defaults = _get(_get(raw, "fieldConfig"), "defaults")
    for holder in (raw, defaults):
        given = _get(holder, "thresholds")
        if isinstance(given, str):
            yield from _numbers(given.split(","))
        elif isinstance(given, list):
            yield from _numbers([_get(one, "value") for one in given])
        elif _get(given, "mode") != "percentage" and isinstance(_get(given, "steps"), list):
            yield from _numbers([_get(one, "value") for one in given["steps"][1:]])
    conditions = _get(_get(raw, "alert"), "conditions")
    for one in conditions if isinstance(conditions, list) else []:
        parameters = _get(_get(one, "evaluator"), "params")
        yield from _numbers(parameters if isinstance(parameters, list) else [])


def _numbers(values: Sequence[Any]) -> Iterator[float]:
    for value in values:
        try:
            yield float(value)
        except (TypeError, ValueError):
            continue


def _get(holder: Any, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def _drawn(panel: Panel, condition: Condition) -> Quantity | None:
    """Return how `panel` draws the quantity of `condition`, None when it does not."""
    quantities = (quantity_of(query.expr) for query in panel.queries)
    same = (one for one in quantities if same_up_to_unit(one, condition.quantity))
    return next(same, None)


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
    return f"{condition.operator} {figure(condition.threshold)}", f"{operator} {figure(asked)}"


def _describe_read(condition: Condition, objective: Objective) -> str:
    if objective.range_s is not None:
        return _durations(condition.ranges_s)
    return "no quantile" if condition.quantile is None else f"the {condition.quantile:g} quantile"


def _durations(seconds: frozenset[float]) -> str:
    return " and ".join(map(format_duration, sorted(seconds))) or "no range"


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
