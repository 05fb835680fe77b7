"""A rule that reads what is not judged is not judged, through however many rules it reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from verifier.errors import NotJudged
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup
from verifier.promql.parsing import UNASKED
from verifier.rule_files.unfollowed import without_unfollowed

UNKNOWN = "up +"
"""An expression that our parser does not take, as one of a newer engine."""


def record(name, expr):
    """Return a recording rule."""
    return RecordingRule(name, expr, (), Place("rules.yaml", 1, 1))


def alert(name, expr, **labels):
    """Return an alert."""
    place = Place("rules.yaml", 2, 1)
    return AlertRule(name, expr, 0.0, 0.0, tuple(labels.items()), (), place)


def read(*groups):
    """Return the names of the rules that are judged, by group, and {name: reason} of the others."""
    made = tuple(RuleGroup(f"g{i}", "rules.yaml", 15.0, rules) for i, rules in enumerate(groups))
    left = without_unfollowed(RuleFiles(made))
    names = [[getattr(r, "alert", "") or r.record for r in group.rules] for group in left.groups]
    return names, {each.subject: each.reason for each in left.not_judged}


CHAIN = (
    alert("Last", "third > 0"),
    record("third", "sum(second)"),
    record("second", "max_over_time(first[5m])"),
    record("first", UNKNOWN),
)


@pytest.mark.parametrize("order", [CHAIN, CHAIN[::-1], (*CHAIN[::2], *CHAIN[1::2])])
@pytest.mark.parametrize("is_split", [False, True])
def test_a_chain_of_rules_is_lost_to_its_end(order, is_split):
    """In whatever order they stand, and in whichever groups; each names what it reads."""
    fine = alert("Fine", 'up{job="first"} == 0')
    groups = [(rule,) for rule in order] if is_split else [order]
    names, reasons = read(*groups, (fine, record("fourth", "up"), alert("Fourth", "fourth > 0")))
    assert [name for group in names for name in group] == ["Fine", "fourth", "Fourth"]
    assert reasons.pop("recording rule first").startswith(
        "the engine takes its expression, but we cannot follow it: "
    )
    assert reasons == {
        "recording rule second": "it reads first, whose rule is not judged",
        "recording rule third": "it reads second, whose rule is not judged",
        "alert Last": "it reads third, whose rule is not judged",
    }


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (alert("A", UNKNOWN), "we cannot follow it"),
        (record("a", UNKNOWN), "we cannot follow it"),
        (alert("A", "up" + "+up" * 6000), UNASKED),
        (
            alert("A", "up", x='{{ query "up" }}'),
            "its label x asks the engine for data or the time",
        ),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named_with_its_reason(rule, reason):
    """And an alert that is not judged takes no rule with it: nothing reads it by its name."""
    names, reasons = read((rule, alert("Good", "A > 1"), record("good", "up")))
    assert names == [["Good", "good"]]
    assert [reason in each for each in reasons.values()] == [True]


@pytest.mark.parametrize(
    ("expr", "is_lost"),
    [
        ("first", True),
        ('{__name__="first"}', True),
        ('{__name__=~"fir.*"}', True),
        ("rate(first[5m]) / 2", True),
        ("firsts", False),
        ('up{name="first"}', False),
    ],
)
def test_a_read_is_lost_by_the_metric_that_it_names(expr, is_lost):
    """Not by a text that is the same."""
    names, _ = read((record("first", UNKNOWN), alert("A", expr)))
    assert names == [[] if is_lost else ["A"]]


def test_a_template_that_reads_the_alert_alone_is_followed():
    """And the labels of a recording rule are no templates."""
    plain = alert("A", "up", x="{{ $labels.job }}")
    recorded = replace(record("a", "up"), labels=(("x", '{{ query "up" }}'),))
    assert read((plain, recorded, record("b", UNKNOWN)))[0] == [["A", "a"]]


def test_what_was_not_judged_before_stays_named_and_nothing_else_changes():
    """Rules that can all be followed are left as they are."""
    before = NotJudged("alert Old", "why", Place("rules.yaml", 9, 1))
    rules = replace(rule_files(), not_judged=(before,))
    assert without_unfollowed(rules) is rules
    broken = RuleGroup("g", "rules.yaml", 15.0, (alert("A", UNKNOWN),))
    left = without_unfollowed(replace(rules, groups=(*rules.groups, broken)))
    assert left.not_judged[0] == before
    assert [(each.subject, each.place.line) for each in left.not_judged[1:]] == [("alert A", 2)]
