"""A panel that shows what an alert watches changes colour where the alert fires."""

from __future__ import annotations

import pytest

from tests.verifier.slo.packs import edit, failed, older_dashboard
from verifier.slo.panels import thresholds

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
    ],
)
def test_thresholds_are_read_from_panels_of_any_age(panel, expected):
    """The first of `steps` is the base, whatever its value."""
    assert thresholds(panel) == expected
