"""A picture that cannot be drawn costs the picture, not the verdict."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from charts.chart import Band, Lane, LaneEpisode
from exporter.history.samples import EPOCH_S
from tests.verifier.histories import rules
from tests.verifier.simulations import scenario_of, verify
from verifier.dashboards.reader import load_dashboards
from verifier.drawing import scenario_chart
from verifier.drawing.scenario_chart import DrawnScenario
from verifier.evidence.silence import WatchedRun
from verifier.pack.rules import RuleFiles
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

SCENARIO = "duration: 2m\nload: {rate: 1000}\nexpectations:\n- {alert: Up, fires_within: 1m}\n"


def broken(*_: object) -> tuple[object, ...]:
    """Fail as a mistake of our own would."""
    raise KeyError("le")


def judgements(outcome: ScenarioOutcome) -> list[AlertVerdict]:
    """Return the verdicts without their margins, which are what was asked for drawing."""
    return [replace(verdict, margin=()) for verdict in outcome.alerts]


@pytest.fixture
def judged(tmp_path: Path) -> Callable[[], object]:
    """Return what judges an alert that fires at once."""
    read = rules(tmp_path, {"alert": "Up", "expr": "up == 1"})
    return lambda: verify(scenario_of(SCENARIO), read)


@pytest.mark.parametrize("part", ["condition_rows", "world_rows", "lanes", "chart_document"])
def test_what_goes_wrong_in_drawing_is_a_finding_and_changes_no_verdict(judged, part, monkeypatch):
    """The alert is judged as it was with a picture; the reason is said."""
    whole = judged()
    monkeypatch.setattr(scenario_chart, part, broken)
    bare = judged()
    assert (judgements(whole), whole.invalid) == (judgements(bare), bare.invalid)
    assert whole.chart
    assert not bare.chart
    assert whole.findings == bare.findings[:-1]
    assert bare.findings[-1].startswith("the chart could not be drawn: internal error: KeyError")


def test_conditions_are_drawn_of_what_did_anything_or_had_to():
    """Of an alert that had to fire and was never pending most of all."""
    episode = LaneEpisode(0.0, 1.0, 2.0)
    drawn = [
        Lane(alert="Never", labels=(), expected="fires"),
        Lane(alert="Silent", labels=(), expected="silent"),
        Lane(alert="Maybe", labels=(), expected="explained"),
        Lane(alert="Pending", labels=(), expected="silent", episodes=(episode,)),
    ]
    assert scenario_chart._active(drawn) == {"Never", "Pending"}


def drawn_run(factor: float, resampled: tuple[tuple[float, float], ...] = ()) -> DrawnScenario:
    """Return ten minutes of a scenario with one fault, from the second to the fifth."""
    run = WatchedRun(Prometheus(), RuleFiles(()), EPOCH_S, 600.0 / factor, WHOLE, factor=factor)
    scenario = scenario_of(
        "duration: 10m\nfaults:\n- {name: hang, fault: agent_hang, start: 2m, duration: 3m}\n"
    )
    return DrawnScenario(run, scenario, {"hang": "9 hung"}, resampled)


@pytest.mark.parametrize("factor", [1.0, 30.0])
def test_a_chart_ends_with_the_scenario_however_fast_time_runs(factor):
    """Its end is in seconds of the scenario, the run's in those of the server."""
    time = drawn_run(factor).time
    assert (time.epoch_s, time.end_s, time.factor) == (EPOCH_S, 600.0, factor)
    assert time.scenario_s(np.array([EPOCH_S, EPOCH_S + 600.0 / factor])).tolist() == [0.0, 600.0]
    (hang,) = drawn_run(factor).bands(time.end_s)
    assert hang == Band("fault", "hang", 120.0, 300.0, "9 hung")


@pytest.mark.parametrize(
    ("span", "drawn"),
    [
        ((60.0, 90.0), (60.0, 90.0)),
        ((-60.0, 90.0), (0.0, 90.0)),
        ((540.0, 660.0), (540.0, 600.0)),
        ((-1.0, 601.0), (0.0, 600.0)),
        ((-86400.0, 0.0), None),
        ((-86400.0, -3600.0), None),
        ((600.0, 660.0), None),
    ],
)
def test_a_stretch_is_drawn_as_far_as_it_is_in_the_scenario(span, drawn):
    """The past ends where the scenario begins: what was resampled of it is no part of this."""
    bands = [each for each in drawn_run(1.0, (span,)).bands(600.0) if each.kind == "resampled"]
    assert [(band.from_s, band.to_s) for band in bands] == [drawn] * (drawn is not None)


