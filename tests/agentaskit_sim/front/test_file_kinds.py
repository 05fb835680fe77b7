"""What a file is, by the keys of its top level."""

from __future__ import annotations

import pytest

from agentaskit_sim.front.file_kinds import files_in, kind_of
from agentaskit_sim.front.pack_files import PACK, PACK_RULES
from scenarios.library.files import library


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("groups:\n- name: x\n", "rules"),
        ("# duration: 5m\n---\ngroups: []\n", "rules"),
        ('{"groups": []}', "rules"),
        ("{groups: [{name: a, rules: []}]}", "rules"),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: PrometheusRule\n", "rules"),
        ("apiVersion: x\nkind: PrometheusRule\nspec:\n  groups: []\n", "rules"),
        ("story: |\n  groups: of agents fail\nduration: 9m\n", "scenario"),
        ("'faults': []\n", "scenario"),
        ("{name: x, duration: 9m}", "scenario"),
        ('{"panels": [], "title": "faults"}', "dashboard"),
        ('{"dashboard": {"panels": []}}', "dashboard"),
        ("services:\n  duration: 5\n", "other"),
        ("scenarios:\n  x:\n    expectations: []\n", "other"),
        ("duration:5m\n", "other"),
        ("[1, 2]", "other"),
        ("", "other"),
    ],
)
def test_the_keys_of_the_top_level_decide(tmp_path, text, kind):
    """Whatever the file is called; keys further in and text decide nothing."""
    path = tmp_path / "file"
    path.write_text(text)
    assert kind_of(path) == kind


def test_what_is_bundled_is_known():
    """Every scenario, every rule file, every dashboard."""
    assert {kind_of(path) for path in library()} == {"scenario"}
    assert {kind_of(path) for path in PACK_RULES} == {"rules"}
    assert {kind_of(path) for path in (PACK / "dashboards").glob("*.json")} == {"dashboard"}


def test_a_folder_is_what_its_files_are(tmp_path):
    """Rules win, hidden folders do not count, and what is missing is nothing."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.yml").write_text("duration: 9m\n")
    assert kind_of(tmp_path) == "scenario"
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "b.yaml").write_text("groups: []\n")
    assert kind_of(tmp_path) == "scenario"
    (tmp_path / "b.yaml").write_text("groups: []\n")
    assert kind_of(tmp_path) == "rules"
    assert [path.name for path in files_in(tmp_path)] == ["b.yaml", "a.yml"]
    assert kind_of(tmp_path / "missing") == "other"
