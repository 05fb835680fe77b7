"""What a variable is read as, whole, in either form that a dashboard has it in."""

from __future__ import annotations

from typing import Any

import pytest

from verifier.dashboards.variables import classic_form, read_variable
from verifier.pack.panels import Option, Variable


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Variable("", "custom")),
        (
            {"name": "q", "type": "query", "query": {"query": "a", "expr": "b"}, "regex": "/r/"}
            | {"sort": 3, "multi": True, "includeAll": True, "allValue": "x"}
            | {"current": {"value": ["v", None, {"a": 1}, 2.0], "text": "V"}},
            Variable(
                "q", "query", "a", "/r/", 3, multi=True, include_all=True, all_value="x",
                chosen=("v", "2"), chosen_texts=("V",), asks=True,
            ),
        ),
        ({"type": "query", "query": {"expr": "b"}}, Variable("", "query", "b", asks=True)),
        (
            {"type": "query", "query": {"__legacyStringValue": "l", "expr": "b"}},
            Variable("", "query", "l", asks=True),
        ),
        ({"type": "query", "definition": "d"}, Variable("", "query", "d", asks=True)),
        ({"type": "query", "query": 5, "definition": "d"}, Variable("", "query", "5", asks=True)),
        ({"type": "query", "definition": 5, "allValue": ""}, Variable("", "query")),
        ({"type": "query", "sort": "naturalDesc", "allValue": 3}, Variable("", "query", sort=8)),
        ({"type": "query", "sort": "wrong", "current": "x"}, Variable("", "query")),
        ({"type": "textbox", "query": "t"}, Variable("", "textbox", "t", chosen=("t",))),
        (
            {"type": "textbox", "query": "t", "current": {"value": "c"}},
            Variable("", "textbox", "t", chosen=("c",)),
        ),
        (
            {"type": "constant", "current": {"value": True}},
            Variable("", "constant", chosen=("true",)),
        ),
        (
            {"type": "constant", "query": "k", "current": {"value": "c"}},
            Variable("", "constant", "k", chosen=("k",)),
        ),
        ({"type": "constant"}, Variable("", "constant", chosen=("",))),
        (
            {"type": "switch", "enabledValue": 1, "disabledValue": False},
            Variable("", "switch", options=(Option("false", "false"), Option("1", "1"))),
        ),
        (
            {"type": "switch", "enabledValue": "y"},
            Variable("", "switch", options=(Option("y", "y"),)),
        ),
        (
            {"type": "custom", "query": "x", "valuesFormat": "json"},
            Variable("", "custom", "x"),
        ),
        (
            {"type": "custom", "query": '["a", {"label": "L", "value": 1}, {"value": 2.5}]'}
            | {"valuesFormat": "json"},
            Variable(
                "", "custom", '["a", {"label": "L", "value": 1}, {"value": 2.5}]',
                options=(Option("a", "a"), Option("L", "1"), Option("2.5", "2.5")),
            ),
        ),
        (
            {"type": "custom", "query": '{"a": 1}', "valuesFormat": "json"},
            Variable("", "custom", '{"a": 1}'),
        ),
        (
            {"type": "custom", "query": "a b : c : d , e"},
            Variable("", "custom", "a b : c : d , e",
                     options=(Option("a b : c", "d"), Option("e", "e"))),
        ),
        (
            {"type": "custom", "options": [{"text": "T", "value": 1}, {"value": "$__all"}]},
            Variable("", "custom", options=(Option("T", "1"),)),
        ),
        (
            {"type": "interval", "query": "1m, '2 m',auto", "auto": True}
            | {"autoCount": 5, "auto_min": "3s"},
            Variable(
                "", "interval", "1m, '2 m',auto",
                options=(Option("1m", "1m"), Option("2 m", "2 m"), Option("auto", "$__auto:5:3s")),
            ),
        ),
        (
            {"type": "interval", "auto_count": 4, "autoCount": 5},
            Variable("", "interval", options=(Option("auto", "$__auto:4:10s"),)),
        ),
        (
            {"type": "interval", "query": "auto"},
            Variable("", "interval", "auto", options=(Option("auto", "$__auto:30:10s"),)),
        ),
    ],
)  # fmt: skip
def test_a_variable_is_read_whole(raw: dict[str, Any], expected: Variable) -> None:
    """Of every kind, with what it leaves out."""
    assert read_variable(raw, is_prometheus=True) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"kind": "CustomVariable", "spec": {"name": "v"}}, {"name": "v", "type": "custom"}),
        ({"kind": "Other", "spec": 3}, {"type": "Other"}),
        (
            {"kind": "DatasourceVariable", "spec": {"pluginId": "loki", "query": "x"}},
            {"pluginId": "loki", "query": "loki", "type": "datasource"},
        ),
        (
            {"kind": "QueryVariable", "spec": {"query": {"kind": "prometheus", "spec": "q"}}},
            {"query": "q", "datasource": {"type": "prometheus"}, "type": "query"},
        ),
        (
            {"kind": "QueryVariable", "spec": {"query": {"spec": "q"}, "datasource": "own"}},
            {"query": "q", "datasource": "own", "type": "query"},
        ),
        (
            {"kind": "QueryVariable", "spec": {"query": {"expr": "q"}}},
            {"query": {"expr": "q"}, "type": "query"},
        ),
        ({"kind": "AdhocVariable", "spec": {}}, {"type": "adhoc"}),
        ({"kind": "GroupByVariable", "spec": {}}, {"type": "groupby"}),
        ({"kind": "TextVariable", "spec": {}}, {"type": "textbox"}),
        ({"kind": "ConstantVariable", "spec": {}}, {"type": "constant"}),
        ({"kind": "IntervalVariable", "spec": {}}, {"type": "interval"}),
        ({"kind": "SwitchVariable", "spec": {}}, {"type": "switch"}),
    ],
)
def test_a_variable_of_the_newer_form_is_brought_into_the_older(
    raw: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Its kind by the older name, its query out of the mapping around it."""
    assert classic_form(raw) == expected
