"""What variables of every kind stand for, and how they are written into a query."""

from __future__ import annotations

from typing import Any

import pytest

from verifier.dashboards.choices import ordered, through_regex
from verifier.dashboards.formats import VariableValue, write_value
from verifier.dashboards.resolution import board_values
from verifier.dashboards.variable_values import VariableValues
from verifier.dashboards.variables import classic_form, read_variable
from verifier.pack.panels import Board, Option


def values(*variables: dict[str, Any], range_s: float = 3600.0) -> VariableValues:
    """Return the values of variables as they stand in a file."""
    read = tuple(read_variable(v, is_prometheus=True) for v in variables)
    return VariableValues(Board("Board", read, range_s), {})


def substituted(text: str, **fields: Any) -> str:
    """Return a text with the one variable `v` replaced."""
    return values({"name": "v", **fields}).substitute(text)


def test_a_dashboard_knows_its_range_of_time_in_milliseconds() -> None:
    """Unix times of both ends, as Grafana writes them; its length in three units."""
    built_in = board_values(Board("Board", (), 3600.0), end_s=7200.25)
    text = "$__from $__to $__range ${__range_s} ${__range_ms} $__dashboard"
    assert built_in.substitute(text) == "3600250 7200250 3600s 3600 3600000 Board"


ALL = {"value": ["$__all"], "text": ["All"]}
SAVED = [
    {"text": "All", "value": "$__all", "selected": True},
    {"text": "none"},
    {"text": "nothing", "value": None},
    "no mapping",
    {"text": "A", "value": "a"},
    {"text": "B", "value": "b"},
]
"""Choices as a file saves them, with entries that are none."""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "query", "query": "q"}, ".+"),
        ({"type": "query", "query": "q", "current": {"value": "a"}}, "a"),
        ({"type": "query", "query": "q", "current": ALL, "allValue": "a|b"}, "a|b"),
        ({"type": "custom", "query": "p, q"}, "p"),
        ({"type": "custom", "query": "p, q", "current": {"value": "gone"}}, "p"),
        ({"type": "custom", "query": "p : x, q : y", "current": {"value": "y"}}, "y"),
        ({"type": "custom", "query": "p : x, q : y", "current": {"text": "q"}}, "y"),
        ({"type": "custom", "query": r"p\,q, r", "current": {"value": "p,q"}}, "p,q"),
        ({"type": "custom", "query": "p,q.r", "multi": True, "current": ALL}, r"(p|q\\.r)"),
        ({"type": "custom", "query": "p,q", "multi": True, "current": {"value": ["p"]}}, "p"),
        ({"type": "custom", "query": "p,q", "includeAll": True}, "(p|q)"),
        ({"type": "custom", "valuesFormat": "json", "query": '[{"text": "P", "value": 1}]'}, "1"),
        ({"type": "constant", "query": "k"}, "k"),
        ({"type": "textbox", "query": "", "current": {"value": ""}}, ""),
        ({"type": "textbox", "query": "old", "current": {"value": "new"}}, "new"),
        ({"type": "interval", "query": "5m,1h", "current": {"value": "1h"}}, "1h"),
        ({"type": "interval", "query": "5m,1h", "current": {"value": "auto"}}, "5m"),
        ({"type": "interval", "query": "5m", "auto": True, "current": {"value": "auto"}}, "2m"),
        (
            {"type": "interval", "query": "5m", "auto": True, "auto_count": 10, "auto_min": "10m"}
            | {"current": {"value": "$__auto_interval_v"}},
            "10m",
        ),
        ({"type": "switch", "disabledValue": "0", "enabledValue": "1"}, "0"),
        ({"type": "custom", "query": "'a'"}, r"\\'a\\'"),
        ({"type": "query", "options": SAVED}, "a"),
        ({"type": "query", "options": SAVED, "current": {"value": "b"}}, "b"),
        ({"type": "query", "options": SAVED, "includeAll": True}, "(a|b)"),
        ({"type": "query", "options": SAVED, "multi": True, "current": ALL}, "(a|b)"),
        ({"type": "groupby", "options": SAVED}, "a"),
    ],
)
def test_a_variable_has_its_current_value_else_all_else_its_first(
    fields: dict[str, Any], expected: str
) -> None:
    """As a reader who changes nothing would see it."""
    assert substituted("$v", **fields) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", "a.b,c d"),
        ("pipe", "a.b|c d"),
        ("raw", "a.b,c d"),
        ("regex", r"(a\.b|c d)"),
        ("glob", "{a.b,c d}"),
        ("json", '["a.b","c d"]'),
        ("text", "A + C"),
        ("singlequote", "'a.b','c d'"),
        ("doublequote", '"a.b","c d"'),
        ("sqlstring", "'a.b','c d'"),
        ("distributed", "a.b,v=c d"),
        ("lucene", '("a.b" OR "c\\ d")'),
        ("percentencode", "%7Ba.b%2Cc%20d%7D"),
        ("queryparam", "var-v=a.b&var-v=c%20d"),
        ("", r"(a\\.b|c d)"),
    ],
)
def test_each_format_writes_a_list_in_its_own_way(form: str, expected: str) -> None:
    """Without one: as the Prometheus data source does."""
    value = VariableValue("v", ("a.b", "c d"), ("A", "C"), is_list=True, several=True)
    assert write_value(value, form) == expected


