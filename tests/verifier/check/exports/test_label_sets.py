"""The label sets of an expression, pair by pair, and the matchers and pages that they come from."""

from __future__ import annotations

import pytest

from documents.mistakes import MISTAKES_MAX, InputError, Place
from tests.verifier.check.exports.test_label_fold import EXPORTS
from verifier.check.exports import label_fold, page_reader
from verifier.check.exports.families import Exports
from verifier.check.exports.label_fold import LabelFold
from verifier.check.exports.page_reader import read_page
from verifier.check.exports.selecting import LabelMatcher, takes_all
from verifier.pack.rules import RecordingRule
from verifier.promql.parsing import parse

TARGET = {"job", "instance"}
SHOWN = 30
"""Mistakes that are said, of all that were noted."""
RECORDED = [
    RecordingRule("r", "sum by (x) (a)", (("x", "9"), ("team", "t")), Place("r.yaml", 1, 1)),
    RecordingRule("r", "sum(b)", (), Place("r.yaml", 2, 1)),
]


def sets_of(expr, *, exports=EXPORTS, recordings=RECORDED):
    """Return the label sets as texts, without the labels of the target, and what was noted."""
    noted = []
    sets = LabelFold(exports, {"r": recordings}).sets(parse(expr), noted.append)
    texts = None if sets is None else sorted(
        " ".join(f"{name}={value}" for name, value in labels if name not in TARGET)
        for labels in sets
    )  # fmt: skip
    return texts, [getattr(each, "kind", None) or f"{each.label}: {each.where}" for each in noted]


@pytest.mark.parametrize(
    ("expr", "texts", "noted"),
    [
        ("1 + a", ["x=1 y=1", "x=2 y=1"], []),
        ("a + 1", ["x=1 y=1", "x=2 y=1"], []),
        ("scalar(c) * a", ["x=1 y=1", "x=2 y=1"], []),
        ("limitk(1, a)", ["x=1 y=1", "x=2 y=1"], []),
        ("bottomk by (x) (1, a)", ["x=1 y=1", "x=2 y=1"], []),
        ('count_values by (x) ("v", a)', None, []),
        ("info(a)", None, []),
        ('label_join(a, "q", "-", "x", "y")', None, []),
        ("histogram_fraction(0, 1, h_bucket)", ["x=1"], []),
        ("histogram_quantile(scalar(c), h_bucket)", ["x=1"], []),
        ('absent(nothing{x="1",y!="2",z=~"3",w!~"4",v="5"})', ["v=5 x=1"], []),
        ('absent_over_time((nothing{x="1"}[5m]))', ["x=1"], []),
        ("absent(sum(a))", [""], []),
        ("time()", [""], []),
        ("a unless on (x) c", ["x=1 y=1", "x=2 y=1"], ["mismatched"]),
        ("a unless on (x) b{x='1'}", ["x=1 y=1", "x=2 y=1"], []),
        ("a and on (x) b{x='1'}", ["x=1 y=1"], []),
        ("b and on (x) a", ["x=1", "x=2"], []),
        ("a or c", ["x=1 y=1", "x=2 y=1", "z=1"], []),
        ("a * on (x) group_left b{x='2'}", ["x=2 y=1"], []),
        ("b * on (x) group_right a{x='2'}", ["x=2 y=1"], []),
        ("b * on (x) group_left (y) a", ["x=1 y=*", "x=2 y=*"], []),
        ("a * ignoring (y) b", ["x=1", "x=2"], []),
        ("sum by (y) (a) * on (y) group_right a", ["x=1 y=1", "x=2 y=1"], []),
        ("a * on (y) group_right sum by (y) (a)", None, ["many"]),
        ("sum by (y) (a) / on (y) a", None, ["many"]),
        ("a / c", None, ["mismatched"]),
        ("sum by (q) (a)", [""], ["q: sum by (q)"]),
        ("sum by (x, q) (a)", ["x=1", "x=2"], ["q: sum by (x, q)"]),
        ("sum without (q) (a)", ["x=1 y=1", "x=2 y=1"], []),
        ("sum by (x) (a) / on (x, q) sum by (x) (b)", ["x=1", "x=2"], ["q: / on (x, q)"]),
        ("sum by (x, z) (a) / on (x, z) sum by (x) (b)", ["x=1", "x=2"],
         ["z: sum by (x, z)", "z: / on (x, z)"]),
        ("r", ["", "team=t x=9"], []),
        ("a{x=~'1|2',y!='2'}", ["x=1 y=1", "x=2 y=1"], []),
        ("a{job='any',x!~'1'}", ["x=2 y=1"], []),
        ("nothing + a", None, []),
        ("-(a)", ["x=1 y=1", "x=2 y=1"], []),
        ("rate(a[5m:1m])", ["x=1 y=1", "x=2 y=1"], []),
    ],
)  # fmt: skip
def test_each_series_of_an_expression_has_the_labels_that_the_engine_would_give_it(
    expr, texts, noted
):
    """What is wrong on the way is noted; what nobody can know is not made up."""
    assert sets_of(expr) == (texts, noted)


def test_more_label_sets_than_are_followed_are_not_known(monkeypatch):
    """As many as that are."""
    monkeypatch.setattr(label_fold, "SETS_MAX", 2)
    assert sets_of("a")[0] == ["x=1 y=1", "x=2 y=1"]
    monkeypatch.setattr(label_fold, "SETS_MAX", 1)
    assert sets_of("a")[0] is None
    assert sets_of("c")[0] == ["z=1"]


def test_of_several_rules_of_one_name_one_that_is_not_known_leaves_all_unknown():
    """Its series may have any labels."""
    unknown = RecordingRule("r", "nothing", (), Place("r.yaml", 3, 1))
    assert sets_of("r", recordings=[*RECORDED, unknown]) == (None, [])


