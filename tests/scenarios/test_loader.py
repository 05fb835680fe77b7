"""One good scenario, then one mutation for every rule, each with its exact line."""

# ruff: noqa: E501 - a mutation and its message are read in one line
from __future__ import annotations

import json

import jsonschema
import pytest

from documents.mistakes import InputError
from documents.yaml_reader import parse
from scenarios.loader import library, load_for_verify, load_scenario, parse_scenario, resolve
from scenarios.schema.json_schema import scenario_schema
from scenarios.topology_overlay import load_topology
from simulator.faults.catalogue import FAULTS
from simulator.faults.kinds.agents import CrashLoop
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.topology import Topology

GOOD = """\
name: good
story: Two faults and an incident long ago.
seed: 42
duration: 20m
topology:
  tiers: {micro: {agents: 700}}
  sandboxes: {A: {slots: 300}}
  hosts: 4
  watchdog: 10s
load:
  rate: 10300
  stages: [{duration: 2m, target: 12000}]
  burst: {factor: 2, every: 10m, last: 5s}
  daily: {amplitude: 0.1, peak: 14h}
faults:
  - name: gone
    fault: traffic_drop
    start: 3m
    duration: 9m
    ramp: 30s
    parameters: {share: 0.4}
  - name: loop
    fault: crash_loop
    start: 1m
    duration: 2m
    targets: {tiers: [micro], hosts: [0], fraction: 0.2}
    parameters: {alive: 200ms}
history:
  depth: 6h
  incidents:
    - name: old
      fault: task_failure
      ago: 2h
      duration: 20m
      parameters: {share: 0.5}
pending: forbidden
expectations:
  - alert: Quiet
    labels: {severity: warning}
    cause: gone
    fires_within: 8m
    resolves_within: 8m
  - {alert: Never, silent: true}
  - {alert: Maybe, explained: why not, cause: old}
"""


def mistakes_of(text):
    """Return the lines that a mutated scenario earns."""
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "good.yaml")
    return str(caught.value).splitlines()


def test_a_good_scenario_becomes_values():
    """Every part of the file arrives where the simulator and the judge look for it."""
    scenario = parse_scenario(GOOD, "good.yaml")
    assert (scenario.name, scenario.seed, scenario.duration_s) == ("good", 42, 1200.0)
    assert not scenario.pending_allowed
    tiers = {tier.name: tier for tier in scenario.topology.tiers}
    assert tiers["micro"].agents == 700
    assert tiers["specialist"] == Topology().tiers[4]
    assert scenario.topology.sandboxes[0].slots == 300
    assert scenario.topology.watchdog_s == 10.0
    load = scenario.plan.load
    assert load.stages[0].target == 12000
    assert (load.burst.every_s, load.daily.peak_s) == (600.0, 50400.0)
    gone, loop = scenario.plan.faults
    assert (gone.parameters, gone.start_s, gone.ramp_s) == (TrafficDrop(share=0.4), 180.0, 30.0)
    assert loop.parameters == CrashLoop(alive_s=0.2)
    assert (loop.targets.tiers, loop.targets.hosts, loop.targets.fraction) == (
        ("micro",),
        (0,),
        0.2,
    )
    (old,) = scenario.past.incidents
    assert (scenario.past.depth_s, old.ago_s, old.fault(100.0).start_s) == (21600.0, 7200.0, 100.0)


def test_expectations_count_from_their_cause():
    """Bounds count from onset and end of a fault; from the scenario's start for an incident."""
    quiet, never, maybe = parse_scenario(GOOD, "good.yaml").expectations
    assert (quiet.expected, quiet.onset_s, quiet.end_s, quiet.not_before_s) == (
        "fires",
        180.0,
        720.0,
        180.0,
    )
    assert (quiet.labels, quiet.fires_within_s) == ((("severity", "warning"),), 480.0)
    assert (quiet.place.line, quiet.place.column) == (38, 12)
    assert (never.expected, maybe.expected) == ("silent", "explained")
    assert (maybe.onset_s, maybe.end_s, maybe.not_before_s) == (0.0, 0.0, -7200.0)


