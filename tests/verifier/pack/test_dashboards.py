"""Dashboards of every age: what their panels ask, and mistakes with their place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from documents.mistakes import InputError
from verifier.pack.dashboards import load_dashboards, substitute

PACK = sorted((Path(__file__).parents[3] / "observability/dashboards").glob("*.json"))


def write(tmp_path: Path, document: Any) -> Path:
    """Write a dashboard as Grafana exports it."""
    path = tmp_path / "board.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


def panel(*exprs: str, **fields: Any) -> dict[str, Any]:
    """Return a panel that asks some expressions."""
    return {"type": "timeseries", "title": "P", "targets": [{"expr": e} for e in exprs]} | fields


def exprs(tmp_path: Path, document: Any) -> list[str]:
    """Return every expression a dashboard asks."""
    dashboards = load_dashboards([write(tmp_path, document)])
    return [query.expr for panel in dashboards.panels for query in panel.queries]


def test_the_pack_has_its_twenty_panels() -> None:
    """6 + 6 + 8, each with a query."""
    dashboards = load_dashboards(PACK)
    assert sorted(Counter(p.dashboard for p in dashboards.panels).values()) == [6, 6, 8]
    assert dashboards.findings == ()


def test_panels_of_any_age_are_found(tmp_path: Path) -> None:
    """Old rows, collapsed rows, legacy graphs without datasource or type; rows are no panels."""
    document = {
        "title": "Old",
        "rows": [{"panels": [panel("a", type="graph", datasource=None), {"type": "text"}]}],
        "panels": [
            {"type": "row", "title": "R", "collapsed": True, "panels": [panel("b")]},
            panel("c", "d", datasource="Prometheus"),
            {"title": "no type", "targets": [{"expr": "e", "legendFormat": "{{x}}"}]},
        ],
    }
    dashboards = load_dashboards([write(tmp_path, document)])
    queries = [
        (p.dashboard, p.title, p.type, [q.expr for q in p.queries]) for p in dashboards.panels
    ]
    assert queries == [
        ("Old", "P", "graph", ["a"]),
        ("Old", "P", "timeseries", ["b"]),
        ("Old", "P", "timeseries", ["c", "d"]),
        ("Old", "no type", "graph", ["e"]),
    ]
    assert dashboards.panels[3].queries[0].legend == "{{x}}"
    assert dashboards.panels[2].raw["datasource"] == "Prometheus"


def test_an_export_of_the_http_interface_is_unwrapped(tmp_path: Path) -> None:
    """`/api/dashboards/uid/...` returns {"dashboard": ..., "meta": ...}."""
    assert exprs(tmp_path, {"meta": {}, "dashboard": {"panels": [panel("a")]}}) == ["a"]


def test_a_query_has_its_line_and_column(tmp_path: Path) -> None:
    """For errors and for findings of others."""
    path = write(tmp_path, {"panels": [panel("up")]})
    (only,) = load_dashboards([path]).panels
    line, column = only.queries[0].position.line, only.queries[0].position.column
    assert path.read_text().splitlines()[line - 1][column - 1 :] == '"up"'


def test_an_expression_that_is_not_promql_is_reported_with_its_place(tmp_path: Path) -> None:
    """Grafana would only show a red corner."""
    path = write(tmp_path, {"panels": [panel("sum(rate(a[$__rate_interval])")]})
    with pytest.raises(InputError) as caught:
        load_dashboards([path])
    assert str(caught.value) == (
        f"{path}:8:19: expr is not PromQL: unclosed left parenthesis (read as 'sum(rate(a[60s])')"
    )


@pytest.mark.parametrize("document", [[], {"title": "x"}, "text", {"spec": {"elements": {}}}])
def test_what_is_no_classic_dashboard_is_refused(tmp_path: Path, document: Any) -> None:
    """The newer resource format keeps its panels elsewhere: better refused than passed over."""
    with pytest.raises(InputError, match="must be classic Grafana JSON with a list of panels"):
        load_dashboards([write(tmp_path, document)])


def test_malformed_panels_are_refused(tmp_path: Path) -> None:
    """With the place, not with a traceback."""
    with pytest.raises(InputError, match=r":3:5: a panel must be a mapping, got 3"):
        load_dashboards([write(tmp_path, {"panels": [3]})])
    with pytest.raises(InputError, match=r":2:13: panels must be a list"):
        load_dashboards([write(tmp_path, {"panels": {"a": 1}})])


def test_what_is_not_asked_of_prometheus_is_a_finding(tmp_path: Path) -> None:
    """Other datasources, library panels and queries without expression; hidden ones are silent."""
    document = {
        "panels": [
            panel("{job='x'}", datasource={"type": "loki", "uid": "l"}),
            {"type": "stat", "title": "Lib", "libraryPanel": {"uid": "u"}},
            panel("a", targets=[{"refId": "A"}, {"expr": "b", "hide": True}]),
        ]
    }
    dashboards = load_dashboards([write(tmp_path, document)])
    assert dashboards.panels == ()
    assert [finding.message for finding in dashboards.findings] == [
        "panel 'P' asks loki, not Prometheus: not judged",
        "a library panel keeps its queries elsewhere, it is not judged",
        "panel 'P' has a query without expr: not judged",
    ]


def test_a_mixed_panel_goes_by_the_datasource_of_each_query(tmp_path: Path) -> None:
    """The panel has `mixed`, the target names its own."""
    targets = [
        {"expr": "a", "datasource": {"type": "prometheus"}},
        {"expr": "b", "datasource": {"type": "loki"}},
    ]
    mixed = panel(targets=targets, datasource={"type": "datasource", "uid": "-- Mixed --"})
    assert exprs(tmp_path, {"panels": [mixed]}) == ["a"]


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ({"type": "query"}, 'm{x=~".*"}'),
        ({"type": "query", "current": {"value": "a"}}, 'm{x="a"}'),
        ({"type": "query", "current": {"value": ["$__all"]}}, 'm{x=~".*"}'),
        ({"type": "query", "current": {"value": "$__all"}, "allValue": "a|b"}, 'm{x="a|b"}'),
        ({"type": "custom", "query": "p, q"}, 'm{x="p"}'),
        ({"type": "custom", "current": {"value": ["p", "q"]}}, 'm{x="(p|q)"}'),
        ({"type": "constant", "query": "k"}, 'm{x="k"}'),
    ],
)
def test_a_variable_has_its_current_value_else_its_first_else_everything(
    tmp_path: Path, variable: dict[str, Any], expected: str
) -> None:
    """As a reader who changes nothing would see it; everything needs `=~`."""
    document = {
        "templating": {"list": [{"name": "tier"} | variable]},
        "panels": [panel('m{x="$tier"}')],
    }
    assert exprs(tmp_path, document) == [expected]


def test_interval_variables_and_grafanas_own_have_durations(tmp_path: Path) -> None:
    """An interval variable on `auto` takes its first choice."""
    auto = {"name": "w", "type": "interval", "query": "5m,1h", "current": {"value": "auto"}}
    document = {
        "templating": {"list": [auto]},
        "panels": [panel("rate(a[$w]) + rate(b[$__range]) + rate(c[${__interval}])")],
    }
    assert exprs(tmp_path, document) == ["rate(a[5m]) + rate(b[3600s]) + rate(c[15s])"]


def test_substitution_replaces_only_known_names() -> None:
    """`$__range_s` is not `$__range` with a tail, and an unknown name stays for the parser."""
    variables = {"__range": "1h", "__range_s": "3600", "v": ".*"}
    assert substitute("a[$__range] * $__range_s + $gone", variables) == "a[1h] * 3600 + $gone"
    assert substitute('m{a=~"$v",b!="[[v]]",c = "${v:regex}"}', variables) == (
        'm{a=~".*",b!=".*",c =~".*"}'
    )
