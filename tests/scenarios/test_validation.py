"""One good scenario, then one mutation for every rule, each with its exact line."""

# ruff: noqa: E501 - a mutation and its message are read in one line
from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from documents.mistake_kinds import UnknownKey, UnknownWord
from documents.mistakes import InputError
from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from scenarios.validation import ModelWalker
from tests.scenarios.good import GOOD, mistakes_of

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
    ("duration: 20m", "duration: 0s", "4:11: duration must be above 0s and at most 31d, got 0s|"),
    ("duration: 20m", "duration: 20", "4:11: duration must be a duration with a unit, such as 1h30m, 200ms or 0s, got 20"),
    ("pending: forbidden", "pending: maybe", "36:10: pending must be 'allowed' or 'forbidden', got 'maybe'"),
    # topology
    ("micro: {agents: 700}", "micro: {agent: 700}", "6:19: unknown key 'agent', did you mean 'agents'?"),
    ("micro: {agents: 700}", "micro: {agents: 0}", "6:27: tier micro: agents must be 1 to 100000, got 0"),
    ("micro: {agents: 700}", "micro: {agents: many}", "6:27: topology.tiers.micro.agents must be a whole number, got 'many'"),
    ("tiers: {micro: {agents: 700}}", "tiers: {mirco: {agents: 700}}", "6:11: no tier is called 'mirco', did you mean 'micro'?"),
    ("tiers: {micro: {agents: 700}}", "tiers: {x: {agents: 700}}", "6:11: no tier is called 'x', a new tier must have the keys 'agents' and 'takes'"),
    ("tiers: {micro: {agents: 700}}", "tiers: {mirco: {agents: 700}, bord: {agents: 1}}", "6:11: no tier is called 'mirco', did you mean 'micro'?|6:33: no tier is called 'bord', did you mean 'board'?"),
    ("sandboxes: {A:", "sandboxes: {D:", "7:15: topology.sandboxes.D must be 'A', 'B' or 'C', got 'D'"),
    ("hosts: 4", "hosts: 0", "8:10: hosts must be 1 to 10000, got 0"),
    ("watchdog: 10s", "watchdog: 0s", "9:13: watchdog must be 1ms to 3650d, got 0s"),
    ("watchdog: 10s", "watchdog: 10", "9:13: topology.watchdog must be a duration with a unit, such as 1h30m, 200ms or 0s, got 10"),
    ("  hosts: 4", "  triple_share: 0.9", "8:17: triple_share must be at most 0.7, which the sandboxes' shares leave of 1, got 0.9"),
    ("topology:\n", "topology: 5\nx:\n", "5:11: topology must be a mapping or a file's path, got 5|6:1: unknown key 'x', the keys are name, story, seed, duration, starts_at, topology, load, faults, history, pending, expectations"),
    # load
    ("rate: 10300", "rate: fast", "11:9: load.rate must be a number, got 'fast'"),
    ("rate: 10300", "rate: -1", "11:9: load: rate must be 0 to 2000000, got -1"),
    ("rate: 10300", "rate: .inf", "11:9: load.rate must be a finite number, got inf"),
    ("target: 12000", "target: -1", "12:35: stage: target must be 0 to 2000000, got -1"),
    ("target: 12000", "targets: 12000", "12:12: the key 'target' is missing in load.stages[0]|12:27: unknown key 'targets', did you mean 'target'?"),
    ("stages: [{duration: 2m, target: 12000}]", "stages: 5", "12:11: load.stages must be a list, got 5"),
    ("every: 10m", "every: 0s", "13:29: burst: every must be 10ms to 3650d, got 0s"),
    ("amplitude: 0.1", "amplitude: 2", "14:22: daily: amplitude must be between 0 and 1, got 2"),
    ("  rate: 10300", "  trace: none.txt", "12:3: stages must not stand beside a trace: the trace has all arrivals|"),
    # faults
    ("fault: traffic_drop", "fault: trafic_drop", "17:12: faults[0].fault must be one of the known words, got 'trafic_drop', did you mean 'traffic_drop'?"),
    ("name: loop", "name: gone", "22:11: the fault name 'gone' is given twice"),
    ("name: old", "name: loop", "31:13: the fault name 'loop' is given twice|44:47: no fault or incident is called 'old', the names are gone, loop"),
    ("start: 3m", "start: 12m", "19:15: fault 'gone' must end by 20m, when the scenario ends, got 21m|42:22: resolves_within must end by 20m, when the scenario ends, got 29m"),
    ("ramp: 30s", "ramp: 10m", "20:11: fault gone: ramp must be between 0 and its duration, got 10m"),
    ("duration: 9m", "duration: 0s", "19:15: fault gone: duration must be above 0, got 0s"),
    ("{share: 0.4}", "{share: 1.4}", "21:25: traffic_drop: share must be above 0 and at most 1, got 1.4"),
    ("{share: 0.4}", "{shares: 0.4}", "21:17: the key 'share' is missing in faults[0].parameters|21:18: unknown key 'shares', did you mean 'share'?"),
    ("    parameters: {share: 0.4}\n", "", "16:5: the key 'share' is missing in faults[0].parameters"),
    ("alive: 200ms", "alive: 0s", "27:25: crash_loop: alive must be 1ms to 1d, got 0s"),
    ("alive: 200ms", "alive: 0.2", "27:25: faults[1].parameters.alive must be a duration with a unit, such as 1h30m, 200ms or 0s, got 0.2"),
    ("alive: 200ms", "alive_s: 0.2", "27:18: unknown key 'alive_s', did you mean 'alive'?"),
    # targets
    ("tiers: [micro]", "tiers: [mirco]", "26:23: no tier is called 'mirco', did you mean 'micro'?"),
    ("tiers: [micro]", "tiers: [x]", "26:23: no tier is called 'x', the names are cecca, board, executive, stack_chief, specialist, micro"),
    ("hosts: [0]", "hosts: []", "26:38: faults[1].targets.hosts must name at least one, or be left out, which means all"),
    ("tiers: [micro]", "tiers: []", "26:22: faults[1].targets.tiers must name at least one, or be left out, which means all"),
    ("tiers: [micro]", "cells: []", "26:22: faults[1].targets.cells must name at least one, or be left out, which means all"),
    ("hosts: [0]", "sandboxes: []", "26:42: faults[1].targets.sandboxes must name at least one, or be left out, which means all"),
    ("hosts: [0]", "cells: [0]", "26:31: cells must not be named: this system has one cell"),
    ("hosts: [0]", "hosts: [4]", "26:39: hosts must be 0 to 3, got 4"),
    ("hosts: [0]", "hosts: [0, -1]", "26:42: hosts must be 0 to 3, got -1"),
    ("tiers: [micro]", "tiers: [micro, mirco]", "26:30: no tier is called 'mirco', did you mean 'micro'?"),
    ("0.4}", "0.4}\n  - {name: r, fault: router_stale, start: 0s, duration: 1m, targets: {cells: [0]}}", "22:71: router_stale takes no targets, got cells|"),
    ("0.4}", "0.4}\n  - {name: r, fault: slow_host, start: 0s, duration: 1m, targets: {tiers: [micro]}, parameters: {factor: 2}}", "22:68: slow_host takes no targets but hosts, got tiers"),
    ("0.4}", "0.4}\n  - {name: r, fault: capacity_demand, start: 0s, duration: 1m, parameters: {agents: 99999}}", "22:85: capacity_demand: agents must be at most the fleet of 993, got 99999"),
    ("hosts: [0]", "cells: [5]", "26:31: cells must not be named: this system has one cell"),
    ("fraction: 0.2", "fraction: 0", "26:53: targets: fraction must be above 0 and at most 1, got 0"),
    ("hosts: [0]", "sandboxes: [A]", "26:31: crash_loop takes no targets but tiers, hosts, fraction, got sandboxes"),
    ("ramp: 30s", "targets: {tiers: [micro]}", "20:15: traffic_drop takes no targets, got tiers"),
    ("fault: crash_loop", "fault: capacity_demand", "27:17: the key 'agents' is missing in faults[1].parameters|27:18: unknown key 'alive', the keys are agents"),
    ("    parameters: {share: 0.4}", "    parameters: {share: 0.4}\n    targets: {fraction: 0.2}", "22:15: traffic_drop takes no targets, got fraction"),
    # history
    ("ago: 2h", "ago: 10m", "33:12: ago must be at least its duration 20m: an incident is over when the scenario starts, got 10m"),
    ("ago: 2h", "ago: 7h", "33:12: ago must be within the history's depth 6h, got 7h"),
    ("depth: 6h", "depth: deep", "29:10: history.depth must be a duration such as 1h30m, 200ms or 0s, got 'deep'"),
    ("depth: 6h", "depth: ''", "29:10: history.depth must be a duration such as 1h30m, 200ms or 0s, got ''"),
    ("share: 0.5", "share: 0", "35:27: task_failure: share must be above 0 and at most 1, got 0"),
    # expectations
    ("alert: Quiet", "alert: ''", "38:12: expectations[0].alert must be non-empty, got ''"),
    ("alert: Quiet", "alarm: Quiet", "38:5: the key 'alert' is missing in expectations[0]|38:5: unknown key 'alarm', did you mean 'alert'?"),
    ("severity: warning", "severity: 5", "39:24: expectations[0].labels.severity must be text, got 5"),
    ("cause: gone", "cause: gnoe", "40:12: no fault or incident is called 'gnoe', did you mean 'gone'?"),
    ("    cause: gone\n", "", "38:5: the key 'cause' is missing: name 'gone', 'loop' or 'old'"),
    ("fires_within: 8m", "fires_within: 17m30s", "41:19: fires_within must end by 20m, when the scenario ends, got 20m30s"),
    ("fires_within: 8m", "fires_within: 0s", "41:19: fires_within must be above 0s, got 0s"),
    ("resolves_within: 8m", "resolves_within: 9m", "42:22: resolves_within must end by 20m, when the scenario ends, got 21m"),
    ("    fires_within: 8m\n", "", "38:5: an expectation must have exactly one of the keys 'fires_within', 'silent' and 'explained', got none"),
    ("silent: true", "silent: true, fires_within: 1m", "43:5: an expectation must have exactly one of the keys 'fires_within', 'silent' and 'explained', got 2"),
    ("silent: true", "silent: false", "43:28: expectations[1].silent must be true, got false"),
    ("silent: true", "silent: true, resolves_within: 1m", "43:34: resolves_within must be used with fires_within"),
    ("silent: true", "silent: true, no_other_labels: true", "43:34: no_other_labels must be used with fires_within"),
    ("why not", "why not, no_other_labels: true", "44:40: no_other_labels must be used with fires_within"),
    ("silent: true", "silent: true, no_other_labels: false", "43:51: expectations[1].no_other_labels must be true, got false"),
    ("    resolves_within: 8m", "    resolves_within: 0s", "42:22: resolves_within must be above 0s, got 0s"),
    ("    resolves_within: 8m", "    fires_after: 9m", "42:18: fires_after must be at most fires_within, 8m, got 9m"),
    ("    resolves_within: 8m", "    resolves_within: 8m\n    resolves_after: 9m", "43:21: resolves_after must be at most resolves_within, 8m, got 9m"),
    ("silent: true", "silent: true, cause: gone", "43:34: a silent alert must have no cause"),
    ("silent: true", "silent: true, receivers: [pager]", "43:34: a silent alert must have no receivers"),
    ("silent: true", "silent: true, notifies_resolved: false", "43:34: a silent alert must have no notifies_resolved"),
    ("explained: why not", "explained: ''", "44:31: expectations[2].explained must be non-empty, got ''"),
    ("why not", "why not, receivers: pager", "44:51: expectations[2].receivers must be a list, got 'pager'"),
    ("why not", "why not, receivers: ['']", "44:52: expectations[2].receivers[0] must be non-empty, got ''"),
    ("why not", "why not, receivers: [pager, pager]", "44:59: the receiver 'pager' is given twice"),
    ("why not", "why not, receivers: [], notifies_resolved: true", "44:55: notifies_resolved must be used with receivers: nobody is notified of this alert"),
    ("why not", "why not, notifies_resolved: 'no'", "44:59: expectations[2].notifies_resolved must be true or false, got 'no'"),
    ("alert: Maybe", "alert: Never", "44:13: Never is expected twice, first in line 43"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), MUTATIONS, ids=[m[1] for m in MUTATIONS])
