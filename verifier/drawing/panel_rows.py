"""Panels of dashboards as rows: the engine's answers with the units and thresholds of their JSON.

Whoever has no Grafana sees what it would have shown, which panels failed and why, and which nobody
asked. Units become the few of a chart, values with them; a unit that is not known stays as it is
written. It asks nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from charts.chart import ChartRow, ChartSeries, ThresholdLine
from charts.thinning import kept_points
from verifier.drawing.panel_status import remarks, shown_queries
from verifier.drawing.series_rows import GAP_STEPS, LINES_MAX, labels_of, on_one_grid
from verifier.drawing.value_mappings import is_applied, mapped_text
from verifier.judge.panel_verdicts import panel_verdicts
from verifier.panels.units import UNITS
from verifier.promql.conditions import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from charts.chart import RowKind
    from documents.document import Value
    from documents.mistakes import Place
    from scenarios.scenario import Acceptance
    from verifier.drawing.series_rows import DrawnTime
    from verifier.judge.verdict import PanelVerdict
    from verifier.pack.panels import LeftOutPanel, Panel, Query
    from verifier.panels.answers import PanelAnswer
    from verifier.servers.prometheus import Series

KINDS: Final[dict[str, RowKind]] = {
    "stat": "stat", "singlestat": "stat", "gauge": "gauge", "bargauge": "bars", "barchart": "bars",
    "piechart": "pie", "heatmap": "heatmap", "table": "table", "table-old": "table",
}  # fmt: skip
MAPPED: Final = frozenset({"stat", "gauge", "bars", "table"})
"""Kinds that show their newest values, which value mappings replace by texts."""
COLUMNS: Final = 200
"""A panel is half as wide as the page at the most."""
PANELS_MAX: Final = 200
ENTRIES_MAX: Final = 30
"""Bars, and lines of a table, of one panel."""
BUCKETS_MAX: Final = 40
_LEGEND: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class PanelAnswers:
    """What is drawn of dashboards: answers, panels that were not asked, and accepted failures."""

    answers: Sequence[PanelAnswer] = ()
    left_out: Sequence[LeftOutPanel] = ()
    accepted: Sequence[Acceptance] = ()


def panel_rows(shown: PanelAnswers, time: DrawnTime) -> tuple[ChartRow, ...]:
    """Return a row for each panel, in the order of the dashboards; at most `PANELS_MAX`."""
    verdicts = panel_verdicts(shown.answers, shown.accepted)
    panels: dict[tuple[str, str, str], list[tuple[PanelAnswer, PanelVerdict]]] = {}
    for answer, verdict in zip(shown.answers, verdicts, strict=True):
        place = answer.panel.dashboard, str(answer.panel.position), answer.panel.title
        panels.setdefault(place, []).append((answer, verdict))
    left_out: dict[tuple[str, str], list[LeftOutPanel]] = {}
    for panel in shown.left_out:
        left_out.setdefault((panel.dashboard, str(panel.position)), []).append(panel)
    placed = [
        (judged[0][0].panel.position, _row(judged, left_out.pop(place[:2], ()), time))
        for place, judged in panels.items()
    ]
    placed += [(parts[0].position, _unasked_row(parts)) for parts in left_out.values()]
    files = list(dict.fromkeys(place.path for place, _ in placed))
    placed.sort(key=lambda each: _reading_order(files, each[0]))
    return tuple(
        replace(row, id=f"panel:{number}") for number, (_, row) in enumerate(placed[:PANELS_MAX])
    )


def _reading_order(files: Sequence[str], place: Place) -> tuple[int, int, int]:
    """Return where a panel stands: which file, line and column."""
    return files.index(place.path), place.line or 0, place.column or 0


def _unasked_row(parts: Sequence[LeftOutPanel]) -> ChartRow:
    """Return a panel that nobody asked: its name, and why."""
    panel, reasons = parts[0], tuple(dict.fromkeys(part.reason for part in parts))
    return ChartRow(
        id="",
        title=panel.title,
        unit="1",
        times_s=np.empty(0),
        series=(),
        group="panel",
        dashboard=panel.dashboard,
        text="; ".join((f"{panel.title}, a panel of {panel.dashboard}, not judged", *reasons)),
        status="not-judged",
        notes=reasons,
        queries=shown_queries(panel.queries),
    )


def _row(
    judged: Sequence[tuple[PanelAnswer, PanelVerdict]],
    left_out: Iterable[LeftOutPanel],
    time: DrawnTime,
) -> ChartRow:
    """Return one panel with the answers to its queries."""
    answers = [answer for answer, _ in judged]
    panel = answers[0].panel
    defaults = _mapping(_mapping(panel.raw.get("fieldConfig")).get("defaults"))
    unit, scale = UNITS.get(text := str(defaults.get("unit") or ""), (text, 1.0))
    kind = _kind(panel, defaults)
    answered = [(answer.query, series) for answer in answers for series in answer.series]
    step_s = max(*(answer.step_s for answer in answers), _joined_s(defaults) / time.factor)
    times_s, values = on_one_grid([series for _, series in answered], time, step_s or math.inf)
    mappings = defaults.get("mappings") if kind in MAPPED else None
    named = [
        ChartSeries(
            _legend(query, series),
            column * scale,
            labels_of(series.labels),
            _shown(mappings, series),
        )
        for (query, series), column in zip(answered, values, strict=True)
    ]
    most = ENTRIES_MAX if kind in ("bars", "table") else LINES_MAX
    drawn = _buckets(named) if kind == "heatmap" else named[:most]
    kept = kept_points(times_s, [series.values for series in drawn], columns=COLUMNS)
    said = remarks(answers, [verdict for _, verdict in judged], left_out)
    undrawn = len(named) - most if kind != "heatmap" else 0
    more = (f"{undrawn} more series are not drawn",) if undrawn > 0 else ()
    left = _not_applied(panel, defaults, kind, is_shown=said.status is None)
    limits = _limit(defaults.get("min"), scale), _limit(defaults.get("max"), scale)
    return ChartRow(
        id="",
        title=panel.title,
        unit=unit,
        times_s=times_s[kept],
        series=tuple(replace(s, values=s.values[kept]) for s in drawn),
        kind=kind,
        group="panel",
        thresholds=tuple(_thresholds(defaults, _level_scale(defaults, scale, limits, drawn), kind)),
        limits=limits,
        dashboard=panel.dashboard,
        text="; ".join((f"{panel.title}, a panel of {panel.dashboard}", *said.notes)),
        status=said.status,
        notes=(*said.notes, *more, *left),
        queries=said.queries,
    )


def _kind(panel: Panel, defaults: Mapping[str, Value]) -> RowKind:
    """Return how a panel is drawn; values of one instant make no curve, so they are a table."""
    if panel.type in KINDS:
        return KINDS[panel.type]
    if all(query.instant for query in panel.queries):
        return "table"
    stacking = _mapping(_mapping(defaults.get("custom")).get("stacking")).get("mode")
    return "stack" if stacking in ("normal", "percent") else "line"


def _joined_s(defaults: Mapping[str, Value]) -> float:
    """Return the step, in seconds, at which Grafana would draw a line across a gap; inf for any.

    A gap is half as long again as its step; `spanNulls` is in milliseconds.
    """
    span_nulls = _mapping(defaults.get("custom")).get("spanNulls")
    if isinstance(span_nulls, bool) or not isinstance(span_nulls, (int, float)):
        return math.inf if span_nulls is True else 0.0
    return span_nulls / 1000 / GAP_STEPS


def _legend(query: Query, series: Series) -> str:
    """Return a series' name as Grafana writes it; its labels where the panel says nothing."""
    if not query.legend or query.legend == "__auto":
        return ", ".join(f"{name}={text}" for name, text in labels_of(series.labels))
    return _LEGEND.sub(lambda match: series.labels.get(match[1], ""), query.legend)


