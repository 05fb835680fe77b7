"""Several files after one option: what a file holds decides where it belongs, not its name."""

from __future__ import annotations

import pytest

from agentaskit_sim.front.word_lists import repeat_options

RULES = "groups: []\n"
SCENARIO = "name: mine\nstory: x\nduration: 9m\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of rules, scenarios and boards under names of all sorts."""
    monkeypatch.chdir(tmp_path)
    texts = {
        "a.rules": RULES, "b.txt": RULES, "c": RULES, "d.yaml": RULES, "mine.yaml": SCENARIO,
        "mine.txt": SCENARIO, "board": '{"panels": []}', "board.json": '{"panels": []}',
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for name, text in (("rules", RULES), ("own", SCENARIO), ("boards", '{"panels": []}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.yaml").write_text(text)
    return tmp_path


def lists(line):
    """Return the words of a line after repetition, as (rules, dashboards, the other words)."""
    rules, boards, others = [], [], []
    words = iter(repeat_options(line.split()))
    for word in words:
        target = {"--rules": rules, "--dashboards": boards}.get(word)
        (others if target is None else target).append(word if target is None else next(words))
    return rules, boards, others


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("verify --rules a.rules b.txt c", (["a.rules", "b.txt", "c"], [], ["verify"])),
        ("verify --rules d.yaml mine.yaml", (["d.yaml"], [], ["verify", "mine.yaml"])),
        ("verify --rules c mine.txt d.yaml", (["c"], [], ["verify", "mine.txt", "d.yaml"])),
        ("verify --rules rules own", (["rules"], [], ["verify", "own"])),
        ("verify --rules d.yaml traffic-drop", (["d.yaml"], [], ["verify", "traffic-drop"])),
        ("verify --rules d.yaml no-such", (["d.yaml"], [], ["verify", "no-such"])),
        ("verify --rules d.yaml no.rules", (["d.yaml", "no.rules"], [], ["verify"])),
        ("verify --rules d.yaml no/such", (["d.yaml", "no/such"], [], ["verify"])),
        ("verify --rules d.yaml --seed 1 c", (["d.yaml"], [], ["verify", "--seed", "1", "c"])),
        ("verify --dashboards board board.json boards --rules c",
         (["c"], ["board", "board.json", "boards"], ["verify"])),
        ("verify --rules=d.yaml c", ([], [], ["verify", "--rules=d.yaml", "c"])),
        ("verify --rules d.yaml -- c --rules", (["d.yaml"], [], ["verify", "--", "c"])),
    ],
)  # fmt: skip
def test_a_word_belongs_where_its_file_says(line, expected):
    """A scenario is never taken for rules, nor rules for a scenario."""
    if line.endswith("-- c --rules"):
        assert repeat_options(line.split()) == line.split()
        return
    assert lists(line) == expected


def test_a_bundled_scenario_wins_over_a_folder_of_its_name(folder):
    """`./traffic-drop` is the folder."""
    (folder / "traffic-drop").mkdir()
    (folder / "traffic-drop" / "x.yaml").write_text(RULES)
    assert lists("--rules c traffic-drop") == (["c"], [], ["traffic-drop"])
    assert lists("--rules c ./traffic-drop") == (["c", "./traffic-drop"], [], [])


def test_the_last_option_may_lack_its_file():
    """The reader of the command line then reports what is missing."""
    assert repeat_options(["verify", "--rules"]) == ["verify", "--rules"]
    assert repeat_options(["--rules", "--json", "d.yaml"]) == ["--rules", "--json", "d.yaml"]