@pytest.mark.parametrize(
    ("operator", "value", "taken", "plain"),
    [
        ("=", "a", ["a"], ("a",)),
        ("!=", "a", ["", "ab", "b", "a.c"], ("a",)),
        ("=~", "a|b", ["a", "b"], ("a", "b")),
        ("!~", "a|b", ["", "ab", "a.c"], ("a", "b")),
        ("=~", "(a|b)", ["a", "b"], ("a", "b")),
        ("=~", "a|", ["", "a"], ("a",)),
        ("=~", "a.*", ["a", "ab", "a.c"], ()),
        ("=~", "a.c|b", ["b", "a.c"], ()),
        ("=~", "", [""], ()),
        ("=~", "(", [], ("",)),
        ("!~", "(", [], ("",)),
        ("=", "", [""], ("",)),
    ],
)
def test_a_matcher_takes_whole_values_and_lists_the_plain_ones(operator, value, taken, plain):
    """A pattern that is none takes nothing."""
    matcher = LabelMatcher("x", operator, value)
    assert [text for text in ("", "a", "ab", "b", "a.c") if matcher.takes(text)] == taken
    assert str(matcher) == f'x{operator}"{value}"'
    assert (matcher.is_positive, matcher.is_pattern) == (operator[0] == "=", operator[1:] == "~")
    assert value == "(" or matcher.alternatives == plain


def test_a_series_meets_every_matcher_but_those_on_labels_that_are_ignored():
    """What it does not have is empty."""
    own = (("a", "1"), ("b", "2"))
    first, other = LabelMatcher("a", "=", "1"), LabelMatcher("c", "=", "3")
    assert takes_all((first,), own, frozenset())
    assert not takes_all((first, other), own, frozenset())
    assert takes_all((first, other), own, frozenset("c"))
    assert takes_all((LabelMatcher("c", "!=", "3"),), own, frozenset())
    assert not takes_all((LabelMatcher("a", "=", "2"),), own, frozenset("c"))


def test_a_page_has_the_names_types_and_labels_that_it_states():
    """Comments of every kind, untyped families, names in quotes, and values in every form."""
    text = (
        "# HELP a some help\n#TYPE a untyped\n# UNIT b seconds\n# TYPE b gauge \n"
        'a{x="1"} 0x1p-2\na{x="2"} -Infinity\nb .5e3 1700000000\nc 1 \n'
        '# TYPE "q.r" counter\n{"q.r",x="\\n"} 2\nd{"quoted"="v", y="2",} +inf\n'
        "# TYPE i info\ni_info 1\n# TYPE s summary\ns_sum 1\n# TYPE t summary\n# EOF\n"
    )
    read = read_page(text, "p", frozenset({"y"}))
    assert read.series == {
        "a": ((("x", "1"),), (("x", "2"),)),
        "b": ((),),
        "c": ((),),
        "q.r": ((("x", "\n"),),),
        "d": ((("exported_y", "2"), ("quoted", "v")),),
        "i_info": ((),),
        "s_sum": ((),),
    }
    kinds = {"a": "unknown", "b": "gauge", "c": "unknown", "q.r": "counter", "i_info": "info"}
    assert {name: read.kind(name) for name in kinds} == kinds
    assert read.declared == {"t", "t_sum", "t_count"}
    assert (read.source, read.target_labels, read.is_closed) == ("p", frozenset({"y"}), False)
    assert read.names == tuple(sorted(read.names))
    assert {"a", "t_count", "up", "ALERTS"} <= {*read.names}


def test_a_page_of_too_many_series_is_refused_where_they_begin(monkeypatch):
    """And nothing behind it is read; of mistakes as many are said as of any file."""
    monkeypatch.setattr(page_reader, "SERIES_MAX", 2)
    read_page("a 1\nb 1\n", "p")
    with pytest.raises(InputError) as caught:
        read_page("a 1\nb 1\nc 1\n!\n", "p")
    assert str(caught.value) == "p:3:1: the page must hold at most 2 series"
    for count, more in (
        (MISTAKES_MAX - 1, f"{MISTAKES_MAX - 1 - SHOWN:,}"),
        (MISTAKES_MAX, "many"),
    ):
        with pytest.raises(InputError) as caught:
            read_page("!\n" * count, "p")
        assert str(caught.value).endswith(f"\np: and {more} mistakes more")


def test_exports_know_types_values_and_what_only_grows():
    """Of their own series, of declared ones, and of the server's."""
    exports = Exports(
        "p",
        {"a": ((("x", "1"),), (("x", "2"), ("z", "3")))},
        {"a": "counter", "s": "summary", "s_sum": "summary", "s_count": "summary"},
        frozenset({"late"}),
    )
    assert [exports.knows(name) for name in ("a", "late", "up", "ALERTS", "b")] == [True] * 4 + [
        False
    ]
    kinds = [exports.kind(name) for name in ("a", "up", "ALERTS_FOR_STATE", "b")]
    assert kinds == ["counter", "gauge", "gauge", "unknown"]
    grow = [exports.counts(name) for name in ("a", "s", "s_sum", "s_count", "up", "b")]
    assert grow == [True, False, True, True, False, False]
    assert exports.values("a", "x") == {"1", "2"}
    assert exports.values("a", "q") == set()
    assert [exports.values(*asked) for asked in (("a", "job"), ("late", "x"))] == [None, None]
    assert (exports.labels("a"), exports.labels("late")) == ({"x", "z"}, set())
    assert exports.shared == (("instance", "*"), ("job", "*"))
