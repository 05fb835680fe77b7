"""What reads the label of a cell: known of a system with several cells, and said of it alone."""

from __future__ import annotations

import pytest

from tests.verifier.check.packs import CATALOGUE, alert, findings, ids, page
from verifier.check.exports.catalogue_exports import catalogue_exports, mapped_exports
from verifier.check.exports.families import TARGET_LABELS, joined
from verifier.mapping.reader import load_mapping

TASKS = "rate(agentaskit_tasks_processed_total[5m])"
BY_CELL = {"record": "cell:tasks:rate5m", "expr": f"sum by (cell) ({TASKS})"}
OF_ALL = {"record": "all:tasks:rate5m", "expr": f"sum({TASKS})"}
ABOUT_LABELS = ("only-with-cells", "phantom-label", "phantom-label-value", "many-to-many",
                "mismatched-labels", "pint/alerts/template")  # fmt: skip


@pytest.fixture
def of(tmp_path):
    """Return a function that gives what is said of the labels of some rules."""

    def check(*rules, exports=CATALOGUE):
        rules = [alert(rule) if isinstance(rule, str) else rule for rule in rules]
        named = findings(tmp_path, rules=rules, exports=exports)
        return [each for each in named if each.id in ABOUT_LABELS]

    return check


@pytest.mark.parametrize(
    ("expr", "then"),
    [
        ('up{cell="0"} == 0', 'cell="0" selects nothing'),
        ('sum(up{cell=~"1|2"}) < 1', 'cell=~"1|2" selects nothing'),
        ('sum(up{cell!="3"}) < 1', 'cell!="3" takes every series'),
        (f"sum by (cell) ({TASKS}) < 1", "it is empty"),
        (f"sum by (cell) ({TASKS}) / on (cell) sum by (cell) (up) < 1", "it is empty"),
        (f"{TASKS} / on (cell) group_left () sum by (cell) (up) < 1", "it is empty"),
    ],
    ids=["selector", "pattern", "exclusion", "grouping", "matching", "many to one"],
)  # fmt: skip
def test_the_label_is_there_with_cells_alone(of, expr, then):
    """One note, which fails nothing, with what it means for a system of one cell."""
    (note,) = of(expr)
    assert (note.id, note.kind.severity) == ("only-with-cells", "info")
    assert note.reason == (
        f"the label cell is there in scenarios with `cells:` alone; without them {then}"
    )


def test_a_text_and_a_recording_may_ask_for_it(of):
    """Each says so for itself; what a rule keeps is there for the next."""
    named = of(
        BY_CELL, alert("cell:tasks:rate5m < 1", annotations={"summary": "{{ $labels.cell }}"})
    )
    assert ids(named) == ["only-with-cells", "only-with-cells"]
    assert [each.subject for each in named] == ["record cell:tasks:rate5m", "alert A"]


@pytest.mark.parametrize(
    ("rules", "kind", "said"),
    [
        ([OF_ALL, 'all:tasks:rate5m{cell="1"} < 1'], "phantom-label",
         'no series of all:tasks:rate5m has the label cell, with cells or without: cell="1"'),
        ([OF_ALL, "sum by (cell) (all:tasks:rate5m) < 1"], "phantom-label",
         "no series there has the label cell, with cells or without: sum by (cell)"),
        ([alert(f"sum({TASKS}) < 1", annotations={"summary": "{{ $labels.cell }}"})],
         "pint/alerts/template", "summary asks for $labels.cell"),
        (['up{cell="east"} == 0'], "phantom-label-value", "cells are 0 to at most 999"),
        (['up{cell=~"cell-.*"} == 0'], "phantom-label-value", "cells are 0 to at most 999"),
        (['up{cel="0"} == 0'], "phantom-label", "has the label cel:"),
        (['sum(rate(agentaskit_tasks_processed_total{cell="0",zone="a"}[5m])) < 1'],
         "phantom-label", "has the label zone"),
    ],
    ids=["recorded without", "grouped without", "text", "no number", "pattern of none", "misspelt",
         "another label"],
)  # fmt: skip
def test_what_is_never_there_stays_an_error(of, rules, kind, said):
    """With cells or without: no note in its place lets it pass."""
    named = [each for each in of(*rules) if each.kind.severity == "error"]
    assert kind in ids(named)
    assert said in " ".join(each.reason for each in named)


@pytest.mark.parametrize(
    "expr",
    [
        'up{cell=~".*"} == 0',
        'up{cell=""} == 0',
        f"sum without (cell, instance, job) ({TASKS}) < 1",
        f"sum by (job) ({TASKS}) / ignoring (cell) sum by (job) (up) < 1",
        f"sum without (job, instance) ({TASKS}) / sum without (job, instance) ({TASKS}) < 1",
    ],
)
def test_what_does_not_need_it_is_held_against_one_system(of, expr):
    """Nothing is said, as of a system without cells."""
    assert of(expr) == []


def test_a_server_that_adds_it_for_certain_is_believed(of):
    """`--target-label cell`: the rules are for systems of cells alone."""
    exports = catalogue_exports(TARGET_LABELS | {"cell"})
    assert of(BY_CELL, 'up{cell="0"} == 0', exports=exports) == []


def test_a_page_is_known_to_have_what_it_shows(of):
    """Of an exporter of any kind nobody knows that it may have cells."""
    shown = page('# TYPE app_state gauge\napp_state{state="up"} 1\n')
    assert ids(of('app_state{cell="0"} < 1', exports=shown)) == ["phantom-label"]
    both = joined([CATALOGUE, shown])
    assert ids(of('app_state{cell="0"} < 1', exports=both)) == ["phantom-label"]


def test_a_mapping_may_give_the_label_a_meaning_of_its_own(of, tmp_path):
    """It is then a label as any other, whose values are known."""
    text = "metrics:\n- name: shop_total\n  type: counter\n  from: http_requests_total\n"
    said = {}
    for labels in ("", "  labels: {cell: east}\n"):
        path = tmp_path / "mapping.yaml"
        path.write_text(text + labels)
        exports = mapped_exports(load_mapping(path).mapping, "mapping.yaml")
        said[labels] = [ids(of(f'rate(shop_total{{cell="{cell}"}}[5m]) < 1', exports=exports))
                        for cell in ("0", "east")]  # fmt: skip
    assert [*said.values()] == [
        [["only-with-cells"], ["phantom-label-value"]], [["phantom-label-value"], []],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kinds", "then"),
    [
        (f"{TASKS} * on (job) group_left (cell) up > 5", ["only-with-cells"], "it is empty"),
        (alert(f"{TASKS} > 5", labels={"team": "{{ $labels.cell }}"}), ["only-with-cells"],
         "it is empty"),
        (alert(f"sum({TASKS}) > 5", labels={"team": "{{ $labels.cell }}"}),
         ["pint/alerts/template", "only-with-cells"], "it is empty"),
        ('up{cell!="east"} == 0', ["only-with-cells"], 'cell!="east" takes every series'),
        ('up{cell!~"east|west"} == 0', ["only-with-cells"], 'cell!~"east|west" takes every series'),
        ('up{cell="999"} == 0', ["only-with-cells"], 'cell="999" selects nothing'),
        ('up{cell="1000"} == 0', ["phantom-label-value"], "cells are 0 to at most 999"),
    ],
)  # fmt: skip
def test_what_is_brought_along_excluded_or_asked_in_a_label_is_told_apart(of, rule, kinds, then):
    """A value that is excluded need not be one of a cell."""
    named = of(rule)
    assert ids(named) == kinds
    assert named[-1].reason.endswith(then)
