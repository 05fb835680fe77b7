"""Dashboards as people have them, with the answers that Grafana would give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import InputError
from tests.field.boards import FieldRun, board, panel, quiet_world, variables
from verifier.dashboards.reader import load_dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.servers.prometheus import Prometheus

REQUESTS = "sum(rate(http_requests_total[5m]))"
LOGS = '{app="gateway"} |= "error"'
PROMETHEUS = {"type": "prometheus", "uid": "p"}
ALL = {"text": ["All"], "value": ["$__all"]}


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Return the Prometheus of a quiet world."""
    with quiet_world() as running:
        yield running


@pytest.fixture
def field(server: Prometheus, tmp_path: Path) -> FieldRun:
    """Return what asks dashboards."""
    return FieldRun(server, tmp_path)


def test_a_step_follows_the_least_interval_of_panel_and_query(field: FieldRun) -> None:
    """Min interval, min step, points, the old factor; `$__rate_interval` as the least step."""
    rate = "sum(rate(http_requests_total[$__interval]))"
    content = board(
        panel("panel", "sum(increase(http_requests_total[$__interval]))", interval="1m"),
        panel("query", {"expr": rate, "interval": "2m"}),
        panel("points", rate, maxDataPoints=60),
        panel("factor", {"expr": rate, "intervalFactor": 4, "step": 60}),
        panel("bound", rate, interval=">=5m"),
        panel("narrow", rate, gridPos={"w": 1, "h": 4}, timeFrom="6h"),
        panel("own", {"expr": rate, "interval": "$__rate_interval"}),
        panel("rate", "sum(rate(http_requests_total[$__rate_interval]))", interval="2m"),
    )
    windows = [query.partition("[")[2].partition("]")[0] for query in field.queries(content)]
    assert windows == ["1m", "2m", "1m", "1m", "5m", "5m", "1m", "135s"]


def test_a_variable_may_be_the_least_step(field: FieldRun) -> None:
    """An interval variable in the query's min step, and in the panel's."""
    step = {"name": "step", "type": "interval", "query": "1m,10m", "current": {"value": "10m"}}
    rate = "sum(rate(http_requests_total[$__interval]))"
    content = board(
        panel("query", {"expr": rate, "interval": "$step"}),
        panel("panel", rate, interval="$step"),
        **variables(step),
    )
    assert [query[29:32] for query in field.queries(content)] == ["10m", "10m"]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("Loki", {}),
        (
            "${DS_LOGS}",
            {"__inputs": [{"name": "DS_LOGS", "type": "datasource", "pluginId": "loki"}]},
        ),
        (
            {"uid": "$logs"},
            variables({"name": "logs", "type": "datasource", "query": "loki"}),
        ),
        ({"type": "loki", "uid": "x"}, {}),
        ("team-loki (eu)", {}),
        ({"uid": "${DS_LOKI}"}, {}),
        ({"uid": "P8E80F9AEF21F6940"}, {}),  # which says nothing: the query does
    ],
)
def test_logs_are_not_judged_by_name_and_the_others_are(
    field: FieldRun, source: Any, fields: dict[str, Any]
) -> None:
    """However a dashboard names the source."""
    content = board(
        panel("Requests", REQUESTS, datasource=PROMETHEUS),
        panel("Errors as text", LOGS, datasource=source),
        **fields,
    )
    assert field.not_judged(content) == [("Errors as text", "it asks Loki")]
    assert field.queries(content) == [REQUESTS]


