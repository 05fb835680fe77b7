"""What was run, in words: the load of a plan, its faults with their strength, the command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.loader import parse_scenario
from simulator.load import Burst, Daily, Load, Stage
from simulator.topology import Topology
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.simulations import bundled
from verifier.run_record import (
    WEIGHTS_MAX,
    InputFile,
    RunRecord,
    ScenarioRecord,
    fault_document,
    load_sentence,
    run_facts,
)

LEAK = """\
name: leak
story: |
  A pool
  leaks.
seed: 1
duration: 30m
faults:
  - name: leaking
    fault: sandbox_leak
    start: 3m
    duration: 8m
    ramp: 1m
    targets: {sandboxes: [B]}
    parameters: {share: 0.81}
history:
  incidents:
    - {name: before, fault: agent_hang, ago: 2h, duration: 5m, targets: {fraction: 0.5}}
expectations: []
"""


def test_a_scenario_is_told_with_its_story_and_its_faults():
    """The past comes first; times count from the start."""
    record = ScenarioRecord.of(parse_scenario(LEAK, "leak.yaml"))
    assert (record.story, record.load) == ("A pool leaks.", "10,300 tasks a second")
    before, leaking = record.faults
    assert (before.name, before.start_s, before.end_s) == ("before", -7200.0, -6900.0)
    assert before.strength.endswith("fraction 0.5")
    assert (leaking.kind, leaking.start_s, leaking.end_s) == ("sandbox_leak", 180.0, 660.0)
    assert leaking.strength == "share 0.81; sandbox B; full strength after 1m"
    document = fault_document(leaking, {"leaking": "it did", "before": "another"})
    assert document == {
        "name": "leaking", "fault": "sandbox_leak", "start_s": 180.0, "end_s": 660.0,
        "ramp_s": 60.0, "parameters": {"share": 0.81}, "targets": {"sandboxes": "B"},
        "effect": "it did",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "strength"),
    [
        ("{share: 0.05, latency: 2s}", "share 0.05; latency 2s"),
        ("{share: 1, latency: 250ms}", "share 1; latency 250ms"),
    ],
)
def test_a_time_of_a_fault_reads_as_its_scenario_has_it(parameters, strength):
    """With its unit, under the name that stands in the file."""
    fault = "{name: d, fault: dependency_outage, start: 1m, duration: 1m, parameters: P}"
    text = f"faults: [{fault.replace('P', parameters)}]"
    scenario = parse_scenario(f"name: x\nstory: y\nseed: 1\nduration: 9m\n{text}\n", "x.yaml")
    (slow,) = ScenarioRecord.of(scenario).faults
    assert slow.strength == strength


def test_a_rate_is_no_time():
    """Though its name ends as that of one does."""
    crash = "{name: c, fault: agent_crash, start: 1m, duration: 1m, parameters: {rate_per_s: 3}}"
    text = f"name: x\nstory: y\nseed: 1\nduration: 9m\nfaults: [{crash}]\n"
    (crashing,) = ScenarioRecord.of(parse_scenario(text, "x.yaml")).faults
    assert crashing.strength == "rate_per_s 3"


def test_a_fault_on_everything_names_no_targets():
    """Nor a ramp that it does not have."""
    (gone,) = ScenarioRecord.of(scenario_with()).faults
    assert (gone.kind, gone.targets, gone.strength) == ("agent_hang", (), "")


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (Load(rate=100.0), "100 tasks a second"),
        (
            Load(rate=100.0, stages=(Stage(duration_s=60.0, target=2500.0),)),
            "100 tasks a second, to 2,500 in 1m",
        ),
        (
            Load(rate=100.0, burst=Burst(factor=3.0, every_s=600.0, last_s=30.0)),
            "100 tasks a second, bursts of 3 times for 30s, 10m apart, on average",
        ),
        (
            Load(rate=100.0, daily=Daily(amplitude=0.3)),
            "100 tasks a second, a day's curve of 30% either way",
        ),
        (Load(trace_s=(1.0, 2.0)), "2 recorded arrivals"),
    ],
)
def test_a_load_is_a_sentence(load, text):
    """Each of its shapes is named."""
    assert load_sentence(load, Topology()) == text


@pytest.mark.parametrize(
    ("weights", "shared"), [((), "evenly"), ((2.0, 2.0, 2.0), "evenly"),
                            ((1.0, 1.0, 2.5), "by the weights 1, 1, 2.5")],
)  # fmt: skip
def test_a_load_of_cells_is_that_of_each_and_of_all(weights, shared):
    """As the served page has it, which shows the sum."""
    sentence = load_sentence(Load(rate=1000.0), Topology(cells=3, cell_weights=weights))
    together = f"3,000 tasks a second together, shared {shared}"
    assert sentence == f"1,000 tasks a second; for each of 3 cells, {together}"


@pytest.mark.parametrize(("cells", "more"), [(WEIGHTS_MAX, ""), (WEIGHTS_MAX + 1, ", ...")])
def test_of_very_many_weights_the_first_are_named(cells, more):
    """With a sign that there are more, where there are."""
    weights = tuple(float(number) for number in range(1, cells + 1))
    sentence = load_sentence(Load(rate=10.0), Topology(cells=cells, cell_weights=weights))
    assert sentence.endswith(f", {WEIGHTS_MAX - 1}, {WEIGHTS_MAX}{more}")


def test_a_run_can_be_repeated_from_its_record():
    """When, by what, the command, and which version of each file."""
    file = InputFile(kind="rules", path="mine.yaml", sha256="ab" * 32)
    run = RunRecord(
        started="2026-01-02T03:04:05Z", version="0.1.0", command="x verify", files=(file,)
    )
    assert run_facts(run) == [
        ("Begun", ["2026-01-02 03:04:05 UTC, by agentaskit-sim 0.1.0"]),
        ("Command", ["x verify"]),
        ("Files", ["rules mine.yaml, sha256 abababababab"]),
    ]


def test_incidents_of_the_past_stand_in_the_order_of_time():
    """Whichever way the file has them."""
    scenario = bundled("budget-spent")
    past = scenario.past
    for incidents in (past.incidents, past.incidents[::-1]):
        record = ScenarioRecord.of(replace(scenario, past=replace(past, incidents=incidents)))
        starts_s = [fault.start_s for fault in record.faults[: len(incidents)]]
        assert starts_s == sorted(-each.ago_s for each in incidents)
        assert len(set(starts_s)) > 1
