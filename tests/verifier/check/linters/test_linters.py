"""Rules of pint and of Grafana's dashboard-linter: one good pack, and an edit for each rule."""

from __future__ import annotations

import copy

import pytest

from tests.verifier.check.packs import alert, findings, ids, page

EXPORTS = page('# TYPE a_total counter\na_total{x="1"} 1\n# TYPE g gauge\ng{x="1"} 1\n')
GOOD = 'sum(rate(a_total{x=~"1|2"}[5m])) > 1'


def of(folder, *rules):
    """Return the ids of pint's rules, and of ours that pint has too."""
    named = ids(findings(folder, rules=list(rules), exports=EXPORTS))
    return [each for each in named if each.startswith("pint/") or each == "duplicate-rule"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([alert(GOOD)], []),
        ([alert("sum(rate(a_total[5m]))")], ["pint/alerts/comparison"]),
        ([alert("sum(rate(a_total[5m])) > bool 1")], ["pint/alerts/comparison"]),
        ([{"record": "r", "expr": "g > 1"}, alert("r")], []),
        ([{"record": "r", "expr": "g"}, alert("r")], ["pint/alerts/comparison"]),
        ([alert("g unless g")], []),
        ([alert(GOOD, annotations={"runbook_url": "u"})], ["pint/alerts/annotation"]),
        ([alert(GOOD, **{"for": "0s"})], ["pint/alerts/for"]),
        ([alert("absent(g)", **{"for": "15s"})], ["pint/alerts/absent"]),
        ([alert("absent(g)")], []),
        ([alert('sum(g{x=~"1"}) > 1')], ["pint/promql/regexp"]),
        ([alert('sum(g{x=~"^1.*"}) > 1')], ["pint/promql/regexp"]),
        ([alert('sum(g{x!~".*1$"}) > 1 or sum(g) > 5')], ["pint/promql/regexp"]),
        ([alert("sum(g) > 1 and vector(1) > 0")], ["pint/promql/impossible"]),
        ([alert("sum(g) > 1 and hour() > 8")], []),
        ([alert("sum(g) > 1 and hour() > 24")], ["pint/promql/impossible"]),
        ([alert("min(up) > 1")], ["pint/promql/impossible"]),
        ([alert("sum(g) > NaN")], ["pint/promql/impossible"]),
        ([alert("min(up) < 1")], []),
        ([alert("sum without (x) (g) / sum without (x) (g) > 1")], ["pint/promql/fragile"]),
        ([alert(GOOD), alert(GOOD)], ["duplicate-rule"]),
        ([alert(GOOD), alert(GOOD, labels={"team": "b"})], []),
        ([{"record": "r", "expr": "g"}, {"record": "r", "expr": "g + 1"}], ["duplicate-rule"]),
    ],
)
def test_a_rule_of_pint_is_noticed_by_its_own_name(tmp_path, rules, expected):
    """And nothing else of pint's."""
    assert of(tmp_path, *rules) == expected


BOARD = {
    "editable": False,
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "job", "type": "query", "query": "label_values(g, job)", "refresh": 2},
            {
                "name": "instance", "type": "query", "refresh": 2,
                "query": 'label_values(g{job=~"$job"}, instance)',
            },
        ]
    },
    "panels": [
        {
            "title": "P", "description": "what it shows", "type": "timeseries",
            "datasource": {"uid": "${datasource}"}, "fieldConfig": {"defaults": {"unit": "ops"}},
            "targets": [
                {"expr": 'rate(a_total{job=~"$job",instance=~"$instance"}[$__rate_interval])'}
            ],
        }
    ],
}  # fmt: skip


def board_ids(folder, edit):
    """Return the ids of what is said of the board after an edit."""
    board = copy.deepcopy(BOARD)
    edit(board)
    return ids(findings(folder, panels=["g"], exports=EXPORTS, board=board))


def without(*steps):
    """Return an edit that leaves a key out, or an item."""

    def edit(board):
        holder = board
        for step in steps[:-1]:
            holder = holder[step]
        del holder[steps[-1]]

    return edit


def query(text):
    """Return an edit of the query."""
    return lambda board: board["panels"][0]["targets"][0].update(expr=text)


PANEL = ("panels", 0)
VARIABLES = ("templating", "list")
EDITS = {
    "template-datasource-rule": without(*VARIABLES, 0),
    "template-job-rule": without(*VARIABLES, 1),
    "template-instance-rule": without(*VARIABLES, 2),
    "template-on-time-change-reload-rule": without(*VARIABLES, 1, "refresh"),
    "panel-datasource-rule": lambda board: board["panels"][0].update(datasource="Prometheus"),
    "panel-title-description-rule": without(*PANEL, "description"),
    "panel-units-rule": without(*PANEL, "fieldConfig"),
    "panel-no-targets-rule": without(*PANEL, "targets"),
    "target-promql-rule": query(
        'rate(a_total{job=~"$job",instance=~"$instance"}[$__rate_interval]'
    ),
    "target-rate-interval-rule": query('rate(a_total{job=~"$job",instance=~"$instance"}[5m])'),
    "target-job-rule": query('rate(a_total{instance=~"$instance"}[$__rate_interval])'),
    "target-instance-rule": query('rate(a_total{job=~"$job"}[$__rate_interval])'),
    "uneditable-dashboard": without("editable"),
}


def test_the_good_board_has_no_finding(tmp_path):
    """So that each finding below comes of its own edit."""
    assert board_ids(tmp_path, lambda _: None) == []


@pytest.mark.parametrize("rule", EDITS)
def test_a_rule_of_the_dashboard_linter_is_noticed_by_its_own_name(tmp_path, rule):
    """Conventions, but for a query that is no PromQL: none of the others fails a check."""
    assert board_ids(tmp_path, EDITS[rule]) == [f"dashboard-linter/{rule}"]


@pytest.mark.parametrize(
    "target",
    [
        {"expr": '{app="pay"}', "datasource": {"type": "loki", "uid": "l"}},
        {"expr": '{app="pay"} |= "error"'},
        {"expr": "$A / 2", "datasource": {"type": "__expr__", "uid": "__expr__"}},
    ],
)
def test_a_query_that_asks_no_prometheus_is_held_to_no_rule_of_promql(tmp_path, target):
    """Its labels are of another kind, and nothing else of it is judged."""
    assert board_ids(tmp_path, lambda board: board["panels"][0].update(targets=[target])) == []


def test_what_a_variable_asks_for_is_held_against_what_is_exported(tmp_path):
    """A variable without choices leaves every panel empty."""

    def edit(board):
        board["templating"]["list"][1]["query"] = "label_values(gone_total, job)"

    assert board_ids(tmp_path, edit) == ["phantom-metric"]
