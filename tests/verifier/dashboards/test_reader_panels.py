"""A dashboard read whole: sources and variables of its own, panels with all that they ask."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import Place
from verifier.dashboards.reader import load_dashboards
from verifier.pack.panels import Board, Option, Panel, Query, Resolution, Variable
from verifier.promql.parsing import UNASKED

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.pack.panels import Dashboards

NOWHERE = Place("board.json")
INPUTS = [
    {"name": "DS_L", "type": "datasource", "pluginId": "loki"},
    {"name": "VAR_C", "type": "constant", "value": "const"},
    {"name": "VAR_D", "type": "other", "value": "no"},
]
VARIABLES: list[dict[str, Any]] = [
    {"name": "ds", "type": "datasource", "query": "tempo"},
    {"name": "plain", "type": "custom", "query": "loki, b"},
    {"name": "c", "type": "constant", "query": "${VAR_C}"},
    {"name": "text", "type": "textbox", "query": "${VAR_C}"},
    {"name": "ours", "type": "query", "query": "label_values(up, a)", "filters": [{"key": "a"}]},
    {"name": "theirs", "type": "query", "query": "label_values(up, a)", "datasource": "$ds"},
    {"name": "many", "type": "custom", "query": "x.y,z", "multi": True,
     "current": {"value": ["x.y", "z"]}},
    {"name": "none", "type": "query", "datasource": "loki"},
]  # fmt: skip


def load(tmp_path: Path, *panels: dict[str, Any], **board: Any) -> Dashboards:
    """Read a dashboard with these panels."""
    document = {
        "title": "T", "time": {"from": "now-2h", "to": "now"}, "__inputs": INPUTS,
        "templating": {"list": VARIABLES}, "panels": list(panels),
    }  # fmt: skip
    path = tmp_path / "board.json"
    path.write_text(json.dumps(document | board), encoding="utf-8")
    return load_dashboards([path])


def asked(expr: str, **fields: Any) -> dict[str, Any]:
    """Return a panel that asks something."""
    return {"title": "P", "type": "stat", "targets": [{"expr": expr}], **fields}


def reasons(boards: Dashboards) -> list[str]:
    """Return why panels are left out."""
    return [panel.reason for panel in boards.left_out]


def test_the_variables_of_a_board_are_read_with_its_inputs(tmp_path: Path) -> None:
    """What its own sources say decides who is asked; only a constant takes an input's value."""
    (panel,) = load(tmp_path, asked("up")).panels
    board = panel.board
    assert (board.title, board.range_s) == ("T", 7200.0)
    by_name = {variable.name: variable for variable in board.variables}
    assert list(by_name) == ["VAR_C", *(raw["name"] for raw in VARIABLES)]
    assert by_name["VAR_C"] == Variable("VAR_C", "constant", chosen=("const",))
    assert by_name["c"].chosen == ("const",)
    assert by_name["text"].chosen == ("${VAR_C}",)
    assert {name: each.asks for name, each in by_name.items() if each.kind == "query"} == {
        "ours": True, "theirs": False, "none": False,
    }  # fmt: skip
    assert by_name["plain"].options == (Option("loki", "loki"), Option("b", "b"))
    assert load(tmp_path, asked("up")).findings == ()  # a query has no filters to leave out


def test_a_panel_is_read_whole(tmp_path: Path) -> None:
    """With its resolution, and its query as Grafana sends it."""
    target = {
        "expr": 'up{a="$c"}[$__interval]', "legendFormat": "{{a}}", "interval": "30s",
        "intervalFactor": 2, "instant": True, "hide": False,
    }  # fmt: skip
    raw = {
        "type": "table", "title": "P", "id": 3, "interval": "5s", "maxDataPoints": 720,
        "repeat": "many", "targets": [target, {"expr": "other", "hide": True}], "timeFrom": "1h",
    }  # fmt: skip
    row = {"type": "row", "repeat": "plain", "panels": [raw]}
    (panel,) = load(tmp_path, row).panels
    (query,) = panel.queries
    assert query == Query(
        expr='up{a="const"}[1m]', legend="{{a}}", position=query.position,
        template=target["expr"], instant=True, min_step="30s", interval_factor=2, step_s=60.0,
    )  # fmt: skip
    assert panel == Panel(
        dashboard="T", title="P", type="table", queries=(query,), position=panel.position, raw=raw,
        board=panel.board, resolution=Resolution(3600.0, 720, "5s"), repeats=("plain", "many"),
        reads=panel.reads,
    )  # fmt: skip
    assert len(panel.board.variables) == len(VARIABLES) + 1
    assert panel.reads[-1] == "up"  # what a variable asks for


def test_what_a_query_does_not_say_is_empty(tmp_path: Path) -> None:
    """Also where it says nothing of it by `null`."""
    said_null = {"expr": "up", "legendFormat": None, "interval": None, "intervalFactor": None}
    (panel,) = load(tmp_path, asked("", targets=[said_null], interval=None, type=None)).panels
    (query,) = panel.queries
    assert replace(query, position=NOWHERE) == Query("up", "", NOWHERE, template="up")
    assert (panel.resolution, panel.type) == (Resolution(7200.0, 960, ""), "graph")