def test_an_expectation_may_say_who_must_be_told():
    """Nobody in particular, nobody at all, or those who are named; and whether of its end too."""
    text = GOOD.replace("explained: why not", "explained: why not, receivers: [pager, slack]")
    text = text.replace("    fires_within: 8m", "    receivers: []\n    fires_within: 8m", 1)
    text += "  - {alert: Late, cause: loop, notifies_resolved: true, fires_within: 8m}\n"
    quiet, never, maybe, late = parse_scenario(text, "good.yaml").expectations
    assert (quiet.receivers, never.receivers, maybe.receivers) == ((), None, ("pager", "slack"))
    assert (quiet.notifies_resolved, late.notifies_resolved) == (None, True)


MUTATIONS = [
    # the head
    ("name: good", "name: Good", "1:7: name must be lower-case words joined by '-', got 'Good'"),
    ("name: good", "name: bad", "1:7: name must be the file's name 'good', got 'bad'"),
    ("story: Two faults and an incident long ago.\n", "", "1:1: the key 'story' is missing"),
    ("story: Two faults and an incident long ago.", "story: ''", "2:8: story must be non-empty, got ''"),
    ("seed: 42", "seed: -1", "3:7: seed must be at least 0, got -1"),
    ("seed: 42", "seed: 9223372036854775808", "3:7: seed must be below 9223372036854775808, got 9223372036854775808"),
    ("seed: 42", "seed: 1.5", "3:7: seed must be a whole number, got 1.5"),
    ("seed: 42", "seed: '42'", "3:7: seed must be a whole number, got '42'"),
    ("seed: 42", "seed: true", "3:7: seed must be a whole number, got true"),
    ("seed: 42", "sede: 42", "1:1: the key 'seed' is missing|3:1: unknown key 'sede', did you mean 'seed'?"),
    ("seed: 42", "seed: 42\nseed: 43", "4:1: duplicate key 'seed', first given in line 3"),
    ("duration: 20m", "duration: 32d", "4:11: duration must be above 0s and at most 31d, got 32d"),
    ("duration: 20m", "duration: 20", "4:11: duration must be a duration with a unit, such as 1h30m, 200ms or 0s, got 20"),
    ("pending: forbidden", "pending: maybe", "36:10: pending must be 'allowed' or 'forbidden', got 'maybe'"),
    # topology
    ("micro: {agents: 700}", "micro: {agent: 700}", "6:19: unknown key 'agent', did you mean 'agents'?"),
    ("micro: {agents: 700}", "micro: {agents: 0}", "6:27: tier micro: agents must be 1 to 1000000, got 0"),
    ("micro: {agents: 700}", "micro: {agents: many}", "6:27: topology.tiers.micro.agents must be a whole number, got 'many'"),
    ("tiers: {micro: {agents: 700}}", "tiers: {mirco: {agents: 700}}", "6:11: tier 'mirco' is new and needs the keys 'agents' and 'takes', did you mean 'micro'?"),
    ("sandboxes: {A:", "sandboxes: {D:", "7:15: topology.sandboxes.D must be 'A', 'B' or 'C', got 'D'"),
    ("hosts: 4", "hosts: 0", "8:10: hosts must be 1 to 10000, got 0"),
    ("watchdog: 10s", "watchdog: 0s", "9:13: watchdog must be above 0, got 0s"),
    ("watchdog: 10s", "watchdog: 10", "9:13: topology.watchdog must be a duration with a unit, such as 1h30m, 200ms or 0s, got 10"),
    ("  hosts: 4", "  triple_share: 0.9", "8:17: triple_share must be at most 0.7, which the sandboxes' shares leave of 1, got 0.9"),
    ("topology:\n", "topology: 5\nx:\n", "5:11: topology must be a mapping or a file's path, got 5|6:1: unknown key 'x'"),
    # load
    ("rate: 10300", "rate: fast", "11:9: load.rate must be a number, got 'fast'"),
    ("rate: 10300", "rate: -1", "11:9: load: rate must be 0 to 10000000, got -1"),
    ("rate: 10300", "rate: .inf", "11:9: load.rate must be a finite number, got inf"),
    ("target: 12000", "target: -1", "12:35: stage: target must be 0 to 10000000, got -1"),
    ("target: 12000", "targets: 12000", "12:12: the key 'target' is missing in load.stages[0]|12:27: unknown key 'targets', did you mean 'target'?"),
    ("stages: [{duration: 2m, target: 12000}]", "stages: 5", "12:11: load.stages must be a list, got 5"),
    ("every: 10m", "every: 0s", "13:29: burst: every must be above 0, got 0s"),
    ("amplitude: 0.1", "amplitude: 2", "14:22: daily: amplitude must be between 0 and 1, got 2"),
    ("  rate: 10300", "  trace: none.txt", "12:3: stages must not stand beside a trace: the trace has all arrivals|"),
    # faults
    ("fault: traffic_drop", "fault: trafic_drop", "17:12: faults[0].fault must be one of 23 known words, got 'trafic_drop', did you mean 'traffic_drop'?"),
    ("name: loop", "name: gone", "22:11: the fault name 'gone' is given twice"),
    ("name: old", "name: loop", "31:13: the fault name 'loop' is given twice|44:47: no fault or incident is called 'old'"),
    ("start: 3m", "start: 12m", "19:15: fault 'gone' must end by the scenario's end at 20m, got an end at 21m|42:22: resolves_within must"),
    ("ramp: 30s", "ramp: 10m", "20:11: fault gone: ramp must be between 0 and its duration, got 10m"),
    ("duration: 9m", "duration: 0s", "19:15: fault gone: duration must be above 0, got 0s"),
    ("{share: 0.4}", "{share: 1.4}", "21:25: traffic_drop: share must be above 0 and at most 1, got 1.4"),
    ("{share: 0.4}", "{shares: 0.4}", "21:17: the key 'share' is missing in faults[0].parameters|21:18: unknown key 'shares', did you mean 'share'?"),
    ("    parameters: {share: 0.4}\n", "", "16:5: the key 'share' is missing in faults[0].parameters"),
    ("alive: 200ms", "alive: 0s", "27:25: crash_loop: alive must be above 0 and at most 86400 s, got 0s"),
    ("alive: 200ms", "alive: 0.2", "27:25: faults[1].parameters.alive must be a duration with a unit, such as 1h30m, 200ms or 0s, got 0.2"),
    ("alive: 200ms", "alive_s: 0.2", "27:18: unknown key 'alive_s', did you mean 'alive'?"),
    # targets
    ("tiers: [micro]", "tiers: [mirco]", "26:23: no tier is called 'mirco', did you mean 'micro'?"),
    ("tiers: [micro]", "tiers: [x]", "26:23: no tier is called 'x', the names are cecca, board, executive, stack_chief, specialist, micro"),
    ("hosts: [0]", "hosts: [4]", "26:39: hosts must be 0 to 3, got 4"),
    ("fraction: 0.2", "fraction: 0", "26:53: targets: fraction must be above 0 and at most 1, got 0"),
    ("hosts: [0]", "sandboxes: [A]", "26:31: crash_loop must have no targets but tiers, hosts, fraction, got sandboxes"),
    ("ramp: 30s", "targets: {tiers: [micro]}", "20:15: traffic_drop must have no targets, got tiers"),
    ("fault: crash_loop", "fault: capacity_demand", "27:17: the key 'agents' is missing in faults[1].parameters|27:18: unknown key 'alive', the keys are agents"),
    ("    parameters: {share: 0.4}", "    parameters: {share: 0.4}\n    targets: {fraction: 0.2}", "22:15: traffic_drop must have no targets, got fraction"),
    # history
    ("ago: 2h", "ago: 10m", "33:12: ago must be at least its duration 20m: an incident is over when the scenario starts, got 10m"),
    ("ago: 2h", "ago: 7h", "33:12: ago must be within the history's depth 6h, got 7h"),
    ("depth: 6h", "depth: deep", "29:10: history.depth must be a duration such as 1h30m, 200ms or 0s, got 'deep'"),
    ("share: 0.5", "share: 0", "35:27: task_failure: share must be above 0 and at most 1, got 0"),
    # expectations
    ("alert: Quiet", "alert: ''", "38:12: expectations[0].alert must be non-empty, got ''"),
    ("alert: Quiet", "alarm: Quiet", "38:5: the key 'alert' is missing in expectations[0]|38:5: unknown key 'alarm', did you mean 'alert'?"),
    ("severity: warning", "severity: 5", "39:24: expectations[0].labels.severity must be text, got 5"),
    ("cause: gone", "cause: gnoe", "40:12: no fault or incident is called 'gnoe', did you mean 'gone'?"),
    ("    cause: gone\n", "", "38:5: the key 'cause' is missing: name 'gone', 'loop' or 'old'"),
    ("fires_within: 8m", "fires_within: 17m30s", "41:19: fires_within must end by the scenario's end at 20m, got an end at 20m30s"),
    ("fires_within: 8m", "fires_within: 0s", "41:19: fires_within must be above 0s, got 0s"),
    ("resolves_within: 8m", "resolves_within: 9m", "42:22: resolves_within must end by the scenario's end at 20m, got an end at 21m"),
    ("    fires_within: 8m\n", "", "38:5: an expectation must have exactly one of the keys 'fires_within', 'silent' and 'explained', got none"),
    ("silent: true", "silent: true, fires_within: 1m", "43:5: an expectation must have exactly one of the keys 'fires_within', 'silent' and 'explained', got 2"),
    ("silent: true", "silent: false", "43:28: expectations[1].silent must be true, got false"),
    ("silent: true", "silent: true, resolves_within: 1m", "43:34: resolves_within must come with fires_within"),
    ("silent: true", "silent: true, cause: gone", "43:34: a silent alert must have no cause"),
    ("silent: true", "silent: true, receivers: [pager]", "43:34: a silent alert must have no receivers"),
    ("silent: true", "silent: true, notifies_resolved: false", "43:34: a silent alert must have no notifies_resolved"),
    ("why not", "why not, receivers: pager", "44:51: expectations[2].receivers must be a list, got 'pager'"),
    ("why not", "why not, receivers: ['']", "44:52: expectations[2].receivers[0] must be non-empty, got ''"),
    ("why not", "why not, receivers: [pager, pager]", "44:59: the receiver 'pager' is given twice"),
    ("why not", "why not, receivers: [], notifies_resolved: true", "44:55: notifies_resolved must come with receivers: nobody is notified of this alert"),
    ("why not", "why not, notifies_resolved: 'no'", "44:59: expectations[2].notifies_resolved must be true or false, got 'no'"),
    ("alert: Maybe", "alert: Never", "44:13: Never is expected twice, first in line 43"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), MUTATIONS, ids=[m[1] for m in MUTATIONS])
