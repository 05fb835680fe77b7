"""Who is blamed for a failure, by each kind of evidence; the strongest decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers
from verifier.judge.failures.culprit import FailedCase, likely_culprit
from verifier.judge.failures.explanation import with_hop_of
from verifier.judge.notification_checks import BROKE_AT_RULE
from verifier.judge.verdict import AlertVerdict, Culprit

COMPARISON = ComparisonNumbers(
    "x > 100", ">", 100.0, 40.0, 600.0, (), None, 1.0, healthy=20.0, healthy_spread=1.0
)
NEVER = ConditionNumbers(300.0, None, None, (COMPARISON,))
BRIEFLY = ConditionNumbers(300.0, 60.0, 200.0, (replace(COMPARISON, held_s=60.0),))
HELD = ConditionNumbers(300.0, 600.0, 190.0, (replace(COMPARISON, held_s=600.0),))
VERDICT = AlertVerdict(
    alert="A",
    labels=(),
    expected="fires",
    ok=False,
    reason="never fired",
    cause="gone",
    onset_s=180.0,
    cause_end_s=540.0,
    fires_within_s=420.0,
    resolves_within_s=180.0,
)
FIRED = {"pending_s": 10.0, "firing_s": 310.0, "resolved_s": 600.0}
LATE = {"pending_s": 300.0, "firing_s": 600.0, "resolved_s": 650.0}
SIBLING = replace(VERDICT, alert="B", ok=True, **FIRED)
MUTE = replace(VERDICT, alert="B")


def blamed(numbers=NEVER, *, case=None, **changes):
    """Return who is blamed for a verdict with these changes, and why."""
    verdict = replace(VERDICT, **changes)
    culprit = likely_culprit(FailedCase(verdict=verdict, numbers=numbers, **(case or {})))
    return (culprit.suspect, culprit.because) if culprit else (None, "")


CASES = [
    # What needs no number.
    (NEVER, {}, {"broke_at": "alertmanager"}, "route", "what followed did not"),
    (HELD, {}, {"broke_at": "receiver", **FIRED}, "route", "what followed did not"),
    (NEVER, {}, {"broke_at": "scrape"}, None, ""),
    (None, {}, {"vacuous": "no such series"}, "rule", "could not have fired"),
    (NEVER, {"difference": "`x > 9`, not `x"}, {}, "rule", "it has `x > 9`, not `x"),
    (ConditionNumbers(300.0, None, None, ()), {}, {}, "rule", "never had a value"),
    # It fired, or was pending, when it must not have.
    (HELD, {}, {"expected": "unexpected"}, "rule", "before any fault began"),
    (HELD, {"active_fault": "gone"}, {"expected": "silent"}, "expectation", "while gone was"),
    (
        HELD,
        {"active_fault": "gone", "is_over": True},
        {"expected": "silent"},
        "expectation",
        "its condition held after gone had ended",
    ),
    (HELD, {"not_before_s": 180.0}, {**FIRED, "pending_s": -60.0}, "rule", "healthy system"),
    # It never fired: by how far its value came, and what its siblings did.
    (NEVER, {}, {}, "rule", "from a healthy mean of 20 to 40, 25% of the way to > 100"),
    (NEVER, {"siblings": [SIBLING]}, {}, "rule", "while B fires by the same cause"),
    (NEVER, {"siblings": [MUTE]}, {}, "fault", "25% of the way to > 100: too weak"),
    (NEVER, {"siblings": [SIBLING], "difference": ""}, {}, "fault", "25% of the way"),
    (NEVER, {}, {"cause_end_s": 90.0}, "fault", "gone lasts 1m30s: too short"),
    (NEVER, {"siblings": [SIBLING]}, {"cause_end_s": 90.0}, "rule", "while B fires"),
    (
        replace(NEVER, comparisons=(replace(COMPARISON, at_s=170.0),)),
        {},
        {},
        "rule",
        "had no value from the onset of gone on",
    ),
    # It was only pending.
    (BRIEFLY, {}, {}, "fault", "held for 1m, its `for` is 5m: too weak"),
    (BRIEFLY, {}, {"cause_end_s": 90.0}, "fault", "gone lasts 1m30s: too short"),
    (BRIEFLY, {"siblings": [SIBLING]}, {}, "rule", "while B fires"),
    (BRIEFLY, {"longest_for_s": 60.0}, {}, "rule", "the longest of the others 1m"),
    (
        BRIEFLY,
        {"longest_for_s": 60.0},
        {"cause_end_s": 90.0},
        "rule",
        "gone lasts 1m30s, the longest of the others 1m",
    ),
    (BRIEFLY, {"longest_for_s": 60.0, "difference": ""}, {}, "fault", "too weak"),
    # It fired too late.
    (HELD, {}, {**FIRED, "fires_within_s": 200.0}, "expectation", "`for` alone is 5m"),
    (
        HELD,
        {"longest_for_s": 60.0},
        {**FIRED, "fires_within_s": 200.0},
        "rule",
        "longest of the others 1m",
    ),
    (HELD, {}, LATE, "expectation", "fired 10m after the onset, 5m of it its `for`"),
    (HELD, {"siblings": [SIBLING]}, LATE, "expectation", "7m is too short"),
    (HELD, {"siblings": [replace(SIBLING, **LATE)]}, LATE, "fault", "gone acts slowly: B"),
    # It resolved too late.
    (HELD, {}, {**FIRED, "resolved_s": 900.0}, "expectation", "resolved 6m after its cause"),
    (HELD, {}, {**FIRED, "resolved_s": None}, "expectation", "still sees the cause"),
    (
        HELD,
        {"siblings": [replace(SIBLING, resolved_s=None)]},
        {**FIRED, "resolved_s": None},
        "fault",
        "its effect outlasts gone: B kept firing too",
    ),
]


@pytest.mark.parametrize(("numbers", "case", "changes", "suspect", "because"), CASES)
def test_the_strongest_evidence_names_the_culprit(numbers, case, changes, suspect, because):
    """Each kind of it, and what outweighs it."""
    who, why = blamed(numbers, case=case, **changes)
    assert who == suspect
    assert because in why


FLAPPED = {**LATE, "lost_pending": ((100.0, 130.0),)}
PLATEAU = replace(COMPARISON, held_s=600.0, plateau=102.0, plateau_spread=1.0)
NEAR_PLATEAU = replace(HELD, comparisons=(PLATEAU,))
FAR_PLATEAU = replace(HELD, comparisons=(replace(PLATEAU, plateau=130.0),))


@pytest.mark.parametrize(
    ("numbers", "case", "changes", "suspect", "because"),
    [
        (NEAR_PLATEAU, {}, FLAPPED, "rule", "only 2 (2.0%) from 102, about which gone holds"),
        (NEAR_PLATEAU, {}, FLAPPED, "rule", "so it was pending twice"),
        (NEAR_PLATEAU, {"difference": ""}, FLAPPED, "fault", "only 2 (2.0%) from 102"),
        (FAR_PLATEAU, {}, FLAPPED, "fault", "pending twice, at first early enough: too unsteady"),
        (HELD, {}, FLAPPED, "fault", "too unsteady"),
        # Its first time was too late as well, or before its cause.
        (NEAR_PLATEAU, {}, {**FLAPPED, "lost_pending": ((130.0, 140.0),)}, "expectation", "7m is"),
        (NEAR_PLATEAU, {}, {**FLAPPED, "lost_pending": ((-50.0, -10.0),)}, "expectation", "7m is"),
        (NEAR_PLATEAU, {}, LATE, "expectation", "7m is too short"),
        # It never fired.
        (
            replace(BRIEFLY, comparisons=(PLATEAU,)),
            {},
            {"lost_pending": ((100.0, 130.0), (200.0, 290.0), (300.0, 320.0))},
            "rule",
            "so it was pending 3 times",
        ),
        # An alert of the same cause fired: its threshold lies further away.
        (
            replace(BRIEFLY, comparisons=(PLATEAU,)),
            {"siblings": [SIBLING]},
            {"lost_pending": ((100.0, 130.0), (200.0, 290.0))},
            "rule",
            "so it was pending twice",
        ),
        (
            replace(BRIEFLY, comparisons=(PLATEAU,)),
            {},
            {"lost_pending": ((100.0, 130.0),)},
            "fault",
            "too weak, or too unsteady",
        ),
    ],
)
def test_a_threshold_within_the_noise_of_a_value_is_the_rules(
    numbers, case, changes, suspect, because
):
    """Only where it cost the alert its time; the bundled threshold is as it is meant."""
    who, why = blamed(numbers, case=case, **changes)
    assert (who, because in why) == (suspect, True), why


@pytest.mark.parametrize(
    ("changes", "suspect", "because"),
    [
        ({"threshold": 1000.0}, "rule", "out of reach"),
        ({"nearest": 22.0}, "expectation", "gone does not move what this alert reads"),
        ({"nearest": 22.0, "healthy_spread": 0.1}, "fault", "2% of the way"),
        ({"nearest": 98.0}, "fault", "98% of the way to > 100: too weak"),
        ({"threshold": 1e6, "nearest": 24.0}, "fault", "less than 1% of the way to > 1,000,000"),
        ({"healthy": 0.0, "nearest": 5.0}, "rule", "out of reach"),
        ({"healthy": 0.0, "nearest": 30.0}, "fault", "30% of the way"),
        ({"healthy": None}, "fault", "came no nearer than 40"),
    ],
)
def test_an_alert_alone_is_judged_by_how_far_its_value_came(changes, suspect, because):
    """Against its own noise, its healthy level and the way to the threshold."""
    numbers = replace(NEVER, comparisons=(replace(COMPARISON, **changes),))
    who, why = blamed(numbers)
    assert (who, because in why) == (suspect, True), why


AGREEING = {
    "fault": {"world"},
    "expectation": {"world"},
    "rule": {"rule"},
    "route": {"alertmanager", "receiver"},
}


@pytest.mark.parametrize(("numbers", "case", "changes"), [each[:3] for each in CASES])
def test_the_hop_that_broke_and_the_culprit_are_never_at_odds(numbers, case, changes):
    """In real time, where the judge of the notifications named the rule for want of numbers."""
    named = {"broke_at": "rule", "reason": f"never fired; {BROKE_AT_RULE}", **changes}
    verdict = replace(VERDICT, **named)
    culprit = likely_culprit(FailedCase(verdict=verdict, numbers=numbers, **case))
    agreed = with_hop_of(culprit, verdict)
    if culprit is None:
        assert agreed.broke_at == "scrape"
        return
    assert agreed.broke_at in AGREEING[culprit.suspect]
    if culprit.suspect != "route":
        assert (BROKE_AT_RULE in agreed.reason) == (culprit.suspect == "rule")


def test_a_planted_hop_at_odds_with_its_culprit_is_noticed():
    """What was said before: the world, of a rule that its own culprit blames."""
    verdict = replace(VERDICT, broke_at="rule")
    culprit = likely_culprit(FailedCase(verdict=verdict, numbers=NEVER, siblings=[SIBLING]))
    assert culprit.suspect == "rule"
    assert replace(verdict, broke_at="world").broke_at not in AGREEING[culprit.suspect]
    assert with_hop_of(culprit, verdict) == verdict


@pytest.mark.parametrize(
    ("changes", "suspect", "because"),
    [
        ({"broke_at": "world"}, "fault", "gone had no effect"),
        # Its condition held from 10 s after the onset on, and 5m is its `for`: it did not fire.
        ({"broke_at": "rule"}, "rule", "held for its `for` in time, and it did not fire"),
        ({"broke_at": "rule", **LATE}, "rule", "held for its `for` in time"),
        ({"broke_at": "rule", **FIRED, "resolved_s": 900.0}, "expectation", "after its cause"),
        ({"broke_at": "rule", "fires_within_s": 200.0, **LATE}, "expectation", "`for` alone"),
    ],
)
def test_a_hop_that_is_sure_decides_the_culprit(changes, suspect, because):
    """A fault without effect; a condition that held, and a rule that did not fire."""
    who, why = blamed(HELD, **changes)
    assert (who, because in why) == (suspect, True), why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "the rule did what it says: the cause did not meet it in time"),
        (LATE, "the rule did what it says: the cause did not meet it in time"),
        ({**FIRED, "resolved_s": 900.0}, "did what it says: its condition held on after its cause"),
        ({**FIRED, "resolved_s": None}, "did what it says: its condition held on after its cause"),
        (
            {**FIRED, "firing_s": 420.0, "resolved_s": 720.5},
            "its condition held on after its cause",
        ),
        ({**FIRED, "firing_s": 420.0, "resolved_s": 720.0}, "the rule did what it says"),
        (FIRED, "the rule did what it says"),
    ],
)
def test_a_rule_that_is_not_to_blame_did_what_it_says(changes, why):
    """And what happened instead."""
    verdict = replace(VERDICT, broke_at="rule", reason=BROKE_AT_RULE, **changes)
    agreed = with_hop_of(Culprit(suspect="fault", because="x"), verdict)
    assert agreed.reason.endswith(why)


OTHER_SIDE = replace(COMPARISON, condition="y < 5", operator="<", threshold=5.0, held_s=60.0)
LOST_TWICE = ((100.0, 130.0), (200.0, 290.0))


@pytest.mark.parametrize(
    ("numbers", "case", "changes", "suspect", "because"),
    [
        # It never fired, though it was pending before its cause.
        (BRIEFLY, {"not_before_s": 180.0}, {"pending_s": -60.0}, "fault", "too weak"),
        # What followed did wrong, whatever the labels.
        (NEVER, {}, {"broke_at": "alertmanager", "other_labels": ("le",)}, "route", "did not"),
        (HELD, {}, {**FIRED, "other_labels": ("le",)}, "rule", "is an aggregation missing"),
        # The side that never held decides.
        (replace(NEVER, comparisons=(OTHER_SIDE, COMPARISON)), {}, {}, "rule", "to > 100"),
        # It fired at its very limit, so it was in time.
        (
            HELD,
            {},
            {**FIRED, "fires_within_s": 310.0, "resolved_s": 900.0},
            "expectation",
            "resolved 6m",
        ),
        (
            HELD,
            {},
            {**FIRED, "fires_within_s": 310.0, "resolved_s": 900.0, "broke_at": "rule"},
            "expectation",
            "resolved 6m",
        ),
        # It held for exactly its `for`.
        (replace(HELD, held_s=300.0), {}, {"broke_at": "rule"}, "rule", "and it did not fire"),
        (BRIEFLY, {}, {"cause_end_s": 300.0}, "fault", "held for 1m, its `for` is 5m"),
        # Its wait follows from its early firing.
        (
            HELD,
            {},
            {**FIRED, "fires_after_s": 320.0, "pends_for_s": 60.0},
            "rule",
            "fired before its cause can have",
        ),
        (HELD, {}, {**FIRED, "pends_for_s": 60.0}, "rule", "pending for 5m, its `for` is 5m"),
        # Three times as long as the others is no outlier yet.
        (BRIEFLY, {"longest_for_s": 100.0}, {}, "fault", "too weak"),
        # Its cause is too short, though its value lies at its threshold.
        (
            replace(BRIEFLY, comparisons=(PLATEAU,)),
            {},
            {"lost_pending": LOST_TWICE, "cause_end_s": 290.0},
            "fault",
            "too short for it",
        ),
        # A value that must be something exactly lies near nothing.
        (
            replace(BRIEFLY, comparisons=(replace(PLATEAU, operator="=="),)),
            {},
            {"lost_pending": LOST_TWICE},
            "fault",
            "too weak, or too unsteady",
        ),
    ],
)
def test_each_bound_of_the_evidence_is_met_by_what_lies_at_it(
    numbers, case, changes, suspect, because
):
    """What comes first decides, and what is just enough is enough."""
    who, why = blamed(numbers, case=case, **changes)
    assert (who, because in why) == (suspect, True), why
