"""Folders of scenarios, files that are something else, files given twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentaskit_sim.front.named_files import distinct_files, scenario_names
from documents.mistakes import InputError

SCENARIO = "name: x\nstory: x\nduration: 9m\n"
RULES = "groups: []\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, text):
    """Write a file, its folders too."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_folder_stands_for_the_scenarios_in_it_at_any_depth():
    """What is left out is named."""
    write("own/a.yaml", SCENARIO)
    write("own/deep/er/b.yml", SCENARIO)
    assert scenario_names(["own"]) == (["own/a.yaml", "own/deep/er/b.yml"], [])
    write("own/rules.yaml", RULES)
    write("own/deep/notes.yaml", "todo: sleep\n")
    write("own/board.json", '{"panels": []}')
    write("own/.hidden/c.yaml", SCENARIO)
    names, (note,) = scenario_names(["traffic-drop", "own"])
    assert names == ["traffic-drop", "own/a.yaml", "own/deep/er/b.yml"]
    assert note == "own: 2 scenarios taken; no scenarios: board.json, deep/notes.yaml, rules.yaml"


def test_a_scenario_is_taken_once_however_it_is_named(folder):
    """As part of a folder, by its path, by another path."""
    write("own/a.yaml", SCENARIO)
    names = ["own/a.yaml", "own", str(folder / "own" / "a.yaml"), "own/../own/a.yaml"]
    assert scenario_names(names) == (["own/a.yaml"], [])
    assert scenario_names(["traffic-drop", "traffic-drop"]) == (["traffic-drop"], [])


def test_a_scenario_needs_no_ending(folder):
    """A bare word is a bundled scenario only where no file has that name."""
    write("mine", SCENARIO)
    assert scenario_names(["mine", "no-such"]) == ([str(folder / "mine"), "no-such"], [])


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("r.yaml", RULES, "r.yaml: these are rules, no scenario: name them after --rules"),
        ("r.txt", RULES, "r.txt: these are rules, no scenario: name them after --rules"),
        ("b.json", '{"panels": []}', "b.json: this is a dashboard, no scenario"),
        ("empty/x.txt", "", "empty: the folder holds no scenarios"),
        ("empty/r.yaml", RULES, "empty: the folder holds no scenarios"),
    ],
)
def test_what_is_no_scenario_is_a_mistake(name, text, error):
    """It is never judged as one, and never left out without a word."""
    write(name, text)
    with pytest.raises(InputError) as caught:
        scenario_names([Path(name).parts[0]])
    assert str(caught.value).startswith(error)


def test_mistakes_of_all_names_are_reported_together():
    """One run finds them."""
    write("r.yaml", RULES)
    write("empty/r.yaml", RULES)
    with pytest.raises(InputError) as caught:
        scenario_names(["r.yaml", "empty"])
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_given_twice_is_taken_once_and_said(folder):
    """By its own path, by another, or inside a folder that is read as well."""
    for name in ("a.yaml", "rules/b.yaml", "rules/c.rules", "rules/deep/d.yaml"):
        write(name, RULES)
    paths = ["a.yaml", folder / "a.yaml", "rules", "rules/b.yaml", "rules/c.rules",
             "rules/deep/d.yaml", "rules/"]  # fmt: skip
    kept, notes = distinct_files([Path(path) for path in paths], "--rules")
    assert [str(path) for path in kept] == [
        "a.yaml", "rules", "rules/c.rules", "rules/deep/d.yaml",
    ]  # fmt: skip
    assert notes == [
        f"{path} is given twice after --rules: it is taken once"
        for path in (folder / "a.yaml", "rules/b.yaml", "rules")
    ]
    assert distinct_files(None, "--rules") == (None, [])
