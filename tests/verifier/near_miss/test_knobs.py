"""What can be turned of a scenario: by name, within its bounds, written as a file has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import InputError
from documents.yaml_reader import load, parse
from scenarios.library.files import library
from scenarios.loader import load_scenario, parse_scenario
from tests.verifier.alerts import rule_files
from verifier.near_miss.choice import chosen_knob, search_words, threshold_refusal
from verifier.near_miss.knobs import Knob, knobs_of
from verifier.near_miss.scenario_text import flow, moved, scenario_text

TEXT = """\
name: two
story: |
  Two faults.
seed: 7
duration: 20m
load: {rate: 500, stages: [{duration: 1m, target: 600}]}
faults:
  - {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}
  - {name: late, fault: dependency_outage, start: 5m, duration: 3m,
     parameters: {share: 0.1, latency: 41ms}}
  - {name: held, fault: capacity_demand, start: 9m, duration: 3m, parameters: {agents: 825}}
  - {name: down, fault: exporter_down, start: 15m, duration: 2m}
expectations:
  - {alert: Low, cause: gone, fires_within: 3m}
"""
DOCUMENT = parse(TEXT, "two.yaml").data
SCENARIO = parse_scenario(TEXT, "two.yaml")


def chosen(alert="Low", fault=None, parameter=None):
    """Return the knob that a person asks for."""
    knobs = knobs_of(SCENARIO, DOCUMENT)
    return chosen_knob(SCENARIO, knobs, alert, fault=fault, parameter=parameter)


@pytest.mark.parametrize(
    ("asked", "value", "limits", "written"),
    [
        ({}, 0.4, (0.0, 1.0), 0.123),
        ({"parameter": "duration"}, 180.0, (1.0, 1140.0), "2m3s"),
        ({"fault": "late", "parameter": "latency"}, 0.041, (0.0, 60.0), "123ms"),
        ({"fault": "held"}, 825.0, (1.0, 928.0), 123),
        ({"parameter": "load.rate"}, 500.0, (0.0, 2e6), 123),
        ({"parameter": "load.stages.0.target"}, 600.0, (0.0, 2e6), 123),
    ],
)
def test_a_knob_is_turned_where_its_number_stands(asked, value, limits, written):
    """Written as a number, a whole number or a duration, and the loader reads it again."""
    knob = chosen(**asked)
    assert knob.value == value
    assert knob.low == limits[0]
    assert knob.high >= limits[1]
    raw = {"duration": 123.0, "latency": 0.123, "share": 0.123}.get(knob.name, 123.0)
    turned = knob.turned(DOCUMENT, knob.snapped(raw))
    part = turned
    for step in knob.steps:
        part = part[step]
    assert part == written
    document = {**turned, "expectations": []}
    again = parse_scenario(scenario_text(document), "two.yaml")
    assert {k.name: k.value for k in knobs_of(again, turned) if k.steps == knob.steps} == {
        knob.name: knob.snapped(raw)
    }
    assert scenario_text(DOCUMENT) == scenario_text(parse(scenario_text(DOCUMENT), "x").data)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"fault": "gon"}, "did you mean 'gone'?"),
        ({"alert": "Other"}, "--fault must be one of gone, late, held, down"),
        ({"parameter": "shar"}, "did you mean 'share'?"),
        ({"parameter": "targets"}, "--parameter targets is not a number to search; gone has share"),
        ({"fault": "late"}, "--parameter must be one of share, latency, duration"),
        ({"fault": "down"}, "--parameter must be duration, which searches the `for`, or without"),
    ],
)
def test_what_cannot_be_turned_is_refused_with_a_way_out(asked, said):
    """An unknown fault or parameter, one without a number, and where several would do."""
    with pytest.raises(InputError) as raised:
        chosen(**asked)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("unit", "value", "snapped"),
    [
        ("number", 0.12345, 0.123), ("number", 123.45, 123.0), ("number", 0.0, 0.0),
        ("number", 9999.0, 5000.0), ("number", -3.0, 0.0), ("whole", 3.6, 4.0), ("time", 9.84, 9.8),
        ("time", 10.4, 10.0), ("time", 1.04, 1.0), ("time", 0.04123, 0.0412),
    ],
)  # fmt: skip
def test_a_value_is_probed_as_it_can_be_written(unit, value, snapped):
    """Three digits within the bounds; of ten seconds and more none is behind the point."""
    knob = Knob(
        name="x", fault=None, steps=(), value=1.0, low=0.0, high=5000.0, unit=unit
    )  # fmt: skip
    assert knob.snapped(value) == pytest.approx(snapped)


def test_a_value_is_written_so_that_it_is_read_as_the_same():
    """Words of YAML's own, numbers in quotes, and what needs quotes."""
    for value in ["true", "no", "1e3", "a: b", "5m", "15", "it's", "x, y", "", "0x1f", "null", "~"]:
        assert parse(f"key: {flow(value)}\n", "x").data == {"key": value}
        assert parse(f"key: {flow([value, {value: value}])}\n", "x").data["key"][0] == value


def test_files_that_a_scenario_names_are_named_from_where_it_is_saved(tmp_path):
    """A trace and a topology beside the scenario."""
    document = {"topology": "small.yaml", "load": {"trace": "arrivals.txt"}}
    copy = moved(document, tmp_path / "a" / "s.yaml", tmp_path / "b" / "t.yaml")
    assert copy == {"topology": "../a/small.yaml", "load": {"trace": "../a/arrivals.txt"}}
    assert document["topology"] == "small.yaml"


@pytest.mark.parametrize("path", library(), ids=[path.stem for path in library()])
def test_the_options_of_a_suggested_search_are_those_that_it_takes(path):
    """Whatever the scenario holds and whichever alert it is: one number is meant by them."""
    scenario, document = load_scenario(path), load(path).data
    knobs = knobs_of(scenario, document)
    for alert in ("Other", *{each.alert for each in scenario.expectations}):
        for cell in ("near_threshold", "near_for"):
            words = search_words(scenario, alert, cell)
            if words is None:
                assert cell == "near_for"
                assert not scenario.plan.faults
                continue
            options = {"fault": None, "parameter": None}
            options |= {
                k.removeprefix("--"): v for k, v in zip(words[::2], words[1::2], strict=True)
            }
            knob = chosen_knob(scenario, knobs, alert, **options)
            assert (knob.name == "duration") == (cell == "near_for")


@pytest.mark.parametrize(
    ("expr", "is_refused"),
    [
        ("x > 5", False),
        ("5 < (x)", False),
        ("x > 5 and y > 3", True),
        ("x == 5", True),
        ("x > y", False),
        ("absent(x)", True),
        ("vector(1)", True),
    ],
)
def test_what_has_no_threshold_is_refused_by_the_rule_alone(expr, is_refused):
    """No run has to show it."""
    rules = rule_files("Now", expr=expr)
    refusal = threshold_refusal(rules, "Now")
    assert (refusal is not None) == is_refused
    if refusal is not None:
        assert refusal.endswith("so no value is near its threshold")
        assert threshold_refusal(with_for(rules), "Now").endswith("searches the `for`")


def with_for(rules):
    """Return rules that wait."""
    (group,) = rules.groups
    return replace(rules, groups=(replace(group, rules=(replace(group.rules[0], for_s=60.0),)),))
