"""Outcomes with charts, written by hand: a scenario of 20 minutes with a fault and an alert."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from charts.chart import Band, Chart, ChartRow, ChartSeries, Lane, LaneEpisode, ThresholdLine
from tests.verifier.outcomes import outcome
from verifier.drawing.scenario_chart import compressed


def chart(**changes: object) -> Chart:
    """Return a chart; `changes` are fields of it."""
    times_s = np.arange(0.0, 1201.0, 15.0)
    values = np.where((times_s > 300) & (times_s < 900), 20.0, 2.0)
    row = ChartRow(
        id="alert:Throughput:0",
        title="rate > 10",
        unit="1",
        times_s=times_s,
        series=(ChartSeries("", values, (("tier", "L1"),)),),
        group="alert",
        thresholds=(ThresholdLine(10.0, "> 10", "above"),),
        alert="Throughput",
        text="rate: between 2 and 20",
    )
    lane = Lane(
        alert="Throughput",
        expected="fires",
        episodes=(LaneEpisode(315.0, 615.0, 915.0),),
        must_fire=(300.0, 720.0),
        must_resolve=(900.0, 1080.0),
    )
    whole = Chart(
        title="drop",
        starts_unix_s=1_700_000_000.0,
        end_s=1200.0,
        rows=(row,),
        bands=(Band("fault", "loss", 300.0, 900.0), Band("resampled", "resampled", 0.0, 150.0)),
        lanes=(lane,),
    )
    return replace(whole, **changes)


def charted(name: str = "drop", drawn: Chart | None = None):
    """Return an outcome that passes, with a chart."""
    return replace(outcome(name), chart=compressed(drawn or chart()))
