"""Verdicts on panels: what was answered, and what is accepted though it was not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from scenarios.scenario import Acceptance
from verifier.judge.panel_verdicts import panel_verdicts, verdicts_on_unasked
from verifier.pack.panels import Panel, Query
from verifier.panels.answers import PanelAnswer, PanelComparison
from verifier.truth.declared import PanelTruth


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


def test_a_verdict_repeats_what_an_answer_was_compared_with() -> None:
    """It is untrue where the comparison says so, and not where none was made."""
    compared = PanelComparison("the rate of requests", (30.0,), "twice as much")
    (verdict,) = panel_verdicts([replace(answer("P", ok=False), truth=compared)])
    assert (verdict.truth, verdict.is_untrue) == (compared, True)
    (verdict,) = panel_verdicts([answer("P", ok=True)])
    assert (verdict.truth, verdict.is_untrue) == (None, False)


def test_a_query_that_a_panel_should_have_and_has_not_fails_by_itself() -> None:
    """One answer of several is enough; another panel's acceptance is none of it."""
    truth = PanelTruth(dashboard="Board", panel="P", quantity="requests", take="rate", unit="reqps")
    answers = [answer("Q", ok=True), answer("P", ok=True)]
    assert verdicts_on_unasked([truth], answers, ()) == ()
    for subject, accepted in (("Board / P", "why"), ("Board / Q", None)):
        (verdict,) = verdicts_on_unasked([truth], answers[:1], [Acceptance(subject, "why")])
        assert (verdict.ok, verdict.accepted) == (accepted is not None, accepted)
        assert (verdict.panel, verdict.query) == ("P", "")