def silent_rules(tmp_path: Path) -> RuleFiles:
    """Return rules that stay silent: some could have fired, some never can."""
    conditions = (
        "sum(rate(http_requests_total[1h])) > 1e9",
        "agentaskit_task_queue_depth > 1e9",
        "agentaskit_task_queue_depht > 1",
        'rate(http_requests_total{status="none"}[5m]) > 1e9',
        "absent(up)",
        "0 * up / 0 > 1",
        "sum(agentaskit_memory_bytes) > 1e15 and up == 2",
    )
    return rules(tmp_path, *({"alert": f"A{i}", "expr": c} for i, c in enumerate(conditions)))


def test_evidence_says_the_same_with_what_was_asked_for_drawing(tmp_path, monkeypatch):
    """Verdicts, findings and picture are those of before; the engine answers fewer instants."""
    instants: list[str] = []
    asked = Prometheus.query

    def count(server: Prometheus, expr: str, at_s: float) -> object:
        instants.append(expr)
        return asked(server, expr, at_s)

    monkeypatch.setattr(Prometheus, "query", count)
    scenario = scenario_of("duration: 3m\nload: {rate: 1000}\n")
    shared = verify(scenario, silent_rules(tmp_path))
    with_shared = len(instants)
    monkeypatch.setattr(scenario_chart.DrawnScenario, "ask", lambda *_: None)
    alone = verify(scenario, silent_rules(tmp_path))
    assert (judgements(shared), shared.findings) == (judgements(alone), alone.findings)
    assert any(alert.margin for alert in shared.alerts)
    assert not any(alert.margin for alert in alone.alerts)
    assert any(alert.vacuous for alert in shared.alerts)
    assert shared.chart == alone.chart
    assert with_shared < len(instants) - with_shared


def test_no_rate_is_drawn_before_its_window_is_full(tmp_path: Path) -> None:
    """In a history of a few seconds the first would be too low, and the CPU in use too high."""
    read = rules(tmp_path, {"alert": "Deep", "expr": "agentaskit_task_queue_depth > 1e9"})
    outcome = verify(scenario_of("duration: 4m\nload: {rate: 1000}\n"), read)
    rows = {row["title"]: row for row in json.loads(gzip.decompress(outcome.chart))["rows"]}
    cpu = rows["CPU in use"]
    (series,) = cpu["series"]
    early, *values = series["values"]
    assert (early, cpu["times_s"][0] > 0) == (None, True)
    assert rows["Tasks that wait, by priority"]["times_s"][0] == 0
    assert values[0] == pytest.approx(np.mean(values), rel=0.03)


OUTAGE = (
    "duration: 5m\nload: {rate: 1000}\n"
    "faults:\n- {name: dead, fault: exporter_down, start: 1m, duration: 2m}\n"
)
IN_OUTAGE_S = 155.0
"""A window of a minute holds no two scrapes any more, and nothing is answered."""


def bridged(chart: dict[str, Any]) -> list[str]:
    """Return the rows of which a line is drawn in the outage: between two values next to it."""
    wrong = []
    for row in chart["rows"]:
        after = int(np.searchsorted(row["times_s"], IN_OUTAGE_S))
        sides = [series["values"][after - 1 : after + 1] for series in row["series"]]
        if row["group"] in ("world", "panel") and any(None not in both for both in sides):
            wrong.append(row["title"])
    return wrong


def test_nothing_is_drawn_while_the_exporter_was_down(tmp_path: Path) -> None:
    """Of the world and of panels; planted: the ends of the gap are gone, so a line crosses it."""
    read = rules(tmp_path, {"alert": "Deep", "expr": "agentaskit_task_queue_depth > 1e9"})
    board = {"title": "B", "panels": [
        {"type": kind, "title": kind, "targets": [{"expr": expr}]} for kind, expr in (
            ("timeseries", "rate(http_requests_total[1m])"),
            ("heatmap", "sum by (le) (rate(agentaskit_task_duration_seconds_bucket[1m]))"),
        )
    ]}  # fmt: skip
    (file := tmp_path / "board.json").write_text(json.dumps(board))
    panels = load_dashboards([file]).panels
    outcome = verify(scenario_of(OUTAGE), read, panels)
    chart = json.loads(gzip.decompress(outcome.chart))
    drawn = [row["title"] for row in chart["rows"] if row["group"] in ("world", "panel")]
    assert len(drawn) >= 5
    assert bridged(chart) == []
    for row in chart["rows"]:
        columns = [series["values"] for series in row["series"]]
        kept = [any(value is not None for value in at) for at in zip(*columns, strict=True)]
        row["times_s"] = list(compress(row["times_s"], kept))
        for series in row["series"]:
            series["values"] = list(compress(series["values"], kept))
    assert bridged(chart) == drawn