def test_one_mistake_is_one_exact_line(old, new, expected):
    """Each rule of the schema refuses what breaks it, at the place where it is broken."""
    assert GOOD.count(old) >= 1
    lines = mistakes_of(GOOD.replace(old, new, 1))
    for line in filter(None, expected.split("|")):
        assert any(told.startswith(f"good.yaml:{line}") for told in lines), lines
    if not expected.endswith("|"):
        assert len(lines) == expected.count("|") + 1, lines


def test_all_mistakes_of_a_file_are_told_together():
    """Also those in open parts, topology and parameters, beside mistakes elsewhere."""
    text = (
        GOOD.replace("seed: 42", "seed: x")
        .replace("agents: 700", "agent: 700")
        .replace("alive: 200ms", "alve: 200ms")
        .replace("silent: true", "silnt: true")
    )
    lines = [line.split(":")[1] for line in mistakes_of(text)]
    assert lines == ["3", "6", "27", "43"]


def test_a_scenario_that_is_no_mapping_is_one_line():
    """Empty files and lists are told as such."""
    assert mistakes_of("") == ["good.yaml:1:1: the file must be a mapping, got nothing"]
    assert mistakes_of("[1]") == ["good.yaml:1:1: the file must be a mapping, got a list"]


def test_an_alert_may_be_expected_once_for_each_cause():
    """Two faults may make the same alert fire, one after the other."""
    twice = (
        GOOD + "  - {alert: Quiet, labels: {severity: warning}, cause: loop, fires_within: 8m}\n"
    )
    assert len(parse_scenario(twice, "good.yaml").expectations) == 4


