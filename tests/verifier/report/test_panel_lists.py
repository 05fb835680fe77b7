"""What the report says of panels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from documents.mistakes import Place
from tests.verifier.outcomes import outcome
from verifier.errors import NotJudged
from verifier.judge.verdict import PanelVerdict
from verifier.report.panel_lists import answered, not_judged, unanswered


def panel(title: str, **fields: Any) -> PanelVerdict:
    """Return the verdict on a panel, one that answered unless `fields` say otherwise."""
    plain = {"ok": True, "reason": ""}
    return PanelVerdict(dashboard="Board", panel=title, query="up", **(plain | fields))


def test_a_reason_is_written_once_with_the_scenarios_that_it_holds_in() -> None:
    """A dashboard of another world would else fill the screen in each of twenty scenarios."""
    empty = panel("P", ok=False, reason="query returns nothing")
    names = ("one", "two", "three", "four", "five")
    outcomes = [replace(outcome(), name=name, panels=(empty, empty)) for name in names]
    assert unanswered(outcomes) == ["one, two, three and 2 more: Board / P: query returns nothing"]
    assert answered(outcomes) == []
    assert unanswered(outcomes[:4])[0].startswith("one, two, three and 1 more: Board / P: ")
    assert unanswered(outcomes[:3])[0].startswith("one, two, three: Board / P: ")


def test_empty_and_accepted_panels_are_named_beside_those_that_answered() -> None:
    """Nothing that shows nothing goes without a word."""
    verdicts = (
        panel("A"),
        panel("B", reason="nothing passes its filter"),
        panel("C", reason="query returns nothing", accepted="another exporter"),
    )
    assert answered([replace(outcome(), panels=verdicts)] * 2) == [
        "2 of 3 answered, 1 accepted",
        "Board / B: nothing passes its filter",
        "Board / C: query returns nothing; accepted: another exporter",
    ]


def test_what_was_not_judged_is_listed_once_with_its_place() -> None:
    """It is the same in every scenario."""
    item = NotJudged("panel Board / Logs", "it asks Loki", Place("b.json", 3, 2))
    outcomes = [replace(outcome(), not_judged=(item,))] * 2
    assert not_judged(outcomes) == ["panel Board / Logs: it asks Loki (b.json:3:2)"]