def test_one_mistake_is_one_exact_line(old, new, expected):
    """Each rule of the schema refuses what breaks it, at the place where it is broken."""
    assert GOOD.count(old) >= 1
    lines = mistakes_of(GOOD.replace(old, new, 1))
    places = [f"good.yaml:{line}" for line in expected.removesuffix("|").split("|")]
    if expected.endswith("|"):
        lines = [line for line in lines if line in places]
    assert lines == places


def test_all_mistakes_of_a_file_are_reported_together():
    """Also those in open parts, topology and parameters, beside mistakes elsewhere."""
    text = (
        GOOD.replace("seed: 42", "seed: x")
        .replace("agents: 700", "agent: 700")
        .replace("alive: 200ms", "alve: 200ms")
        .replace("silent: true", "silnt: true")
    )
    lines = [line.split(":")[1] for line in mistakes_of(text)]
    assert lines == ["3", "6", "27", "43"]


UNKNOWN_CAUSE = ("cause: gone", "cause: gon")
MISTAKEN = {
    "a key": ("share: 0.4", "shar: 0.4"),
    "a kind": ("fault: traffic_drop", "fault: trafic_drop"),
    "a time": ("start: 3m", "start: 3"),
    "a duration": ("duration: 20m\ntopology", "duration: 20\ntopology"),
    "the seed": ("seed: 42", "seed: x"),
    "the name": ("name: good", "name: Good One"),
    "the story": ("story: Two faults and an incident long ago.\n", ""),
    "the load": ("rate: 10300", "rate: much"),
    "a key of the load": ("rate: 10300", "rat: 10300"),
    "the topology": ("agents: 700", "agent: 700"),
    "the depth": ("depth: 6h", "depth: 6"),
    "an incident": ("ago: 2h", "ago: 2"),
    "an expectation": ("silent: true", "silent: yes please"),
    "a target": ("fraction: 0.2", "fraction: most"),
    "a bound": ("share: 0.4", "share: 4"),
}


