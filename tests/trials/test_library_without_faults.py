"""The whole library with every injector disarmed: none of it may be judged; `make test-long`."""

from __future__ import annotations

import pytest

from agentaskit_sim.inputs import InputPaths, read_inputs
from tests.simulator.faults.injectors import disarm
from tests.verifier.judges import NoWatcher
from verifier.suite import cores, run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.run import VirtualTimeSetup, verify_scenario

pytestmark = pytest.mark.long


def test_every_scenario_whose_injectors_do_nothing_is_invalid():
    """Each verdict names the fault without effect, what was measured and what was declared."""
    inputs = read_inputs(InputPaths())
    faulty = [scenario for scenario in inputs.scenarios if scenario.plan.faults]
    healthy_worlds = HealthyWorlds()
    healthy_worlds.prepare(faulty)

    def judge(scenario, report):
        with pytest.MonkeyPatch.context() as patch:
            for kind in {fault.kind for fault in scenario.plan.faults}:
                disarm(patch, kind)
            setup = VirtualTimeSetup(inputs.rules, (), healthy_worlds)
            return verify_scenario(scenario, setup, report)

    outcomes = run_suite(faulty, judge, NoWatcher(), jobs=cores())
    assert len(outcomes) >= 19
    for outcome in outcomes:
        assert outcome.verdict == "invalid", outcome.name
        assert all("had no effect" in reason for reason in outcome.invalid), outcome.invalid
