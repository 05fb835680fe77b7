"""Verdicts on panels: what was answered, and what is accepted though it was not."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from scenarios.scenario import Acceptance
from verifier.judge.panel_verdicts import panel_verdicts
from verifier.pack.panels import Panel, Query
from verifier.panels.answers import PanelAnswer


def answer(title: str, *, ok: bool, written: str | None = None) -> PanelAnswer:
    """Return the answer to the one query of a panel."""
    place = Place("board.json")
    query = Query("up", "", place)
    panel = Panel("Board", title, "stat", (query,), place, {"title": written or title})
    return PanelAnswer(panel, query, ok=ok, reason="" if ok else "query returns nothing")


@pytest.mark.parametrize(
    ("title", "written", "subject", "accepted"),
    [
        ("P", None, "Board / P", "why"),
        ("P (v: a)", "P", "Board / P", "why"),
        ("P (v: a)", "P", "Board / P (v: a)", "why"),
        ("P", None, "Board / Q", None),
        ("P", None, "P", None),
    ],
)
def test_a_failure_is_accepted_by_dashboard_and_title(
    title: str, written: str | None, subject: str, accepted: str | None
) -> None:
    """For one choice of a repeated panel, or for all of them; never by the title alone."""
    (verdict,) = panel_verdicts(
        [answer(title, ok=False, written=written)], [Acceptance(subject, "why")]
    )
    assert (verdict.ok, verdict.accepted) == (accepted is not None, accepted)
    assert verdict.reason == "query returns nothing"


def test_what_answers_needs_no_acceptance() -> None:
    """A reason that is no longer needed is not repeated."""
    (verdict,) = panel_verdicts([answer("P", ok=True)], [Acceptance("Board / P", "why")])
    assert (verdict.ok, verdict.accepted) == (True, None)
