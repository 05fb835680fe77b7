"""Mistakes planted in whole scenarios: the suspect is the one who made it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agentaskit_sim.front.pack_files import BUNDLED_RULES
from tests.verifier.judge.failures.plants import (
    PLANTS,
    Plant,
    planted,
    suspects,
    with_threshold,
)
from tests.verifier.simulations import HEALTHY, NEAR, bundled, pack_rules, simulate_once
from verifier.virtual_time import run

ALERT = "TaskThroughputBelowTarget"
THROUGHPUT = ALERT, "MessageThroughputBelowTarget"
"""The alerts whose thresholds are in proportion to the load."""
A_TENTH = Plant("a tenth of the threshold", "rule", rule=with_threshold(0.1, 0.1))
LOWER = Plant("seven tenths of the threshold", "rule", rule=with_threshold(0.7, 0.7))
BY_NAME = {plant.name: plant for plant in PLANTS}
WHOLE = [plant.name for plant in PLANTS if not plant.weak]
"""A weak fault is written as one below: not every kind scales as its strength does."""

CASES = [
    pytest.param(name, files, id=f"{name}-{text}", marks=pytest.mark.long if later else ())
    for place, name in enumerate(WHOLE)
    for files, text, later in (
        ((), "own rules", place % 2 == 1),
        (BUNDLED_RULES, "beside the pack", place % 2 == 0),
    )
]
"""Each plant with and without the pack; one of both is a long test, by turns."""


def verdicts_on(scenario, rules, alert, *, files=()):
    """Return the verdicts on an alert, with or without the pack to compare its rule with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "simulate", simulate_once)
        setup = run.VirtualTimeSetup(rules, (), HEALTHY, bundled=files)
        outcome = run.verify_scenario(scenario, setup, lambda _: None)
    assert outcome.invalid == ()
    return [each for each in outcome.alerts if each.alert == alert]


def blamed_for(scenario, rules, alert, *, files=()):
    """Return who is blamed for the failures of an alert."""
    return suspects(verdicts_on(scenario, rules, alert, files=files), alert)


def written(*, whole):
    """Return scenario and rules, as they are in the library or at a tenth of the load."""
    scenario, rules = bundled("traffic-drop"), pack_rules(*NEAR)
    if whole:
        return scenario, rules
    plan = scenario.plan
    scenario = replace(
        scenario, plan=replace(plan, load=replace(plan.load, rate=plan.load.rate / 10))
    )
    for alert in THROUGHPUT:
        _, rules = planted(A_TENTH, scenario, rules, alert)
    return scenario, rules


@pytest.mark.ci
@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "files"), CASES)
def test_who_made_the_mistake_is_blamed(name, files):
    """By its neighbours where there is no bundled rule, with certainty where there is one."""
    plant = BY_NAME[name]
    scenario, rules = planted(plant, *written(whole=bool(files)), ALERT)
    assert blamed_for(scenario, rules, ALERT, files=files) == [plant.suspect]


def drop_of(share, *, whole):
    """Return the scenario in which a share of the requests is missing, and its rules."""
    scenario, rules = written(whole=whole)
    faults = [
        replace(f, parameters=replace(f.parameters, share=share)) for f in scenario.plan.faults
    ]
    return replace(scenario, plan=replace(scenario.plan, faults=tuple(faults))), rules


@pytest.mark.sampled(1)
@pytest.mark.parametrize("files", [(), BUNDLED_RULES], ids=["own rules", "beside the pack"])
def test_a_fault_that_is_too_weak_is_blamed(files):
    """Two in a hundred requests are missing, where the headroom is three."""
    assert blamed_for(*drop_of(0.02, whole=bool(files)), ALERT, files=files) == ["fault"]


def far_from_its_threshold(share):
    """Return a scenario at a tenth of the load, whose thresholds are 30 % below what is usual."""
    scenario, rules = drop_of(share, whole=False)
    for alert in THROUGHPUT:
        _, rules = planted(LOWER, scenario, rules, alert)
    return scenario, rules


def at_the_load_of_the_library(share):
    """Return the scenario as it is, whose threshold is 3 % below what is usual."""
    return drop_of(share, whole=True)


@pytest.mark.ci
@pytest.mark.parametrize(
    ("drop", "share"),
    [
        (far_from_its_threshold, 0.2),
        pytest.param(at_the_load_of_the_library, 0.02, marks=pytest.mark.long),
    ],
)
def test_the_strength_that_is_named_makes_the_alert_fire(drop, share):
    """As it is written, in a run of its own."""
    (weak,) = verdicts_on(*drop(share), ALERT)
    named = re.search(r"times as strong \(`share: ([0-9.]+)`\)", weak.evidence.culprit.because)
    (strong,) = verdicts_on(*drop(float(named[1])), ALERT)
    assert strong.ok
    assert float(named[1]) < 2 * share


def test_an_alert_that_reads_something_else_is_an_expectation_too_much():
    """Fewer requests take no slot of a sandbox."""
    scenario, rules = written(whole=False)
    wrong = replace(scenario.expectations[0], alert="HighAgentChurnRate", labels=())
    scenario = replace(scenario, expectations=(*scenario.expectations, wrong))
    assert blamed_for(scenario, rules, "HighAgentChurnRate") == ["expectation"]
