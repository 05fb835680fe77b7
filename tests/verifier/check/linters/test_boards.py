"""What the rules of Grafana's linter say of a board: each edit of a good one, in full."""

from __future__ import annotations

import copy

import pytest

from tests.verifier.check.linters.test_linters import BOARD, EXPORTS, without
from tests.verifier.check.packs import alert, findings

PREFIX = "dashboard-linter/"


def said(folder, *edits):
    """Return what is said of the board after some edits: of what, which rule, and why."""
    board = copy.deepcopy(BOARD)
    for edit in edits:
        edit(board)
    named = findings(folder, panels=["g"], exports=EXPORTS, board=board)
    return [
        f"{each.subject}: {each.id.removeprefix(PREFIX)}: {each.reason}"
        for each in named
        if each.id.startswith(PREFIX)
    ]


def panel(**fields):
    """Return an edit of the panel."""
    return lambda board: board["panels"][0].update(fields)


def query(**fields):
    """Return an edit of the query."""
    return lambda board: board["panels"][0]["targets"][0].update(fields)


def variable(number, **fields):
    """Return an edit of a variable."""
    return lambda board: board["templating"]["list"][number].update(fields)


JOBS = 'job=~"$job",instance=~"$instance"'
TARGET = ("panels", 0, "targets")
UNIT = "panel B / P: panel-units-rule: it has no unit"
SOURCE = "panel B / P: panel-datasource-rule: its data source is no variable"
RELOAD = "dashboard B: template-on-time-change-reload-rule"
RANGE = "panel B / P: target-rate-interval-rule: its range is"


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ((), []),
        ((without("panels", 0, "title"),),
         ["panel B / panel: panel-title-description-rule: it has no title"]),
        ((without("panels", 0, "title"), panel(description="", id=7)),
         ["panel B / panel 7: panel-title-description-rule: it has no title and no description"]),
        ((panel(description=""),),
         ["panel B / P: panel-title-description-rule: it has no description"]),
        ((panel(targets=[]),), ["panel B / P: panel-no-targets-rule: it has no query"]),
        ((panel(targets=[], datasource="Prometheus"),),
         ["panel B / P: panel-no-targets-rule: it has no query"]),
        ((without(*TARGET), panel(libraryPanel={"uid": "l", "name": "L"})), []),
        ((without("panels", 0, "datasource"),), []),
        ((panel(datasource="$datasource"),), []),
        ((panel(datasource="[[datasource]]"),), []),
        ((panel(datasource="-- Mixed --"),), []),
        ((panel(datasource={"uid": "grafana"}),), []),
        ((panel(datasource={"type": "prometheus", "uid": "abc"}),), [SOURCE]),
        ((panel(fieldConfig={"defaults": {}}),), [UNIT]),
        ((panel(fieldConfig={"defaults": {}}, type="table"),), []),
        ((panel(fieldConfig={"defaults": {}}, type="logs"),), []),
        ((panel(fieldConfig={"defaults": {}}, type="stat"),), [UNIT]),
        ((panel(type="text", title="", fieldConfig={}, targets=[]),), []),
        ((query(expr=f"rate(a_total{{{JOBS}}}[5m])"),), [f"{RANGE} [5m]"]),
        ((query(expr=f"irate(a_total{{{JOBS}}}[ 1m ])"),), [f"{RANGE} [1m]"]),
        ((query(expr=f"increase(a_total{{{JOBS}}}[$__range])"),), []),
        ((query(expr=f"rate(a_total{{{JOBS}}}[${{__rate_interval}}])"),), []),
        ((query(expr=f"max_over_time(rate(a_total{{{JOBS}}}[$__rate_interval])[1h:5m])"),),
         [f"{RANGE} [1h]"]),
        ((query(expr=f"max_over_time(g{{{JOBS}}}[5m])"),), []),
        ((query(expr="g", hide=True),), []),
        ((query(expr='g{job="$job",instance=~"$instance"}'),), []),
        ((query(expr='g{job="j",instance=~"$instance"}'),),
         ['panel B / P: target-job-rule: it has no matcher job=~"$job"']),
        ((query(expr="g"),),
         ['panel B / P: target-instance-rule: it has no matcher instance=~"$instance"',
          'panel B / P: target-job-rule: it has no matcher job=~"$job"']),
        ((variable(1, refresh=1),),
         [f"{RELOAD}: variable 'job' is not asked again when the time changes"]),
        ((variable(1, refresh="onTimeRangeChanged"),), []),
        ((variable(1, type="custom", query="a,b", refresh=0),), []),
        ((lambda board: board.update(editable=True),),
         ["dashboard B: uneditable-dashboard: editable is not false"]),
    ],
)  # fmt: skip
def test_of_a_board_everything_is_said_and_nothing_else(tmp_path, edits, expected):
    """Of the board itself, of its variables, its panels and their queries."""
    assert said(tmp_path, *edits) == expected


