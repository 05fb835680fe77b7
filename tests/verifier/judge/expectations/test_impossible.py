"""Expectations that can never hold are mistakes with a place, before anything runs."""

from __future__ import annotations

import json

import promql_parser as promql
import pytest

from documents.mistakes import InputError
from scenarios.library.files import library
from scenarios.loader import load_scenario
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.simulations import NINETEEN, pack_rules
from verifier.evidence.carried_labels import carried_labels
from verifier.judge.expectations.impossible import check_expectations
from verifier.pack.rules import load_rules

AGENTS = "agentaskit_active_agents"
QUEUE = "agentaskit_task_queue_depth"


def mistakes_in(tmp_path, expectation, *rules, cells=1, more=""):
    """Return what is wrong with one expectation, with these rules, in a system of cells."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": [*rules]}]}))
    try:
        expectations = scenario_with(expectation, more=more).expectations
        check_expectations(expectations, load_rules([path]), cells)
    except InputError as error:
        return str(error)
    return ""


def rule(expr=f"sum by (priority) ({QUEUE}) > 5", **keys):
    """Return a rule as a file holds it."""
    return {"alert": "A", "expr": expr, "for": "5m", "labels": {"severity": "low"}, **keys}


def test_a_bound_below_the_for_is_refused(tmp_path):
    """Nothing that begins with its cause can fire so early."""
    text = mistakes_in(tmp_path, "{alert: A, fires_within: 4m59s}", rule())
    assert text.startswith("s.yaml:8:")
    assert "fires_within of A must be at least 5m, the `for` of its rule" in text
    assert text.endswith("got 4m59s")
    assert mistakes_in(tmp_path, "{alert: A, fires_within: 5m}", rule()) == ""


def test_of_several_rules_of_a_name_the_quickest_counts(tmp_path):
    """Which of them is meant, nobody says; labels may."""
    quick = rule(**{"for": "1m", "labels": {"severity": "high"}})
    assert mistakes_in(tmp_path, "{alert: A, fires_within: 2m}", rule(), quick) == ""
    low = "{alert: A, fires_within: 2m, labels: {severity: low}}"
    assert "must be at least 5m" in mistakes_in(tmp_path, low, rule(), quick)


def test_of_several_rules_that_are_refused_the_nearest_is_meant(tmp_path):
    """Whichever stands first: what the others lack as well is not said."""
    expectation = "{alert: A, silent: true, labels: {severity: high, tier: micro}}"
    far, near = rule(), rule(f"{AGENTS} > 5")
    for rules in ((far, near), (near, far)):
        (line,) = mistakes_in(tmp_path, expectation, *rules).splitlines()
        assert "label severity of A must be 'low'" in line


def test_what_holds_since_before_the_scenario_may_fire_at_once(tmp_path):
    """The `for` of its rule may have passed by then."""
    more = (
        "history:\n  incidents:\n"
        "    - {name: old, fault: task_failure, ago: 2h, duration: 1h, parameters: {share: 0.1}}\n"
    )
    past = "{alert: A, cause: old, fires_within: 1m}"
    assert mistakes_in(tmp_path, past, rule(), more=more) == ""
    here = "{alert: A, cause: gone, fires_within: 1m}"
    assert "must be at least 5m" in mistakes_in(tmp_path, here, rule(), more=more)


def test_a_label_that_is_empty_is_none_that_must_be_named(tmp_path):
    """The rule takes it away."""
    expectation = "{alert: A, fires_within: 6m, no_other_labels: true}"
    expr = f"sum({QUEUE}) > 5"
    assert mistakes_in(tmp_path, expectation, rule(expr, labels={"severity": ""})) == ""
    assert "must be named with no_other_labels" in mistakes_in(tmp_path, expectation, rule(expr))


def test_a_label_that_the_rule_sets_otherwise_is_refused(tmp_path):
    """Unless it is a template, which may give anything."""
    expectation = "{alert: A, fires_within: 6m, labels: {severity: high}}"
    text = mistakes_in(tmp_path, expectation, rule())
    assert "label severity of A must be 'low', as its rule sets it, got 'high'" in text
    templated = rule(labels={"severity": "{{ if gt $value 9.0 }}high{{ else }}low{{ end }}"})
    assert mistakes_in(tmp_path, expectation, templated) == ""


def test_a_label_that_no_series_can_carry_is_refused(tmp_path):
    """With the labels that there are."""
    expectation = "{alert: A, silent: true, labels: {tier: micro}}"
    text = mistakes_in(tmp_path, expectation, rule())
    assert "label tier of A must be left out" in text
    assert "'priority' or 'severity'" in text
    assert mistakes_in(tmp_path, "{alert: A, silent: true, labels: {priority: low}}", rule()) == ""
    assert mistakes_in(tmp_path, expectation, rule("anything > 5")) == ""


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        (f"{QUEUE} > 5", "instance job priority"),
        (f"sum({QUEUE}) > 5", ""),
        (f"sum without (job) ({QUEUE})", "instance priority"),
        (f"topk(2, {QUEUE})", "instance job priority"),
        (
            f"{QUEUE} / on(job) group_left(tier) {AGENTS}",
            "instance job priority tier",
        ),
        (
            f"{QUEUE} / on(job) group_right(priority) {AGENTS}",
            "instance job priority tier",
        ),
        (f"{QUEUE} / on(job) group_right() {AGENTS}", "instance job tier"),
        ("rate(http_request_duration_seconds_bucket[5m])", "instance job le"),
        ("http_request_duration_seconds_count", "instance job"),
        (f"{QUEUE} / on(job) {AGENTS}", "job"),
        (f"{QUEUE} * ignoring(priority) {AGENTS}", "instance job"),
        (f"{QUEUE} unless on() up", "instance job priority"),
        (f"{QUEUE} or {AGENTS}", "instance job priority tier"),
        (f'absent({QUEUE}{{priority="low"}})', "priority"),
        (f"absent(sum({QUEUE}))", ""),
        ("histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m]))", "instance job"),
        (f"5 < max_over_time({QUEUE}[5m:1m])", "instance job priority"),
        ("vector(1)", ""),
        ("up == 0", "instance job"),
        (f'label_replace({QUEUE}, "a", "b", "c", "d")', None),
        (f'count_values("v", {QUEUE})', None),
        ("unknown > 1", None),
        ("sum by (zone) (unknown)", "zone"),
    ],
)
def test_the_labels_of_an_expression_are_known_where_they_can_be(expr, labels):
    """None where the expression could give any."""
    carried = carried_labels(promql.parse(expr))
    assert carried == (None if labels is None else frozenset(labels.split()))


@pytest.mark.parametrize(
    "expr",
    [
        "up == 0",
        f"sum by (cell) ({QUEUE}) > 5",
        f"max without (priority, job, instance) ({QUEUE}) > 5",
        "histogram_quantile(1, sum by (le, cell) (rate(http_request_duration_seconds_bucket[5m])))",
    ],
)
def test_a_cell_is_a_label_of_whatever_several_cells_have(tmp_path, expr):
    """Of those that are there; one world has none."""
    second, third = (f"{{alert: A, silent: true, labels: {{cell: '{n}'}}}}" for n in (2, 3))
    assert mistakes_in(tmp_path, second, rule(expr), cells=3) == ""
    text = mistakes_in(tmp_path, third, rule(expr), cells=3)
    assert "label cell of A must be a cell of this system, 0 to 2, got '3'" in text
    assert "label cell of A must be left out" in mistakes_in(tmp_path, second, rule(expr))


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        (f"sum ({QUEUE}) > 5", {}),
        (f"sum by (priority) ({QUEUE}) > 5", {}),
        (f"max without (cell) ({QUEUE}) > 5", {}),
    ],
)
def test_what_sums_over_cells_has_none(tmp_path, expr, labels):
    """Refused, as any label that is not there."""
    text = mistakes_in(
        tmp_path,
        "{alert: A, silent: true, labels: {cell: '1'}}",
        rule(expr, labels=labels),
        cells=3,
    )
    assert "label cell of A must be left out" in text


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("sum by (cell) (recorded)", {}),
        (f'label_replace({QUEUE}, "cell", "b7", "", "")', {}),
        ('absent(up{cell="b7"})', {}),
        ("up == 0", {"cell": "b7"}),
        ("up == 0", {"cell": "{{ $labels.instance }}"}),
    ],
)
def test_a_cell_that_may_come_from_elsewhere_is_not_refused(tmp_path, expr, labels):
    """From a recording, a matcher, a template: nothing is proved."""
    expectation = "{alert: A, silent: true, labels: {cell: b7}}"
    assert mistakes_in(tmp_path, expectation, rule(expr, labels=labels), cells=3) == ""


def test_no_expectation_of_the_library_is_refused():
    """They all hold."""
    for path in library():
        scenario = load_scenario(path)
        cells = scenario.topology.cells
        check_expectations(scenario.expectations, pack_rules(*NINETEEN), cells)


def test_of_a_rule_without_any_label_none_is_named_to_choose_from(tmp_path):
    """Of one that has some, all are."""
    bare = {"alert": "A", "expr": f"sum({QUEUE}) > 5"}
    expectation = "{alert: A, silent: true, labels: {priority: high}}"
    left_out = "be left out: neither its rule nor its series have that label"
    (line,) = mistakes_in(tmp_path, expectation, bare).splitlines()
    assert line.endswith(f"label priority of A must {left_out}, got 'high'")
    labelled = {**bare, "labels": {"team": "x"}}
    (line,) = mistakes_in(tmp_path, expectation, labelled).splitlines()
    assert f"{left_out}, but " in line
    assert "team" in line
