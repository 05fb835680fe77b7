"""Each kind of disagreement and of trap has its own sentence, with all of its parts."""

from __future__ import annotations

from typing import get_args

import pytest

from documents.mistakes import Place
from verifier.slo import disagreements as kinds
from verifier.slo.sentences import disagreement_sentence, findings, lines, trap_sentence

AT = Place("rules.yaml", 3, 5)
POLICY = kinds.Statement(Place("policies.yaml", 7, 2), "14.4 over 1h", "burn rate, window fast")
SAYS = "policies.yaml:7:2 says 14.4 over 1h (burn rate, window fast)"
ABOVE, BELOW = kinds.Threshold(">", 14.4), kinds.Threshold("<=", 0.5)

DISAGREEMENTS = [
    (
        kinds.NoAlert(AT, "latency p95", (("slo", "latency"), ("percentile", "p95"))),
        "latency p95: no alert has the labels slo=latency, percentile=p95",
    ),
    (
        kinds.NoAlert(AT, "x", (("slo", "x"),), ("A", "B")),
        "x: no alert has the labels slo=x, but A and B, which are loaded only on request",
    ),
    (
        kinds.NoAlert(AT, "x", (("slo", "x"),), ("A",)),
        "x: no alert has the labels slo=x, but A, which is loaded only on request",
    ),
    (kinds.MissingPart(AT, "A", "summary"), "A lacks summary"),
    (kinds.NotComparable(AT, "A", "why"), "A is not comparable with the policy: why"),
    (kinds.WrongEvents(AT, "A", "why"), "A is no share of the failed requests: why"),
    (
        kinds.OtherRequests(AT, "A", "x", "B", "y"),
        "A takes its share of x, B of y",
    ),
    (
        kinds.WrongDivisor(AT, "A", 0.002, 0.001, POLICY),
        f"A divides by 0.002, it must divide by 0.001: {SAYS}",
    ),
    (
        kinds.WrongShortWindow(AT, "A", 300.0, BELOW, ABOVE, 3600.0),
        "A fires at <= 0.5 over 5m, it must be > 14.4, as over 1h",
    ),
    (
        kinds.UnstatedWindow(AT, "A", 7200.0, ABOVE),
        "A also fires at > 14.4 over 2h, which is no window of the policy",
    ),
    (
        kinds.WrongWindow(AT, "A", frozenset({7200.0, 300.0}), POLICY),
        f"A reads 5m and 2h, {SAYS}",
    ),
    (kinds.WrongWindow(AT, "A", frozenset(), POLICY), f"A reads no range, {SAYS}"),
    (kinds.WrongQuantile(AT, "A", 0.9, POLICY), f"A reads the 0.9 quantile, {SAYS}"),
    (kinds.WrongQuantile(AT, "A", None, POLICY), f"A reads no quantile, {SAYS}"),
    (
        kinds.WrongThreshold(AT, "A", ABOVE, BELOW, POLICY),
        f"A fires at > 14.4, it must be <= 0.5: {SAYS}",
    ),
    (
        kinds.WrongBudgetPeriod(AT, "A", frozenset({28 * 86400.0}), 30 * 86400.0),
        "A reads 28d, the error budget's period is 30d",
    ),
    (
        kinds.WrongFullBudget(AT, "A", 10.0),
        "A must read 1 or 100 per cent of the budget while nothing fails, it reads 10",
    ),
    (
        kinds.WrongBudget(AT, "A", 0.002, 0.001),
        "A uses an error budget of 0.2 % of the requests, the policy leaves 0.1 %",
    ),
    (
        kinds.WrongPanelThresholds(AT, "P", "D", (5.0,), "A", 6.0),
        "panel 'P' of 'D' has the threshold 5, but A fires at 6",
    ),
    (
        kinds.WrongPanelThresholds(AT, "P", "D", (5.0, 7.5), "A", 6.0),
        "panel 'P' of 'D' has the thresholds 5, 7.5, but A fires at 6",
    ),
]
TRAPS = [
    (
        kinds.PercentTwice(AT, "A", "humanizePercentage", 9990.0),
        "A: humanizePercentage multiplies by 100, the value is in per cent: it would show 9990%",
    ),
    (
        kinds.SplitQuantile(AT, "A"),
        "A: histogram_quantile without `sum by (le)` fires once for every label set",
    ),
    (
        kinds.SingleWindow(AT, "A"),
        (
            "A: a burn rate over a single window keeps firing for most of the window after a short"
            " outage has ended: add a short window with `and`"
        ),
    ),
    (
        kinds.SilentHours(AT, "A", "and hour() >= 0", 0.0),
        "A: 'and hour() >= 0' holds at every hour, so it changes nothing",
    ),
    (
        kinds.SilentHours(AT, "A", "and hour() >= 8", 1 / 3),
        (
            "A: silent for 33.3 % of the time, by the clock (and hour() >= 8); the policy states no"
            " such hours"
        ),
    ),
    (
        kinds.SilentWhenAbsent(AT, "A", "x"),
        (
            "A: without series a sum has no value: when x is absent this does not fire; add an"
            " alert with absent()"
        ),
    ),
    (
        kinds.RepeatedCondition(AT, "A", "B"),
        "A: the same condition as B: both fire for one cause",
    ),
    (
        kinds.OtherHistogram(AT, "A", "P", "x", "y"),
        "panel 'P' shows x, A reads y: they should show the same",
    ),
]


@pytest.mark.parametrize(("problem", "sentence"), DISAGREEMENTS)
def test_a_disagreement_is_a_line_with_its_place(problem, sentence):
    """Every value in its own unit."""
    assert disagreement_sentence(problem) == sentence
    assert lines([problem]) == [f"rules.yaml:3:5: {sentence}"]


@pytest.mark.parametrize(("trap", "sentence"), TRAPS)
def test_a_trap_is_a_finding_with_its_place(trap, sentence):
    """In the same form."""
    assert trap_sentence(trap) == sentence
    assert [str(finding) for finding in findings([trap])] == [f"rules.yaml:3:5: {sentence}"]


def test_no_kind_is_without_a_sentence_here():
    """A new one fails until its words are checked."""
    assert {type(each) for each, _ in DISAGREEMENTS} == set(get_args(kinds.Disagreement))
    assert {type(each) for each, _ in TRAPS} == set(get_args(kinds.Trap))
