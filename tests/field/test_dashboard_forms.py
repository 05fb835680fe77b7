"""Dashboards in every form in which people keep them: resources, rows, library panels, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import InputError
from tests.field.boards import FieldRun, board, panel, variables
from verifier.dashboards.reader import load_dashboards

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = "sum(rate(http_requests_total[5m]))"
LOGS = '{app="gateway"} |= "error"'
ALL = {"text": ["All"], "value": ["$__all"]}


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


def test_a_row_is_repeated_with_its_panels(field: FieldRun) -> None:
    """Collapsed, open, of old dashboards, of the newer model: one value for each."""
    queue = 'agentaskit_task_queue_depth{priority="$p"}'
    listed = variables(
        {
            "name": "p",
            "type": "query",
            "query": "label_values(agentaskit_task_queue_depth, priority)",
        }
        | {"includeAll": True, "current": ALL}
    )
    row = {"type": "row", "title": "R", "repeat": "p"}
    plain = {"type": "row", "title": "S", "panels": []}
    collapsed = board(row | {"collapsed": True, "panels": [panel("x", queue)]}, **listed)
    opened = board(row | {"panels": []}, panel("x", queue), plain, panel("y", "up"), **listed)
    old = {"title": "Old", "rows": [row | {"panels": [panel("x", queue)]}], **listed}
    layout = {
        "kind": "RowsLayout",
        "spec": {
            "rows": [
                {
                    "kind": "RowsLayoutRow",
                    "spec": {"repeat": {"mode": "variable", "value": "p"}, "layout": GRID},
                }
            ]
        },
    }
    p = {"kind": "QueryVariable", "spec": listed["templating"]["list"][0] | {"type": None}}
    newer = {"title": "N", "variables": [p], "elements": {"a": element(queue)}, "layout": layout}
    each = [queue.replace("$p", value) for value in ("critical", "high", "low", "normal")]
    assert field.queries(collapsed) == each
    assert field.queries(opened) == [*each, "up"]
    assert field.queries(old) == each
    assert field.queries(newer) == each


def test_several_documents_of_one_file_are_read(field: FieldRun) -> None:
    """As `kubectl` takes them: a config map with a text, a resource with a mapping."""
    text = json.dumps(board(panel("first", "up")), indent=1)
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    path = field.write(
        "all.yaml",
        f"kind: ConfigMap\ndata:\n  first.json: |\n{lines}\n---\nkind: Service\n---\n"
        "apiVersion: dashboard.grafana.app/v1\nkind: Dashboard\nspec:\n  title: B\n  panels:\n"
        "  - {title: second, targets: [{expr: up == 1, hide: false}]}\n",
    )
    assert {title: v.ok for title, v in field.verdicts(path).items()} == {
        "first": True, "second": True,
    }  # fmt: skip


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
    field.write("boards/values.yaml", "a: {{ .Values.x }}\n")
    verdicts = field.verdicts(tmp_path / "boards")
    assert {title: verdict.ok for title, verdict in verdicts.items()} == {
        "fine": True, "broken": False, "deep": True,
    }  # fmt: skip
    findings = [str(f) for f in load_dashboards([tmp_path / "boards"]).findings]
    assert findings == [
        f"{tmp_path}/boards/README.md: not read: neither .json nor .yaml",
        f"{tmp_path}/boards/package.json: not read: no dashboard",
        f"{tmp_path}/boards/values.yaml: not read: a key must be a single word, got a mapping",
    ]
    with pytest.raises(InputError, match=r"package.json: a dashboard must be a Grafana dashboard"):
        load_dashboards([tmp_path / "boards/package.json"])
    field.write("boards/team/broken.json", "{,")
    with pytest.raises(InputError, match=r"team/broken.json:1:2"):
        load_dashboards([tmp_path / "boards"])
