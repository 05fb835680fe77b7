"""Asks a running Prometheus what dashboard panels show over a scenario.

Called by the judge of virtual time after its history was pushed, and by the judge of real time at
the end of a run. It returns answers; `verifier.judge.panel_verdicts` makes verdicts of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.target import SCRAPE_S
from verifier.promql.reads import reads
from verifier.servers.prometheus import QueryError, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.pack.dashboards import Panel, Query
    from verifier.servers.prometheus import Prometheus, Series

PANEL_POINTS: Final = 500
"""About as many points as a panel draws."""


@dataclass(frozen=True, slots=True)
class PanelAnswer:
    """The answer to one query of a panel over the scenario; `series` has Unix times.

    `reason` says why it is not `ok`, or why it was not judged.
    """

    panel: Panel
    query: Query
    ok: bool
    reason: str
    series: tuple[Series, ...]


def answer_panels(
    server: Prometheus, panels: Sequence[Panel], start_s: float, end_s: float, *, step_s: float
) -> tuple[PanelAnswer, ...]:
    """Ask every query of every panel from `start_s` to `end_s`, Unix seconds."""
    queries = [(panel, query) for panel in panels for query in panel.queries]
    ranges = [RangeQuery(query.expr, start_s, end_s, step_s) for _, query in queries]
    return tuple(
        _panel_answer(panel, query, answer)
        for (panel, query), answer in zip(queries, server.query_ranges(ranges), strict=True)
    )


def panel_step_s(start_s: float, end_s: float) -> float:
    """Return a step of at most PANEL_POINTS points, in whole scrape intervals.

    A shorter step would repeat points.
    """
    return max(1, math.ceil((end_s - start_s) / PANEL_POINTS / SCRAPE_S)) * SCRAPE_S


def _panel_answer(panel: Panel, query: Query, answer: list[Series] | QueryError) -> PanelAnswer:
    if isinstance(answer, QueryError):
        return PanelAnswer(panel, query, ok=False, reason=f"query fails: {answer}", series=())
    if reads_alerts(query.expr):
        reason = "reads alert states, which virtual time does not store: not judged"
        return PanelAnswer(panel, query, ok=True, reason=reason, series=())
    reason = ""
    if not answer:
        reason = "query returns nothing"
    elif all(np.isnan(series.values).all() for series in answer):
        reason = "query returns NaN only"
    return PanelAnswer(panel, query, ok=not reason, reason=reason, series=tuple(answer))


def reads_alerts(expr: str) -> bool:
    """Return whether `expr` reads alert states, which only a rule engine stores."""
    return any(read.exact in ("ALERTS", "ALERTS_FOR_STATE") for read in reads(expr))
