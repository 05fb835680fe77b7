"""Each of the nineteen alerts is drawn as it was judged; every planted deviation is reported."""

from __future__ import annotations

import copy
import gzip
import json
from dataclasses import replace
from functools import cache

import pytest

from charts.chart_document import chart_schema
from tests.schemas.validation import validate
from tests.verifier.drawing.laws import (
    THRESHOLDS,
    band_complaints,
    crossing_complaints,
    holding,
    lane_complaints,
    threshold_complaints,
)
from tests.verifier.simulations import NINETEEN, bundled, only, pack_rules, verify

FIRES_IN = {
    "dependency-outage": (
        "TaskThroughputBelowTarget", "MessageThroughputBelowTarget", "HighTaskProcessingTime",
        "AgentCapacityNearLimit", "AvailabilitySLOBreach", "FastBurnRateHigh", "SlowBurnRateHigh",
        "P95LatencySLOBreach", "P99LatencySLOBreach", "HighTaskQueueDepth",
        "CriticalTaskQueueDepth",
    ),
    "slow-start": ("AgentStartupSlow", "AgentStartupTimeSLOBreach"),
    "crash-loop": ("HighAgentChurnRate",),
    "memory-leak": ("HighMemoryUsage",),
    "noisy-neighbour": ("HighCPUUtilization",),
    "sandbox-leak": ("SandboxPoolExhaustion",),
    "bus-partition": ("MessageQueueBackpressure",),
    "budget-spent": ("ErrorBudgetExhausted",),
}  # fmt: skip
"""A scenario of the library for each of the nineteen alerts."""
QUICK = ("dependency-outage",)
"""Eleven of the nineteen; the others take a scenario or two each."""


def cases(names, values):
    """Return parameters, of which those of a scenario that is not quick are long tests."""
    return [
        pytest.param(*value, marks=() if name in QUICK else pytest.mark.long)
        for name, value in zip(names, values, strict=True)
    ]


ALERTS = [(name, alert) for name, alerts in FIRES_IN.items() for alert in alerts]


@cache
def drawn(name):
    """Return a scenario, what was judged of its alerts, and the document that is drawn."""
    alerts = FIRES_IN[name]
    whole = bundled(name)
    expected = tuple(e for e in whole.expectations if e.alert in alerts)
    scenario = replace(whole, expectations=expected)
    outcome = verify(scenario, only(pack_rules(*NINETEEN), *alerts))
    return scenario, outcome.alerts, json.loads(gzip.decompress(outcome.chart))


def complaints(chart, scenario, verdicts):
    """Return what any law says."""
    return [
        *threshold_complaints(chart),
        *crossing_complaints(chart, verdicts),
        *lane_complaints(chart, verdicts),
        *band_complaints(chart, scenario),
    ]


def test_every_alert_of_the_contract_is_drawn_somewhere():
    """All nineteen."""
    assert sorted(alert for alerts in FIRES_IN.values() for alert in alerts) == sorted(THRESHOLDS)


@pytest.mark.ci
@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", cases(FIRES_IN, [(name,) for name in FIRES_IN]))
def test_what_is_drawn_is_what_was_judged(name):
    """Every alert fired, its condition crosses where it was pending, faults are where they were."""
    scenario, verdicts, chart = drawn(name)
    validate(chart, chart_schema())
    assert {v.alert for v in verdicts if v.firing_s is not None} == set(FIRES_IN[name])
    assert complaints(chart, scenario, verdicts) == []


def wrong_threshold(row, _):
    """One per cent off."""
    row["thresholds"][0]["value"] *= 1.01


def wrong_side(row, _):
    """Fires above instead of below, or the other way round."""
    (line,) = row["thresholds"]
    line["fires"] = {"above": "below", "below": "above"}[line["fires"]]


def late_series(row, _):
    """One evaluation later than it was."""
    for series in row["series"]:
        series["values"] = [series["values"][0], *series["values"][:-1]]


def other_series(row, chart):
    """The series of another alert with the same evaluations; one that stands still if none has."""
    same = (
        other["series"]
        for other in chart["rows"]
        if other is not row and len(other["times_s"]) == len(row["times_s"])
    )
    still = [{"labels": {}, "name": "", "values": [0.0] * len(row["times_s"])}]
    row["series"] = next(same, still)


def late_lane(row, chart):
    """Pending a scrape later than it was."""
    for lane in chart["lanes"]:
        for episode in lane["episodes"] if lane["alert"] == row["alert"] else ():
            episode["pending_s"] += 15


def no_change(_, __):
    """As it was drawn."""


@pytest.mark.parametrize(("name", "alert"), cases([name for name, _ in ALERTS], ALERTS))
def test_a_planted_deviation_is_reported(name, alert):
    """A wrong threshold, a series shifted by an evaluation, another's series, a lane too late."""
    scenario, verdicts, chart = drawn(name)

    def is_reported(plant):
        planted = copy.deepcopy(chart)
        (row,) = (row for row in planted["rows"] if row["alert"] == alert)
        plant(row, planted)
        return any(line.startswith(alert) for line in complaints(planted, scenario, verdicts))

    plants = [wrong_threshold, wrong_side, late_lane]
    own = [v for v in verdicts if v.alert == alert and v.pending_s is not None]
    if min(v.onset_s + v.pending_s for v in own) > 0:
        # What held before the scenario began crosses nothing in it.
        plants += [late_series, other_series]
    assert [plant.__name__ for plant in plants if not is_reported(plant)] == []
    assert not is_reported(no_change)


@pytest.mark.parametrize(
    "name", ["dependency-outage", pytest.param("sandbox-leak", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("edge", ["from_s", "to_s"])
def test_a_shifted_band_is_reported(name, edge):
    """By a second, at either end."""
    scenario, verdicts, chart = drawn(name)
    plant = copy.deepcopy(chart)
    next(band for band in plant["bands"] if band["kind"] == "fault")[edge] += 1
    assert len(complaints(plant, scenario, verdicts)) == 1


def test_a_condition_holds_strictly_beyond_its_threshold():
    """On it, nothing fires; a series of other labels is another alert's."""
    row = {
        "times_s": [0, 15, 30, 45],
        "thresholds": [{"value": 10, "fires": "above"}],
        "series": [
            {"labels": {"priority": "high"}, "values": [9, 10, 11, None]},
            {"labels": {"priority": "low"}, "values": [99, 99, 99, 99]},
        ],
    }
    assert holding(row, {"priority": "high", "severity": "x"}) == [False, False, True, False]