def test_the_only_fault_is_the_cause_by_itself():
    """Without faults the scenario's start is the cause of what its load does."""
    alone = "name: good\nstory: x\nseed: 1\nduration: 9m\n{}expectations: [{{alert: A, fires_within: 5m}}]\n"
    fault = "faults: [{name: f, fault: agent_hang, start: 2m, duration: 1m}]\n"
    (with_fault,) = parse_scenario(alone.format(fault), "good.yaml").expectations
    (without,) = parse_scenario(alone.format(""), "good.yaml").expectations
    assert (with_fault.cause, with_fault.onset_s) == ("f", 120.0)
    assert (without.cause, without.onset_s) == (None, 0.0)


def test_files_that_a_scenario_names_are_found_beside_it(tmp_path):
    """Topology and trace paths are relative to the scenario; mistakes in them carry their own path."""
    text = (
        "name: s\nstory: x\nseed: 1\nduration: 9m\ntopology: small.yaml\nload: {trace: times.txt}\n"
    )
    path = tmp_path / "s.yaml"
    path.write_text(text)
    (tmp_path / "small.yaml").write_text("hosts: 2\n")
    (tmp_path / "times.txt").write_text("# seconds\n0.5\n\n0.5\n7\n")
    scenario = load_scenario(path)
    assert scenario.topology.hosts == 2
    assert scenario.plan.load.trace_s == (0.5, 0.5, 7.0)
    (tmp_path / "small.yaml").write_text("hosts: 2\nhost: 3\n")
    (tmp_path / "times.txt").write_text("1\n0.5\n")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/small.yaml:2:1: unknown key 'host', did you mean 'hosts'?",
        (
            f"{tmp_path}/times.txt:2:1: an arrival must be a time in seconds, not before the one above,"
            " got '0.5'"
        ),
    ]
    (tmp_path / "small.yaml").unlink()
    (tmp_path / "times.txt").write_text("1\nNaN\n")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert str(caught.value).splitlines() == [
        f"{path}:5:11: topology file 'small.yaml': no such file",
        (
            f"{tmp_path}/times.txt:2:1: an arrival must be a time in seconds, not before the one above,"
            " got 'NaN'"
        ),
    ]


