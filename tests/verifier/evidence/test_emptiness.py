"""Why an expression never has a value: what is asked of a server, and what is made of its answers.

The server is a stand-in, of which a test says what has a value.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from verifier.evidence.emptiness import EmptinessCheck, Recording
from verifier.evidence.relaxed import relax
from verifier.evidence.stock import Answer
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Series


class StandInStock:
    """What has a value, by its query: label sets, or the engine's error. All else has none.

    `tried` is what alone has a value of queries that are tried over the whole run.
    """

    def __init__(self, answers, tried="nothing"):
        """Hold the metrics `a` to `d`, each with one series."""
        self.answers, self.tried = answers, tried
        self.metric_names = frozenset("abcd")

    def answer(self, query, _span):
        """Return what a query ever was."""
        answer = self.answers.get(query, [])
        if isinstance(answer, str):
            return Answer(refusal=answer)
        return Answer(tuple(Series(each, np.ones(1), np.ones(1)) for each in answer))

    def over(self, query, _span):
        """Return a series for what holds the words that are to be tried."""
        has_value = self.tried in query
        return Answer((Series({}, np.ones(1), np.ones(1)),) if has_value else ())

    def label_sets(self, selector, _span):
        """Return the series of each metric; of matchers, none but `x="1"` meets one."""
        name = selector.partition('__name__="')[2][:1]
        is_met = "," not in selector or 'x="1"' in selector
        return [{"__name__": name, "x": "1"}] if name in "abcd" and is_met else []


def reason(expr, answers, *recordings, tried="nothing", **facts):
    """Return why the first root of an expression never had a value."""
    parsed = [Recording(name, parse(text), labels) for name, text, labels in recordings]
    check = EmptinessCheck(StandInStock(answers, tried), parsed, {"Known"}, **facts)
    return check.reason(relax(parse(expr)).roots[0], SimpleNamespace(end_s=0.0))


A, B = {"a": [{"x": "1"}]}, {"b": [{"y": "2"}]}
NO_BUCKETS = (
    "never has a value: what it reads has no label le (a histogram's buckets, summed `by (le)`)"
)
OVER = "last_over_time(a[%s])"


@pytest.mark.parametrize(
    ("expr", "answers", "expected"),
    [
        ("a > 5", A, None),
        ("vector(1) > 5", {}, None),
        ("gone / nope", {}, "no metric gone exists"),
        ("a / nope", A, "no metric nope exists"),
        ("a / b", A | B | {"(a) / (b)": "many-to-many"}, None),
        ("a / ALERTS", A, None),
        ("a", {}, "a has no value at any evaluation"),
        ("a offset 1d", {}, "a offset 1d reaches back to where nothing is stored"),
        ("a @ 60", {}, "a @ 60.000 reaches back to where nothing is stored"),
        ('a{z="7"} offset 1d', {}, "a has no label z: beside job and instance it has x"),
        ('ALERTS{alertname="Known"}', {}, None),
        ('ALERTS{alertname="Nope"}', {}, "no rule defines the alert Nope, whose state it reads"),
        ('ALERTS{alertname!="Nope"}', {}, None),
        ('ALERTS{x="Nope"}', {}, None),
        (
            "histogram_fraction(0, 1, a)", A,
            f"histogram_fraction(0, 1, a) {NO_BUCKETS}",
        ),
        ("sum(a)", A, "sum(a) never has a value, though what it reads has one"),
        (
            "avg_over_time(a[15s])", {OVER % "15s": [{}]} | A,
            "avg_over_time(a[15s]) never has a value, though what it reads has one",
        ),
        ("rate(a[5m])", A, "a[5m] holds nothing at any evaluation"),
        ("max_over_time(a[5m:])", A, "a[5m:] holds nothing at any evaluation"),
    ],
)  # fmt: skip
def test_the_lowest_part_that_is_empty_though_what_it_reads_is_not_is_to_blame(
    expr, answers, expected
):
    """Of several sides the first; nothing is said of what could have had a value."""
    assert reason(expr, answers) == expected


@pytest.mark.parametrize(
    ("window", "factor", "why"),
    [
        (
            "14s",
            1.0,
            "its window of 14s holds one scrape at most, of one every 15s",
        ),
        ("15s", 1.0, "its window of 15s holds one scrape, of one every 15s"),
        ("29s", 1.0, "its window of 29s holds one scrape, of one every 15s"),
        ("30s", 1.0, "its window never holds two samples"),
        ("20s", 60.0, "its window of 20m holds one scrape, of one every 15m"),
    ],
)
def test_a_window_of_fewer_than_two_scrapes_is_named_as_it_was_written(window, factor, why):
    """Compressed windows and scrapes are shorter by the same factor."""
    written = {1.0: window, 60.0: "20m"}[factor]
    answers = {f"last_over_time(a[{window}])": [{}]} | A
    needs = ", and it needs two" if "every" in why else ""
    text = f"rate(a[{written}]) never has a value: {why}{needs}"
    assert reason(f"rate(a[{window}])", answers, factor=factor) == text


DEAD = ("r", "a > gone", {}), ("r", "nope", {})
ALIVE = ("r", "b", {"kind": "two", "y": "own"})
PERHAPS = ("r", 'ALERTS{alertname="Known"}', {"kind": "one"})


@pytest.mark.parametrize(
    ("expr", "recordings", "expected"),
    [
        ("r", DEAD, "recording r never has a value: no metric gone exists"),
        ("r", DEAD[1:], "recording r never has a value: no metric nope exists"),
        ('r{kind="two"}', [*DEAD, ALIVE], None),
        ('r{y="own"}', [ALIVE], None),
        ('r{y="2"}', [ALIVE], 'no series of r has y="2": y is own'),
        ('r{kind="one"}', [ALIVE], 'no series of r has kind="one": kind is two'),
        ('r{kind="one"}', [PERHAPS, ALIVE], None),
        ("r", [PERHAPS], None),
        ("r", [("r", "r + 1", {})], None),
        ("r", [("r", "s", {}), ("s", "r", {})], None),
        ("r", [("r", "s", {}), ("s", "gone", {})], (
            "recording r never has a value: recording s never has a value: no metric gone exists"
        )),
    ],
)  # fmt: skip
def test_a_recording_without_a_value_is_traced_to_its_own_rule(expr, recordings, expected):
    """To the first of several; one that could have had a value could have had any labels."""
    assert reason(expr, A | B, *recordings) == expected


def sides(left, right):
    """Return series of both sides, each written as labels with their texts: `x1 y2`."""
    return [
        [{label[0]: label[1:] for label in each.split()} for each in side] for side in (left, right)
    ]


@pytest.mark.parametrize(
    ("left", "right", "tried", "advice"),
    [
        (["x1 y1"], ["x1 z1"], "(a) - on(x) (b)", "on(x)"),
        (["x1 y1"], ["x2 y1"], "(a) - on(y) (b)", "on(y)"),
        (["x1 y1", "x1"], ["x1 y1"], "(a) - on(x) (b)", "on(x)"),
        (["x1"], ["x1 z1"], "(a) - on(x) group_left() (b)", "on(x) group_left()"),
        (["x1"], ["x1 z1"], "(a) - on(x) group_right() (b)", "on(x) group_right()"),
        (["y1"], ["z1"], "(a) - on() (b)", "on()"),
        (["y1"], ["z1"], "(a) - on() group_left() (b)", "on() group_left()"),
        (["y1"], ["z1", "z2"], "(a) - on() group_left() (b)", None),
        (["y1", "y2"], ["z1"], "(a) - on() group_left() (b)", "on() group_left()"),
        (["y1"], ["z1"], "sum", None),
        (["x1"], ["x1 z1"], "(a) and on(x) (b)", "on(x)"),
        (["x1"], ["x1 z1"], "(a) and on(x) group_left", None),
    ],
)
def test_sides_that_never_match_are_shown_with_the_first_remedy_that_has_values(
    left, right, tried, advice
):
    """The labels that every series of both sides has, with a text in common."""
    series = dict(zip("ab", sides(left, right), strict=True))
    operator = "and" if "and" in tried else "/"
    problem, _, remedy = reason(f"a {operator} b", series, tried=tried).partition("; ")
    shown = [
        ", ".join(f'{label[0]}="{label[1:]}"' for label in side[0].split())
        for side in (left, right)
    ]
    assert problem == (
        f"the sides of `{operator}` in a {operator} b never match: {{{shown[0]}}} against"
        f" {{{shown[1]}}}"
    )
    assert remedy == ("" if advice is None else f"match them with {advice}")


@pytest.mark.parametrize(
    "inner", ["count(%s)", "sum(%s)", "rate(%s[5m])", "irate(%s[5m])", "increase(%s[5m])"]
)
@pytest.mark.parametrize(("labels", "by"), [("x1 y1", " by (x) "), ("y1", "")])
def test_sides_that_count_may_be_summed_first(inner, labels, by):
    """By the labels that they share, where there are any beside the target's own."""
    left, right = inner % "a", inner % "b"
    (series,), (other,) = sides([labels], [labels.replace("y1", "z2")])
    summed = f"sum{by}"
    said = reason(f"{left} / {right}", {left: [series], right: [other]}, tried=f"{summed}({left})")
    assert said.endswith(f"sum both sides first: `{summed}({left}) / {summed}({right})`")
    other_side = {left: [series], "b": [other]}
    assert "sum both" not in reason(f"{left} / b", other_side, tried=f"{summed}({left})")


def test_labels_of_the_target_are_advised_where_there_are_no_others():
    """They are in common with everything that is scraped."""
    series = {"a": [{"job": "j", "y": "1"}], "b": [{"job": "j", "z": "1"}]}
    said = reason("a / b", series, tried="(a) - on(job) group_left() (b)")
    assert said.endswith("; match them with on(job) group_left()")
    assert "group_right" not in reason("a / b", series, tried="group_right")
    named = {"a": [{"__name__": "a", "y": "1"}], "b": [{"__name__": "b", "y": "2"}]}
    assert '{y="1"} against {y="2"}' in reason("a / b", named)