def test_all_written_as_text_or_with_a_value_of_its_own() -> None:
    """`allValue` is sent as it is, whatever the format."""
    everything = VariableValue("v", ("a", "b"), is_list=True, several=True, stands_for_all=True)
    assert write_value(everything, "text") == "All"
    assert write_value(everything, "queryparam") == "var-v=%24__all"
    own = VariableValue("v", (), literal=".*", several=True, stands_for_all=True)
    assert [write_value(own, form) for form in ("", "csv", "regex")] == [".*", ".*", ".*"]


def test_variables_are_found_in_all_three_forms_and_others_left_alone() -> None:
    """`$v_total` is another name, `${v}_total` is not; a currency stays."""
    text = 'a{x=~"$v",y="[[v]]",z="${v:raw}"} ${v}_total $v_total [[v:csv]] $5'
    assert substituted(text, type="constant", query="k") == (
        'a{x=~"k",y="k",z="k"} k_total $v_total k $5'
    )


def test_variables_that_need_each_other_end() -> None:
    """A circle leaves the name, as it cannot be settled."""
    a = {"name": "a", "type": "query", "query": "label_values(x, y)", "current": ALL}
    loop = {"name": "b", "type": "custom", "query": "$b", "allValue": "$b", "current": ALL}
    assert values(a, loop).substitute("$a $b") == ".+ $b"


@pytest.mark.parametrize(
    ("returned", "regex", "expected"),
    [
        (["ab", "b"], "/a(.)/", ["b"]),
        (["x-1"], "/(?<text>\\w)-(?<value>\\d)/", ["x: 1"]),
        (["x-1"], "/(?<value>\\d)/", ["1"]),
        (["x-1"], "/(?<text>\\w)-/", ["x"]),
        (["x1 y2"], "/(?<text>[a-z])(?<value>\\d)/g", ["x: 1"]),
        (["1.2"], "/(\\d)/", ["1"]),
        (["1.2"], "/(\\d)/g", ["1", "2"]),
        (["A.b"], "/([a-z])/gi", ["A", "b"]),
        (["a", "a"], "/a/g", ["a"]),
        (["ab"], "/[ab]/g", ["ab"]),
        (["ab", "cab"], "ab", ["ab"]),
        (["AB"], "/ab/i", ["AB"]),
        (["AB"], "/ab/", []),
        (["a/b"], "/a\\/b/", ["a/b"]),
        (["a"], "/(/", ["a"]),
        (["a", "b", "a"], "", ["a", "b"]),
    ],
)
def test_a_regular_expression_cuts_choices_and_names_their_text(
    returned: list[str], regex: str, expected: list[str]
) -> None:
    """Groups, named groups, one match or with `g` several, none; as JavaScript writes them."""
    choices = through_regex(returned, regex)
    written = [o.value if o.text == o.value else f"{o.text}: {o.value}" for o in choices]
    assert written == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (-1, "b10 a9 B1 n1.5 n1.2 B B9"),
        (0, "b10 a9 B1 n1.5 n1.2 B B9"),
        (1, "B B1 B9 a9 b10 n1.2 n1.5"),
        (2, "n1.5 n1.2 b10 a9 B9 B1 B"),
        (3, "B B1 n1.5 n1.2 a9 B9 b10"),
        (4, "b10 B9 a9 n1.2 n1.5 B1 B"),
        (5, "a9 B B1 b10 B9 n1.2 n1.5"),
        (6, "n1.5 n1.2 B9 b10 B1 B a9"),
        (7, "a9 B B1 B9 b10 n1.2 n1.5"),
        (8, "n1.5 n1.2 b10 B9 B1 B a9"),
        (9, "b10 a9 B1 n1.5 n1.2 B B9"),
    ],
)
def test_choices_have_an_order(sort: int, expected: str) -> None:
    """By letters, by their first number, by letters of either case, as people count; and back."""
    options = [Option(text, text) for text in ("b10", "a9", "B1", "n1.5", "n1.2", "B", "B9")]
    assert [option.text for option in ordered(options, sort)] == expected.split()


def test_variables_of_the_newer_form_are_read_as_those_of_the_older() -> None:
    """The query of a data source is in a mapping of its own, the order a word."""
    raw = {
        "kind": "QueryVariable",
        "spec": {
            "name": "v",
            "query": {"kind": "DataQuery", "group": "loki", "spec": {"query": "label_values(a)"}},
            "sort": "numericalDesc",
        },
    }
    form = classic_form(raw)
    assert (form["type"], form["datasource"]) == ("query", {"type": "loki"})
    variable = read_variable(form, is_prometheus=False)
    assert (variable.query, variable.sort, variable.asks) == ("label_values(a)", 4, False)
