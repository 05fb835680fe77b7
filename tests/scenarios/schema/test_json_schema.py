"""The JSON Schema that editors read agrees with what the loader checks."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields

import jsonschema
import pytest

from documents.yaml_reader import parse
from scenarios.library.files import library
from scenarios.schema.derived import key_of
from scenarios.schema.json_schema import scenario_schema, tidy
from simulator.faults.kinds.catalogue import FAULTS
from tests.scenarios.good import GOOD
from tests.simulator.faults.samples import SAMPLES


def test_the_published_schema_is_fresh():
    """`agentaskit-sim scenarios schema > scenarios/scenario.schema.json` was not forgotten."""
    published = json.loads((library()[0].parents[1] / "scenario.schema.json").read_text())
    command = "agentaskit-sim scenarios schema > scenarios/scenario.schema.json"
    assert published == scenario_schema(), f"it is stale: run {command}"


def test_editors_see_what_the_loader_sees():
    """The JSON Schema takes the good scenario and refuses what an editor can know to be wrong."""
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(parse(GOOD, "good.yaml").data)
    for old, new in (
        ("seed: 42", "seed: x"),
        ("duration: 20m", "duration: 20 minutes"),
        ("{share: 0.4}", "{shares: 0.4}"),
        ("alive: 200ms", "alive: 0.2"),
        ("agents: 700", "agent: 700"),
        ("fault: traffic_drop", "fault: trafic_drop"),
        ("    parameters: {share: 0.4}\n", ""),
        ("seed: 42", "seed: 42\nextra: 1"),
        ("seed: 42", "seed: -1"),
        ("Two faults and an incident long ago.", "''"),
        ("alert: Quiet", "alert: ''"),
        ("explained: why not", "explained: ''"),
        ("explained: why not", "explained: why not, receivers: ['']"),
        ("fault: task_failure", "fault: task_failed"),
        ("ago: 2h", "ago: 2 hours"),
    ):
        assert not validator.is_valid(parse(GOOD.replace(old, new, 1), "good.yaml").data), new


def test_the_schema_has_every_fault():
    """A fault that is added to the catalogue appears with its parameters."""
    rules = scenario_schema()["$defs"]["FaultModel"]["allOf"]
    assert [rule["if"]["properties"]["fault"]["const"] for rule in rules] == list(FAULTS)


@pytest.mark.sampled(16)
@pytest.mark.parametrize("when", ["start", "ago"])
@pytest.mark.parametrize("kind", FAULTS)
def test_the_parameters_of_faults_and_of_incidents_are_those_of_their_kind(kind, when):
    """All that must be there, with the simulator's defaults for the rest, and no other."""
    validator = jsonschema.Draft202012Validator(scenario_schema())
    needed = {field.name for field in fields(FAULTS[kind]) if field.default is MISSING}
    sample = {
        key_of(name): value if key_of(name) == name else f"{value}s"
        for name, value in SAMPLES[kind].items()
    }
    cases = [
        (sample, True),
        ({key_of(name): sample[key_of(name)] for name in needed}, True),
        (None, not needed),
        ({}, not needed),
        ({**sample, "nonsense": 1}, False),
        *(({k: v for k, v in sample.items() if k != key_of(name)}, False) for name in needed),
    ]
    for parameters, right in cases:
        fault = {"name": "f", "fault": kind, when: "1h", "duration": "1m"}
        fault |= {} if parameters is None else {"parameters": parameters}
        part = {"faults": [fault]} if when == "start" else {"history": {"incidents": [fault]}}
        document = {"name": "x", "story": "x", "seed": 1, "duration": "2h", **part}
        assert validator.is_valid(document) is right, parameters


def test_titles_and_defaults_are_left_out_at_any_depth():
    """Also of what stands in a list; all else stays."""
    schema = {"title": "A", "anyOf": [{"title": "B", "type": "null"}, {"items": {"default": 1}}]}
    assert tidy(schema) == {"anyOf": [{"type": "null"}, {"items": {}}]}
