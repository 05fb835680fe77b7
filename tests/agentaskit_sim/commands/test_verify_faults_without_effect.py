"""A fault without effect makes the verdict invalid: the command line, from injector to status 3."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.simulator.faults.injectors import disarm
from tests.verifier.simulations import HEALTHY, PACK
from verifier.judge.verdict_document import verdict_schema
from verifier.virtual_time import healthy_world

SCENARIO = """\
name: disarmed
story: x
seed: 42
duration: 4m
load: {rate: 1000}
faults:
  - {name: it, fault: %s, start: 1m, duration: 2m, parameters: %s}
expectations:
  - {alert: %s, fires_within: 3m}
"""
FAULTS = {
    "traffic_drop": ("{share: 0.4}", "arrivals per second measured, 600 declared"),
    "sandbox_leak": ("{share: 0.5}", "0 leaked slots measured, 600 declared"),
    "counter_reset": ("{}", "0 restarts seen measured, 1 declared"),
}


@pytest.fixture
def verify(command, tmp_path, monkeypatch):
    """Return a function that verifies a scenario with one fault and returns status and scenario."""
    # The commands of this file start from the same world, simulated once.
    monkeypatch.setattr(healthy_world, "HealthyWorlds", lambda: HEALTHY)

    def run(kind, alert):
        path = tmp_path / "disarmed.yaml"
        path.write_text(SCENARIO % (kind, FAULTS[kind][0], alert))
        rules = PACK / "alerts" / "backpressure.yaml"
        finished = command("verify", path, "--rules", rules, "--jobs", "1", "--json")
        document = json.loads(finished.out)
        jsonschema.validate(document, verdict_schema())
        return finished.status, document["scenarios"][0]

    return run


@pytest.mark.parametrize(
    "kind",
    ["traffic_drop", "counter_reset", pytest.param("sandbox_leak", marks=pytest.mark.long)],
)
def test_a_disarmed_fault_is_neither_pass_nor_fail(verify, kind, monkeypatch):
    """That the alert never fired is no failure of the rule: there was nothing to alert on."""
    status, scenario = verify(kind, "SandboxPoolExhaustion")
    assert (status, scenario["verdict"]) == (1, "fail")
    disarm(monkeypatch, kind)
    status, scenario = verify(kind, "SandboxPoolExhaustion")
    assert (status, scenario["verdict"]) == (3, "invalid")
    (reason,) = scenario["reasons"]
    assert reason.startswith(f"fault it ({kind}) had no effect: ")
    assert reason.endswith(FAULTS[kind][1])
