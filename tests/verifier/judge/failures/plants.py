"""Mistakes planted in a fault, a rule or an expectation, each with the suspect to be named.

Each plant returns the scenario and the rules with one mistake about one alert; everything else
stays as it is in the library and in the pack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.faults.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.scenario import Expectation, Scenario
    from verifier.judge.verdict import AlertVerdict, Suspect
    from verifier.pack.rules import AlertRule, RuleFiles

THRESHOLD = re.compile(r"([<>])=?\s*([\d.e *]+)\s*$")
WEAK = 0.15
"""The share of its strength that a weak fault keeps."""


@dataclass(frozen=True)
class Plant:
    """A mistake: who made it, how it is planted, and whether the fault is weakened with it."""

    name: str
    suspect: Suspect
    rule: Callable[[AlertRule], AlertRule] | None = None
    expectation: Callable[[Expectation], Expectation | None] | None = None
    fault: Callable[[Fault], Fault] | None = None
    weak: bool = False


def with_threshold(factor_above: float, factor_below: float) -> Callable[[AlertRule], AlertRule]:
    """Return what multiplies a threshold: of `>` by one factor, of `<` by the other."""

    def change(rule: AlertRule) -> AlertRule:
        match = THRESHOLD.search(rule.expr)
        assert match, rule.expr
        factor = factor_above if match[1] == ">" else factor_below
        return replace(rule, expr=f"{rule.expr[: match.start(2)]} {match[2].strip()} * {factor}")

    return change


PLANTS = (
    Plant("threshold out of reach", "rule", rule=with_threshold(30, 0.05)),
    Plant("threshold in the healthy range", "rule", rule=with_threshold(1e-6, 10)),
    Plant("for too long", "rule", rule=lambda rule: replace(rule, for_s=4 * rule.for_s)),
    Plant("weak fault", "fault", weak=True),
    Plant("short fault", "fault", fault=lambda fault: replace(fault, duration_s=45.0, ramp_s=0.0)),
    Plant(
        "too early a limit",
        "expectation",
        expectation=lambda each: replace(each, fires_within_s=45.0),
    ),
    Plant(
        "resolves at once",
        "expectation",
        expectation=lambda each: replace(each, resolves_within_s=1.0),
    ),
    Plant("not expected", "expectation", expectation=lambda _: None),
)


def planted(
    plant: Plant, scenario: Scenario, rules: RuleFiles, alert: str
) -> tuple[Scenario, RuleFiles]:
    """Return scenario and rules with a mistake about one alert."""
    change = plant.expectation or (lambda each: each)
    expectations = [
        change(each) if each.alert == alert and each.expected == "fires" else each
        for each in scenario.expectations
    ]
    scenario = replace(scenario, expectations=tuple(each for each in expectations if each))
    if plant.fault is not None:
        faults = tuple(plant.fault(fault) for fault in scenario.plan.faults)
        scenario = replace(scenario, plan=replace(scenario.plan, faults=faults))
        ends = {fault.name: fault.end_s for fault in faults}
        scenario = replace(
            scenario,
            expectations=tuple(
                replace(each, end_s=ends.get(each.cause, each.end_s))
                for each in scenario.expectations
            ),
        )
    groups = tuple(
        replace(
            group,
            rules=tuple(
                plant.rule(rule) if plant.rule and getattr(rule, "alert", "") == alert else rule
                for rule in group.rules
            ),
        )
        for group in rules.groups
    )
    return scenario, replace(rules, groups=groups)


def weaken(monkeypatch) -> None:
    """Let every fault keep a part of its strength, in what it does and in what it declares."""
    full = Fault.strength
    monkeypatch.setattr(Fault, "strength", lambda self, at_ns: WEAK * full(self, at_ns))


def suspects(verdicts: tuple[AlertVerdict, ...], alert: str) -> list[str]:
    """Return who is blamed for the failures of an alert."""
    return [
        each.evidence.culprit.suspect
        for each in verdicts
        if each.alert == alert and not each.ok and each.evidence and each.evidence.culprit
    ]
