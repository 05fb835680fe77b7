"""Texts for labels and samples, each exactly as it is written."""

from __future__ import annotations

import math

import promql_parser as promql
import pytest

from verifier.derive.series.label_values import (
    SelectorMatcher,
    accepted_value,
    matchers_of,
    refused_value,
    samples_of,
)
from verifier.derive.series.levels import Level, PhaseWriter, bounds_of, bucket_rates, written

ABSENT = ("absent", 0.0)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("b|a|c", ["b", "a", "c"]), ("(x|y)z", ["xz", "yz"]),
        ("p(?:q|r)(s|t)", ["pqs", "pqt", "prs", "prt"]),
        ("ab|ac|", ["ab", "ac", ""]), ("[^a]", ["b"]), ("[^b]", ["a"]), ("[^ab]", ["z"]),
        ("[c-f]", ["c"]), ("[xyzw]", ["x", "y", "z"]), (r"[\d]", ["0"]), (r"[\w][\W]", ["a-"]),
        (r"[\D][\s][\S]", ["a a"]), ("a{2,3}", ["aa"]), ("a*b", ["b"]), ("x+?", ["x"]),
        ("(a|b){2}", ["aa", "bb"]), ("(aa|ab|ba|bb|cc){2}", ["aaaa", "abab", "baba", "bbbb"]),
        ("^a.$", ["ax"]), ("(aa|bb)(cc|dd)(ee|ff)(gg|hh)", [
            "aacceegg", "aacceehh", "aaccffgg", "aaccffhh", "aaddeegg", "aaddeehh", "aaddffgg",
            "aaddffhh", "bbcceegg", "bbcceehh", "bbccffgg", "bbccffhh"]),
        ("(", []),
    ],
)  # fmt: skip
def test_a_pattern_is_answered_with_its_plainest_texts(pattern, texts):
    """One of each branch, as few repetitions as there may be, twelve at the most."""
    assert samples_of(pattern) == texts


@pytest.mark.parametrize(
    ("broken", "others", "text"),
    [
        (("=", "x"), [], "x-other"), (("=", ""), [], "other"), (("!=", "x"), [], "x"),
        (("!=", ""), [], ""), (("=~", "x|y"), [], "other"), (("=~", "other|x"), [], "another"),
        (("!~", "x|y"), [], "x"), (("!~", "5.."), [("!=", "5..")], "5xx"),
        (("=~", "x"), [("=~", "p.*")], "p.*"), (("!=", "x"), [("=~", "x|y")], "x"),
        (("=", "x"), [("=", "y")], "y"), (("=~", ".*"), [], None),
        (("!~", "x"), [("=", "y")], None),
        (("=~", "other|another|value|a"), [], "200"), (("=~", "[a-z]+|200"), [], "500"),
        (("=~", "[a-z]+|[0-9]+|/"), [], ""), (("=~", "[a-z]+|[0-9]{3}"), [], "0"),
        (("=~", "[a-z]*|[0-9]{3}|0"), [], "1"), (("=~", "[a-z]*|[0-9]*"), [], "/"),
    ],
)  # fmt: skip
def test_the_text_that_one_matcher_refuses_is_the_nearest_to_it(broken, others, text):
    """One that a wider matcher would take, then what others ask for, then a plain one."""
    others = [SelectorMatcher("a", *each) for each in others]
    assert refused_value(SelectorMatcher("a", *broken), others) == text


@pytest.mark.parametrize(
    ("matchers", "preferred", "text"),
    [
        ([], [], "other"), ([("=~", "x|y")], ["z", "y"], "y"), ([("=~", "x|y")], ["z"], "x"),
        ([("!=", "other"), ("!=", "another")], [], "value"), ([("=", "x"), ("=~", "y|x")], [], "x"),
        ([("=~", "x|y"), ("!=", "x")], [], "y"), ([("=", "x"), ("!=", "x")], [], None),
        ([("=~", "x.+")], [], "xx"), ([("!~", ".+")], ["x"], ""),
    ],
)  # fmt: skip
def test_the_text_that_all_matchers_take_is_a_preferred_one_where_there_is_any(
    matchers, preferred, text
):
    """Then what they themselves say."""
    matchers = [SelectorMatcher("a", *each) for each in matchers]
    assert accepted_value(matchers, preferred) == text


