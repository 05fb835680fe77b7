"""All that can be turned of a scenario, how one is chosen, and how a scenario is written again."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from documents.mistakes import InputError
from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from tests.verifier.alerts import rule_files
from verifier.near_miss.choice import chosen_knob, search_words, threshold_refusal
from verifier.near_miss.knobs import Knob, knobs_of
from verifier.near_miss.scenario_text import flow, moved, scenario_text
from verifier.pack.rules import RuleFiles, RuleGroup

TEXT = """\
name: many
story: |
  Many faults.
seed: 7
duration: 20m
load: {rate: 500, stages: [{duration: 1m, target: 600}]}
faults:
  - {name: drop, fault: traffic_drop, start: 1m, duration: 3m, ramp: 30s, parameters: {share: 0.4}}
  - {name: hang, fault: agent_hang, start: 5m, duration: 3m, targets: {fraction: 0.2}}
  - {name: crash, fault: agent_crash, start: 5m, duration: 10m, targets: {fraction: 0.05},
     parameters: {rate_per_s: 2}}
  - {name: held, fault: capacity_demand, start: 9m, duration: 3m, parameters: {agents: 825}}
expectations:
  - {alert: Low, cause: drop, fires_within: 3m}
"""
CALM = "name: many\nstory: x\nseed: 7\nduration: 20m\n"
TRACED = CALM + "load: {trace: arrivals.txt}\n"


def read(text, folder="."):
    """Return a scenario and its document."""
    return parse_scenario(text, f"{folder}/many.yaml"), parse(text, "many.yaml").data


def lines(text, folder="."):
    """Return the knobs of a scenario, each on one line."""
    return [
        f"{'.'.join(map(str, each.steps))} {each.name} of {each.fault}:"
        f" {each.value:g} in {each.low:g}..{each.high:g}, {each.unit}"
        for each in knobs_of(*read(text, folder))
    ]


def test_every_number_of_a_scenario_can_be_turned_within_its_bounds():
    """Those of a fault's kind, its duration from the ramp to the end, its share; the load's."""
    assert lines(TEXT) == [
        "faults.0.parameters.share share of drop: 0.4 in 0..1, number",
        "faults.0.duration duration of drop: 180 in 30..1140, time",
        "faults.1.duration duration of hang: 180 in 1..900, time",
        "faults.1.targets.fraction fraction of hang: 0.2 in 0..1, number",
        "faults.2.parameters.rate_per_s rate_per_s of crash: 2 in 0..1e+06, number",
        "faults.2.duration duration of crash: 600 in 1..900, time",
        "faults.2.targets.fraction fraction of crash: 0.05 in 0..1, number",
        "faults.3.parameters.agents agents of held: 825 in 1..100000, whole",
        "faults.3.duration duration of held: 180 in 1..660, time",
        "load.rate load.rate of None: 500 in 0..2e+06, number",
        "load.stages.0.duration load.stages.0.duration of None: 60 in 0..2e+06, time",
        "load.stages.0.target load.stages.0.target of None: 600 in 0..2e+06, number",
    ]


def test_the_rate_can_be_turned_where_no_file_has_it_and_no_trace_takes_its_place(tmp_path):
    """A name of a file is no number."""
    (name,) = lines(CALM)
    assert name.startswith("load.rate load.rate of None: ")
    (tmp_path / "arrivals.txt").write_text("1.0\n2.0\n")
    assert lines(TRACED, tmp_path) == []
    odd = {"load": {"on": True, "word": "so", "list": [{"every": "90s"}]}}
    knobs = knobs_of(parse_scenario(CALM, "many.yaml"), odd)
    assert [(each.name, each.value) for each in knobs[1:]] == [("load.list.0.every", 90.0)]


@pytest.mark.parametrize(
    ("unit", "value", "text", "written", "subject"),
    [
        ("number", 0.1234567, "0.1234567", 0.1234567, "share of drop"),
        ("number", 3.0, "3", 3, "share of drop"),
        ("whole", 3.0, "3", 3, "share of drop"),
        ("time", 90.0, "1m30s", "1m30s", "share of drop"),
        ("number", 12345678901.5, "1.23456789e+10", 12345678901.5, "share of drop"),
    ],
)
def test_a_value_is_said_and_written(unit, value, text, written, subject):
    """Whole numbers without a point, times as durations."""
    knob = Knob(
        name="share", fault="drop", steps=("load", "rate"), value=1.0, low=0.0, high=inf, unit=unit
    )
    assert (knob.text(value), knob.written(value), knob.subject) == (text, written, subject)
    assert type(knob.written(value)) is type(written)
    document = {"seed": 1}
    assert knob.turned(document, value) == {"seed": 1, "load": {"rate": written}}
    assert document == {"seed": 1}
    of_load = Knob(name="load.rate", fault=None, steps=(), value=1.0, low=0.0, high=1.0)
    assert of_load.subject == "load.rate"


def chosen(text=TEXT, alert="Low", fault=None, parameter=None):
    """Return what is chosen, or why nothing is."""
    scenario, document = read(text)
    knobs = knobs_of(scenario, document)
    try:
        knob = chosen_knob(scenario, knobs, alert, fault=fault, parameter=parameter)
    except InputError as error:
        return str(error)
    return knob.subject


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({}, "share of drop"),
        ({"parameter": "duration"}, "duration of drop"),
        ({"fault": "held"}, "agents of held"),
        ({"fault": "held", "parameter": "duration"}, "duration of held"),
        ({"fault": "crash", "parameter": "fraction"}, "fraction of crash"),
        ({"parameter": "load.rate"}, "load.rate"),
        ({"fault": "held", "parameter": "load.rate"},
         "no parameter of held is called 'load.rate', did you mean 'load.rate'?"),
        ({"fault": "hang"},
         "--parameter must be one of duration, fraction: hang has no single one"),
        ({"fault": "crash"}, "rate_per_s of crash"),
        ({"parameter": "ramp"},
         "--parameter ramp is not a number to search; drop has share, duration"),
        ({"alert": "Other"}, "--fault must be one of drop, hang, crash, held"),
        ({"alert": "Other", "parameter": "s"}, "--fault must be one of drop, hang, crash, held"),
        ({"text": CALM}, "many has no fault: --parameter must be load.rate"),
        ({"text": CALM, "parameter": "load.rate"}, "load.rate"),
    ],
)  # fmt: skip
def test_one_number_is_chosen_or_it_is_said_how(asked, answer):
    """What is named, the cause of the alert, or the only one that there is."""
    assert chosen(**asked).startswith(answer)


DOWN = TEXT.replace("cause: drop", "cause: down").replace(
    "  - {name: held, fault: capacity_demand, start: 9m, duration: 3m, parameters: {agents: 825}}",
    "  - {name: down, fault: exporter_down, start: 15m, duration: 2m}\n"
    "  - {name: gone, fault: dependency_outage, start: 9m, duration: 3m,"
    " parameters: {share: 0.1, latency: 41ms}}",
)


@pytest.mark.parametrize(
    ("text", "alert", "threshold", "wait"),
    [
        (TEXT, "Low", (), ("--parameter", "duration")),
        (TEXT, "Other", ("--fault", "drop"), ("--fault", "drop", "--parameter", "duration")),
        (TEXT.replace("cause: drop", "cause: hang"), "Low", ("--parameter", "fraction"),
         ("--parameter", "duration")),
        (DOWN, "Low", ("--parameter", "load.rate"), ("--parameter", "duration")),
        (DOWN.replace("cause: down", "cause: gone"), "Low", ("--parameter", "share"),
         ("--parameter", "duration")),
        (CALM, "Low", ("--parameter", "load.rate"), None),
    ],
)  # fmt: skip
def test_a_search_is_suggested_by_as_few_options_as_name_one_number(text, alert, threshold, wait):
    """The first of several faults and of several numbers, the share of agents, or the rate."""
    scenario = parse_scenario(text, "many.yaml")
    assert search_words(scenario, alert, "near_threshold") == threshold
    assert search_words(scenario, alert, "near_for") == wait


def test_a_trace_has_no_number_to_search(tmp_path):
    """Nor has a scenario without faults a wait."""
    (tmp_path / "arrivals.txt").write_text("1.0\n2.0\n")
    scenario = parse_scenario(TRACED, f"{tmp_path}/many.yaml")
    assert search_words(scenario, "Low", "near_threshold") is None


def test_a_scenario_is_written_key_by_key_and_its_faults_line_by_line():
    """The usual keys first, faults and expectations last, a story within the width."""
    words = "word " * 30
    document = {
        "faults": [{"name": "gone", "share": 0.5}], "topology": "small.yaml", "expectations": [],
        "duration": "20m", "load": {"rate": 500}, "story": words, "name": "many", "tags": ["a: b"],
    }  # fmt: skip
    assert scenario_text(document, "s.json") == (
        "# yaml-language-server: $schema=s.json\n"
        "name: many\n"
        "story: |\n"
        f"  {('word ' * 19).strip()}\n"
        f"  {('word ' * 11).strip()}\n"
        "duration: 20m\n"
        "topology: small.yaml\n"
        "load: {rate: 500}\n"
        "tags:\n"
        '  - "a: b"\n'
        "faults:\n"
        "  - {name: gone, share: 0.5}\n"
        "expectations: []\n"
    )


def test_what_a_scenario_does_not_have_is_not_written():
    """A short story is a block, too."""
    document = {"story": "Short.", "name": "many", "expectations": [{"alert": "Low"}]}
    assert scenario_text(document) == (
        "name: many\nstory: |\n  Short.\nexpectations:\n  - {alert: Low}\n"
    )


@pytest.mark.parametrize(
    ("exprs", "waits", "refusal"),
    [
        (["up > 5"], [0.0], None),
        (["up == 5", "up > 5"], [0.0, 0.0], None),
        (["up == 5", "up != 5"], [0.0, 60.0], "; --parameter duration searches the `for`"),
        (["up == 5"], [0.0], ""),
    ],
)
def test_an_alert_has_a_threshold_where_any_of_its_rules_has(exprs, waits, refusal):
    """Its wait can be searched where any of its own rules has one."""
    (low,) = rule_files("Low").groups[0].rules
    own = [replace(low, expr=expr, for_s=for_s) for expr, for_s in zip(exprs, waits, strict=True)]
    others = [replace(low, alert="High", for_s=60.0), replace(low, alert="Higher", expr="up > 1")]
    rules = RuleFiles((RuleGroup("g", "a.yaml", 15.0, (*others, *own)),))
    sentence = (
        "the condition of Low is not one comparison with a number, so no value is near its"
        " threshold"
    )
    assert threshold_refusal(rules, "Low") == (None if refusal is None else sentence + refusal)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"), (None, "null"), (0.5, "0.5"), (3, "3"), ("a b", "a b"), ("a ", '"a "'),
        ("20m", "20m"), ("20", '"20"'), ("null", '"null"'), ("a/b.c_d-e", "a/b.c_d-e"),
        (["ab", 1], "[ab, 1]"), ({"ab": {"cd": [True]}}, "{ab: {cd: [true]}}"), ("é", '"é"'),
    ],
)  # fmt: skip
def test_a_value_is_written_on_one_line(value, text):
    """Text in quotes only where it would not be read as it is."""
    assert flow(value) == text


def test_only_files_are_named_anew(tmp_path):
    """A topology that is written out, and a load without a trace, stay."""
    document = {"topology": {"cells": 2}, "load": {"rate": 5}, "seed": 1}
    assert moved(document, tmp_path / "a" / "s.yaml", tmp_path / "b" / "t.yaml") == document
    assert moved({"load": 5}, tmp_path / "s.yaml", tmp_path / "t.yaml") == {"load": 5}