@pytest.mark.parametrize(
    ("expr", "repeat", "expected"),
    [
        ("$many", "", r"(x\\.y|z)"),
        ("$many", "many", r"x\\.y"),
        ("$many", "gone", r"(x\\.y|z)"),
        ("$none", "none", ".+"),
        ("$text", "text", "${VAR_C}"),
    ],
)
def test_a_repeated_panel_is_read_with_its_first_choice(
    tmp_path: Path, expr: str, repeat: str, expected: str
) -> None:
    """Where there is one."""
    (panel,) = load(tmp_path, asked(expr, repeat=repeat)).panels
    assert panel.queries[0].expr == expected


@pytest.mark.parametrize(
    "kind",
    ["row", "text", "dashlist", "alertlist", "news", "welcome", "annolist", "gettingstarted",
     "pluginlist", "dashboard-list"],
)  # fmt: skip
def test_panels_that_never_ask_are_passed_over(tmp_path: Path, kind: str) -> None:
    """Whatever they have; of others it is said."""
    boards = load(tmp_path, asked("up", type=kind), {"type": "stat"})
    assert boards.panels == ()
    assert reasons(boards) == ["it has no query"]


@pytest.mark.parametrize(
    ("panel", "target", "reason"),
    [
        ("$ds", None, "it asks Tempo"),
        ("${DS_L}", None, "it asks Loki"),
        ("${DS_L}", "prometheus", ""),
        ("prometheus", "${DS_L}", "it asks Loki"),
        ("$plain", None, ""),  # no source, whatever its choices are
        ("-- Mixed --", None, ""),
        ("-- Mixed --", "$ds", "it asks Tempo"),
        ("-- Dashboard --", None, "it asks another panel"),
        ("-- Grafana --", None, "it asks Grafana itself"),
        (None, "__expr__", "it calculates with what other queries return, in Grafana"),
    ],
)
def test_a_query_of_another_source_is_named_by_it(
    tmp_path: Path, panel: Any, target: Any, reason: str
) -> None:
    """A source that a target does not name is its panel's."""
    source = {} if target is None else {"datasource": target}
    if target == "__expr__":
        source = {"datasource": {"type": target}}
    targets = [{"expr": "up", **source}]
    boards = load(tmp_path, asked("", targets=targets, datasource=panel))
    assert reasons(boards) == ([reason] if reason else [])
    assert len(boards.panels) == (not reason)


def test_a_query_in_the_language_of_logs_has_the_kind_of_its_source_if_it_has_another(
    tmp_path: Path,
) -> None:
    """Only what would be Prometheus is Loki by its text."""
    logs = '{job="x"} |= "error"'
    boards = load(
        tmp_path,
        asked(logs),
        asked(logs, datasource="tempo"),
        asked(logs, datasource="-- Mixed --"),
        asked("(" * 5001),
    )
    assert reasons(boards) == [
        "it asks Loki", "it asks Tempo", "it asks Loki", f"its query is too long: {UNASKED}",
    ]  # fmt: skip


def test_each_reason_is_said_once_for_a_panel_and_what_can_be_asked_is(tmp_path: Path) -> None:
    """With the queries that are not hidden."""
    targets: list[dict[str, Any]] = [
        {"expr": "a", "datasource": "loki"}, {"expr": "b", "datasource": "loki"},
        {"expr": "c"}, {"expr": " "}, {"expr": "d", "hide": True}, {"datasource": "tempo"},
    ]  # fmt: skip
    boards = load(tmp_path, asked("", targets=targets))
    assert [[query.expr for query in panel.queries] for panel in boards.panels] == [["c"]]
    assert [(panel.reason, panel.queries) for panel in boards.left_out] == [
        (reason, ("a", "b", "c"))
        for reason in ("it asks Loki", "it has a query without expr", "it asks Tempo")
    ]


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        ({"maxDataPoints": 1}, 1),
        ({"maxDataPoints": " 100 "}, 100),
        ({"maxDataPoints": 0.5}, 960),
        ({"maxDataPoints": -5}, 960),
        ({"maxDataPoints": "many"}, 960),
        ({"maxDataPoints": 2.9}, 2),
        ({"maxDataPoints": 10**9}, 1_000_000),
        ({"gridPos": {"w": 6.504}}, 520),
        ({"gridPos": {"w": -3}}, 960),
        ({"gridPos": 6}, 960),
        ({"gridPos": {"w": None}, "span": 1.5}, 240),
        ({"span": "wide"}, 960),
    ],
)
def test_points_are_a_whole_number_within_bounds(
    tmp_path: Path, fields: dict[str, Any], points: int
) -> None:
    """Those that it says, else those of its width."""
    (panel,) = load(tmp_path, asked("up", **fields)).panels
    assert panel.resolution == Resolution(7200.0, points)
    assert isinstance(panel.resolution.points, int)


def test_boards_of_several_files_are_read_in_turn(tmp_path: Path) -> None:
    """Each with variables of its own."""
    names = []
    for name in "ba":
        path = tmp_path / f"{name}.json"
        variable = {"name": "v", "type": "constant", "query": name}
        board = {"title": name, "panels": [asked("$v")], "templating": {"list": [variable]}}
        path.write_text(json.dumps(board), encoding="utf-8")
        names.append(str(path))
    read = load_dashboards(names)
    assert [(panel.dashboard, panel.queries[0].expr) for panel in read.panels] == [
        ("b", "b"), ("a", "a"),
    ]  # fmt: skip
    assert read.panels[0].board == Board("b", (Variable("v", "constant", "b", chosen=("b",)),))
