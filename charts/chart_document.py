"""A chart as JSON: what the report holds and what the live page gets.

The form is described, closed at every level, by `chart.schema.json` beside this file: a key is
added in both or a test fails. Its version changes when a reader of the old one would go wrong.
Times are rounded to a millisecond and values to `DIGITS` significant digits, here and nowhere else;
what is no finite number is null.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from charts.chart import Band, Chart, ChartRow, ChartSeries, Labels, Lane, ThresholdLine
    from documents.document import Value

VERSION: Final = 1
DIGITS: Final = 6
"""A hundred times finer than the pixels of a large screen."""
SCHEMA: Final = Path(__file__).with_name("chart.schema.json")


def chart_document(chart: Chart) -> dict[str, Value]:
    """Return a chart as JSON values."""
    return {
        "version": VERSION,
        "title": chart.title,
        "starts_unix_s": time_value(chart.starts_unix_s),
        "end_s": time_value(chart.end_s),
        "rows": [row_document(row) for row in chart.rows],
        "bands": [band_document(band) for band in chart.bands],
        "lanes": [lane_document(lane) for lane in chart.lanes],
    }


def chart_schema() -> dict[str, Value]:
    """Return the JSON Schema of `chart_document`."""
    schema: dict[str, Value] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


def row_document(row: ChartRow) -> dict[str, Value]:
    """Return a row as JSON values."""
    return {
        "id": row.id,
        "title": row.title,
        "unit": row.unit,
        "kind": row.kind,
        "group": row.group,
        "times_s": list(_time_values(row.times_s.astype(np.float64).tobytes())),
        "series": [_series(series) for series in row.series],
        "thresholds": [_threshold(threshold) for threshold in row.thresholds],
        "limits": [None if limit is None else number(limit) for limit in row.limits],
        "alert": row.alert,
        "dashboard": row.dashboard,
        "text": row.text,
        "status": row.status,
        "notes": list(row.notes),
        "queries": list(row.queries),
    }


def band_document(band: Band) -> dict[str, Value]:
    """Return a band as JSON values."""
    return {
        "kind": band.kind,
        "name": band.name,
        "from_s": time_value(band.from_s),
        "to_s": time_value(band.to_s),
        "text": band.text,
    }


def lane_document(lane: Lane) -> dict[str, Value]:
    """Return a lane as JSON values."""
    failure = lane.failure
    failed: dict[str, Value] | None = None
    if failure is not None:
        failed = {"at_s": time_value(failure.at_s), "reason": failure.reason}
    return {
        "alert": lane.alert,
        "labels": _labels(lane.labels),
        "expected": lane.expected,
        "episodes": [
            {
                "pending_s": time_value(episode.pending_s),
                "firing_s": time_value(episode.firing_s),
                "resolved_s": time_value(episode.resolved_s),
            }
            for episode in lane.episodes
        ],
        "must_fire": _window(lane.must_fire),
        "must_resolve": _window(lane.must_resolve),
        "notifications": [
            {"receiver": each.receiver, "status": each.status, "at_s": time_value(each.at_s)}
            for each in lane.notifications
        ],
        "failure": failed,
    }


def number(value: float) -> float | int | None:
    """Return a value with `DIGITS` significant digits, as a whole number where it is one."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def numbers(values: NDArray[np.float64]) -> list[Value]:
    """Return `number` of each value; what occurs several times, as most do, is written once."""
    distinct, places = np.unique(values, return_inverse=True)
    written = [number(value) for value in distinct.tolist()]
    return [written[place] for place in places.tolist()]


def time_value(time_s: float | None) -> float | int | None:
    """Return a time to the millisecond, as a whole number where it is one."""
    if time_s is None or not math.isfinite(time_s):
        return None
    rounded = round(float(time_s), 3)
    return int(rounded) if rounded.is_integer() else rounded


def _series(series: ChartSeries) -> dict[str, Value]:
    return {
        "name": series.name,
        "labels": _labels(series.labels),
        "values": numbers(series.values),
        **({"shown": series.shown} if series.shown else {}),
    }


@lru_cache(maxsize=64)
def _time_values(times_s: bytes) -> tuple[float | int | None, ...]:
    """Return times to the millisecond; most rows of a chart have those of another."""
    return tuple(time_value(time_s) for time_s in np.frombuffer(times_s).tolist())


def _threshold(threshold: ThresholdLine) -> dict[str, Value]:
    return {
        "value": number(threshold.value),
        "label": threshold.label,
        "fires": threshold.fires,
        "colour": threshold.colour,
    }


def _labels(labels: Labels) -> dict[str, Value]:
    return dict(labels)


def _window(window: Iterable[float] | None) -> list[Value] | None:
    return None if window is None else [time_value(time_s) for time_s in window]