def test_other_sources_are_named_each_by_its_kind(field: FieldRun) -> None:
    """SQL, metrics of a cloud, expressions, other panels; a mixed panel query by query."""
    mixed = [
        {"expr": REQUESTS, "datasource": PROMETHEUS},
        {"expr": LOGS, "datasource": {"type": "loki", "uid": "l"}},
        {"type": "math", "expression": "$A * 2", "datasource": {"type": "__expr__"}},
    ]
    content = board(
        panel("SQL", {"rawSql": "select 1"}, datasource={"type": "grafana-postgresql-datasource"}),
        panel("Cloud", {"metricName": "CPU"}, datasource="CloudWatch"),
        panel("Panel", {"panelId": 1}, datasource="-- Dashboard --"),
        panel("Plugin", {"query": "x"}, datasource={"type": "acme-things-datasource"}),
        panel("Mixed", *mixed, datasource="-- Mixed --"),
        panel("Hidden", {"expr": "no_such", "hide": True}),
    )
    assert field.not_judged(content) == [
        ("SQL", "it asks PostgreSQL"),
        ("Cloud", "it asks CloudWatch"),
        ("Panel", "it asks another panel"),
        ("Plugin", "it asks acme-things-datasource"),
        ("Mixed", "it asks Loki"),
        ("Mixed", "it calculates with what other queries return, in Grafana"),
        ("Hidden", "its queries are hidden"),
    ]
    assert field.queries(content) == [REQUESTS]


@pytest.mark.parametrize(
    "source",
    [None, "default", "Prometheus", "prod-eu", "-- Mixed --", {"uid": "${ds}"}, "$datasource"],
)
def test_what_does_not_look_like_another_kind_is_prometheus(field: FieldRun, source: Any) -> None:
    """A name of one's own, the default, a variable that nothing defines."""
    assert field.queries(board(panel("P", REQUESTS, datasource=source))) == [REQUESTS]


def element(expr: str, title: str = "Requests", **query: Any) -> dict[str, Any]:
    """Return a panel of the newer model."""
    data = {"kind": "DataQuery", "group": "prometheus", "version": "v0", "spec": {"expr": expr}}
    spec = {"refId": "A", "hidden": False, "query": data | query}
    group = {"queries": [{"kind": "PanelQuery", "spec": spec}], "queryOptions": {"interval": "2m"}}
    visual = {"kind": "VizConfig", "group": "stat", "spec": {"options": {}}}
    fields = {"id": 1, "title": title, "data": {"kind": "QueryGroup", "spec": group}}
    return {"kind": "Panel", "spec": fields | {"vizConfig": visual}}


def drawn(*names: str) -> list[dict[str, Any]]:
    """Return items of a layout that draw elements."""
    return [
        {"kind": "GridLayoutItem", "spec": {"element": {"kind": "ElementReference", "name": name}}}
        for name in names
    ]


GRID = {"kind": "GridLayout", "spec": {"items": drawn("a")}}
TABS = {
    "kind": "TabsLayout",
    "spec": {
        "tabs": [
            {"kind": "TabsLayoutTab", "spec": {"layout": GRID}},
            {
                "kind": "TabsLayoutTab",
                "spec": {"layout": {"kind": "RowsLayout", "spec": {"rows": [{"spec": GRID}]}}},
            },
        ]
    },
}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda v2, _: {"apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard", "spec": v2},
        lambda v2, _: v2,
        lambda v2, _: v2 | {"layout": TABS},
        lambda _, v1: (
            {"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard"}
            | {"metadata": {"name": "x"}, "spec": v1}
        ),
        lambda _, v1: {"dashboard": v1, "meta": {"slug": "x"}},
        lambda _, v1: [v1],
        lambda _, v1: {"kind": "ConfigMap", "apiVersion": "v1", "data": {"x.json": json.dumps(v1)}},
        lambda _, v1: (
            {"kind": "GrafanaDashboard", "apiVersion": "grafana.integreatly.org/v1beta1"}
            | {"spec": {"json": json.dumps(v1)}}
        ),
        lambda _, v1: (
            {"kind": "ConfigMapList", "apiVersion": "v1"}
            | {"items": [{"kind": "ConfigMap", "data": {"x.json": json.dumps(v1)}}]}
        ),
    ],
)
def test_a_dashboard_is_read_in_every_wrapping(field: FieldRun, wrapped: Any) -> None:
    """Resources of both versions, with and without head, tabs, rows, config maps, operators."""
    rate = "sum(rate(http_requests_total[$__interval]))"
    v2 = {"title": "G", "variables": [], "elements": {"a": element(rate)}, "layout": GRID}
    v1 = {"title": "G", "panels": [panel("Requests", rate, interval="2m")]}
    assert field.queries(wrapped(v2, v1)) == ["sum(rate(http_requests_total[2m]))"]


