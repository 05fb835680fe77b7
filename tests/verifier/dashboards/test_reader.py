"""Dashboards of every age: what their panels ask, and mistakes with their place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from documents.mistakes import InputError
from verifier.dashboards.reader import load_dashboards

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


def test_an_expression_that_is_not_promql_is_left_to_the_engine(tmp_path: Path) -> None:
    """Only the engine that judges knows what is valid; what it may read is read."""
    path = write(tmp_path, {"panels": [panel("sum(rate(a[$__rate_interval])")]})
    (only,) = load_dashboards([path]).panels
    assert only.queries[0].expr == "sum(rate(a[60s])"
    assert only.reads == ('last_over_time({__name__=~"a|rate|sum"}[360s])',)


@pytest.mark.parametrize(
    ("expr", "depth_s"),
    [
        ("sum(a", 300),
        ("rate(a[90s]", 300 + 90),
        ("max_over_time(rate(a[5m])[1h:]", 300 + 300 + 3600),
        ("max_over_time(rate(a[5m] offset 1d)[1h:1m]", 300 + 300 + 86400 + 3600 + 60),
        ("rate(a[90]", 300 + 90),
    ],
)
def test_windows_within_windows_are_as_deep_as_all_together(
    tmp_path: Path, expr: str, depth_s: int
) -> None:
    """Which is within which a text that cannot be followed does not say."""
    (only,) = load_dashboards([write(tmp_path, {"panels": [panel(expr)]})]).panels
    assert [text.rpartition("[")[2] for text in only.reads] == [f"{depth_s}s])"]


@pytest.mark.parametrize(
    ("own", "range_s"), [({}, 21600), ({"timeFrom": "2h"}, 7200), ({"timeFrom": "now-1d"}, 86400)]
)
def test_the_range_in_a_query_is_that_of_its_panel(
    tmp_path: Path, own: dict[str, Any], range_s: int
) -> None:
    """That of the dashboard where the panel has none; in each of its units."""
    asked = panel("a[$__range]", "a[${__range}]", "a[${__range_s}s]", "a[${__range_ms}ms]", **own)
    document = {"time": {"from": "now-6h", "to": "now"}, "panels": [asked]}
    expected = [f"a[{range_s}s]"] * 3 + [f"a[{range_s}000ms]"]
    assert exprs(tmp_path, document) == expected


@pytest.mark.parametrize(
    ("hidden", "asked"), [({"hidden": True}, []), ({"hidden": False}, ["a"]), ({}, ["a"])]
)
def test_hidden_queries_of_the_newer_model_are_not_asked(
    tmp_path: Path, hidden: dict[str, Any], asked: list[str]
) -> None:
    """It calls them `hidden` where the older says `hide`."""
    queries = [
        {"spec": fields | {"query": {"group": "prometheus", "spec": {"expr": expr}}}}
        for expr, fields in (("a", hidden), ("b", {"hidden": False}))
    ]
    spec = {"title": "P", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}}
    document = {"title": "G", "elements": {"p": {"kind": "Panel", "spec": spec}}}
    assert exprs(tmp_path, document) == [*asked, "b"]


@pytest.mark.parametrize("document", [[], {"title": "x"}, "text", {"spec": {"elements": {}}}])
def test_what_is_no_dashboard_is_refused(tmp_path: Path, document: Any) -> None:
    """A file that was named must hold one."""
    with pytest.raises(InputError, match="a dashboard must be a Grafana dashboard: a list of"):
        load_dashboards([write(tmp_path, document)])


def test_malformed_panels_are_refused(tmp_path: Path) -> None:
    """With the place, not with a traceback."""
    with pytest.raises(InputError, match=r":3:5: a panel must be a mapping, got 3"):
        load_dashboards([write(tmp_path, {"panels": [3]})])
    with pytest.raises(InputError, match=r":2:13: panels must be a list"):
        load_dashboards([write(tmp_path, {"panels": {"a": 1}})])


def test_what_is_not_asked_of_prometheus_is_named_with_its_reason(tmp_path: Path) -> None:
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
    assert all(item.keeps_from_passing for item in dashboards.not_judged)  # nothing is judged
    document["panels"].append(panel("a"))
    dashboards = load_dashboards([write(tmp_path, document)])
    assert [(item.subject.split(" / ")[1], item.reason) for item in dashboards.not_judged] == [
        ("P", "it asks Loki"),
        ("Lib", "its model is not in the file: it is library panel 'u'"),
        ("P", "it has a query without expr"),
    ]
    assert not any(item.keeps_from_passing for item in dashboards.not_judged)


def test_a_mixed_panel_goes_by_the_datasource_of_each_query(tmp_path: Path) -> None:
    """The panel has `mixed`, the target names its own."""
    targets = [
        {"expr": "a", "datasource": {"type": "prometheus"}},
        {"expr": "b", "datasource": {"type": "loki"}},
    ]
    mixed = panel(targets=targets, datasource={"type": "datasource", "uid": "-- Mixed --"})
    assert exprs(tmp_path, {"panels": [mixed]}) == ["a"]


def constant(query: str) -> dict[str, Any]:
    """Return a constant variable, and the input of a shared dashboard that it may stand for."""
    return {"name": "job", "type": "constant", "query": query, "hide": 2}


@pytest.mark.parametrize(
    ("query", "value", "expected"),
    [
        ("${VAR_JOB}", "api", 'up{job="api"}'),
        ("${VAR_JOB}", None, 'up{job=""}'),
        ("plain", "api", 'up{job="plain"}'),
        ("${VAR_OTHER}", "api", 'up{job="${VAR_OTHER}"}'),
    ],
)
def test_a_constant_of_a_shared_dashboard_has_the_value_of_its_input(
    tmp_path: Path, query: str, value: str | None, expected: str
) -> None:
    """By the name of the input; inputs that are no constants, and others, give it none."""
    document = {
        "__inputs": [
            {"name": "DS", "type": "datasource", "pluginId": "prometheus", "value": "wrong"},
            {"name": "VAR_JOB", "type": "constant", "value": value},
            {"name": "VAR_MORE", "type": "constant", "value": "wrong"},
        ],
        "templating": {"list": [constant(query)]},
        "panels": [panel('up{job="$job"}')],
    }
    assert exprs(tmp_path, document) == [expected]


def test_filters_that_a_person_added_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    """Without any there is nothing to say."""
    filters = {"name": "F", "type": "adhoc", "filters": [{"key": "a", "value": "b"}]}
    for variable, count in ((filters, 1), ({**filters, "filters": []}, 0)):
        document = {"templating": {"list": [variable]}, "panels": [panel("up")]}
        boards = load_dashboards([write(tmp_path, document)])
        texts = [str(each) for each in boards.findings]
        assert len(texts) == count
        assert all("the filters of variable 'F' are left out" in text for text in texts)


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        ({}, 80 * 12),
        ({"gridPos": {"w": 24}}, 80 * 24),
        ({"gridPos": {"w": 6}, "span": 12}, 80 * 6),
        ({"span": 12}, 80 * 24),
        ({"span": 3}, 80 * 6),
        ({"gridPos": {"w": 0}}, 80 * 12),
        ({"gridPos": {"w": "wide"}}, 80 * 12),
        ({"gridPos": {"w": 1e9}}, 80 * 240),
        ({"gridPos": {"w": 24}, "maxDataPoints": 100}, 100),
        ({"gridPos": {"w": 24}, "maxDataPoints": "100"}, 100),
        ({"gridPos": {"w": 24}, "maxDataPoints": 0}, 80 * 24),
    ],
)
def test_a_panel_has_as_many_points_as_it_is_wide(
    tmp_path: Path, fields: dict[str, Any], points: int
) -> None:
    """In columns of the grid, or twelfths of an old row; unless it says how many."""
    (only,) = load_dashboards([write(tmp_path, {"panels": [panel("up", **fields)]})]).panels
    assert only.resolution.points == points


@pytest.mark.parametrize(
    ("factor", "expected"), [(None, 1), (3, 3), (0, 1), (-2, 1), ("4", 1), (10**9, 10_000)]
)
def test_a_query_has_its_own_step_within_bounds(
    tmp_path: Path, factor: object, expected: int
) -> None:
    """And it is instant unless it is a range as well."""
    targets = [
        {"expr": "up", "intervalFactor": factor, "interval": "30s", "instant": True},
        {"expr": "up", "instant": True, "range": True},
        {"expr": "up"},
    ]
    (only,) = load_dashboards([write(tmp_path, {"panels": [panel(targets=targets)]})]).panels
    assert only.queries[0].interval_factor == expected
    assert only.queries[0].min_step == "30s"
    assert [query.instant for query in only.queries] == [True, False, False]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"title": "P"}, "P"),
        ({"title": "", "id": 7}, "panel 7"),
        ({"title": None, "id": 7}, "panel 7"),
        ({"title": None}, "panel 0"),
    ],
)
def test_a_panel_without_a_title_is_called_by_its_number(
    tmp_path: Path, fields: dict[str, Any], name: str
) -> None:
    """That of the file, else its place in it."""
    (only,) = load_dashboards([write(tmp_path, {"panels": [panel("up", **fields)]})]).panels
    assert only.title == name


@pytest.mark.parametrize(
    ("targets", "reason", "queries"),
    [
        ([], "it has no query", ()),
        ([{"expr": "a", "hide": True}], "its queries are hidden", ()),
        ([{"expr": "  "}], "it has a query without expr", ()),
        ([{"expr": 7}], "it has a query without expr", ()),
        (
            [{"expr": "$A * 2", "type": "math", "datasource": {"type": "__expr__"}}],
            "it calculates with what other queries return, in Grafana",
            ("$A * 2",),
        ),
        ([{"expr": '{job="x"} |= "error"'}], "it asks Loki", ('{job="x"} |= "error"',)),
    ],
)
def test_a_panel_that_asks_nothing_to_judge_is_named_with_its_queries(
    tmp_path: Path, targets: list[dict[str, Any]], reason: str, queries: tuple[str, ...]
) -> None:
    """Those that are hidden are none."""
    boards = load_dashboards([write(tmp_path, {"panels": [panel(targets=targets)]})])
    assert boards.panels == ()
    (left_out,) = boards.left_out
    assert (left_out.reason, left_out.queries) == (reason, queries)
