"""Who is blamed for mistakes planted in scenarios of the library; `make test-long`.

Beside the pack's own rules, which say what a rule of that name is, every mistake is named rightly.
For rules of a user, of which nothing is known, most are: a `for` that is too long looks like a
fault that is too short.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentaskit_sim.front.pack_files import BUNDLED_RULES
from tests.verifier.judge.failures.plants import PLANTS, planted, suspects
from tests.verifier.simulations import HEALTHY, NEAR, bundled, pack_rules, simulate_once
from verifier.virtual_time import run

pytestmark = pytest.mark.long

SCENARIOS = ("crash-loop", "memory-leak", "sandbox-leak", "slow-consumers", "traffic-drop")
STRONG = [plant for plant in PLANTS if not plant.weak]


def blamed(name, files):
    """Return (mistake, who made it, who is blamed) of every mistake that made an alert fail."""
    rules = pack_rules(*NEAR)
    known = {rule.alert for _, rule in rules.alerts}
    scenario = bundled(name)
    expectations = tuple(each for each in scenario.expectations if each.alert in known)
    scenario = replace(scenario, expectations=expectations)
    alert = next(each.alert for each in expectations if each.expected == "fires")
    for plant in STRONG:
        changed, its_rules = planted(plant, scenario, rules, alert)
        setup = run.VirtualTimeSetup(its_rules, (), HEALTHY, bundled=files)
        outcome = run.verify_scenario(changed, setup, lambda _: None)
        if not outcome.invalid:
            for suspect in suspects(outcome.alerts, alert):
                yield plant.name, plant.suspect, suspect


@pytest.mark.parametrize(("files", "share"), [(BUNDLED_RULES, 1.0), ((), 0.8)])
def test_the_culprit_of_planted_mistakes_is_named(monkeypatch, files, share):
    """All of them beside the pack; of rules of a user four in five (measured: 30 of 36)."""
    monkeypatch.setattr(run, "simulate", simulate_once)
    cases = [(name, *case) for name in SCENARIOS for case in blamed(name, files)]
    wrong = [case for case in cases if case[2] != case[3]]
    print(f"{len(cases) - len(wrong)} of {len(cases)} named rightly; {wrong}")  # noqa: T201 - the figure
    assert len(cases) >= 6 * len(SCENARIOS)
    assert {case[2] for case in cases} == {"fault", "rule", "expectation"}
    assert len(wrong) <= (1 - share) * len(cases), wrong
