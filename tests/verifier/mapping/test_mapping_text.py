"""A proposal as a file, and the documents of `--json`, each as a whole."""

from __future__ import annotations

import pytest

from documents.yaml_reader import parse
from exporter.mapping.quantities import quantities
from verifier.mapping.json_schema import mapping_schema
from verifier.mapping.likeness import NEAR_ENOUGH, likeness
from verifier.mapping.mapping_text import (
    check_document,
    mapping_notes,
    proposal_document,
    proposal_text,
    quantities_document,
    unmapped_lines,
)
from verifier.mapping.proposal import Proposal, Unmapped
from verifier.mapping.reader import read_mapping_document

ENTRIES = (
    {"name": "hits_total", "type": "counter", "from": "http_requests_total",
     "where": {"status": ["500", "503"]},
     "labels": {"on": "x y", "shop": {"share": {"a": 0.6667, "b-c": 0.3333}}, "path": "/a.b/c_d"}},
    {"name": "wait_ms", "type": "histogram", "from": "http_request_duration_seconds",
     "factor": 1000.0, "buckets": [2.5, 1234.5678]},
)  # fmt: skip
PROPOSAL = Proposal(ENTRIES, (Unmapped("flag", "gauge", "no gauge of ours is near"),))
CHECKED = """\
target: {job: shop, instance: "shop:80"}
metrics:
- {name: hits_total, type: counter, from: http_requests_total, labels: {code: {from: status}}}
- {name: failed_total, type: counter, from: http_requests_total, where: {status: [500, 503]},
   labels: {route: {share: {a: 0.25, b: 0.75}}}}
- name: wait_ms
  type: histogram
  from: http_request_duration_seconds
  factor: 1000
  buckets: [2.5, 33, 100, 20000]
- {name: busy, type: gauge, from: agentaskit_saturation_ratio}
"""


def test_a_proposal_is_a_file_with_text_in_quotes_only_where_it_needs_them():
    """What is not mapped stands at its end; the file is read as what was proposed."""
    text = proposal_text(PROPOSAL, "page.txt")
    assert text == (
        "# Proposed for page.txt: read every entry, shares are even ones.\n"
        "metrics:\n"
        "  - name: hits_total\n"
        "    type: counter\n"
        "    from: http_requests_total\n"
        '    where: {status: ["500", "503"]}\n'
        "    labels:\n"
        '      "on": "x y"\n'
        "      shop: {share: {a: 0.6667, b-c: 0.3333}}\n"
        "      path: /a.b/c_d\n"
        "  - name: wait_ms\n"
        "    type: histogram\n"
        "    from: http_request_duration_seconds\n"
        "    factor: 1000\n"
        "    buckets: [2.5, 1234.5678]\n"
        "# Not mapped:\n"
        "#   flag (gauge): no gauge of ours is near\n"
    )
    assert parse(text, "proposal").data == {"metrics": list(ENTRIES)}
    assert unmapped_lines(Proposal((), ())) == []
    assert proposal_document(PROPOSAL) == {
        "version": 1,
        "mapping": {"metrics": list(ENTRIES)},
        "unmapped": [{"metric": "flag", "type": "gauge", "reason": "no gauge of ours is near"}],
    }


@pytest.mark.parametrize(
    "word", ["true", "No", "OFF", "null", "y", "1a", "", "é", "a:b", "-a", "~"]
)
def test_text_stays_text_in_a_proposal(word):
    """Whatever a reader of YAML might take it for."""
    entry = {"name": "hits_total", "labels": {"x": word, "y": {"share": {word: 1.0}}}}
    text = proposal_text(Proposal((entry,), ()), "page")
    assert parse(text, "proposal").data["metrics"] == [entry]
    assert (f'"{word}"' in text) is True


def test_what_a_mapping_makes_is_counted_and_said():
    """Of a histogram every bucket, +Inf, the count and the sum; notes of what is interpolated."""
    mapping = read_mapping_document(parse(CHECKED, "m.yaml")).mapping
    note = (
        "wait_ms: no buckets of ours end at 33, 20000: what lies between two of ours is taken to be"
        " spread evenly"
    )
    assert list(mapping_notes(mapping)) == [note]
    assert check_document(mapping) == {
        "version": 1,
        "job": "shop",
        "instance": "shop:80",
        "metrics": [
            {"name": "hits_total", "type": "counter", "from": "http_requests_total", "series": 5},
            {"name": "failed_total", "type": "counter", "from": "http_requests_total", "series": 2},
            {"name": "wait_ms", "type": "histogram", "from": "http_request_duration_seconds",
             "series": 7},
            {"name": "busy", "type": "gauge", "from": "agentaskit_saturation_ratio", "series": 1},
        ],
        "notes": [note],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("factor", "buckets", "between"),
    [(1, "[0.01, 0.033]", ["0.033"]), (1000, "[10, 25]", []), (1000, "[10.0000000001]", [])],
)
def test_only_buckets_between_two_of_ours_are_noted(factor, buckets, between):
    """In the unit of the metric; what differs by rounding is one of ours."""
    text = (
        "metrics: [{name: wait, type: histogram, from: http_request_duration_seconds,"
        f" factor: {factor}, buckets: {buckets}}}]\n"
    )
    mapping = read_mapping_document(parse(text, "m.yaml")).mapping
    notes = [note.partition(" end at ")[2].partition(":")[0] for note in mapping_notes(mapping)]
    assert notes == between


def test_every_quantity_is_listed_with_what_it_can_become():
    """A part of a histogram is a counter."""
    listed = {each["name"]: each for each in quantities_document()["quantities"]}
    assert list(listed) == list(quantities())
    assert listed["http_requests_total"] == {
        "name": "http_requests_total", "type": "counter", "unit": "",
        "labels": {"status": ["200", "429", "500", "503", "504"]},
        "help": quantities()["http_requests_total"].metric.help,
    }  # fmt: skip
    parts = {name: each["type"] for name, each in listed.items() if "startup" in name}
    assert list(parts.values()) == ["histogram", "counter", "counter"]
    assert listed["agentaskit_agent_startup_duration_seconds"]["unit"] == "seconds"


def test_a_label_in_the_schema_is_its_value_alone_or_its_keys():
    """Text, a whole number, or the whole form."""
    label = mapping_schema()["$defs"]["LabelModel"]
    text, number, whole = label["anyOf"]
    assert (text, number) == ({"type": "string", "minLength": 1}, {"type": "integer"})
    assert set(whole["properties"]) == {"value", "from", "values", "share"}
    assert ("description" in label, "description" in whole) == (True, False)


@pytest.mark.parametrize(
    ("name", "ours", "share"),
    [
        ("http_jobs", "http_requests_total", 1.0),
        ("rpcJobsTotal", "http_requests_total", 1.0),
        ("jobs", "http_requests_total", 0.5),
        ("cpu_job_memory", "http_requests_total", 0.25),
        ("job_queue_started", "agentaskit_tasks_arrived_total", 0.25),
        ("odd", "http_requests_total", 0.0),
        ("jobs", "odd", 0.0),
    ],
)
def test_likeness_is_the_share_of_concepts_in_common(name, ours, share):
    """Of all concepts of both names; words that are none do not count."""
    assert likeness(name, ours) == share
    assert likeness(name, ours, frozenset({"fail"})) <= share


def test_a_third_in_common_is_not_enough():
    """One concept of three is a guess, two of five are none."""
    assert likeness("cpu_jobs", "agentaskit_memory_bytes_jobs") == pytest.approx(1 / 3)
    assert 1 / 3 < NEAR_ENOUGH < 2 / 5