@pytest.mark.parametrize("what", [*MISTAKEN])
def test_no_mistake_hides_a_cause_that_does_not_exist(what):
    """Whichever part of the file is wrong beside it; it stays the only other line."""
    text = GOOD.replace(*MISTAKEN[what], 1)
    alone = mistakes_of(text)
    lines = mistakes_of(text.replace(*UNKNOWN_CAUSE, 1))
    assert [line for line in lines if line in alone] == alone
    assert len(lines) == len(alone) + 1
    assert any("no fault or incident is called 'gon', did you mean 'gone'?" in x for x in lines)


def test_several_mistakes_of_several_kinds_are_reported_together():
    """Keys, kinds, times, causes, limits, bounds and names at once."""
    changes = [MISTAKEN[what] for what in ("a kind", "the seed", "a target")]
    changes += [UNKNOWN_CAUSE, ("resolves_within: 8m", "resolves_within: 0s")]
    changes += [("parameters: {share: 0.5}", "parameters: {share: 5}"), ("name: old", "name: loop")]
    text = GOOD
    for change in changes:
        assert change[0] in text
        text = text.replace(*change, 1)
    lines = mistakes_of(text.replace("cause: old", "cause: loop"))
    assert [line.split(":")[1] for line in lines] == ["3", "17", "26", "31", "35", "40", "42"]