def test_the_newer_model_has_variables_sources_and_library_panels(field: FieldRun) -> None:
    """In their own places; what no layout draws is not asked."""
    priority = {
        "kind": "QueryVariable",
        "spec": {
            "name": "p",
            "query": {
                "kind": "DataQuery",
                "group": "prometheus",
                "spec": {"query": "label_values(agentaskit_task_queue_depth, priority)"},
            },
            "current": {"text": "", "value": ""},
            "sort": "alphabeticalDesc",
        },
    }
    library = {"kind": "LibraryPanel", "spec": {"title": "L", "libraryPanel": {"name": "Shared"}}}
    content = {
        "title": "G",
        "variables": [priority],
        "elements": {
            "a": element('agentaskit_task_queue_depth{priority="$p"}'),
            "b": element(LOGS, "Logs", group="loki"),
            "c": library,
            "d": element("no_such", "Not drawn"),
            "e": element(REQUESTS, "Old", kind="prometheus", group=None),
        },
        "layout": {"kind": "GridLayout", "spec": {"items": drawn("a", "b", "c", "e")}},
    }
    assert field.queries(content) == ['agentaskit_task_queue_depth{priority="normal"}', REQUESTS]
    assert field.not_judged(content) == [
        ("Logs", "it asks Loki"),
        ("L", "its model is not in the file: it is library panel 'Shared'"),
    ]


def test_variables_stand_for_what_grafana_sends(field: FieldRun) -> None:
    """Empty text, a value in the name of a metric, a list of labels, named windows."""
    listed = variables(
        {"name": "filter", "type": "textbox", "query": "", "current": {"value": ""}},
        {"name": "kind", "type": "custom", "query": "tasks_processed,inter_agent_messages"}
        | {"current": {"text": "tasks_processed", "value": "tasks_processed"}},
        {"name": "cut", "type": "custom", "query": "priority,outcome", "multi": True}
        | {"includeAll": True, "current": ALL},
        {"name": "window", "type": "custom", "query": "short : 2m, long : 30m", "current": {}},
        {"name": "status", "type": "query", "includeAll": True, "multi": True, "current": ALL}
        | {"query": {"query": "label_values(http_requests_total, status)", "refId": "A"}},
        {"name": "job", "type": "query", "query": "label_values(up, job)"}
        | {"current": {"value": "another"}},
        {"name": "metric", "type": "query", "query": "metrics(http_requests_.*)"},
    )
    tasks = "agentaskit_tasks_processed_total"
    content = board(
        panel("1", "sum(rate(http_requests_total{${filter}}[5m]))"),
        panel("2", "sum(rate(agentaskit_${kind:text}_total[5m]))"),
        panel("3", f"sum by (${{cut:csv}}) (rate({tasks}[5m]))"),
        panel("4", "sum(rate(http_requests_total[$window]))"),
        panel("5", 'sum(rate(http_requests_total{status=~"$status"}[5m]))'),
        panel("6", 'up{job="[[job]]"}'),
        panel("7", "sum(rate(${metric}[$__range]))"),
        panel("8", 'count({__name__=~"${metric:pipe}"})'),
        **listed,
    )
    assert field.queries(content) == [
        "sum(rate(http_requests_total{}[5m]))",
        "sum(rate(agentaskit_tasks_processed_total[5m]))",
        "sum by (priority,outcome) (rate(agentaskit_tasks_processed_total[5m]))",
        "sum(rate(http_requests_total[2m]))",
        'sum(rate(http_requests_total{status=~"(200|429|500|503|504)"}[5m]))',
        'up{job="agentaskit"}',
        "sum(rate(http_requests_total[3600s]))",
        'count({__name__=~"http_requests_total"})',
    ]


