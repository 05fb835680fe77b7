"""Verdicts on dashboard panels: whether each query returned a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.judge.verdict import PanelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.panels.answers import PanelAnswer


def panel_verdicts(answers: Iterable[PanelAnswer]) -> tuple[PanelVerdict, ...]:
    """Return a verdict on each query of the panels."""
    return tuple(
        PanelVerdict(
            dashboard=answer.panel.dashboard,
            panel=answer.panel.title,
            query=answer.query.expr,
            ok=answer.ok,
            reason=answer.reason,
        )
        for answer in answers
    )