def of_rules(folder, *rules):
    """Return what is said of rules, kinds and reasons, but for where the earlier one stands."""
    named = findings(folder, rules=list(rules), exports=EXPORTS)
    return [f"{each.id} {each.subject}: {each.reason.partition(' in ')[0]}" for each in named]


GOOD = "sum(g) > 1"
NOTHING = "it is compared with nothing: it fires for whatever has a value"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([alert(GOOD), alert("sum(g) > 2")], []),
        ([alert(GOOD, labels={"a": "1"}), alert("sum(g) > 1", labels={"a": "2"})],
         ["repeated-condition alert A: the same condition as A: both fire for one cause"]),
        ([alert(GOOD), alert(GOOD)], ["duplicate-rule alert A: the same as"]),
        ([{"record": "r", "expr": "g"}, {"record": "r", "expr": "g * 2", "labels": {"a": "1"}}],
         []),
        ([{"record": "r", "expr": "g"}, {"record": "r", "expr": "g * 2"}],
         ["duplicate-rule record r: the same as"]),
        ([alert(GOOD, annotations={"message": "m"})], []),
        ([alert(GOOD, annotations={"description": "m"})], []),
        ([alert(GOOD, annotations={"title": "m"})],
         ["pint/alerts/annotation alert A: it has none of summary, description, message"]),
        ([alert(GOOD, **{"for": 0})], ["pint/alerts/for alert A: for: 0 is the default"]),
        ([alert(GOOD, **{"for": "1s"})], []),
        ([alert("r"), {"record": "r", "expr": "r"}],
         [f"pint/alerts/comparison alert A: {NOTHING}"]),
        ([alert("q"), {"record": "q", "expr": "r"}, {"record": "r", "expr": "absent(g)"}], []),
        ([alert(GOOD, annotations={"summary": "{% raw %}"}, labels={"a": "{% b %}"})],
         ["template-residue alert A: annotation summary holds {% ... %}: it is shown as it stands",
          "template-residue alert A: label a holds {% ... %}: it is shown as it stands"]),
    ],
)  # fmt: skip
def test_of_rules_as_a_whole_everything_is_said_and_nothing_else(tmp_path, rules, expected):
    """What they have in common, what they lack, and what is written in them for nothing."""
    assert sorted(of_rules(tmp_path, *rules)) == sorted(expected)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("label_values(gone_total, x)", ["phantom-metric: nobody exports gone_total (page.txt)"]),
        ('label_values(g{y="1"}, x)',
         ['phantom-label: no series of g has the label y: y="1"']),
        ('label_values(g{x=~"$job|[[job]]|${job}"}, x)', []),
        ("label_values(x)", []),
        ("metrics(g.*)", []),
    ],
)  # fmt: skip
def test_the_question_of_a_variable_is_named_with_its_place_in_the_file(
    tmp_path, question, expected
):
    """A variable in it stands for anything."""
    own = {"name": "v", "type": "query", "query": question, "refresh": 2}
    board = copy.deepcopy(BOARD)
    board["templating"]["list"].append(own)
    named = findings(tmp_path, panels=["g"], exports=EXPORTS, board=board)
    assert [f"{each.id}: {each.reason}" for each in named] == expected
    column = (tmp_path / "board.json").read_text().index('{"name": "v"') + 1
    for each in named:
        assert (each.subject, each.place.line, each.place.column) == (
            "variable B / v", 1, column,
        )  # fmt: skip


def test_the_question_of_a_variable_may_be_about_cells(tmp_path):
    """Then it is a note, as in an expression of a rule."""
    own = {"name": "v", "type": "query", "query": 'label_values(up{cell="0"}, job)', "refresh": 2}
    board = {"templating": {"list": [own]}}
    named = [each for each in findings(tmp_path, panels=["up"], board=board) if "cell" in each.id]
    assert [(each.id, each.subject) for each in named] == [("only-with-cells", "variable B / v")]