@pytest.mark.parametrize(
    "change",
    [
        ("faults:", "fault:"),
        ("incidents:", "incident:"),
        ("  - name: gone\n    fault", "  - nam: gone\n    fault"),
        ("  - name: gone\n", "  - name: [gone]\n"),
    ],
)
def test_what_only_follows_from_a_mistake_is_no_other(change):
    """Where a name of a cause may be what is wrong, no cause is called unknown."""
    assert change[0] in GOOD
    assert not any("no fault or incident" in line for line in mistakes_of(GOOD.replace(*change)))


def test_a_mistake_elsewhere_does_not_hide_those_of_a_topology_that_is_right():
    """The system is known, so tiers and hosts that it does not have are reported too."""
    text = GOOD.replace("name: good", "name: bad").replace("hosts: [0]", "hosts: [99]")
    assert [line.split(":")[1] for line in mistakes_of(text)] == ["1", "26"]


def test_a_length_that_is_wrong_is_taken_for_the_longest():
    """What ends within that is not said to end too late."""
    text = GOOD.replace("start: 3m", "start: 30d23h43m").replace(
        "duration: 20m\n", "duration: 20\n", 1
    )
    assert [line.split(":")[1] for line in mistakes_of(text)] == ["4"]
    beyond = text.replace("23h43m", "23h44m")
    assert [line.split(":")[1] for line in mistakes_of(beyond)] == ["4", "42"]


def test_values_that_are_right_are_checked_beside_a_key_that_is_wrong():
    """The name, the length and the depth of the file, not those that stand for wrong ones."""
    text = GOOD.replace("seed: 42", "seed: x")
    for old, new, line in (
        ("name: good", "name: bad", "1:7: name must be the file's name 'good', got 'bad'"),
        ("duration: 20m", "duration: 11m", "19:15: fault 'gone' must end by 11m, when the"),
        ("depth: 6h", "depth: 1h", "33:12: ago must be within the history's depth 1h, got 2h"),
    ):
        lines = mistakes_of(text.replace(old, new, 1))
        assert any(each.startswith(f"good.yaml:{line}") for each in lines), lines


