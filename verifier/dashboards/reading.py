"""What a panel reads at least, whatever its variables turn out to be: for the depth of history.

Called when a dashboard is read; `verifier.pack.history_depth` takes its expressions as it takes
those of rules. Where a text cannot be followed, all its words are taken for names of metrics and
all its durations for windows within each other: more than it reads, never less.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from verifier.dashboards.variable_values import names_metrics, question_reads
from verifier.promql.parsing import names_and_ranges, parse

if TYPE_CHECKING:
    from verifier.dashboards.variable_values import VariableValues
    from verifier.pack.panels import Panel

_WORD: Final = re.compile(r"[a-zA-Z_:][\w:]*")
LOOKBACK_S: Final = 300


def panel_reads(panel: Panel, values: VariableValues) -> tuple[str, ...]:
    """Return expressions that read at least what a panel's queries and variables read."""
    reads = []
    for query in panel.queries:
        used = {value.name for value in values.used(query.template)}
        any_metric = any(names_metrics(v) for v in panel.board.variables if v.name in used)
        reads.append(_readable(query.expr, any_metric=any_metric))
    reads += [
        _readable(question_reads(values.substitute(variable.query)))
        for variable in panel.board.variables
        if variable.asks
    ]
    return tuple(dict.fromkeys(reads))


def _readable(expr: str, *, any_metric: bool = False) -> str:
    """Return `expr` when it can be followed, else an expression that reads more."""
    if not any_metric:
        try:
            parse(expr)
        except ValueError:
            pass
        else:
            return expr
    said = names_and_ranges(expr)
    words = sorted(name for name in said.names if _WORD.fullmatch(name))
    names = "|".join(words) if words and not any_metric else ".+"
    depth_s = LOOKBACK_S + round(sum(said.ranges_s))
    return f'last_over_time({{__name__=~"{names}"}}[{depth_s}s])'
