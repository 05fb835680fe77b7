"""A panel that shows what an alert watches changes colour where the alert fires."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from tests.verifier.slo.packs import alert, edit, failed, older_dashboard
from verifier.pack.panels import Panel, Query
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.slo.panels import panel_differences, panels_of_alerts, thresholds
from verifier.slo.sentences import lines

ALIGN = "dashboard/alert alignment"

PANEL_MUTATIONS = [
    (
        "sla",
        '"value": 14.4',
        '"value": 10',
        "'Burn rate 1h' of 'AgentAsKit / SLA' has the threshol",
    ),
    ("sla", '"value": 99.9', '"value": 99.99', "AvailabilitySLOBreach fires at 99.9"),
    ("throughput", '"value": 10000\n', '"value": 9000\n', "TaskThroughputBelowTarget fires at 10"),
    ("capacity", '"value": 90\n', '"value": 95\n', "AgentCapacityNearLimit fires at 90"),
    ("capacity", '"value": 5000\n', '"value": 4000\n', "CriticalTaskQueueDepth fires at 5000"),
    ("capacity", "10737.41824", "10000", "HighMemoryUsage fires at 10737.41824"),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "right", "wrong", "reason"), PANEL_MUTATIONS)
def test_a_panel_whose_threshold_differs_from_the_alerts_fails_by_name(
    pack, name, right, wrong, reason
):
    """In the panel's own unit."""
    edit(pack / "dashboards" / f"{name}.json", right, wrong)
    failures = failed(pack)
    assert reason in failures[ALIGN]
    assert f"{name}.json:" in failures[ALIGN]


def test_a_threshold_beside_that_of_the_alert_is_no_difference(pack):
    """The panel of the error budget changes colour at 50 as well as where the alert fires."""
    edit(pack / "dashboards" / "sla.json", '"value": 50\n', '"value": 55\n')
    assert failed(pack) == {}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"throughput": 9000}, "TaskThroughputBelowTarget fires at 10000"),
        ({"memory": 10000}, "HighMemoryUsage fires at 10240"),
        ({"burn_rate": 14}, "FastBurnRateHigh fires at 14.4"),
    ],
)
def test_a_threshold_that_differs_is_seen_in_older_panels_too(older, wrong, reason):
    """In an embedded alert, in the thresholds of a graph, of a singlestat."""
    (older / "dashboards" / "older.json").write_text(older_dashboard(**wrong))
    assert reason in failed(older)["dashboard/alert alignment"]


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ({"thresholds": {"steps": [{"value": 0}, {"value": 50}]}}, (50.0,)),
        ({"fieldConfig": {"defaults": {"thresholds": {"steps": [{}, {"value": 5}]}}}}, (5.0,)),
        ({"thresholds": {"mode": "percentage", "steps": [{}, {"value": 80}]}}, ()),
        ({"thresholds": "50,100"}, (50.0, 100.0)),
        ({"thresholds": [{"value": 10}, {"colorMode": "ok"}]}, (10.0,)),
        ({"alert": {"conditions": [{"evaluator": {"params": [7]}}]}}, (7.0,)),
        ({"thresholds": None, "alert": [], "fieldConfig": "x"}, ()),
        ({"thresholds": "100,50,high,50"}, (50.0, 100.0)),
        ({"thresholds": [{"value": "9"}, {"value": None}, 3, {"value": 8}]}, (8.0, 9.0)),
        ({"thresholds": {"mode": "absolute", "steps": [{"value": 1}, {"value": 2}, {"value": 3}]}},
         (2.0, 3.0)),
        ({"thresholds": [{"value": 4}], "alert": {"conditions": [
            {"evaluator": {"params": [6, 5]}}, {"evaluator": {"params": 3}}, "none",
            {"evaluator": {"params": [7]}}]},
          "fieldConfig": {"defaults": {"thresholds": {"steps": [{}, {"value": 1}]}}}},
         (1.0, 4.0, 5.0, 6.0, 7.0)),
    ],
)  # fmt: skip
def test_thresholds_are_read_from_panels_of_any_age(panel, expected):
    """The first of `steps` is the base, whatever its value."""
    assert thresholds(panel) == expected


def panel(title, values, *exprs):
    """Return a panel with these thresholds and queries, at a line of its own."""
    place = Place("b.json", len(title), 1)
    queries = tuple(Query(expr, "", place) for expr in exprs)
    return Panel("D", title, "graph", queries, place, {"thresholds": values})


@pytest.mark.parametrize(
    ("condition", "threshold", "panels"),
    [
        ("sum(x) > 5", 5.0, {"s": (5.0, (5.0,)), "ms": (5000.0, (5.0, 5000.0)), "raw": (5.0, ())}),
        ("5 < sum(x)", 5.0, {"s": (5.0, (5.0,)), "ms": (5000.0, (5.0, 5000.0)), "raw": (5.0, ())}),
        ("sum(x) / 10 > 5", 5.0,
         {"s": (50.0, (5.0,)), "ms": (50000.0, (5.0, 5000.0)), "raw": (50.0, ())}),
        ("sum(z) > 5", 5.0, {}),
        ("sum(x) > 5 and sum(y) > 1", None, {}),
        ("sum(x)", None, {}),
    ],
)  # fmt: skip
def test_an_alert_on_one_condition_has_the_panels_that_show_its_quantity(
    condition, threshold, panels
):
    """Where it fires is in the unit of each panel, by whichever of its queries shows it."""
    shown = [
        panel("s", "5", "sum(x)"),
        panel("ms", "5,5000", "sum(y)", "1000 * sum(x)"),
        panel("raw", "", "sum(x)", "sum(y)"),
        panel("rest", "6", "sum(y)"),
    ]
    rules = RuleFiles((RuleGroup("g", "r.yaml", 30.0, (alert(condition, {}),)),))
    alerts = panels_of_alerts(rules, shown)
    assert [each.threshold for each in alerts] == ([] if threshold is None else [threshold])
    assert {
        each.panel.title: (pytest.approx(each.fires_at), each.thresholds)
        for own in alerts
        for each in own.panels
    } == panels


def test_a_panel_differs_when_none_of_its_thresholds_is_where_the_alert_fires():
    """One without any says nothing; the alert's number counts in the panel's unit."""
    shown = [
        panel("s", "4,5,6", "sum(x)"),
        panel("no", "4,6", "sum(x)"),
        panel("raw", "", "sum(x)"),
        panel("msec", "5", "1000 * sum(x)"),
    ]
    rules = RuleFiles((RuleGroup("g", "r.yaml", 30.0, (alert("sum(x) > 5", {}),)),))
    assert lines(panel_differences(panels_of_alerts(rules, shown))) == [
        "b.json:2:1: panel 'no' of 'D' has the thresholds 4, 6, but Burn fires at 5",
        "b.json:4:1: panel 'msec' of 'D' has the threshold 5, but Burn fires at 5000",
    ]
