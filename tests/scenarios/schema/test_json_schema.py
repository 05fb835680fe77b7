"""The JSON Schema that editors read agrees with what the loader checks."""

from __future__ import annotations

import json

import jsonschema

from documents.yaml_reader import parse
from scenarios.library.files import library
from scenarios.schema.json_schema import scenario_schema
from simulator.faults.kinds.catalogue import FAULTS
from tests.scenarios.good import GOOD


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
    ):
        assert not validator.is_valid(parse(GOOD.replace(old, new, 1), "good.yaml").data), new


def test_the_schema_has_every_fault():
    """A fault that is added to the catalogue appears with its parameters."""
    rules = scenario_schema()["$defs"]["FaultModel"]["allOf"]
    assert [rule["if"]["properties"]["fault"]["const"] for rule in rules] == list(FAULTS)
