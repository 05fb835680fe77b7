"""Dashboards found in files and folders: where each stands, and what is passed over or wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from verifier.dashboards.resources import BoardFinder

if TYPE_CHECKING:
    from pathlib import Path

OLD = {"title": "old", "panels": []}
NEW = {"title": "new", "elements": {}}
TEXT = json.dumps(OLD)
HEAD = {"apiVersion": "v1"}


def config_map(**data: object) -> dict[str, Any]:
    """Return a config map as the sidecar of Grafana reads it."""
    return {**HEAD, "kind": "ConfigMap", "data": data}


def listed(kind: str, *items: object) -> dict[str, Any]:
    """Return a list of resources."""
    return {**HEAD, "kind": kind, "items": list(items)}


Boards = list[tuple[str, bool, tuple[str | int, ...]]]


@pytest.mark.parametrize(
    ("document", "boards"),
    [
        (OLD, [("", True, ())]),
        ({"rows": []}, [("", True, ())]),
        ({"schemaVersion": 1, "title": "T"}, [("", True, ())]),
        ({"schemaVersion": 1, "templating": {}}, [("", True, ())]),
        ({"schemaVersion": 1}, []),
        ({"title": "T"}, []),
        (NEW, [("", False, ())]),
        ({"elements": {}, "layout": {}}, [("", False, ())]),
        ({"elements": {}}, []),
        ({"elements": [], "title": "T"}, []),
        ({"dashboard": OLD}, [("", True, ("dashboard",))]),
        ({"dashboard": {"dashboard": NEW}}, [("", False, ("dashboard", "dashboard"))]),
        ({**HEAD, "kind": "Dashboard", "spec": NEW}, [("", False, ("spec",))]),
        ({**HEAD, "kind": "Dashboard", "panels": []}, []),  # a head, and its spec is missing
        ({"kind": "x", "panels": []}, [("", True, ())]),
        ({"apiVersion": "x", "panels": []}, [("", True, ())]),
        ({**HEAD, "kind": "GrafanaDashboard", "spec": {"json": TEXT}}, [("#spec.json", True, ())]),
        ({"spec": {"json": OLD}}, [("", True, ("spec", "json"))]),
        ({"spec": {"json": 3}}, []),
        (config_map(**{"a.json": TEXT, "b.txt": TEXT}), [("#data.a.json", True, ())]),
        ({"kind": "Secret", "data": {"a.json": TEXT}}, []),
        ({"kind": "ConfigMap", "data": [TEXT]}, []),
        ([OLD, 3, {"dashboard": NEW}], [("", True, (0,)), ("", False, (2, "dashboard"))]),
        ([[OLD]], []),
        (
            listed("ConfigMapList", config_map(**{"a.json": json.dumps({"dashboard": OLD})})),
            [("#items.0.data.a.json", True, ("dashboard",))],
        ),
        (listed("List", {"spec": OLD}), [("", True, ("items", 0, "spec"))]),
        (listed("Listed", {"spec": OLD}), []),
        ({"items": [OLD]}, []),
        ({"kind": "List", "items": OLD}, []),
        ({"spec": {"spec": {"spec": {"spec": {"spec": OLD}}}}}, [("", True, ("spec",) * 5)]),
        ({"spec": {"spec": {"spec": {"spec": {"spec": {"spec": OLD}}}}}}, []),  # too deep
    ],
)
def test_a_dashboard_is_found_in_its_wrapping(
    tmp_path: Path, document: object, boards: Boards
) -> None:
    """With the place of its model, in the file or in a text of it."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    finder = BoardFinder()
    finder.read([path])
    read = [
        (board.document.path.removeprefix(str(path)), board.is_classic, board.steps)
        for board in finder.boards
    ]
    assert read == boards
    assert len(finder.mistakes) == (not boards)
    assert finder.findings == []


def folder_of(tmp_path: Path, **texts: str) -> BoardFinder:
    """Return what was found in a folder with some files."""
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    finder = BoardFinder()
    finder.read([tmp_path])
    return finder


def test_a_folder_says_what_it_passes_over(tmp_path: Path) -> None:
    """Files of other names, without a dashboard, templates; not a wrong file of JSON."""
    files = {
        "a.json": TEXT,
        "b/c.yml": TEXT,
        "d.txt": TEXT,
        "e.yaml": "{{ x }}: {",
        "f.yml": "a: 1",
    }
    finder = folder_of(tmp_path, **files)
    assert [board.document.path for board in finder.boards] == [
        str(tmp_path / name) for name in ("a.json", "b/c.yml")
    ]
    assert finder.mistakes == []
    said = [(str(finding.position), finding.message) for finding in finder.findings]
    assert [path.removeprefix(f"{tmp_path}/") for path, _ in said] == ["d.txt", "e.yaml", "f.yml"]
    assert said[0][1] == "not read: neither .json nor .yaml"
    assert said[1][1].startswith("not read: ")
    assert said[2][1] == "not read: no dashboard"


def test_a_wrong_file_of_json_in_a_folder_is_the_only_mistake(tmp_path: Path) -> None:
    """That nothing else is there need not be said too."""
    finder = folder_of(tmp_path, **{"a.json": "{"})
    (mistake,) = finder.mistakes
    assert "a.json:1:" in str(mistake)
    assert finder.findings == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.yaml", "; rule files go with --rules"),
        ("b/a.rules", "; rule files go with --rules"),
        ("a.txt", ""),
    ],
)
def test_a_folder_without_a_dashboard_is_a_mistake(tmp_path: Path, name: str, hint: str) -> None:
    """Whoever has named one of rules is told where those go."""
    own = tmp_path / "own"
    finder = folder_of(own, **{name: "groups: []"})
    assert [str(mistake) for mistake in finder.mistakes] == [
        f"{own}: the folder holds no dashboard{hint}"
    ]
    other = tmp_path / "other.json"
    other.write_text(TEXT, encoding="utf-8")
    finder.read([other, own])
    assert (len(finder.boards), len(finder.mistakes)) == (1, 2)
