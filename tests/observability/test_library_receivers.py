"""Every bundled scenario names the receivers to which the pack's Alertmanager routes its alerts."""

from __future__ import annotations

import pytest

from agentaskit_sim.commands.scenarios import TEMPLATE
from scenarios.library.files import library
from scenarios.loader import load_scenario, parse_scenario


@pytest.fixture
def routed(run_tool):
    """Return a function that asks amtool for the receivers of a rule under a configuration."""

    def receivers(config, rule):
        pairs = [f"{name}={value}" for name, value in rule["labels"].items()]
        status, output = run_tool(
            "amtool",
            "config",
            "routes",
            "test",
            f"--config.file={config}",
            f"alertname={rule['alert']}",
            *pairs,
        )
        assert status == 0, output
        return set(output.splitlines()[0].split(","))

    return receivers


def misnamed(scenarios, routed_to):
    """Return the expectations that name other receivers than the routing, as (scenario, alert)."""
    return [
        (scenario.name, expectation.alert)
        for scenario in scenarios
        for expectation in scenario.expectations
        if expectation.expected != "silent"
        and set(expectation.receivers or ()) != routed_to[expectation.alert]
    ]


def test_a_new_scenario_names_the_receivers_of_the_routing(pack, every_rule, routed):
    """The template too, so that a scenario that it begins passes the next test."""
    config = pack / "alertmanager" / "alertmanager.yml"
    scenario = parse_scenario(TEMPLATE.format(name="new", schema="x"), "new.yaml")
    named = {expectation.alert for expectation in scenario.expectations}
    routed_to = {r["alert"]: routed(config, r) for r in every_rule if r["alert"] in named}
    assert misnamed([scenario], routed_to) == []


@pytest.fixture
def scenarios():
    """Return every bundled scenario."""
    return [load_scenario(path) for path in library()]


def test_the_library_names_the_receivers_of_the_routing(pack, every_rule, scenarios, routed):
    """By amtool's own answer for the labels of each alert's rule."""
    config = pack / "alertmanager" / "alertmanager.yml"
    routed_to = {rule["alert"]: routed(config, rule) for rule in every_rule}
    assert misnamed(scenarios, routed_to) == []
    assert (
        sum(expectation.expected != "silent" for s in scenarios for expectation in s.expectations)
        >= 19
    )


def test_a_route_that_is_changed_is_caught(pack, every_rule, scenarios, routed, tmp_path):
    """Without `continue`, burn rates reach the SRE on call alone: every scenario names more."""
    text = (pack / "alertmanager" / "alertmanager.yml").read_text()
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(text.replace("continue: true", "continue: false"))
    routed_to = {rule["alert"]: routed(broken, rule) for rule in every_rule}
    burn_rates = {r["alert"] for r in every_rule if r["labels"].get("slo") == "burn_rate"}
    expected = [
        (scenario.name, expectation.alert)
        for scenario in scenarios
        for expectation in scenario.expectations
        if expectation.expected != "silent" and expectation.alert in burn_rates
    ]
    assert {"fast-burn", "slow-burn"} <= {name for name, _ in expected}
    assert misnamed(scenarios, routed_to) == expected
