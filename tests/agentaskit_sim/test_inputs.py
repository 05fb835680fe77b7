"""What a run reads: own rules beside bundled scenarios, and what is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentaskit_sim.foreign.bundled_expectations import leave_out_bundled_receivers
from agentaskit_sim.inputs import InputPaths, read_inputs
from documents.mistakes import InputError

if TYPE_CHECKING:
    from pathlib import Path

RULES = """\
groups:
- name: mine
  rules:
  - {alert: Mine, expr: 'sum(rate(http_requests_total[1m])) < 5000', for: 1m}
  - {alert: MessageQueueBackpressure, expr: 'absent(http_requests_total)', for: 1m}
"""


@pytest.fixture
def rules(tmp_path) -> Path:
    """Return a file with two alerts, one of them of the name of a bundled one."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_bundled_scenarios_are_judged_for_the_alerts_that_are_there(rules):
    """And what else they expect is named once, with the way out."""
    inputs = read_inputs(InputPaths(rules=[rules]))
    expected = {e.alert for scenario in inputs.scenarios for e in scenario.expectations}
    assert expected == {"MessageQueueBackpressure"}
    [note] = inputs.notes
    assert "without 18 alerts that the rules do not define" in note
    assert "FastBurnRateHigh" in note


def test_bundled_rules_leave_nothing_out():
    """The library expects all nineteen."""
    inputs = read_inputs(InputPaths())
    assert inputs.notes == ()
    assert len({e.alert for s in inputs.scenarios for e in s.expectations}) == 19


def test_an_alert_that_an_own_file_names_must_be_there(tmp_path, rules):
    """Only bundled files may expect alerts that are not there."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("scenarios: {'*': {expectations: [{alert: Mien, silent: true}]}}")
    with pytest.raises(InputError, match=r"overlay\.yaml:1:\d+: no rule is called 'Mien', did you"):
        read_inputs(InputPaths(rules=[rules], overlays=[overlay]))


def test_an_overlay_may_name_a_bundled_scenario_that_is_not_run(tmp_path, rules):
    """It is then not used."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("scenarios: {fast-burn: {expectations: [{alert: Mine, silent: true}]}}")
    inputs = read_inputs(InputPaths(scenarios=["traffic-drop"], rules=[rules], overlays=[overlay]))
    assert inputs.scenarios[0].expectations == ()


def test_what_is_accepted_by_hand_reaches_every_scenario(rules):
    """With its reason."""
    paths = InputPaths(
        scenarios=["traffic-drop", "fast-burn"], rules=[rules], accept=["Mine=not here yet"]
    )
    accepted = [scenario.accepted for scenario in read_inputs(paths).scenarios]
    assert [(a.subject, a.reason) for [a] in accepted] == [("Mine", "not here yet")] * 2


@pytest.mark.parametrize("text", ["Mine", "Mine=", "=why"])
def test_what_is_accepted_needs_a_reason(text):
    """So that a report can repeat it."""
    with pytest.raises(InputError, match=f"--accept must be ALERT=REASON, got {text}"):
        read_inputs(InputPaths(scenarios=["traffic-drop"], accept=[text]))


def test_what_is_accepted_must_exist(rules):
    """A misspelt name would accept nothing."""
    paths = InputPaths(scenarios=["traffic-drop"], rules=[rules], accept=["Mien=why"])
    with pytest.raises(InputError, match="no alert or panel is called 'Mien', did you mean 'Mine'"):
        read_inputs(paths)


def test_receivers_that_own_routing_lacks_are_left_open_in_bundled_scenarios(tmp_path):
    """And named once; what an own file names has to exist."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "scenarios: {traffic-drop: {expectations:"
        " [{alert: HighMemoryUsage, explained: x, receivers: [nobody]}]}}"
    )
    inputs = read_inputs(InputPaths(scenarios=["traffic-drop"], overlays=[overlay]))
    [scenario], notes = leave_out_bundled_receivers(inputs.scenarios, ["chat"])
    assert [e.receivers for e in scenario.expectations] == [None, None, ("nobody",)]
    [note] = notes
    assert note == (
        "bundled scenarios name 1 receiver that the routing does not define: slack-warnings;"
        " anybody may be notified there"
    )
    assert leave_out_bundled_receivers(inputs.scenarios, ["slack-warnings"])[1] == ()


def test_how_long_a_bundled_alert_is_pending_binds_the_bundled_rules_alone(rules, tmp_path):
    """An own rule of that name may wait as it likes; what an own overlay says is held."""
    waits = {
        e.pends_for_s for e in read_inputs(InputPaths(["bus-partition"])).scenarios[0].expectations
    }
    assert waits == {180.0, 300.0, None}
    own = tmp_path / "own.yaml"
    own.write_text(
        "scenarios:\n  bus-partition:\n    expectations:\n"
        "      - {alert: Mine, cause: cut, fires_within: 8m, pends_for: 1m}\n"
    )
    [scenario] = read_inputs(InputPaths(["bus-partition"], rules=[rules], overlays=[own])).scenarios
    assert {e.alert: e.pends_for_s for e in scenario.expectations} == {
        "Mine": 60.0, "MessageQueueBackpressure": None,
    }  # fmt: skip
