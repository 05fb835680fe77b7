"""What is said of a difference, whole; and the small questions on the way to it, one by one."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from verifier.engines.causes.conditions import ConditionSide, _agree, is_nearly, query_of
from verifier.engines.causes.explaining import (
    ActingTrait,
    AlertExplanation,
    DifferenceReason,
    _belongs,
    _is_same,
    _may_make,
)
from verifier.engines.causes.leaves import (
    NotReckonedError,
    functions_of,
    leaves_of,
    with_named_leaves,
)
from verifier.engines.causes.sentences import cause_lines, explanation_document, reason_lines
from verifier.engines.causes.traits import INSTANT, Trait, sentence
from verifier.servers.prometheus import RangeQuery

NAMES = ("one", "two")
SIDE = ConditionSide("sum(a)", "sum(a) / 2", "<", 0.5)
WHOLE = ConditionSide("a", "a")
BEFORE, ZERO = ActingTrait(Trait.SAMPLE_BEFORE, 1), ActingTrait(Trait.LATE_ZERO, 0)
REASONS = (
    DifferenceReason((90.0004, 120.0, 150.0), SIDE, (1 / 3, None), (BEFORE, ZERO)),
    DifferenceReason((60.0, 90.0), WHOLE, (math.nan, 1e9), (BEFORE,)),
    DifferenceReason((30.5,), None, (None, None), unexplained="it is not known"),
    DifferenceReason((), None, (-math.inf, math.inf), unexplained="nothing"),
)
SAID = {"before": sentence(Trait.SAMPLE_BEFORE), "zero": sentence(Trait.LATE_ZERO)}
EXPLANATION = AlertExplanation("A", (), REASONS)


def test_every_reason_is_a_sentence():
    """When, what was measured in either, against what, and why; or that it is not explained."""
    assert list(reason_lines(EXPLANATION, NAMES)) == [
        (
            "at 1m30s and 2 evaluations more: sum(a) / 2 is 0.333333 in one, without a value in"
            f" two, against < 0.5: two {SAID['before']}; one {SAID['zero']}"
        ),
        (
            "at 1m and 1 evaluation more: a is not a number in one, 1000000000 in two:"
            f" two {SAID['before']}"
        ),
        "at 30.5s: NOT EXPLAINED: it is not known",
        "NOT EXPLAINED: nothing",
    ]


def test_causes_are_counted_once_for_each_alert_the_most_first():
    """Of as many alerts by their words."""
    other = AlertExplanation("B", (), REASONS[1:2])
    assert list(cause_lines([EXPLANATION, other], NAMES)) == [
        f"2 alerts: two {SAID['before']}",
        f"1 alert: one {SAID['zero']}",
    ]
    third = AlertExplanation("C", (), (DifferenceReason((), None, (None, None), (ZERO,)),))
    lines = list(cause_lines([EXPLANATION, third], ("b", "a")))
    assert lines == [f"2 alerts: b {SAID['zero']}", f"1 alert: a {SAID['before']}"]
    assert list(cause_lines([EXPLANATION], ("b", "a"))) == [
        f"1 alert: a {SAID['before']}",
        f"1 alert: b {SAID['zero']}",
    ]


def test_the_document_has_every_reason_whole():
    """Numbers that JSON has not are words."""
    first, second, third, fourth = explanation_document(EXPLANATION)
    before = {"id": "sample-before", "engine": 1, "sentence": SAID["before"]}
    assert first == {
        "times": [90.0, 120.0, 150.0], "expr": "sum(a) / 2", "operator": "<", "threshold": 0.5,
        "values": [1 / 3, None], "unexplained": None,
        "causes": [before, {"id": "late-zero", "engine": 0, "sentence": SAID["zero"]}],
    }  # fmt: skip
    assert second == {
        "times": [60.0, 90.0], "expr": "a", "operator": None, "threshold": None,
        "values": ["NaN", 1e9], "causes": [before], "unexplained": None,
    }  # fmt: skip
    nothing = {"expr": None, "operator": None, "threshold": None, "causes": []}
    assert third == nothing | {
        "times": [30.5], "values": [None, None], "unexplained": "it is not known",
    }  # fmt: skip
    assert fourth["values"] == ["-Inf", "+Inf"]


@pytest.mark.parametrize(
    ("reasons", "is_explained"),
    [((), False), (REASONS[:2], True), (REASONS, False), (REASONS[2:3], False)],
)
def test_an_alert_is_explained_when_every_reason_is(reasons, is_explained):
    """And there is one."""
    assert AlertExplanation("A", (), reasons).is_explained == is_explained


def test_reasons_are_alike_in_all_but_their_values():
    """For series that differ alike."""
    assert REASONS[0].outline == (REASONS[0].times_s, SIDE, (BEFORE, ZERO), "")


@pytest.mark.parametrize(
    ("side", "values"),
    [(SIDE, {None: False, 0.49: True, 0.5: False, math.nan: False}),
     (WHOLE, {None: False, 0.0: True, math.nan: True})],
)  # fmt: skip
def test_a_side_says_whether_it_holds(side, values):
    """Without an operator it holds where there is a value."""
    assert {value: side.says(value) for value in values} == values


@pytest.mark.parametrize(
    ("first", "second", "nearly"),
    [
        (1.0, 1.0 + 5e-13, True), (1.0, 1.0 + 5e-12, False), (None, None, True),
        (None, 0.0, False), (0.0, None, False), (math.nan, math.nan, True),
        (math.nan, 1.0, False), (1.0, math.nan, False), (1.0, -1.0, False),
    ],
)  # fmt: skip
def test_values_are_nearly_the_same(first, second, nearly):
    """But for rounding; two that are none, or no numbers, too."""
    assert is_nearly(first, second) == nearly


@pytest.mark.parametrize(
    ("reckoned", "answer", "other", "same"),
    [
        (None, None, 1.0, True), (None, 1.0, 1.0, False), (1.0, None, 1.0, False),
        (math.nan, 1.0, 2.0, False), (1.0, math.nan, 2.0, False),
        (1.0 + 0.9e-6, 1.0, None, True), (1.0 + 1.1e-6, 1.0, None, False),
        (1.0 + 0.9e-6, 1.0, math.nan, True), (1.0 + 0.9e-6, 1.0, 3.0, True),
        (1.0 + 0.9e-7, 1.0, 1.1, True), (1.0 + 1.1e-7, 1.0, 1.1, False),
        (1e-9, 0.0, 1000.0, True), (1.1e-9, 0.0, 1000.0, False),
        (1.0, 2.0, 1.0, False),
    ],
)  # fmt: skip
def test_what_is_recomputed_is_the_answer_as_nearly_as_it_takes(reckoned, answer, other, same):
    """To tell it from the other: by a share of the difference, never of more than the answer."""
    assert _is_same(reckoned, answer, other) == same


RULE = SimpleNamespace(alert="A", labels=(("severity", "page"), ("text", "{{ $value }}")))


@pytest.mark.parametrize(
    ("alert", "labels", "may"),
    [
        ("A", (("severity", "page"), ("text", "5")), True),
        ("A", (("severity", "page"),), True),
        ("A", (("severity", "info"),), False),
        ("A", (), False),
        ("B", (("severity", "page"),), False),
    ],
)
def test_an_alert_may_be_of_a_rule_with_its_name_and_labels(alert, labels, may):
    """Templates may have become anything."""
    assert _may_make(RULE, SimpleNamespace(alert=alert, labels=labels)) == may


def test_a_series_becomes_the_alert_with_its_labels_but_for_those_of_the_rule():
    """Which stand in for what the series had."""
    rule = SimpleNamespace(rule=RULE)
    alert = (("job", "a"), ("severity", "page"), ("text", "5"))
    assert _belongs((("job", "a"),), alert, rule)
    assert _belongs((("job", "a"), ("severity", "none")), alert, rule)
    assert not _belongs((("job", "b"),), alert, rule)
    assert not _belongs((), alert, rule)
    assert not _belongs((("job", "a"), ("zone", "z")), alert, rule)


def test_labels_agree_where_no_name_has_two_values():
    """What one of them lacks is no matter."""
    first = (("a", "1"), ("b", "2"))
    assert _agree(first, (("b", "2"), ("c", "3")))
    assert _agree((), first)
    assert not _agree(first, (("b", "3"),))


def test_a_rule_is_asked_on_its_own_grid():
    """So much earlier as its group says."""
    grid = SimpleNamespace(start_s=4.0, count=3, interval_s=30.0, times_s=np.array([4.0]))
    group = SimpleNamespace(query_offset_s=60.0)
    start_s = EPOCH_S - 56.0
    assert query_of("up", group, grid, EPOCH_S) == RangeQuery("up", start_s, start_s + 60.0, 30.0)


@pytest.mark.parametrize(
    ("expr", "leaves", "named", "without_nan"),
    [
        ("up", [(INSTANT, 0, 0)], "x0", "x0"),
        (
            'rate(a{b="c"}[5m] offset 1m) / b offset -30s',
            [("rate", 300_000, 60_000), (INSTANT, 0, -30_000)],
            'x0{b="c"} / x1', '((x0{b="c"} / x1) >= -Inf)',
        ),
        ("absent_over_time(a[90s])", [("present_over_time", 90_000, 0)], "absent(x0)",
         "absent(x0)"),
        ("sum by (b) (a) > 1", [(INSTANT, 0, 0)], "sum by (b) (x0) > 1",
         "((((sum by (b) (x0)) >= -Inf) > 1) >= -Inf)"),
        ("scalar(a) * 2", [(INSTANT, 0, 0)], "scalar(x0) * 2", "scalar(x0) * 2"),
        ('{__name__="a",b!="c"}', [(INSTANT, 0, 0)], 'x0{b!="c"}', 'x0{b!="c"}'),
    ],
)  # fmt: skip
def test_leaves_are_put_into_names_of_their_own(expr, leaves, named, without_nan):
    """With their functions, windows and offsets; a value that is no number may be none."""
    assert [(leaf.function, leaf.window_ms, leaf.offset_ms) for leaf in leaves_of(expr)] == leaves
    assert with_named_leaves(expr, frozenset(), "x") == named
    assert with_named_leaves(expr, frozenset({Trait.NAN_IS_MISSING}), "x") == without_nan


def test_an_argument_is_a_number_that_never_changes():
    """Of two functions; arithmetic on numbers is one."""
    quantile, line = leaves_of("quantile_over_time(0.9, a[1m]) + predict_linear(b[1m], 4 * 60)")
    assert (quantile.argument, line.argument) == (0.9, 240.0)
    assert functions_of("rate(a[1m]) + rate(b[1m]) + c") == ("rate", INSTANT)
    for expr, said in (
        ("quantile_over_time(scalar(x), a[1m])", r"quantile_over_time\(\) of a number"),
        ("a @ 5", "@"),
        ("timestamp(a)", r"timestamp\(\)"),
        ("rate(a[5m:1m])", "a subquery"),
        ('{a="b" or c="d"}', "`or` between"),
    ):
        with pytest.raises(NotReckonedError, match=said):
            leaves_of(expr)


@pytest.mark.parametrize(
    ("selector", "read"),
    [
        ("a", "12"), ('a{b="x"}', "1"), ('a{b!="x"}', "2"), ('a{b=~"x|y"}', "1"),
        ('a{b=~"x."}', ""), ('a{b!~"x"}', "2"), ('a{c=""}', "12"), ('{b="x"}', "13"),
        ('a{b=""}', "2"), ("other", ""), ('{__name__=~"a|c"}', "123"),
    ],
)  # fmt: skip
def test_a_leaf_reads_the_series_that_its_selector_matches(selector, read):
    """The whole of a value; a label that is not there is empty."""
    (leaf,) = leaves_of(selector)
    series = {
        "1": (("__name__", "a"), ("b", "x")),
        "2": (("__name__", "a"),),
        "3": (("__name__", "c"), ("b", "x")),
    }
    assert "".join(name for name, labels in series.items() if leaf.selects(labels)) == read
    assert leaf.labels(series["1"], "x0") == (("__name__", "x0"), ("b", "x"))
