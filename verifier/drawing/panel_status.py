"""What a panel's row says beside its values: whether it failed, is empty by right or was not asked.

Called by `panel_rows` with the answers to all queries of a panel and the verdicts on them. It asks
nothing and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charts.chart import RowStatus
    from verifier.judge.verdict import PanelVerdict
    from verifier.pack.panels import LeftOutPanel
    from verifier.panels.answers import PanelAnswer

QUERY_MAX: Final = 1000
"""Characters of a query that are shown."""


@dataclass(frozen=True, slots=True)
class PanelRemarks:
    """The status of a panel's row, its notes, and the queries that are shown with it."""

    status: RowStatus | None = None
    notes: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


def remarks(
    answers: Sequence[PanelAnswer],
    verdicts: Sequence[PanelVerdict],
    left_out: Iterable[LeftOutPanel] = (),
) -> PanelRemarks:
    """Return the remarks on one panel; `left_out` are those of its queries that nobody asked."""
    status: RowStatus | None = None
    if any(not verdict.ok for verdict in verdicts):
        status = "failed"
    elif any(verdict.accepted is not None for verdict in verdicts):
        status = "accepted"
    elif all(answer.is_empty for answer in answers):
        status = "empty"
    notes = [_note(verdict) for verdict in verdicts if verdict.reason]
    notes += [f"a query is not judged: {panel.reason}" for panel in left_out]
    queries = [answer.query.expr for answer in answers]
    return PanelRemarks(status, tuple(dict.fromkeys(notes)), shown_queries(queries))


def shown_queries(queries: Iterable[str]) -> tuple[str, ...]:
    """Return what is shown of queries: each once, of a long one the beginning."""
    cut = (q if len(q) <= QUERY_MAX else f"{q[:QUERY_MAX]} …" for q in map(str.strip, queries))
    return tuple(dict.fromkeys(cut))


def _note(verdict: PanelVerdict) -> str:
    accepted = verdict.accepted
    return verdict.reason if accepted is None else f"{verdict.reason}; accepted: {accepted}"