def test_expectations_that_are_no_list_hide_no_mistake_of_the_rest():
    """No cause is named there, so the causes are known."""
    head = GOOD.partition("expectations:")[0].replace("name: good", "name: bad")
    assert mistakes_of(f"{head}expectations: none\n") == [
        "good.yaml:1:7: name must be the file's name 'good', got 'bad'",
        "good.yaml:37:15: expectations must be a list, got 'none'",
    ]


def test_a_wrong_parameter_of_an_incident_is_placed_in_the_incident():
    """Beside a mistake elsewhere too, which keeps the scenario from being built."""
    text = GOOD.replace("parameters: {share: 0.5}", "parameters: {shore: 0.5}")
    line = GOOD.splitlines().index("      parameters: {share: 0.5}") + 1
    for wrong in (text, text.replace("seed: 42", "seed: x")):
        placed = [mistake for mistake in mistakes_of(wrong) if "shore" in mistake]
        assert [mistake.split(":")[1] for mistake in placed] == [str(line)]


def test_a_scenario_that_is_no_mapping_is_one_line():
    """Empty files and lists are reported as such."""
    assert mistakes_of("") == ["good.yaml:1:1: the file must be a mapping, got nothing"]
    assert mistakes_of("[1]") == ["good.yaml:1:1: the file must be a mapping, got a list"]


def test_a_bound_of_the_simulator_is_a_mistake_at_its_key():
    """As data, in the file's terms: the key for the field, a duration for seconds."""
    with pytest.raises(InputError) as caught:
        parse_scenario(GOOD.replace("alive: 200ms", "alive: 2d"), "good.yaml")
    (mistake,) = caught.value.mistakes
    assert (mistake.place.line, mistake.place.column) == (27, 25)
    assert mistake.problem.field == "crash_loop: alive"
    assert (mistake.problem.value.value, mistake.problem.value.words) == (172800.0, "2d")


class Parts(BaseModel):
    """A model with everything that pydantic may point into."""

    model_config = ConfigDict(extra="forbid", strict=True)
    word: Literal["a", "b"] | None = None
    words: list[Annotated[Literal["c", "d"], Field()]] = []
    named: dict[Literal["e", "f"], Parts] = {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{word: x}", UnknownWord("word", "x", ("a", "b"))),
        ("{words: [c, x]}", UnknownWord("words[1]", "x", ("c", "d"))),
        ("{named: {x: {}}}", UnknownWord("named.x", "x", ("e", "f"))),
        ("{named: {e: {word: x}}}", UnknownWord("named.e.word", "x", ("a", "b"))),
        ("{named: {e: {wrod: x}}}", UnknownKey("wrod", ("word", "words", "named"))),
    ],
)
def test_choices_and_keys_are_those_of_the_model_at_the_place(text, problem):
    """Taken from its types, not from pydantic's messages."""
    document = parse(text, "x.yaml")
    walker = ModelWalker(document)
    assert walker.validate(Parts, document.data, ()) is None
    assert [mistake.problem for mistake in walker.mistakes] == [problem]


@pytest.mark.parametrize(("key", "count"), [("hosts", 4), ("cells", 3)])
def test_parts_of_the_system_are_counted_from_0_up_to_the_last(key, count):
    """The first and the last are targets; the one after the last is not there."""
    several = GOOD.replace("hosts: 4", "hosts: 4\n  cells: 3")
    for number in (0, count - 1):
        scenario = parse_scenario(several.replace("hosts: [0]", f"{key}: [{number}]"), "good.yaml")
        assert getattr(scenario.plan.faults[1].targets, key) == (number,)
    (line,) = mistakes_of(several.replace("hosts: [0]", f"{key}: [{count}]"))
    assert line.endswith(f"{key} must be 0 to {count - 1}, got {count}")


def test_of_one_host_the_only_number_is_0():
    """Of several cells it would be as well; of one cell none is named."""
    alone = GOOD.replace("hosts: 4", "hosts: 1")
    assert parse_scenario(alone, "good.yaml").plan.faults[1].targets.hosts == (0,)
    (line,) = mistakes_of(alone.replace("hosts: [0]", "hosts: [1]"))
    assert line.endswith("hosts must be 0, got 1")
    two = GOOD.replace("hosts: 4", "hosts: 2").replace("hosts: [0]", "hosts: [2]")
    assert mistakes_of(two) == ["good.yaml:26:39: hosts must be 0 to 1, got 2"]


def test_two_expectations_with_a_mistake_each_are_two_lines():
    """What stands for them while the rest is checked is not expected twice."""
    text = GOOD.replace("silent: true", "silent: yes please")
    text = text.replace("explained: why not", "explained: [why not]")
    assert [line.split(":")[1] for line in mistakes_of(text)] == ["43", "44"]
