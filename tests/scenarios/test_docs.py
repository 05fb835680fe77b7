"""The documentation of scenario files agrees with the code."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from scenarios.schema.models import ExpectationModel, ScenarioModel


@pytest.fixture(scope="module")
def page(repository):
    """Return docs/scenarios.md."""
    return (repository / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_every_key_of_a_scenario_is_documented(page):
    """At the top level, and in each of its parts."""
    top = ScenarioModel.model_fields
    inner = [top[name].annotation.model_fields for name in ("load", "history")]
    for keys in (top, *inner, ExpectationModel.model_fields):
        for key in keys:
            assert f"`{key}`" in page, key


def test_the_examples_hold_no_mistake(page):
    """The scenario loads, one with the topology of the next example, and the one searched for."""
    scenario, topology, search = (
        dedent(block)
        for block in re.findall(r"(?:^(?:    .*)?\n)+", page, re.MULTILINE)
        if "story:" in block or "interns:" in block
    )
    assert len(parse_scenario(scenario, "traffic-drop.yaml").expectations) == 2
    (searched,) = re.findall(r"^name: .*", search, re.MULTILINE | re.DOTALL)
    expected, *_ = parse_scenario(searched, "noisy-neighbour-near-miss.yaml").expectations
    assert expected.expected == "silent"
    indented = "".join(f"  {line}\n" for line in topology.strip().splitlines())
    text = f"name: x\nstory: x\nseed: 1\nduration: 5m\ntopology:\n{indented}"
    assert parse(text, "x.yaml").data["topology"]["hosts"] == 4
    assert parse_scenario(text, "x.yaml").topology.fleet == 928 + 65 + 10
