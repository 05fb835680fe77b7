"""What we take and refuse is what the engine takes and refuses, and we read what it reads."""

from __future__ import annotations

import json

import pytest

from documents.mistakes import InputError
from tests.verifier.rule_files.shapes import NEWER, SHAPES, content
from verifier.pack.rules import AlertRule, load_rules
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.prometheus import Prometheus
from verifier.servers.prometheus.rule_check import ask_engine, ask_server

NAMES = list(SHAPES)
SOME_OR_ALL = pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
"""Each file that is loaded by itself asks promtool: every fourth is, and all in a long test."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Return a file for each shape."""
    folder = tmp_path_factory.mktemp("shapes")
    written = {}
    for index, (name, shape) in enumerate((SHAPES | NEWER).items()):
        written[name] = folder / f"shape-{index:03}.yml"
        written[name].write_bytes(content(shape))
    return written


@pytest.fixture(scope="module")
def refused():
    """Return the names of the shapes that the engine refuses."""
    answer = ask_engine([content(SHAPES[name]) for name in NAMES])
    return {name for name, words in zip(NAMES, answer.refusals, strict=True) if words}


@SOME_OR_ALL
def test_each_shape_is_taken_or_refused_as_the_engine_does(paths, refused, every):
    """And whatever is taken is judged: nothing of it is left out."""
    assert len(refused) > 40
    assert len(NAMES) - len(refused) > 60
    taken = load_checked_rules([paths[name] for name in NAMES if name not in refused])
    assert taken.not_judged == ()
    for name in sorted(refused)[::every]:
        with pytest.raises(InputError) as caught:
            load_checked_rules([paths[name]])
        assert all(mistake.place for mistake in caught.value.mistakes), name


@SOME_OR_ALL
def test_what_is_taken_is_read_as_a_server_reads_it(paths, refused, every):
    """Names, intervals, durations, and every label and annotation to the letter."""
    names = [name for name in NAMES if name not in refused][::every]
    ours = {}
    for name in names:
        rules = load_checked_rules([paths[name]])
        ours[name] = [(group.name, group.interval_s, list(map(facts, group.rules)))
                      for group in rules.groups if group.rules]  # fmt: skip
    with Prometheus() as server:
        server.configure(json.dumps({"rule_files": [str(paths[name]) for name in names]}))
        groups = server._client._ask("/api/v1/rules")["groups"]
    theirs = {name: [] for name in names}
    by_path = {str(path): name for name, path in paths.items()}
    for group in groups:
        if group["rules"]:
            rules = list(map(served_facts, group["rules"]))
            theirs[by_path[group["file"]]].append((group["name"], group["interval"], rules))
    assert {name: groups for name, groups in ours.items() if groups != theirs[name]} == {}


def facts(rule):
    """Return what a rule of ours says, but for its expression, which a server prints anew."""
    labels = {name: text for name, text in rule.labels if text}
    if not isinstance(rule, AlertRule):
        return rule.record, labels
    annotations = {name: text for name, text in rule.annotations if text}
    return rule.alert, labels, annotations, rule.for_s, rule.keep_firing_for_s


def served_facts(rule):
    """Return the same of a rule of a server."""
    labels = {name: text for name, text in (rule.get("labels") or {}).items() if text}
    if rule["type"] == "recording":
        return rule["name"], labels
    annotations = {name: text for name, text in (rule.get("annotations") or {}).items() if text}
    return rule["name"], labels, annotations, rule["duration"], rule.get("keepFiringFor", 0)


def test_without_promtool_a_server_gives_the_same_answer(paths, refused):
    """The way that is taken where promtool is missing, or of another version."""
    some = [*(name for name in NAMES if name in refused), "plain", "JSON", "rule twice"][::3]
    answer = ask_server([paths[name] for name in some])
    by_promtool = ask_engine([content(SHAPES[name]) for name in some])
    for name, served, answered in zip(some, answer.refusals, by_promtool.refusals, strict=True):
        assert bool(served) == bool(answered), name
        assert set(served) <= set(answered), name


def test_a_key_of_a_newer_engine_ends_no_run(paths):
    """It is honoured, or left out and named, whatever engine judges."""
    offset = load_checked_rules([paths["query_offset"]])
    (group,) = offset.groups
    assert len(group.rules) == 1
    assert (group.query_offset_s == 30.0) != bool(offset.findings)
    labels = load_checked_rules([paths["labels of a group"]])
    ((_, alert),) = labels.alerts
    assert alert.labels == (("a", "b"), ("x", "0042"))


def test_reading_without_the_engine_is_not_enough(paths, refused):
    """The planted fault: our own reader alone takes what no engine loads."""
    taken = set()
    for name in refused:
        try:
            load_rules([paths[name]])
            taken.add(name)
        except InputError:
            pass
    assert {"template broken", "template unclosed", "template function"} <= taken