def test_a_library_panel_is_judged_by_the_model_in_its_file(field: FieldRun) -> None:
    """By identifier, by name, in a list, beside its panel; else it is named."""

    def model(expr: str) -> dict[str, Any]:
        return {"name": "Shared", "uid": "u", "kind": 1, "model": panel("Shared", expr)}

    def shown(shared: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return board({"id": 1, "libraryPanel": shared}, **fields)

    missing = shown({"uid": "u"}, __elements={"u": model("sum(rate(http_request_total[5m]))")})
    verdict = field.judge(missing)["Shared"]
    assert not verdict.ok
    assert "did you mean http_requests_total" in verdict.reason
    named = shown({"uid": "other", "name": "Shared"}, __elements={"u": model(REQUESTS)})
    listed = shown({"uid": "u"}, __elements=[model(REQUESTS)])
    beside = shown({"uid": "u", "model": panel("Shared", REQUESTS)})
    assert [field.queries(content) for content in (named, listed, beside)] == [[REQUESTS]] * 3
    assert field.not_judged(shown({"uid": "u", "name": "Shared"})) == [
        ("panel 1", "its model is not in the file: it is library panel 'Shared'")
    ]


def test_an_empty_filter_is_no_failure_and_missing_series_are(field: FieldRun) -> None:
    """What is wrong now: nothing, when all is well; unless what is looked at does not exist."""
    content = board(
        panel("down", {"expr": "up == 0", "format": "table", "instant": True}),
        panel("counted", "count(agentaskit_task_queue_depth > 1000) or vector(0)"),
        panel("overfull", "agentaskit_task_queue_depth > 1000"),
        panel("also", "topk(5, rate(http_requests_total{status='500'}[5m]) > 100)"),
        panel("misspelt", "agentaskit_task_que_depth > 1000"),
        panel("hidden by zero", "count(agentaskit_task_que_depth > 1000) or vector(0)"),
        panel("other label", 'agentaskit_task_queue_depth{prio="high"} > 1000'),
    )
    verdicts = field.judge(content)
    assert [title for title, verdict in verdicts.items() if verdict.ok] == [
        "down", "counted", "overfull", "also",
    ]  # fmt: skip
    for title in ("misspelt", "hidden by zero"):
        assert "did you mean agentaskit_task_queue_depth" in verdicts[title].reason
    assert "no label prio, did you mean" in verdicts["other label"].reason


def test_texts_in_backticks_have_no_escapes(field: FieldRun) -> None:
    """As the query builder writes them, and beside other quotes."""
    errors = "sum(rate(http_requests_total{status=~`5\\d\\d`}[$__rate_interval]))"
    mixed = "label_replace(up, `a`, '$1', \"job\", `(.*)`)"
    both = 'sum(rate(http_requests_total{status=~`[2-5]\\d+`, status!="200"}[5m]))'
    assert len(field.queries(board(panel("1", errors), panel("2", mixed), panel("3", both)))) == 3


def test_folders_of_folders_are_read_and_what_is_not_is_said(
    field: FieldRun, tmp_path: Path
) -> None:
    """Boards at every depth; files of another kind are named, a broken one is a mistake."""
    fine = panel("fine", "up")
    field.write("boards/one.json", board(fine))
    field.write("boards/team/two.json", board(panel("broken", "no_such_metric")))
    field.write(
        "boards/team/deep/er.yaml",
        f"kind: ConfigMap\ndata:\n  x.json: '{json.dumps(board(panel('deep', 'up')))}'\n",
    )
    field.write("boards/package.json", {"name": "x"})
    field.write("boards/README.md", "# x")
    verdicts = field.verdicts(tmp_path / "boards")
    assert {title: verdict.ok for title, verdict in verdicts.items()} == {
        "fine": True, "broken": False, "deep": True,
    }  # fmt: skip
    findings = [str(f) for f in load_dashboards([tmp_path / "boards"]).findings]
    assert findings == [
        f"{tmp_path}/boards/README.md: not read: neither .json nor .yaml",
        f"{tmp_path}/boards/package.json: not read: no dashboard",
    ]
    with pytest.raises(InputError, match=r"package.json: a dashboard must be a Grafana dashboard"):
        load_dashboards([tmp_path / "boards/package.json"])
    field.write("boards/team/broken.json", "{,")
    with pytest.raises(InputError, match=r"team/broken.json:1:2"):
        load_dashboards([tmp_path / "boards"])
