"""Mistakes planted in whole scenarios: the suspect is the one who made it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentaskit_sim.inputs import BUNDLED_RULES
from tests.verifier.judge.failures.plants import PLANTS, planted, suspects
from tests.verifier.simulations import HEALTHY, NEAR, bundled, pack_rules, simulate_once
from verifier.virtual_time import run

ALERT = "TaskThroughputBelowTarget"
BY_NAME = {plant.name: plant for plant in PLANTS}
WHOLE = [plant.name for plant in PLANTS if not plant.weak]
"""A weak fault is written as one below: not every kind scales as its strength does."""


def blamed_for(scenario, rules, alert, *, files=()):
    """Return who is blamed for the failures of an alert, with or without the pack to compare."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "simulate", simulate_once)
        setup = run.VirtualTimeSetup(rules, (), HEALTHY, bundled=files)
        outcome = run.verify_scenario(scenario, setup, lambda _: None)
    assert outcome.invalid == ()
    return suspects(outcome.alerts, alert)


@pytest.mark.parametrize("files", [(), BUNDLED_RULES], ids=["own rules", "beside the pack"])
@pytest.mark.parametrize("name", WHOLE)
def test_who_made_the_mistake_is_blamed(name, files):
    """By its neighbours where there is no bundled rule, with certainty where there is one."""
    plant = BY_NAME[name]
    scenario, rules = planted(plant, bundled("traffic-drop"), pack_rules(*NEAR), ALERT)
    assert blamed_for(scenario, rules, ALERT, files=files) == [plant.suspect]


@pytest.mark.parametrize("files", [(), BUNDLED_RULES], ids=["own rules", "beside the pack"])
def test_a_fault_that_is_too_weak_is_blamed(files):
    """Two in a hundred requests are missing, where the headroom is three."""
    weak = bundled("traffic-drop")
    faults = [replace(f, parameters=replace(f.parameters, share=0.02)) for f in weak.plan.faults]
    weak = replace(weak, plan=replace(weak.plan, faults=tuple(faults)))
    assert blamed_for(weak, pack_rules(*NEAR), ALERT, files=files) == ["fault"]


def test_an_alert_that_reads_something_else_is_an_expectation_too_much():
    """Fewer requests take no slot of a sandbox."""
    scenario = bundled("traffic-drop")
    wrong = replace(scenario.expectations[0], alert="HighAgentChurnRate", labels=())
    scenario = replace(scenario, expectations=(*scenario.expectations, wrong))
    assert blamed_for(scenario, pack_rules(*NEAR), "HighAgentChurnRate") == ["expectation"]
