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
from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers
from verifier.judge.failures import explanation
from verifier.judge.failures.bundled_rules import BundledRules
from verifier.judge.failures.explanation import FailureExplainer, decisive_instants
from verifier.judge.notification_checks import BROKE_AT_RULE

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


NUMBERS = ConditionNumbers(
    300.0, None, None,
    (ComparisonNumbers("x > 9", ">", 9.0, 4.0, 600.0, (), None, 1.0, healthy=2.0, sustained=3.0),),
)  # fmt: skip


def explained_by(monkeypatch, verdict, *others, effects=None):
    """Return the verdict, explained, where a measurement gives the numbers above."""
    monkeypatch.setattr(explanation, "measure", lambda *_: NUMBERS)
    run = SimpleNamespace(rules=RULES, factor=1.0, end_s=1800.0)
    scenario = scenario_with("{alert: A, cause: gone, fires_within: 7m}")
    explainer = FailureExplainer(run, scenario, effects or {}, ("s", 1800.0))
    monkeypatch.setattr(explanation, "margin", lambda *_: NUMBERS.comparisons)
    return explainer.explain([verdict, *others])[0]


@pytest.mark.parametrize("ok", [True, False])
def test_a_silence_that_proves_nothing_has_no_numbers(monkeypatch, ok):
    """Its reason says all: neither a margin nor what would have held."""
    empty = alert("A", "silent", ok=ok, vacuous="no metric x exists")
    assert explained_by(monkeypatch, empty) == empty
    calm = explained_by(monkeypatch, alert("A", "silent"))
    assert calm.margin == NUMBERS.comparisons


def test_an_alert_that_could_not_fire_is_not_told_how_near_it_came(monkeypatch):
    """One that could is."""
    assert "its value came nearest with 4" in explained_by(monkeypatch, FAILED).reason
    assert "nearest" not in explained_by(monkeypatch, replace(FAILED, vacuous="no metric")).reason


def test_an_alert_that_must_fire_is_not_placed_by_a_fault_that_is_not_its_cause(monkeypatch):
    """An unexpected one is, for want of any other cause."""
    late = fired("A", ok=False, cause=None, onset_s=0.0, pending_s=200.0, firing_s=700.0)
    assert "after the onset of gone" not in explained_by(monkeypatch, late).reason
    for expected in ("unexpected", "silent", "explained"):
        other = replace(late, expected=expected)
        assert "after the onset of gone" in explained_by(monkeypatch, other).reason


def test_the_hop_that_an_explained_failure_names_is_that_of_its_culprit(monkeypatch):
    """The rule did what it says; the effect of its own fault is told, and no other's."""
    broken = replace(FAILED, broke_at="rule", reason=f"never fired; {BROKE_AT_RULE}", onset_s=180.0)
    effects = {"gone": "gone did: 5 measured", "other": "other did: 7 measured"}
    sibling = fired("B", ok=False, firing_s=None)
    explained = explained_by(monkeypatch, broken, sibling, effects=effects)
    assert explained.evidence.culprit.suspect == "fault"
    assert explained.broke_at == "world"
    assert ("5 measured" in explained.reason, "7 measured" in explained.reason) == (True, False)


def test_only_an_unexpected_alert_brings_an_overlay(monkeypatch):
    """Made for it beside its own siblings: what merely was pending needs no expectation."""
    named = alert("B", "unexpected", ok=False, pending_s=190.0, firing_s=240.0)
    low, high = (replace(named, labels=(("queue", name),)) for name in ("low", "high"))
    pending = replace(high, expected="silent", ok=True, firing_s=None)
    assert "queue" not in explained_by(monkeypatch, low, pending).evidence.overlay
    assert (
        "queue: low"
        in explained_by(monkeypatch, low, replace(high, firing_s=700.0)).evidence.overlay
    )
    for expected in ("silent", "explained", "fires"):
        verdict = replace(low, expected=expected)
        assert explained_by(monkeypatch, verdict).evidence.overlay is None