def test_a_topology_file_may_add_a_tier(tmp_path):
    """A tier of a new name is added with what it says; the others stay."""
    path = tmp_path / "t.yaml"
    path.write_text("tiers: {interns: {agents: 10, takes: [work], speed: 0.5}}\n")
    topology = load_topology(path)
    assert topology.fleet == 938
    assert topology.tiers[-1].takes == ("work",)
    path.write_text("")
    assert load_topology(path) == Topology()


def test_a_bundled_scenario_is_found_by_its_name():
    """Names resolve to the library, paths to themselves, and a near name is offered."""
    assert resolve("traffic-drop") in library()
    assert str(resolve("my/own.yaml")) == "my/own.yaml"
    with pytest.raises(InputError) as caught:
        resolve("trafic-drop")
    assert str(caught.value) == (
        "no bundled scenario is called 'trafic-drop', did you mean 'traffic-drop'?"
    )
    with pytest.raises(InputError, match="see `agentaskit-sim scenarios list`"):
        resolve("zzz")


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_bundled_scenario_loads(path):
    """The library holds no mistake, and says to editors where its schema is."""
    assert load_scenario(path).name == path.stem
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../scenario.schema.json"


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


def test_the_schema_knows_every_fault():
    """A fault that is added to the catalogue appears with its parameters."""
    rules = scenario_schema()["$defs"]["FaultModel"]["allOf"]
    assert [rule["if"]["properties"]["fault"]["const"] for rule in rules] == list(FAULTS)


@pytest.mark.parametrize(
    ("where", "when", "place"),
    [("faults:\n  - ", "start: 1m", "6:22"), ("history:\n  incidents:\n    - ", "ago: 5m", "7:24")],
)
def test_what_only_a_live_world_can_show_is_refused_for_verify_alone(tmp_path, where, when, place):
    """Rather than judged as if it had happened."""
    path = tmp_path / "x.yaml"
    burst = (
        f"{{name: b, fault: cardinality_burst, {when}, duration: 1m, parameters: {{series: 9}}}}"
    )
    path.write_text(f"name: x\nstory: x\nseed: 1\nduration: 5m\n{where}{burst}\n")
    assert load_scenario(path).name == "x"
    with pytest.raises(InputError, match=rf":{place}: cardinality_burst is for a run in real time"):
        load_for_verify(path)
