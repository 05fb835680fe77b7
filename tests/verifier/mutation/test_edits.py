"""Edits of an expression: one place each, as rules go wrong, and never the rule itself."""

from __future__ import annotations

import json
import subprocess
from typing import get_args

import pytest

from tests.verifier.simulations import pack_rules
from verifier.mutation.edits import MutantKind, expression_edits
from verifier.mutation.equivalence import exported_names
from verifier.mutation.mutants import mutants_of
from verifier.pack.rule_writer import as_yaml, rule_document
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.servers.binaries import require

EDITED = {
    "up > 1": {
        "comparator": ["up < 1"],
        "boundary": ["up >= 1"],
        "threshold": ["up > 0.75", "up > 0.9", "up > 1.1", "up > 1.25"],
        "unit": ["up > 0.001", "up > 1000"],
    },
    "100 * (1 - up)": {
        "operator": ["100 / (1 - up)", "100 * (1 + up)"],
        "number": ["90 * (1 - up)", "110 * (1 - up)", "100 * (0.9 - up)", "100 * (1.1 - up)"],
    },
    "0 == up": {"comparator": ["0 != up"], "threshold": ["-1 == up", "1 == up"]},
    'rate(a{x="1",y!~"2"}[10m] offset 1h)': {
        "window": ['rate(a{x="1",y!~"2"}[5m] offset 1h)', 'rate(a{x="1",y!~"2"}[20m] offset 1h)'],
        "matcher": [
            'rate(a{y!~"2"}[10m] offset 1h)',
            'rate(a{x!="1",y!~"2"}[10m] offset 1h)',
            'rate(a{x=~"1.*",y!~"2"}[10m] offset 1h)',
            'rate(a{x="1"}[10m] offset 1h)',
            'rate(a{x="1",y=~"2"}[10m] offset 1h)',
        ],
        "function": ['increase(a{x="1",y!~"2"}[10m] offset 1h)'],
    },
    'a{x=~"5.."}': {"matcher": ["a", 'a{x!~"5.."}', 'a{x=~".+"}']},
    "sum by (job, le) (a)": {
        "aggregation": ["avg by (job, le) (a)", "a"],
        "grouping": ["sum by (le) (a)", "sum by (job) (a)"],
    },
    "max without (x) (a)": {"aggregation": ["min without (x) (a)", "a"], "grouping": ["max(a)"]},
    "sum(a + b) * 2": {
        "operator": ["sum(a + b) / 2", "sum(a - b) * 2"],
        "number": ["sum(a + b) * 1.8", "sum(a + b) * 2.2"],
        "aggregation": ["avg(a + b) * 2", "(a + b) * 2"],
    },
    "histogram_quantile(0.95, a)": {"quantile": ["histogram_quantile(0.99, a)"]},
    "rate(a[30d])": {"window": ["rate(a[2w1d])"], "function": ["increase(a[4w2d])"]},
    "(a or b) unless up": {},
    "not promql": {},
}


@pytest.mark.parametrize("expr", EDITED)
def test_every_part_that_goes_wrong_is_edited_by_itself(expr):
    """In the order of the text; what has no such part has no edit."""
    made = {}
    for edit in expression_edits(expr):
        made.setdefault(edit.kind, []).append(edit.expr)
    assert made == EDITED[expr]


def test_an_edit_names_the_part_that_changed():
    """As it was and as it is, not the whole expression."""
    edits = list(expression_edits('sum(rate(a{x="1"}[5m])) > 2'))
    shown = [(edit.before, edit.after) for edit in edits if edit.kind == "matcher"]
    assert shown[:2] == [('a{x="1"}[5m]', "a[5m]"), ('a{x="1"}[5m]', 'a{x!="1"}[5m]')]
    shown = {edit.kind: (edit.before, edit.after) for edit in edits}
    assert shown["comparator"] == ("> 2", "< 2")
    assert shown["threshold"] == ("> 2", "> 2.5")
    (first, *_) = expression_edits("5 < up")
    assert (first.before, first.after) == ("< up", "> up")


def test_no_mutant_of_the_pack_is_its_rule_and_an_engine_takes_them_all(tmp_path):
    """Each is another rule, of every kind; planted, one that no engine reads is refused."""
    rules = pack_rules("slo", "performance", "backpressure", "extras")
    own = {(g.name, r.alert, text_of(parse(r.expr)), r.for_s, r.labels, g.interval_s)
           for g, r in rules.alerts}  # fmt: skip
    mutants = mutants_of(rules, (), exported_names())
    made = [(m.group.name, m.rule.alert, m.rule.expr, m.rule.for_s, m.rule.labels,
             m.group.interval_s) for m in mutants]  # fmt: skip
    assert not own & set(made)
    written = [*(mutant.rule for mutant in mutants if mutant.kind != "interval")]
    assert {mutant.kind for mutant in mutants} == set(get_args(MutantKind))
    assert refused(tmp_path, [rule_document(rule) for rule in written]) == ""
    assert "parse error" in refused(tmp_path, [{"alert": "Odd", "expr": "sum by (x) up >"}])


def refused(folder, documents):
    """Return what promtool says against rules, "" for nothing; alerts of one name are allowed."""
    named = [{**each, "alert": f"A{number}"} for number, each in enumerate(documents)]
    path = folder / "rules.yaml"
    path.write_text(as_yaml({"groups": [{"name": "g", "rules": named}]}))
    json.loads(path.read_text())
    command = [require("promtool"), "check", "rules", "--lint=none", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr + done.stdout if done.returncode else ""


def test_each_alert_can_be_edited_alone():
    """By its name."""
    rules = pack_rules("performance")
    only = mutants_of(rules, ["HighMemoryUsage"])
    assert {rule.alert for mutant in only for rule in mutant.rules} == {"HighMemoryUsage"}
    own = [m for m in mutants_of(rules) if m.rule.alert == "HighMemoryUsage"]
    assert [m for m in only if m.kind != "interval"] == own


def test_another_interval_is_one_edit_of_all_alerts_of_a_group():
    """Not of each by itself: they are evaluated together."""
    rules = pack_rules("performance")
    edited = [mutant for mutant in mutants_of(rules) if mutant.kind == "interval"]
    assert [(m.subject, m.change) for m in edited] == [
        ("group agentaskit-performance", "30s -> 15s"),
        ("group agentaskit-performance", "30s -> 1m"),
    ]
    assert {m.rules for m in edited} == {tuple(rule for _, rule in rules.alerts)}
