"""The two models of a dashboard, each read whole into one form, with the place of every part."""

from __future__ import annotations

import json
from typing import Any

import pytest

from documents.yaml_reader import parse_json
from verifier.dashboards.models import ModelReader, RawBoard, RawPanel, RawTarget
from verifier.dashboards.resources import BoardSource


def reader_of(model: dict[str, Any], *steps: str) -> ModelReader:
    """Return a reader of a model, which stands below some keys of its file."""
    whole = model
    for step in reversed(steps):
        whole = {step: whole}
    document = parse_json(json.dumps(whole), "board.json")
    inner: Any = document.data
    for step in steps:
        inner = inner[step]
    return ModelReader(BoardSource(document, inner, steps))


def query(group: str | None, expr: str, **more: Any) -> dict[str, Any]:
    """Return a query of the newer model."""
    inner = {"kind": "DataQuery", "group": group, "spec": {"expr": expr}}
    return {"kind": "PanelQuery", "spec": {"query": inner, **more}}


def drawn(name: str, width: int, **more: Any) -> dict[str, Any]:
    """Return an item of a layout that draws an element."""
    return {"spec": {"width": width, "element": {"name": name}, **more}}


def row(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a row or a tab with a layout of its own."""
    return {"spec": {"layout": {"kind": "GridLayout", "spec": {"items": list(items)}}, **more}}


QUERIES = [
    query("loki", "a", hidden=True),
    query(None, "b", datasource={"uid": "P"}),
    {"spec": {"query": {"kind": "tempo", "spec": {"expr": "c"}, "datasource": {"name": "T"}}}},
    {"spec": {"query": {"kind": "x", "group": "loki", "spec": {"expr": "d"}, "datasource": 3}}},
    {"spec": "none"},
]
VISUAL = {"kind": "VizConfig", "group": "stat", "spec": {"fieldConfig": {"defaults": {}}}}
FULL = {
    "title": "Full",
    "id": 7,
    "vizConfig": VISUAL,
    "data": {"spec": {"queryOptions": {"interval": "1m"}, "queries": QUERIES}},
}
NEWER = {
    "title": "G",
    "timeSettings": {"from": "now-3h", "to": "now-1h"},
    "time": {"from": "now-9h", "to": "now-8h"},
    "variables": [{"kind": "CustomVariable", "spec": {"name": "v"}}, "none"],
    "elements": {
        "full": {"spec": FULL},
        "named": {"spec": {"title": "L", "libraryPanel": {"name": "Shared", "uid": "u"}}},
        "by-uid": {"spec": {"vizConfig": {"kind": "text"}, "libraryPanel": {"uid": "u"}}},
        "undrawn": {"spec": {"title": "no"}},
        "nothing": "none",
    },
    "layout": {
        "kind": "RowsLayout",
        "spec": {
            "rows": [
                row(drawn("full", 8, repeat={"value": "panel"}), repeat={"value": "row"}),
                row(row(drawn("named", 6)), repeatOptions={"value": "tab"}),
                row(drawn("by-uid", 3), drawn("nothing", 3)),
            ]
        },
    },
}


def test_the_newer_model_is_read_whole() -> None:
    """Elements with what the layout says of each, their queries, sources and places."""
    at = ("spec", "elements", "full", "spec")
    inside = ("spec", "query", "spec")
    sources = [
        {"type": "loki"},
        {"uid": "P", "type": None},
        {"name": "T", "type": "tempo"},
        {"type": "loki"},
    ]
    targets = [
        RawTarget(
            {"expr": expr, "hide": hidden, "datasource": source},
            (*at, "data", "spec", "queries", index, *inside),
        )
        for index, (expr, hidden, source) in enumerate(
            zip("abcd", (True, None, None, None), sources, strict=True)
        )
    ]
    nothing = RawTarget(
        {"hide": None, "datasource": {"type": None}}, (*at, "data", "spec", "queries", 4, *inside)
    )

    def fields(title: str | None, kind: str | None, width: int, **more: Any) -> dict[str, Any]:
        return {"title": title, "id": None, "type": kind, "gridPos": {"w": width}, **more}

    def place(name: str) -> tuple[str, ...]:
        return ("spec", "elements", name, "spec")

    own = fields("Full", "stat", 8, id=7, interval="1m", fieldConfig={"defaults": {}})
    reader = reader_of(NEWER, "spec")
    assert reader.read() == RawBoard(
        title="G",
        time_from="now-3h",
        time_to="now-1h",
        variables=[{"name": "v", "type": "custom"}],
        panels=[
            RawPanel(own, (*targets, nothing), at, "", ("row", "panel")),
            RawPanel(fields("L", None, 6), (), place("named"), "Shared", ("tab",)),
            RawPanel(fields(None, "text", 3), (), place("by-uid"), "u"),
        ],
    )
    assert reader.mistakes == []


def test_elements_without_a_layout_are_all_drawn_and_must_be_panels() -> None:
    """Without a title the board goes by its file, without an end its range ends now."""
    elements = {"one": {"spec": {"title": "One"}}, "two": {"spec": 3}}
    reader = reader_of({"elements": elements, "layout": {}})
    board = reader.read()
    assert [panel.fields["title"] for panel in board.panels] == ["One"]
    assert (board.title, board.time_from, board.time_to) == ("board.json", "", "now")
    (mistake,) = reader.mistakes
    assert "a panel must be a mapping, got 3" in str(mistake)


def shown(title: str, **more: Any) -> dict[str, Any]:
    """Return a panel of the classic model."""
    return {"title": title, "targets": [{"expr": title}], **more}


def test_a_row_is_repeated_with_what_is_in_it_or_after_it_up_to_the_next() -> None:
    """Old rows hold theirs, later ones hold them while they are collapsed."""
    collapsed = {"type": "row", "title": "R2", "repeat": "y", "panels": [shown("in")]}
    model = {
        "title": "C",
        "time": {"from": "now-2h", "to": "now-1h"},
        "timeSettings": {"from": "no"},
        "__inputs": [{"name": "I"}, 3],
        "templating": {"list": [{"name": "v"}, None]},
        "rows": [{"repeat": "old", "panels": [shown("old", repeat="own")]}, {"panels": []}],
        "panels": [
            shown("first"),
            {"type": "row", "title": "R1", "repeat": "x"},
            shown("after", repeat="x"),
            shown("later", repeat="z"),
            collapsed,
            {"type": "row", "title": "R3"},
            shown("last"),
        ],
    }
    board = reader_of(model).read()
    assert (board.title, board.time_from, board.time_to) == ("C", "now-2h", "now-1h")
    assert (board.inputs, board.variables) == ([{"name": "I"}], [{"name": "v"}])
    read = [(panel.fields["title"], panel.repeats, panel.steps) for panel in board.panels]
    assert read == [
        ("old", ("old", "own"), ("rows", 0, "panels", 0)),
        ("first", (), ("panels", 0)),
        ("R1", ("x",), ("panels", 1)),
        ("after", ("x",), ("panels", 2)),
        ("later", ("x", "z"), ("panels", 3)),
        ("R2", ("y",), ("panels", 4)),
        ("in", ("y",), ("panels", 4, "panels", 0)),
        ("R3", (), ("panels", 5)),
        ("last", (), ("panels", 6)),
    ]
    assert board.panels[0].targets == (
        RawTarget({"expr": "old"}, ("rows", 0, "panels", 0, "targets", 0)),
    )


KEPT = ("dashboard", "__elements")
MODEL = {"title": "Model", "gridPos": {"w": 1}, "targets": [{"expr": "m"}, "none"]}


@pytest.mark.parametrize(
    ("panel", "elements", "title", "place", "library"),
    [
        ({"model": MODEL}, None, "Model", ("libraryPanel", "model"), ""),
        ({"uid": "u"}, {"u": {"model": MODEL}}, "Model", (*KEPT, "u", "model"), ""),
        ({"uid": "u"}, [{}, {"uid": "u", "model": MODEL}], "Model", (*KEPT, 1, "model"), ""),
        ({"name": "N"}, {"k": {"name": "N", "model": MODEL}}, "Model", (*KEPT, "k", "model"), ""),
        ({"uid": "u", "name": "N"}, {"u": {"model": 3}}, "P", None, "N"),
        ({"uid": "u"}, None, "P", None, "u"),
        ({}, "none", "P", None, "without a name"),
    ],
)
def test_a_library_panel_is_the_model_that_its_file_carries(
    panel: dict[str, Any],
    elements: object,
    title: str,
    place: tuple[str | int, ...] | None,
    library: str,
) -> None:
    """In the panel itself, or among the elements of an export; it keeps its own width."""
    own = {"title": "P", "gridPos": {"w": 9}, "libraryPanel": panel}
    reader = reader_of({"__elements": elements, "panels": [own]}, "dashboard")
    (read,) = reader.read().panels
    steps = ("dashboard", "panels", 0)
    assert (read.fields["title"], read.fields["gridPos"]) == (title, {"w": 9})
    assert (read.library, read.steps) == (library, steps)
    if place is None:
        assert read.targets == ()
    else:
        at = place if place[0] == "dashboard" else (*steps, *place)
        assert read.targets == (RawTarget({"expr": "m"}, (*at, "targets", 0)),)


def test_a_library_panel_with_queries_of_its_own_asks_those() -> None:
    """It was unlinked, or exported with what it then asked."""
    own = {"targets": [{"expr": "own"}], "libraryPanel": {"uid": "u"}}
    (read,) = reader_of({"__elements": {"u": {"model": MODEL}}, "panels": [own]}).read().panels
    assert read == RawPanel(
        own, (RawTarget({"expr": "own"}, ("panels", 0, "targets", 0)),), ("panels", 0)
    )


@pytest.mark.parametrize(
    ("shared", "title"),
    [({"name": "A"}, "a"), ({"name": "B"}, "b"), ({"uid": "u", "name": "A"}, "c"), ({}, "P")],
)
def test_library_panels_that_have_names_alone_are_told_apart(
    shared: dict[str, Any], title: str
) -> None:
    """By an identifier where there is one; what says neither is none of them."""
    elements = [
        {"name": "A", "model": {"title": "a"}},
        {"name": "B", "model": {"title": "b"}},
        {"uid": "u", "model": {"title": "c"}},
    ]
    model = {"__elements": elements, "panels": [{"title": "P", "libraryPanel": shared}]}
    (read,) = reader_of(model).read().panels
    assert read.fields["title"] == title
