"""A query of a panel as Grafana sends it: variables and intervals replaced, with its step.

Called when a dashboard is read, without a server, and again when its panels are asked, with the
choices that are then stored. Pure but for what the values of variables ask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from verifier.dashboards.intervals import interval_variables, query_step_s
from verifier.dashboards.variable_values import VariableValues
from verifier.pack.panels import Resolution

if TYPE_CHECKING:
    from verifier.dashboards.variable_values import StoredValues
    from verifier.pack.panels import Board, Panel, Query

_OWN_STEPS: Final = ("$__interval", "${__interval}", "$__rate_interval", "${__rate_interval}")


def board_values(
    board: Board, *, end_s: float, stored: StoredValues | None = None
) -> VariableValues:
    """Return the values of a dashboard's variables, for a range of time that ends at `end_s`."""
    range_s = board.range_s
    built_in = interval_variables(range_s, query_step_s(_whole(board)))
    built_in |= {
        "__from": str(round((end_s - range_s) * 1000)),
        "__to": str(round(end_s * 1000)),
        "__dashboard": board.title,
        "__org": "1",
        "__user": "1",
        "__timezone": "UTC",
    }
    values = VariableValues(board, {}, stored).with_own(built_in)
    values.settle()
    return values


def resolved_query(panel: Panel, query: Query, values: VariableValues) -> Query:
    """Return `query` with its variables replaced, and the step that it is asked with."""
    resolution = panel.resolution
    least = values.substitute(resolution.min_interval)
    min_step = query.min_step
    if min_step not in _OWN_STEPS:
        min_step = values.substitute(min_step)
    step_s = query_step_s(replace(resolution, min_interval=least), min_step, query.interval_factor)
    own = interval_variables(resolution.range_s, step_s, min_step)
    expr = values.with_own(own).substitute(query.template)
    return replace(query, expr=expr, step_s=step_s)


def _whole(board: Board) -> Resolution:
    return Resolution(range_s=board.range_s)
