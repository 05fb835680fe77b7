"""A scenario file that says everything it can, as one record: no value goes to another's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import InputError, Place
from scenarios.build import DURATION_MAX_S, LETTERS_SHOWN_MAX
from scenarios.loader import load_scenario, parse_scenario
from scenarios.scenario import (
    Expectation,
    Incident,
    Past,
    Scenario,
    without_exact_times,
    without_what_its_rule_decides,
)
from simulator.faults.fault import Fault
from simulator.faults.kinds.agents import CrashLoop
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.faults.targets import Targets
from simulator.load import Burst, Daily, Load, Stage
from simulator.plan import Plan
from simulator.topology import Topology
from tests.scenarios.good import GOOD, mistakes_of

WHOLE = """\
name: good
story: "  Said with air around it. "
seed: 0
duration: 1h
starts_at: 2026-03-02T09:00
topology: {hosts: 9, cells: 3, tiers: {micro: {agents: 701, speed: 1.5}}}
load:
  rate: 11
  stages: [{duration: 0s, target: 12}, {duration: 2m, target: 13}]
  burst: {factor: 2, every: 10m, last: 5s}
  daily: {amplitude: 0.1, peak: 14h}
faults:
  - name: gone
    fault: traffic_drop
    start: 3m
    duration: 9m
    ramp: 30s
    parameters: {share: 0.4}
    targets: {cells: [2, 0]}
history:
  depth: 6h
  incidents:
    - name: old
      fault: crash_loop
      ago: 2h
      duration: 20m
      ramp: 40s
      targets: {cells: [1], tiers: [micro, board], hosts: [8, 3], fraction: 0.3}
      parameters: {alive: 300ms}
expectations:
  - alert: Exact
    labels: {b: y, a: x}
    no_other_labels: true
    cause: gone
    fires_within: 4m
    resolves_within: 5m
    pends_for: 1m
    fires_after: 2m
    resolves_after: 3m
    receivers: [slack, pager]
    notifies_resolved: false
  - {alert: Plain, cause: old, fires_within: 6m}
  - {alert: Never, silent: true}
  - {alert: Maybe, explained: why not, receivers: []}
