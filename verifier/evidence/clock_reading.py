"""Which rules read the clock, and what time it was in a scenario that names none.

Called once for each scenario. A rule for office hours is silent at night: whoever does not know
what time the scenario has cannot know why. Pure.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.evidence.relaxed import bare, is_scalar
from verifier.promql.walker import nodes_with_parents

if TYPE_CHECKING:
    from collections.abc import Sequence

CALENDAR: Final = (
    *("minute", "hour", "day_of_week", "day_of_month", "day_of_year"),
    *("days_in_month", "month", "year"),
)
"""Functions that without an argument tell the time of the evaluation."""


def clock_functions(tree: promql.Expr) -> tuple[str, ...]:
    """Return the functions by which an expression reads date or time of day, each once.

    An age (`time() - something`) is none: it is the same whatever the clock says.
    """
    read: dict[str, None] = {}
    for node, parents in nodes_with_parents(tree):
        if not isinstance(node, promql.Call):
            continue
        name = node.func.name
        if (name in CALENDAR and _tells_now(node)) or (name == "time" and not _is_age(parents)):
            read[f"{name}()"] = None
    return tuple(read)


def clock_finding(alert: str, tree: promql.Expr, start_unix_s: float) -> str | None:
    """Say which time it was for a rule that reads the clock; None for any other."""
    functions = clock_functions(tree)
    if not functions:
        return None
    start = dt.datetime.fromtimestamp(start_unix_s, dt.UTC)
    return (
        f"alert {alert}: it reads the clock ({', '.join(functions)}), and the scenario names no"
        f" time: it began on {start:%A}, {start:%Y-%m-%d} at {start:%H:%M} UTC; `starts_at` sets"
        " another"
    )


def _tells_now(node: promql.Call) -> bool:
    """Whether a function of the calendar has no argument, or is asked about `time()`."""
    if not node.args:
        return True
    argument = bare(node.args[0])
    if not isinstance(argument, promql.Call) or argument.func.name != "vector":
        return False
    return is_scalar(argument.args[0])


def _is_age(parents: Sequence[promql.Expr]) -> bool:
    """Whether something is taken from, or is taken from something, a time that is stored."""
    around = [parent for parent in parents if not isinstance(parent, promql.ParenExpr)]
    if not around or not isinstance(around[-1], promql.BinaryExpr):
        return False
    operation = around[-1]
    return str(operation.op) in ("-", "<", ">", "<=", ">=") and not is_scalar(operation)
