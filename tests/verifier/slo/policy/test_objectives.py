"""What a policy states, objective by objective, and which alerts watch each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.yaml_reader import parse
from tests.verifier.slo.packs import alert
from tests.verifier.slo.policy.test_policy import GOOD
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.slo.objectives import (
    Objective,
    budget_rules,
    objectives,
    objectives_without_alert,
    share_rules,
)
from verifier.slo.policy import read_policy
from verifier.slo.sentences import lines

POLICY = read_policy(parse(GOOD, "p.yaml")).policy
LABELS = {
    "availability": {"slo": "availability"},
    "budget": {"slo": "error_budget"},
    "fast": {"slo": "burn_rate", "window": "fast"},
    "slow": {"slo": "burn_rate", "window": "slow"},
    "p95": {"slo": "latency", "percentile": "p95"},
    "p99": {"slo": "latency", "percentile": "p99"},
    "startup": {"slo": "startup_time"},
}


def rules_of(file, *names):
    """Return alerts of these names with their labels, and a severity, in one file."""
    alerts = (
        replace(alert("x > 1", {**LABELS[name], "severity": "page"}), alert=name) for name in names
    )
    return RuleGroup("g", file, 30.0, tuple(alerts))


def test_each_objective_has_its_limit_labels_place_and_what_it_reads():
    """A burn rate is a multiple of the budget, a quantile is in seconds."""
    window = ("availability", "windows")
    assert objectives(POLICY) == [
        Objective(
            name="availability", stated="99.9 %", labels=LABELS["availability"],
            limit=pytest.approx(0.001), steps=("availability", "target"), is_share=True,
        ),
        Objective(
            name="burn rate, window fast", stated="14.4 over 1h", labels=LABELS["fast"],
            limit=pytest.approx(0.0144), steps=(*window, 0, "burn_rate"), is_share=True,
            range_s=3600.0,
        ),
        Objective(
            name="burn rate, window slow", stated="6 over 6h", labels=LABELS["slow"],
            limit=pytest.approx(0.006), steps=(*window, 1, "burn_rate"), is_share=True,
            range_s=21600.0,
        ),
        Objective(
            name="latency p95", stated="50 ms", labels=LABELS["p95"], limit=0.05,
            steps=("latency", "p95_ms"), quantile=0.95,
        ),
        Objective(
            name="latency p99", stated="100 ms", labels=LABELS["p99"], limit=0.1,
            steps=("latency", "p99_ms"), quantile=0.99,
        ),
        Objective(
            name="startup_time p95", stated="100 ms", labels=LABELS["startup"], limit=0.1,
            steps=("startup_time", "p95_ms"), quantile=0.95,
        ),
    ]  # fmt: skip


def test_without_a_target_neither_availability_nor_burn_rates_are_objectives():
    """What is left are the times."""
    policy = replace(POLICY, target_percent=None)
    assert [each.name for each in objectives(policy)] == [
        "latency p95", "latency p99", "startup_time p95",
    ]  # fmt: skip
    every = RuleFiles((rules_of("a.yaml", *LABELS),))
    assert share_rules(policy, every) == []
    assert len(objectives_without_alert(policy, RuleFiles(()))) == 3


def test_an_objective_is_watched_by_alerts_that_are_loaded():
    """Those in extras.yaml are not, the budget's among them; other names that end so are."""
    kept = rules_of("extras.yaml/a-extras.yaml", "availability", "fast", "p95", "p99", "startup")
    extras = rules_of("x/extras.yaml", "slow", "budget", "fast")
    assert lines(objectives_without_alert(POLICY, RuleFiles((kept, extras)))) == [
        (
            "p.yaml:6:43: burn rate, window slow: no alert has the labels slo=burn_rate,"
            " window=slow, but slow, which is loaded only on request"
        ),
        "p.yaml:3:11: error budget: no alert has the labels slo=error_budget",
    ]
    loaded = replace(extras, file="x/others.yaml")
    assert objectives_without_alert(POLICY, RuleFiles((kept, loaded))) == []


def test_the_alerts_on_shares_are_each_named_once_availability_first_the_budget_last():
    """In the order of the policy, whatever that of the files."""
    group = rules_of("a.yaml", "budget", "slow", "p95", "fast", "availability")
    twice = replace(alert("x > 1", LABELS["availability"] | LABELS["fast"]), alert="both")
    rules = RuleFiles((replace(group, rules=(*group.rules, twice)),))
    assert [rule.alert for rule in share_rules(POLICY, rules)] == [
        "availability", "fast", "both", "slow", "budget",
    ]  # fmt: skip
    assert [rule.alert for rule in budget_rules(rules)] == ["budget"]
