"""What a failure is explained by: the alerts and faults that belong to it, and no others."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert, fired
from verifier.errors import NotJudged
from verifier.judge.failures import explanation
from verifier.judge.failures.bundled_rules import BundledRules
from verifier.judge.failures.explanation import FailureExplainer, decisive_instants

FAILED = fired("A", ok=False, firing_s=None)


def case(verdict, *others):
    """Return what the culprit of a verdict is judged by, among others."""
    scenario = scenario_with("{alert: A, cause: gone, fires_within: 7m}")
    run = SimpleNamespace(rules=rule_files("A"), factor=1.0)
    explainer = FailureExplainer(run, scenario, {}, ("s", 1800.0))
    return explainer._case(verdict, None, [verdict, *others], (None, BundledRules()))


@pytest.mark.parametrize(
    ("other", "is_sibling"),
    [
        (fired("B"), True),
        (fired("B", ok=False, firing_s=None), True),
        (fired("B", cause="other"), False),
        (fired("B", cause=None), False),
        (fired("A", labels=(("queue", "low"),)), False),
        (fired("B", expected="explained"), False),
        (fired("B", expected="unexpected"), False),
        (alert("B", "silent"), False),
    ],
)
def test_only_other_alerts_that_must_fire_by_the_same_cause_speak_for_or_against_it(
    other, is_sibling
):
    """An alert of another fault says nothing of this one."""
    assert list(case(FAILED, other).siblings) == [other] * is_sibling


def test_the_fault_and_the_beginning_of_a_failure_are_those_of_its_own_cause():
    """Of a cause that the scenario does not have there is neither."""
    own, other = case(FAILED), case(replace(FAILED, cause="other"))
    assert own.fault is not None
    assert own.fault.name == "gone"
    assert other.fault is None
    assert other.not_before_s == -math.inf


RULES = rule_files("A")
RULE = RULES.alerts[0][1]
REFUSAL = "Prometheus cannot evaluate it: many-to-many; labels must be unique"


@pytest.mark.parametrize(
    ("refused", "because"),
    [
        ((NotJudged("alert A", REFUSAL, RULE.position),), REFUSAL.replace(";", ",")),
        # Another rule, or another of its name.
        ((NotJudged("alert B", REFUSAL, RULE.position),), "its condition never had a value"),
        (
            (NotJudged("alert A", REFUSAL, Place("z.yaml", 9, 9)),),
            "its condition never had a value",
        ),
        ((), "its condition never had a value"),
    ],
)
def test_a_rule_that_the_engine_refuses_is_blamed_in_the_engines_words(
    monkeypatch, refused, because
):
    """And not with the value that it never had, which follows from it."""
    measured = []
    monkeypatch.setattr(explanation, "measure", lambda *asked: measured.append(asked))
    run = SimpleNamespace(rules=RULES, factor=1.0, end_s=1800.0)
    scenario = scenario_with("{alert: A, cause: gone, fires_within: 7m}")
    explainer = FailureExplainer(run, scenario, {}, ("s", 1800.0), refused=refused)
    (verdict,) = explainer.explain([FAILED])
    assert (verdict.evidence.culprit.suspect, verdict.evidence.culprit.because) == ("rule", because)
    assert verdict.reason == f"never fired; likely culprit: the rule, since {because}"
    assert bool(measured) == ("never had" in because)


def test_what_decided_a_verdict_is_told_in_the_order_of_time():
    """In seconds of the scenario; what did not happen is left out."""
    told_at = {each.moment: each.at_s for each in decisive_instants(fired("A"))}
    assert told_at == {
        "before its cause": 180.0,
        "when it became pending": 210.0,
        "when it fired": 510.0,
        "when it was due to fire": 600.0,
        "when its cause ended": 720.0,
        "when it had resolved": 780.0,
        "when it was due to have resolved": 900.0,
    }
    assert list(told_at.values()) == sorted(told_at.values())
    never = {each.moment for each in decisive_instants(replace(FAILED, pending_s=None))}
    assert never == {
        "before its cause",
        "when it was due to fire",
        "when its cause ended",
        "when it was pending no more",
    }
    calm = {each.moment for each in decisive_instants(alert("A", "silent"))}
    assert calm == {"at the start"}
