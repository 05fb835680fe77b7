"""The judge's alert states against promtool's, on the histories of bundled scenarios."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from simulator.load import Load
from tests.verifier.histories import rules
from tests.verifier.simulations import (
    NEAR,
    bundled,
    is_stale,
    only,
    pack_rules,
    simulate_for,
    simulated,
)
from verifier.evaluation.crosscheck import crosscheck, differences, promtool_states, timeline_states
from verifier.evaluation.engine import evaluate
from verifier.evaluation.timeline import Grid
from verifier.pack.rules import RuleFiles
from verifier.promql.reads import reads
from verifier.servers.prometheus import Prometheus

EVALUATION_S = 30.0
PRESENT = {"alert": "Present", "expr": "agentaskit_task_queue_depth >= 0", "for": "1m"}
"""Fires as long as there are samples; a stale marker ends it."""
EXPECTED = {
    "traffic-drop": {"TaskThroughputBelowTarget", "MessageThroughputBelowTarget"},
    "sandbox-leak": {"SandboxPoolExhaustion"},
    "exporter-down": {"AgentaskitTargetDown", "ThroughputUnknown"},
}


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Return the pack's rules that read back five minutes, extras too, and `PRESENT`."""
    pack = pack_rules("slo", *NEAR, "extras")
    near = {r.alert for _, r in pack.alerts if max(read.depth_s for read in reads(r.expr)) <= 300}
    more = rules(tmp_path_factory.mktemp("rules"), PRESENT, interval="30s")
    return RuleFiles((*only(pack, *near).groups, *more.groups))


def judges_states(history, rule_files, end_s):
    """Return every state that the judge computes at the evaluations from 0 to `end_s`."""
    with Prometheus() as server:
        server.push(history)
        timelines = evaluate(server, rule_files, start_s=0.0, end_s=end_s).timelines
    return timeline_states(timelines, Grid(0.0, end_s, EVALUATION_S))


@pytest.mark.ci
@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    "name",
    ["exporter-down", "traffic-drop", pytest.param("sandbox-leak", marks=pytest.mark.long)],
)
def test_every_alert_state_of_a_scenario_is_promtools(name, short):
    """Pending and firing, at every evaluation, of every alert that reads back five minutes."""
    history, end_s = simulated(name).history, bundled(name).duration_s
    assert len(short.alerts) > 20
    states = judges_states(history, short, end_s)
    assert {state.alert for state in states if state.state == "firing"} - {"Present"} == EXPECTED[
        name
    ]
    assert Counter(state.state for state in states if state.alert in EXPECTED[name])["pending"] >= 4
    assert crosscheck(history, short, 0.0, end_s) == []


@pytest.mark.long
def test_windows_of_hours_are_promtools_too():
    """A burn of twelve minutes in the windows of one hour and of six, as they fill and empty.

    A tenth of the load: the windows hold shares of failures, which do not depend on it.
    """
    burns = only(pack_rules("slo"), "AvailabilitySLOBreach", "FastBurnRateHigh", "SlowBurnRateHigh")
    bundled_scenario = bundled("fast-burn")
    plan = replace(bundled_scenario.plan, load=Load(rate=1000.0))
    scenario = replace(bundled_scenario, plan=plan)
    history = simulate_for(scenario, burns).history
    states = judges_states(history, burns, scenario.duration_s)
    fired = {state.alert for state in states if state.state == "firing"}
    assert fired == {"AvailabilitySLOBreach", "FastBurnRateHigh"}
    assert crosscheck(history, burns, 0.0, scenario.duration_s) == []


@pytest.mark.ci
def test_one_evaluation_too_late_is_noticed(short):
    """Planted: an alert that is always one evaluation behind, and one state too many."""
    history, end_s = simulated("traffic-drop").history, bundled("traffic-drop").duration_s
    theirs = promtool_states(history, short, Grid(0.0, end_s, EVALUATION_S))
    late = {replace(state, time_s=state.time_s + EVALUATION_S) for state in theirs}
    assert len(differences(late, theirs)) >= 6
    (difference,) = differences(theirs | {replace(max(theirs), state="planted")}, theirs)
    assert difference.side == "the judge"


@pytest.mark.ci
def test_a_stale_marker_that_is_lost_is_noticed(short):
    """Planted: without it, an alert on a dead exporter lingers for five minutes."""
    whole = bundled("exporter-down")
    scenario = replace(whole, plan=replace(whole.plan, load=Load(rate=1000.0)))
    history, end_s = simulate_for(scenario, short).history, scenario.duration_s
    unmarked = [
        replace(block, values=np.where(is_stale(block.values), np.nan, block.values))
        for block in history.blocks
    ]
    ours = judges_states(replace(history, blocks=unmarked), short, end_s)
    theirs = promtool_states(history, short, Grid(0.0, end_s, EVALUATION_S))
    lingering = [d for d in differences(ours, theirs) if d.state.alert == "Present"]
    assert len(lingering) >= 4 * 9
    only_ours = {d.state.time_s for d in lingering if d.side == "the judge"}
    # Within the first minute promtool, which evaluates the past too, is ahead of us by `for`.
    assert {at for at in only_ours if at > 60} == set(np.arange(180.0, 451.0, EVALUATION_S))