def _buckets(cumulative: Sequence[ChartSeries]) -> list[ChartSeries]:
    """Return what lies in each bucket of a histogram whose series count all that is below."""
    bounds = [(_bound(series), series) for series in cumulative]
    rising = sorted(((b, s) for b, s in bounds if not math.isnan(b)), key=lambda pair: pair[0])[
        :BUCKETS_MAX
    ]
    below: NDArray[np.float64] | float = 0.0
    inside = []
    for bound, series in rising:
        name = "+Inf" if math.isinf(bound) else number_text(bound)
        inside.append(ChartSeries(name, np.maximum(series.values - below, 0.0)))
        below = series.values
    return inside


def _bound(series: ChartSeries) -> float:
    try:
        return float(dict(series.labels).get("le", "nan"))
    except ValueError:
        return math.nan


def _thresholds(
    defaults: Mapping[str, Value], level_scale: tuple[float, float], kind: RowKind
) -> Iterator[ThresholdLine]:
    """Yield the levels of a panel; on a time series only where it draws them."""
    style = _mapping(_mapping(defaults.get("custom")).get("thresholdsStyle")).get("mode")
    if kind == "heatmap" or (kind in ("line", "stack") and style in (None, "off")):
        return
    steps = _mapping(defaults.get("thresholds")).get("steps")
    for step in steps if isinstance(steps, list) else ():
        value, colour = _mapping(step).get("value"), str(_mapping(step).get("color") or "")
        if isinstance(value, (int, float)):
            yield ThresholdLine(level_scale[0] + value * level_scale[1], "", colour=colour)
        elif value is None and kind not in ("line", "stack"):
            yield ThresholdLine(-math.inf, "", colour=colour)  # the colour below all levels


def _level_scale(
    defaults: Mapping[str, Value],
    scale: float,
    limits: tuple[float | None, float | None],
    drawn: Sequence[ChartSeries],
) -> tuple[float, float]:
    """Return what to add to a level and by what to multiply it: some are percent of the range.

    The range lies between the limits of the panel, or else those of its values, as in Grafana.
    """
    if _mapping(defaults.get("thresholds")).get("mode") != "percentage":
        return 0.0, scale
    values = [float(v) for series in drawn for v in series.values if math.isfinite(v)] or [0.0]
    least = min(values) if limits[0] is None else limits[0]
    most = max(values) if limits[1] is None else limits[1]
    return least, (most - least) / 100


def _shown(mappings: Value, series: Series) -> str:
    """Return the text for the newest value as it was answered, or else for the newest number."""
    values = series.values.tolist()
    newest = values[-1] if values else None
    number = next((value for value in reversed(values) if math.isfinite(value)), newest)
    return mapped_text(mappings, newest) or mapped_text(mappings, number)


def _not_applied(
    panel: Panel, defaults: Mapping[str, Value], kind: RowKind, *, is_shown: bool
) -> tuple[str, ...]:
    """Return a note on what the panel asks of Grafana that the drawing leaves out.

    Of one that shows no values, `is_shown` False, what would have made others of its series.
    """
    parts: dict[str, Value] = {"transformations": panel.raw.get("transformations")}
    if is_shown:
        mappings = defaults.get("mappings")
        parts["value mappings"] = None if kind in MAPPED and is_applied(mappings) else mappings
        parts["overrides"] = _mapping(panel.raw.get("fieldConfig")).get("overrides")
    names = [name for name, configured in parts.items() if configured]
    return (f"not applied here: {', '.join(names)}",) if names else ()


def _limit(value: Value, scale: float) -> float | None:
    return float(value) * scale if isinstance(value, (int, float)) else None


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