def test_every_sign_of_a_selector_is_read():
    """In the order in which they are written."""
    tree = promql.parse('a{w="1",x!="2",y=~"3",z!~"4"}')
    assert [(each.label, each.sign, each.value) for each in matchers_of(tree)] == [
        ("w", "=", "1"), ("x", "!=", "2"), ("y", "=~", "3"), ("z", "!~", "4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"), (-3.0, "-3"), (0.1, "0.1"), (1e14, "100000000000000"),
        (1e15, "1000000000000000.0"),
        (1e-7, "1e-07"), (math.inf, "Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"),
    ],
)  # fmt: skip
def test_a_sample_is_written_as_promtool_reads_it(value, text):
    """Whole numbers without a point."""
    assert written(value) == text


@pytest.mark.parametrize(
    ("interval_s", "phases", "text"),
    [
        (60.0, [(2, ("clock", 5.0)), (2, ("clock", 7.0)), (1, ABSENT), (2, ("clock", 5.0))],
         "5+60x1 127+60x1 stale 305+60x1"),
        (60.0, [(0, ("gauge", 5.0)), (1, ABSENT), (2, ABSENT), (1, ("gauge", 1.0)), (1, ABSENT),
                (2, ABSENT)], "_x1 _x2 1 stale _x2"),
        (60.0, [(3, ("counter", -2.0)), (2, ("counter", 0.0)), (2, ("counter", 1.0))],
         "0-120x2 -240+0x1 -180+60x1"),
        (60.0, [(2, ("counter", 2.0)), (2, ABSENT), (2, ("counter", 2.0))],
         "0+120x1 stale _x1 240+120x1"),
        (60.0, [(3, ("stairs", 1 / 120)), (3, ("stairs", 1 / 60))], "0+0x1 1 2 3 4"),
        (60.0, [(2, ("gauge", -math.inf)), (2, ("gauge", -2.5))], "-Inf -Inf -2.5+0x1"),
        (30.0, [(2, ("gauge", 1 / 3)), (3, ("counter", 1 / 3))], "0.333333333333+0x1 0+10x2"),
    ],
)  # fmt: skip
def test_a_phase_goes_on_where_the_one_before_ended(interval_s, phases, text):
    """Of a counter its total, of the clock the time, of what is gone that it is."""
    writer = PhaseWriter(interval_s)
    for steps, (kind, value) in phases:
        writer.phase(steps, Level(kind, value))
    assert writer.text() == text


def test_bounds_lie_about_the_anchor_and_a_quantile_within_them():
    """Beyond the last bound it lies at it, below the first near 0; a weight is of all buckets."""
    assert bounds_of(0.3) == (0.075, 0.15, 0.3, 0.6, 1.2)
    low = Level("histogram", 0.0, quantile=0.5, anchor=1.0)
    assert [round(rate, 9) for _, rate in bucket_rates(low)] == [99, 99, 99, 99, 99, 100]
    high = Level("histogram", 9.0, (0.25,), quantile=1.0, anchor=1.0)
    assert [(bound, round(rate, 9)) for bound, rate in bucket_rates(high)] == [
        ("0.25", 24.95), ("0.5", 24.95), ("1", 24.95), ("2", 24.95), ("4", 24.975), ("+Inf", 25.0),
    ]  # fmt: skip
    none = Level("histogram", 2.0, quantile=0.0, anchor=1.0)
    assert [round(rate, 9) for _, rate in bucket_rates(none)] == [0, 0, 0, 0.1, 0.1, 100]


def test_more_rows_than_weights_have_the_last_weight_and_a_row_alone_has_all():
    """Of a histogram the weight stays with the row; what is absent is so in every row."""
    rows = Level("histogram", 2.0, (0.25, 0.75), quantile=0.5, anchor=1.0).rows(3)
    assert [(each.value, each.weights, each.quantile, each.anchor) for each in rows] == [
        (2.0, (weight,), 0.5, 1.0) for weight in (0.25, 0.75, 0.75)
    ]
    assert Level("gauge", 2.0, (1.0, 0.5)).rows(3) == [
        Level("gauge", 2.0), Level("gauge", 1.0), Level("gauge", 1.0)]  # fmt: skip
    assert Level("gauge", 2.0, (0.25, 0.75)).rows(1) == [Level("gauge", 2.0)]
    (own,) = Level("histogram", 2.0, (0.25, 0.75), quantile=0.5, anchor=1.0).rows(1)
    assert own.weights == (0.25,)
    assert Level("absent", 0.0).rows(2) == [Level("absent", 0.0)] * 2
    assert Level("counter", 2.0, hot=0, cold=0.5).rows(1) == [Level("counter", 0.5)]