"""
EXACT = Expectation(
    alert="Exact", expected="fires", place=Place("good.yaml", 31, 12),
    labels=(("a", "x"), ("b", "y")), no_other_labels=True, cause="gone", onset_s=180.0,
    end_s=720.0, not_before_s=180.0, fires_within_s=240.0, resolves_within_s=300.0,
    pends_for_s=60.0, fires_after_s=120.0, resolves_after_s=180.0, receivers=("slack", "pager"),
    notifies_resolved=False,
)  # fmt: skip
HEAD = "name: good\nstory: x\nseed: 1\nduration: 9m\n"


def test_a_file_with_every_key_is_this_scenario():
    """Each value at its own place, in seconds; what is left out as the documentation has it."""
    base = Topology()
    micro = replace(base.tiers[-1], agents=701, speed=1.5)
    assert parse_scenario(WHOLE, "good.yaml") == Scenario(
        name="good", story="Said with air around it.", path="good.yaml", seed=0,
        duration_s=3600.0, starts_at_s=1_772_442_000.0, pending_allowed=True,
        topology=replace(base, hosts=9, cells=3, tiers=(*base.tiers[:-1], micro)),
        plan=Plan(
            load=Load(
                rate=11.0, burst=Burst(factor=2.0, every_s=600.0, last_s=5.0),
                stages=(Stage(duration_s=0.0, target=12.0), Stage(duration_s=120.0, target=13.0)),
                daily=Daily(amplitude=0.1, peak_s=50_400.0),
            ),
            faults=(
                Fault(name="gone", parameters=TrafficDrop(share=0.4), start_s=180.0,
                      duration_s=540.0, ramp_s=30.0, targets=Targets(cells=(2, 0))),
            ),
        ),
        past=Past(
            depth_s=21_600.0,
            incidents=(
                Incident(name="old", parameters=CrashLoop(alive_s=0.3), ago_s=7200.0,
                         duration_s=1200.0, ramp_s=40.0,
                         targets=Targets(cells=(1,), tiers=("micro", "board"), hosts=(8, 3),
                                         fraction=0.3)),
            ),
        ),
        expectations=(
            EXACT,
            Expectation(alert="Plain", expected="fires", place=Place("good.yaml", 42, 13),
                        cause="old", not_before_s=-7200.0, fires_within_s=360.0),
            Expectation(alert="Never", expected="silent", place=Place("good.yaml", 43, 13)),
            Expectation(alert="Maybe", expected="explained", place=Place("good.yaml", 44, 13),
                        receivers=(), why="why not"),
        ),
    )  # fmt: skip


def test_what_another_rule_or_another_clock_need_not_meet_is_left_out():
    """The exact times only, or also that there are no other labels; nothing else."""
    inexact = replace(EXACT, pends_for_s=None, fires_after_s=None, resolves_after_s=None)
    assert without_exact_times(EXACT) == inexact
    assert without_what_its_rule_decides(EXACT) == replace(inexact, no_other_labels=False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 1h\n", "duration: 31d\n"),
        ("start: 3m\n    duration: 9m", "start: 50m\n    duration: 10m"),
        ("ramp: 30s", "ramp: 9m"),
        ("ago: 2h", "ago: 20m"),
        ("depth: 6h", "depth: 2h"),
        ("fires_after: 2m", "fires_after: 4m"),
        ("resolves_after: 3m", "resolves_after: 5m"),
        ("fires_within: 4m", "fires_within: 57m"),
        ("resolves_within: 5m", "resolves_within: 48m"),
        ("fires_within: 6m", "fires_within: 1h"),
        ("receivers: []", "receivers: [], notifies_resolved: false"),
        ("seed: 0", f"seed: {2**63 - 1}"),
    ],
)
def test_what_is_at_its_very_limit_is_right(old, new):
    """The end of the scenario, the length of a fault, the depth of the history are within it."""
    text = WHOLE.replace(old, new, 1)
    if "start: 50m" in new:
        text = text.replace("fires_within: 4m\n    resolves_within: 5m", "fires_within: 4m")
        text = text.replace("    resolves_after: 3m\n", "")
    assert text != WHOLE
    assert parse_scenario(text, "good.yaml").name == "good"


def test_a_name_of_sixty_letters_is_the_longest():
    """One more is refused, in any name."""
    longest = GOOD.replace("name: loop", f"name: {'l' * 60}")
    assert parse_scenario(longest, "good.yaml").plan.faults[1].name == "l" * 60
    (line,) = mistakes_of(GOOD.replace("name: loop", f"name: {'l' * 61}"))
    assert line.startswith("good.yaml:22:11: faults[1].name must be at most 60 characters long")


def test_a_topology_with_a_mistake_is_not_taken_for_the_usual_one():
    """What targets it has is not known then: they are no mistake of their own."""
    text = GOOD.replace("hosts: 4", "hosts: 40").replace("hosts: [0]", "hosts: [39]")
    assert parse_scenario(text, "good.yaml").plan.faults[1].targets.hosts == (39,)
    (line,) = mistakes_of(text.replace("agents: 700", "agent: 700"))
    assert line == "good.yaml:6:19: unknown key 'agent', did you mean 'agents'?"
    head, _, rest = text.partition("topology:\n")
    (line,) = mistakes_of(f"{head}topology: 5\nload:{rest.partition('load:')[2]}")
    assert line == "good.yaml:5:11: topology must be a mapping or a file's path, got 5"


def test_an_arrival_of_a_trace_is_named_by_its_line_and_its_first_letters(tmp_path):
    """Remarks and empty lines count as lines; up to the longest scenario is right."""
    path, times = tmp_path / "good.yaml", tmp_path / "times.txt"
    path.write_text(HEAD + "load: {trace: times.txt}\n")
    times.write_text(f"# of today\n\n+1\n{DURATION_MAX_S}\n")
    assert load_scenario(path).plan.load.trace_s == (1.0, DURATION_MAX_S)
    for line, rule, shown in (
        (f"{DURATION_MAX_S + 1}", "at most 31d, the longest scenario", f"{DURATION_MAX_S + 1}"),
        ("x" * 50, "a time in seconds, not before the one above", "x" * LETTERS_SHOWN_MAX),
        ("-1", "a time in seconds, not before the one above", "-1"),
        ("1_0", "a time in seconds, not before the one above", "1_0"),
    ):
        times.write_text(f"# of today\n\n1\n{line}\n")
        with pytest.raises(InputError) as caught:
            load_scenario(path)
        assert str(caught.value) == f"{times}:4:1: an arrival must be {rule}, got '{shown}'"
