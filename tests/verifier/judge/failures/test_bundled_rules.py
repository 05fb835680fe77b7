"""A rule beside the bundled one of its name: the same, another, or none to compare it with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentaskit_sim.front.pack_files import BUNDLED_RULES
from tests.verifier.simulations import pack_rules
from verifier.judge.failures.bundled_rules import (
    LETTERS_MAX,
    BundledRules,
    longest_for_s,
    read_bundled,
)
from verifier.real_time.rule_compression import compress_rules

ALERT = "TaskThroughputBelowTarget"


@pytest.fixture(scope="module")
def bundled():
    """Return the pack's alerts."""
    return read_bundled(BUNDLED_RULES)


def rule_of(alert=ALERT, **changes):
    """Return a rule of the pack, changed."""
    rules = pack_rules("slo", "performance", "backpressure").alerts
    return replace(next(rule for _, rule in rules if rule.alert == alert), **changes)


def test_every_bundled_rule_says_what_it_says(bundled):
    """Whatever its labels, compressed or not."""
    rules = pack_rules("slo", "performance", "backpressure", "extras")
    assert {bundled.difference(rule) for _, rule in rules.alerts} == {""}
    fast = compress_rules(rules, 30.0)
    assert {bundled.difference(rule, 30.0) for _, rule in fast.alerts} == {""}


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"alert": "Mine"}, None),
        ({"expr": "sum( rate(agentaskit_tasks_processed_total[1m]) )  < 10000"}, ""),
        ({"for_s": 302.0}, ""),  # a compressed one is rounded by as much
        ({"for_s": 310.0}, "`for: 5m10s`, the bundled rule of this name `for: 5m`"),
        ({"for_s": 600.0}, "`for: 10m`, the bundled rule of this name `for: 5m`"),
        (
            {"expr": "sum(rate(agentaskit_tasks_processed_total[1m])) < 1000"},
            (
                "`sum(rate(agentaskit_tasks_processed_total[1m])) < 1000`, the bundled rule of this"
                " name `sum(rate(agentaskit_tasks_processed_total[1m])) < 10000`"
            ),
        ),
    ],
)
def test_a_planted_difference_is_named_with_what_the_pack_has(bundled, changes, difference):
    """Spaces are none; another name is another rule."""
    rule = rule_of()
    assert bundled.difference(replace(rule, **changes)) == difference


def test_of_two_bundled_rules_of_a_name_the_one_with_the_same_labels_is_meant():
    """In whichever order they are: a page beside a ticket waits otherwise."""
    page, ticket = (
        rule_of(labels=(("severity", severity),), for_s=for_s)
        for severity, for_s in (("page", 60.0), ("ticket", 600.0))
    )
    for both in ((page, ticket), (ticket, page)):
        assert {BundledRules(both).difference(each) for each in both} == {""}


def test_the_longest_other_for_leaves_the_rule_itself_out():
    """Else nothing could ever be an outlier."""
    short, long = rule_of(), rule_of(for_s=3600.0)
    assert longest_for_s([short, long], long, 1.0) == 300.0
    assert longest_for_s([short, long], short, 2.0) == 7200.0
    assert longest_for_s([short], short, 1.0) == 0.0


@pytest.mark.parametrize("more", [0, 1])
def test_a_long_expression_is_cut_only_where_it_is_too_long(more):
    """It is no longer than it may be, then."""
    expr = "x" * (LETTERS_MAX - 4 + more) + " > 1"
    shown = expr[: LETTERS_MAX - 4] + " ..." if more else expr
    assert BundledRules((rule_of(expr="y"),)).difference(rule_of(expr=expr)) == (
        f"`{shown}`, the bundled rule of this name `y`"
    )