@pytest.mark.parametrize(
    ("cause_end_s", "end_s", "factor", "ends_s"),
    [
        (540.0, 1800.0, 1.0, 720.0),
        (540.0, 600.0, 1.0, 600.0),
        (540.0, 60.0, 30.0, 720.0),
        (None, 600.0, 1.0, -math.inf),
    ],
)
def test_a_cause_ends_by_itself_or_with_the_run(cause_end_s, end_s, factor, ends_s):
    """Both in seconds of the scenario."""
    run = SimpleNamespace(rules=RULES, factor=factor, end_s=end_s)
    explainer = FailureExplainer(run, scenario_with(), {}, ("s", 1800.0))
    assert explainer._ends_s(replace(FAILED, cause_end_s=cause_end_s)) == ends_s


def test_a_verdict_is_about_the_rule_that_sets_its_labels():
    """One that carries none of them, as it never fired, about the first that it could be."""
    page, ticket, plain = (
        replace(RULE, labels=labels)
        for labels in ((("severity", "page"),), (("severity", "ticket"),), ())
    )
    for rules, text, meant in (
        ((page, ticket), "ticket", ticket),
        ((page, ticket), "other", page),
        ((page, plain), None, page),
        ((page, plain), "ticket", plain),
    ):
        files = replace(RULES, groups=(replace(RULES.groups[0], rules=rules),))
        run = SimpleNamespace(rules=files, factor=1.0, end_s=1800.0)
        explainer = FailureExplainer(run, scenario_with(), {}, ("s", 1800.0))
        labels = () if text is None else (("severity", text),)
        assert explainer._rule_of(replace(FAILED, labels=labels))[1] is meant


def test_what_was_pending_in_vain_is_told_from_its_first_time_to_its_last():
    """Of one that fired its first time alone."""
    lost = ((10.0, 20.0), (40.0, 60.0))
    told_at = {
        each.moment: each.at_s
        for each in decisive_instants(fired("A", pending_s=90.0, lost_pending=lost))
    }
    assert told_at["when it was first pending"] == 190.0
    assert told_at["when it was pending no more"] == 200.0
    failed = replace(FAILED, pending_s=10.0, resolved_s=None, lost_pending=lost)
    told_at = {each.moment: each.at_s for each in decisive_instants(failed)}
    assert told_at["when it was pending no more"] == 240.0
    assert "when it was first pending" not in told_at


def test_an_alert_is_due_so_long_after_its_onset():
    """Without a limit it never is; its cause begins with the earliest of its expectations."""
    assert explanation._due_s(FAILED) == 600.0
    assert explanation._due_s(replace(FAILED, fires_within_s=None)) == math.inf
    lost = replace(FAILED, lost_pending=((30.0, 60.0),))
    reached = explanation._reached(lost)
    assert (reached.from_s, reached.until_s) == (210.0, 720.0)
    at_once = explanation._reached(replace(lost, lost_pending=((0.0, 60.0), (90.0, 99.0))))
    assert (at_once.from_s, at_once.until_s) == (180.0, 720.0)
    assert explanation._reached(replace(lost, cause_end_s=None)) is None
    for from_s in (-1.0, 540.0):
        assert explanation._reached(replace(lost, lost_pending=((from_s, 600.0),))) is None
    assert explanation._reached(FAILED) is None


@pytest.mark.parametrize(
    ("more", "history_s"), [("", math.inf), ("history: {depth: 10m}\n", 600.0)]
)
def test_a_failure_is_measured_by_its_own_times_and_the_depth_of_its_scenario(
    monkeypatch, more, history_s
):
    """When it had to fire, when its cause held it, and how far back there is anything."""
    views = []
    monkeypatch.setattr(explanation, "measure", lambda *args: views.append(args[3]) or NUMBERS)
    scenario = scenario_with("{alert: A, cause: gone, fires_within: 7m}", more=more)
    run = SimpleNamespace(rules=RULES, factor=1.0, end_s=1800.0)
    lost = replace(FAILED, labels=(("queue", "a"),), lost_pending=((30.0, 60.0),))
    FailureExplainer(run, scenario, {}, ("s", 1800.0)).explain([lost])
    (view,) = views
    assert (view.labels, view.onset_s, view.history_s) == ((("queue", "a"),), 180.0, history_s)
    window, reached = view.window, view.reached
    assert (window.not_before_s, window.due_s, window.cause_end_s) == (180.0, 600.0, 720.0)
    assert (reached.from_s, reached.until_s) == (210.0, 720.0)
    assert view.instants == explanation.decisive_instants(lost)
