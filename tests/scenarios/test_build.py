"""A well-formed document becomes values for the simulator and the judge."""

# ruff: noqa: E501 - messages are read in one line
from __future__ import annotations

import pytest

from documents.mistake_kinds import UnreadableFile
from documents.mistakes import InputError, Place
from scenarios.loader import load_scenario, parse_scenario
from scenarios.scenario import Incident
from simulator.faults.fault import Fault
from simulator.faults.kinds.agents import CrashLoop
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.faults.targets import Targets
from simulator.load import BASE_RATE_PER_S
from simulator.topology import Topology
from tests.scenarios.good import GOOD


def test_a_good_scenario_becomes_values():
    """Every part of the file arrives where the simulator and the judge read it."""
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
    assert loop.ramp_s == 0.0
    assert (gone.parameters, gone.start_s, gone.ramp_s) == (TrafficDrop(share=0.4), 180.0, 30.0)
    assert loop.parameters == CrashLoop(alive_s=0.2)
    assert (loop.targets.tiers, loop.targets.hosts, loop.targets.fraction) == (
        ("micro",),
        (0,),
        0.2,
    )
    (old,) = scenario.past.incidents
    assert (scenario.past.depth_s, old.ago_s, old.fault(100.0).start_s) == (21600.0, 7200.0, 100.0)


def test_an_incident_becomes_the_fault_that_it_was():
    """Everything but when: the name, what it did to whom, how long, and how it set in."""
    targets = Targets(tiers=("micro",), fraction=0.5)
    old = Incident(name="old", parameters=CrashLoop(alive_s=0.3), ago_s=900.0, duration_s=300.0,
                   ramp_s=60.0, targets=targets)  # fmt: skip
    assert old.fault(50.0) == Fault(
        name="old", parameters=CrashLoop(alive_s=0.3), start_s=50.0, duration_s=300.0,
        ramp_s=60.0, targets=targets,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("load", "rate"), [("", BASE_RATE_PER_S), ("load: {rate: 0}\n", 0), ("load: {rate: 7}\n", 7)]
)
def test_a_load_without_a_rate_has_the_usual_one_and_a_rate_of_nothing_is_nothing(load, rate):
    """A system without traffic is a case of its own."""
    head = "name: s\nstory: x\nseed: 1\nduration: 9m\n"
    assert parse_scenario(head + load, "s.yaml").plan.load.rate == rate


def test_a_scenario_may_set_its_date_and_time_of_day():
    """Without one it has none; anything else is a mistake with its place."""
    head = "name: s\nstory: x\nseed: 1\nduration: 9m\n"
    assert parse_scenario(head, "s.yaml").starts_at_s is None
    for text in ("2026-03-02T09:00", "2026-03-02T09:00:00Z", "'2026-03-02 09:00'"):
        assert parse_scenario(f"{head}starts_at: {text}\n", "s.yaml").starts_at_s == 1_772_442_000
    with pytest.raises(InputError) as caught:
        parse_scenario(f"{head}starts_at: 2026-03-02\n", "s.yaml")
    assert str(caught.value) == (
        "s.yaml:5:12: starts_at must be a date and a time of day in UTC, such as"
        " 2026-03-02T09:00, got '2026-03-02'"
    )


def test_a_trace_does_not_stand_beside_several_cells(tmp_path):
    """A mistake with its place, before anything is simulated; before one cell it is as ever."""
    (tmp_path / "times.txt").write_text("0.5\n")
    path = tmp_path / "s.yaml"
    text = (
        "name: s\nstory: x\nseed: 1\nduration: 9m\ntopology: {cells: 2}\nload: {trace: times.txt}\n"
    )
    path.write_text(text)
    with pytest.raises(InputError, match=r":6:8: trace must not stand beside several cells"):
        load_scenario(path)
    path.write_text(text.replace("cells: 2", "cells: 1"))
    assert load_scenario(path).plan.load.trace_s == (0.5,)


def test_nothing_else_of_a_load_stands_beside_a_trace(tmp_path):
    """The trace has all arrivals: each other key is refused by its name."""
    others = {
        "rate": "5", "stages": "[{duration: 2m, target: 12}]", "daily": "{amplitude: 0.1, peak: 1h}",
        "burst": "{factor: 2, every: 10m, last: 5s}",
    }  # fmt: skip
    (tmp_path / "times.txt").write_text("0.5\n")
    path = tmp_path / "s.yaml"
    for key, value in others.items():
        head = "name: s\nstory: x\nseed: 1\nduration: 9m\n"
        path.write_text(f"{head}load: {{trace: times.txt, {key}: {value}}}\n")
        with pytest.raises(InputError, match=f"{key} must not stand beside a trace"):
            load_scenario(path)


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


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_scenario_that_names_it(tmp_path):
    """As data: the place is the scenario's, the reason is the file's."""
    path = tmp_path / "s.yaml"
    path.write_text("name: s\nstory: x\nseed: 1\nduration: 9m\nload: {trace: none.txt}\n")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    (mistake,) = caught.value.mistakes
    assert mistake.problem == UnreadableFile("no such file", "trace 'none.txt'")
    assert mistake.place == Place(str(path), 5, 15)


@pytest.mark.parametrize("ago", ["20m", "6h"])
def test_an_incident_may_end_at_the_start_and_begin_with_the_history(ago):
    """Exactly its duration ago, and exactly the history's depth; beyond either is a mistake."""
    (old,) = parse_scenario(GOOD.replace("ago: 2h", f"ago: {ago}"), "good.yaml").past.incidents
    assert old.ago_s in (old.duration_s, 21600.0)


@pytest.mark.parametrize("ago", ["19m59s", "6h1s"])
def test_an_incident_may_neither_last_on_nor_begin_before_the_history(ago):
    """A second beyond either edge is refused, at its place."""
    with pytest.raises(InputError, match=f"good.yaml:33:12: ago must be .*, got {ago}"):
        parse_scenario(GOOD.replace("ago: 2h", f"ago: {ago}"), "good.yaml")


def test_a_history_without_a_depth_holds_an_incident_of_any_time():
    """It is as deep as what is read, which the scenario does not know."""
    text = GOOD.replace("  depth: 6h\n", "").replace("ago: 2h", "ago: 40d")
    (old,) = parse_scenario(text, "good.yaml").past.incidents
    assert old.ago_s == 40 * 86_400


def test_a_trace_may_have_many_arrivals(tmp_path):
    """More than the size of any other file."""
    (tmp_path / "times.txt").write_text("".join(f"{n / 1000:.3f}\n" for n in range(50_000)))
    path = tmp_path / "s.yaml"
    path.write_text("name: s\nstory: x\nseed: 1\nduration: 9m\nload: {trace: times.txt}\n")
    assert len(load_scenario(path).plan.load.trace_s) == 50_000


def test_a_day_without_a_peak_has_it_at_midnight():
    """Of the scenario's start, as what is left out counts from there."""
    text = GOOD.replace("{amplitude: 0.1, peak: 14h}", "{amplitude: 0.1}")
    assert parse_scenario(text, "good.yaml").plan.load.daily.peak_s == 0.0
