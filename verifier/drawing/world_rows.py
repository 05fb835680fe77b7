"""The load and the world as rows: the load profile, what came, queues, agents, times, sandboxes.

The load is the plan's, before and after its faults. Everything else is asked of the engine, so that
a report shows what was stored and not what should have been; which quantities, the metric catalogue
says. Rows that moved most come first: they are those that matter for a scenario.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from charts.chart import ChartRow, ChartSeries
from exporter.metrics.catalogue import CHARTED, STEADY_COUNTER
from exporter.target import SCRAPE_S
from simulator.arrivals import planned_factor, requested_per_s
from simulator.cells.router import Router
from simulator.cells.system import plan_of_cell
from simulator.load import RATE_MAX_PER_S
from verifier.drawing.series_rows import LINES_MAX, labels_of, on_one_grid, thinned
from verifier.servers.prometheus import QueryError, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exporter.metrics.charted import ChartedQuantity
    from scenarios.scenario import Scenario
    from simulator.faults.fault import Fault
    from verifier.drawing.series_rows import DrawnTime
    from verifier.evidence.silence import WatchedRun
    from verifier.servers.prometheus import Series

POINTS: Final = 500
"""Points of a row that are asked for, at most; scrapes are as many or fewer in a short scenario."""
WINDOW_SCRAPES: Final = 4
"""Scrapes in the window of a rate: a minute of virtual time."""


def world_rows(run: WatchedRun, time: DrawnTime) -> tuple[ChartRow, ...]:
    """Return the rows in the order of how much they moved; no rate before its window is full."""
    step_s = run.scrape_s * max(1, round(run.end_s / run.scrape_s / POINTS))
    window_s = max(WINDOW_SCRAPES * run.scrape_s, step_s)
    window = f"{round(window_s * 1000)}ms"
    exprs = [each.query.replace("WINDOW", window) for each in CHARTED]
    exprs.append(f"max(count_over_time({STEADY_COUNTER}[{window}]))")
    end_s = run.epoch_s + run.end_s
    *answers, counted = run.server.query_ranges(
        [RangeQuery(expr, run.epoch_s, end_s, step_s) for expr in exprs]
    )
    full_s = _first_full_s(counted, round(window_s / run.scrape_s))
    rows = []
    for quantity, answer in zip(CHARTED, answers, strict=True):
        if isinstance(answer, QueryError):
            continue
        from_s = full_s if "WINDOW" in quantity.query else -math.inf
        if drawn := [late for series in answer if len((late := _since(series, from_s)).times_s)]:
            rows.append(_row(quantity, drawn, time, step_s))
    return tuple(sorted(rows, key=_movement, reverse=True))


def _first_full_s(counted: Sequence[Series] | QueryError, scrapes: int) -> float:
    """Return from when on a window holds all its scrapes; where none ever does, any is drawn.

    In a short history the first windows hold fewer, whose rate is too low.
    """
    if isinstance(counted, QueryError) or not counted:
        return -math.inf
    full_s = counted[0].times_s[counted[0].values >= scrapes]
    return float(full_s[0]) if len(full_s) else -math.inf


def _since(series: Series, from_s: float) -> Series:
    """Return what of a series is not before an instant."""
    kept = series.times_s >= from_s
    return replace(series, times_s=series.times_s[kept], values=series.values[kept])


def load_row(scenario: Scenario, end_s: float) -> ChartRow:
    """Return the tasks a second of the load profile, and what faults make of them; without bursts.

    A recorded trace is counted; faults play it faster or slower. A fault of some cells concerns the
    share of the load that is theirs while the router finds all cells well.
    """
    plan, times_s = scenario.plan, _load_times_s(scenario, end_s)
    factors = _factors(scenario, times_s)
    if plan.load.trace_s is None:
        profile = np.array([requested_per_s(plan.load, round(t * 1e9), 1.0) for t in times_s])
        after_faults = np.minimum(profile * factors, RATE_MAX_PER_S)
    else:
        passed_s = np.diff(times_s)
        played_s = np.concatenate(([0.0], np.cumsum(factors[:-1] * passed_s)))
        profile, after_faults = (
            np.append(np.histogram(np.array(plan.load.trace_s), edges_s)[0] / passed_s, np.nan)
            for edges_s in (times_s, np.maximum.accumulate(played_s))
        )
    cells = scenario.topology.cells
    drawn = {"load profile": profile * cells, "after faults": after_faults * cells}
    spans = (
        f"{name}: between {np.nanmin(v):.0f} and {np.nanmax(v):.0f}" for name, v in drawn.items()
    )
    return thinned(
        ChartRow(
            id="load",
            title="Load",
            unit="tasks/s",
            times_s=times_s,
            series=tuple(ChartSeries(name, values) for name, values in drawn.items()),
            group="load",
            text=f"Load, tasks a second; {'; '.join(spans)}",
        )
    )


def _factors(scenario: Scenario, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much faults multiply the load (n,) of all cells together."""
    shares: dict[tuple[Fault, ...], float] = {}
    for cell, share in enumerate(Router(scenario.topology).shares()):
        faults = plan_of_cell(scenario.plan, cell).faults
        shares[faults] = shares.get(faults, 0.0) + share / scenario.topology.cells
    factors = np.zeros(len(times_s))
    for faults, share in shares.items():
        factors += share * np.array([planned_factor(faults, round(t * 1e9)) for t in times_s])
    return factors


def _load_times_s(scenario: Scenario, end_s: float) -> NDArray[np.float64]:
    """Return when the load is drawn: on a grid, and on both sides of where a fault jumps.

    What is counted has no such sides: between two of them lies next to nothing.
    """
    edges_s = np.linspace(0.0, end_s, max(2, min(POINTS, round(end_s / SCRAPE_S)) + 1))
    faults = scenario.plan.faults if scenario.plan.load.trace_s is None else ()
    jumps_s = [at_s for fault in faults for at_s in (fault.start_s, fault.end_s)]
    sides_s = [at_s - before_s for at_s in jumps_s for before_s in (0.001, 0.0)]
    inside_s = [at_s for at_s in sides_s if 0.0 < at_s < end_s]
    return np.unique(np.round(np.concatenate((edges_s, inside_s)), 3))


def _row(
    quantity: ChartedQuantity, answer: Sequence[Series], time: DrawnTime, step_s: float
) -> ChartRow:
    times_s, values = on_one_grid(answer, time, step_s)
    series = tuple(
        ChartSeries(_name(quantity, labels), column, labels)
        for labels, column in zip((labels_of(s.labels) for s in answer), values, strict=True)
    )[:LINES_MAX]
    return thinned(
        ChartRow(
            id=f"world:{quantity.title}",
            title=quantity.title,
            unit=quantity.unit,
            times_s=times_s,
            series=series,
            kind="stack" if quantity.stacked else "line",
            text=quantity.title,
        )
    )


def _name(quantity: ChartedQuantity, labels: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(text for _, text in labels) or quantity.title


def _movement(row: ChartRow) -> float:
    """Return how far any of a row's lines moved, as a share of the largest value in the row."""
    real = [series.values[np.isfinite(series.values)] for series in row.series]
    moved = [float(np.ptp(values)) for values in real if len(values)]
    largest = max((float(np.abs(values).max()) for values in real if len(values)), default=0.0)
    return max(moved, default=0.0) / largest if largest else 0.0
