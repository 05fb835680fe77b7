"""The score of a coverage, its table and its lines, from cells that were made by hand."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from tests.verifier.outcomes import outcome, unjudged
from verifier.coverage.cells import CELLS, Observation
from verifier.coverage.observing import CoveredScenario
from verifier.coverage.score import (
    NO_FOR,
    coverage_document,
    coverage_lines,
    coverage_of,
    search_command,
    table_rows,
)
from verifier.judge.verdict import ScenarioOutcome
from verifier.pack.rules import RuleFiles


def rules():
    """Return an alert without a `for` and one with it, in lines 3 and 7."""
    (group,) = rule_files("Slow", expr="up < 3").groups
    (slow,) = group.rules
    slow = replace(slow, position=Place("rules.yaml", 3, 1))
    late = replace(slow, alert="Late", for_s=60.0, position=Place("rules.yaml", 7, 1))
    return RuleFiles((replace(group, rules=(slow, late)),))


def covered(name, *shown, **changes):
    """Return what a scenario showed: number of the rule, cell, and whether it binds."""
    values = {field.name: getattr(outcome(name), field.name) for field in fields(ScenarioOutcome)}
    observations = tuple(
        Observation(number=number, cell=cell, shown=f"{name} shows {cell}", binds=binds)
        for number, cell, binds in shown
    )
    return CoveredScenario(**{**values, "observations": observations, **changes})


RUNS = [
    covered("first", (0, "fires", False), (1, "fires", True), (1, "near_for", False)),
    covered("second", (0, "fires", True), (1, "fires", True), failing=(("Late", "fails"),)),
    covered("third", (0, "fires", True), (0, "fires", False), (1, "fires", True)),
]
REASONS = {("Slow", "no_traffic"): "there is none", ("Late", "fires"): "nobody knows"}


def coverage():
    """Return the coverage of all three, and of one that could not be judged."""
    return coverage_of(rules(), [*RUNS, unjudged("broken")], REASONS)


def test_a_cell_is_proven_by_what_binds_open_without_and_explained_by_a_reason():
    """A reason beside a proof counts for nothing; without a `for` none can be nearly met."""
    whole = coverage()
    cells = {(each.rule.alert, each.cell): each for each in whole.cells}
    assert list(cells) == [(alert, cell) for alert in ("Slow", "Late") for cell in CELLS]
    assert [name for name, _ in cells["Slow", "fires"].proofs] == ["second", "third"]
    assert [name for name, _ in cells["Slow", "fires"].unheld] == ["first"]
    assert cells["Slow", "near_for"].reason == NO_FOR
    assert cells["Late", "near_for"].state == "open"
    assert (whole.count("proven"), whole.count("explained"), whole.count("open")) == (2, 2, 10)
    assert whole.share == pytest.approx(2 / 12)
    assert [(each.rule.alert, each.cell) for each in whole.needless] == [("Late", "fires")]
    assert coverage_of(RuleFiles(()), RUNS, {}).share == 1.0


def test_a_row_of_the_table_is_of_one_alert_and_names_the_first_proof_and_how_many_more():
    """In the order of the cells."""
    assert list(table_rows(coverage())) == [
        ("Slow", "second +1", "OPEN", "explained", "OPEN", "OPEN", "explained", "OPEN"),
        ("Late", "first +2", "OPEN", "OPEN", "OPEN", "OPEN", "OPEN", "OPEN"),
    ]


def test_what_is_open_explained_needless_or_not_judged_is_said():
    """With its place, with what was seen and not held, and the sum at the end."""
    lines = list(coverage_lines(coverage()))
    at = lines.index("Late (rules.yaml:7): near for: open")
    assert lines[at + 1] == "  first: first shows near_for, and its expectations hold nothing of it"
    assert "Slow: no traffic: explained: there is none" in lines
    assert f"Slow: near for: explained: {NO_FOR}" in lines
    assert "Late: fires: a reason stands there, yet first proves it" in lines
    assert "second: Late: fails, so it proves nothing there" in lines
    assert any(line.startswith("broken: not judged: ") for line in lines)
    assert lines[-1] == "COVERAGE: 16.7%: 2 of 14 cells proven, 2 explained, 10 open"
    document = coverage_document(coverage())
    assert (document["proven"], document["explained"], document["open"]) == (2, 2, 10)
    assert [each["line"] for each in document["cells"]] == [3] * 7 + [7] * 7


def test_a_scenario_that_could_not_be_judged_proves_nothing():
    """Whatever it showed."""
    broken = replace(RUNS[2], invalid=("killed",))
    whole = coverage_of(rules(), [broken], {})
    assert whole.count("proven") == 0
    assert whole.unjudged == (("third", "killed"),)


def test_each_cell_of_the_document_says_what_proves_it_and_what_holds_nothing():
    """The first that a scenario showed of it counts; a reason of somebody before that of a rule."""
    runs = [
        *RUNS,
        covered("fourth", (0, "resolves", False)),
        covered("fifth", (0, "resolves", True), (0, "resolves", True)),
    ]
    seen = replace(runs[-1].observations[1], shown="later")
    runs[-1] = replace(runs[-1], observations=(runs[-1].observations[0], seen))
    whole = coverage_of(rules(), runs, REASONS | {("Slow", "near_for"): "it never will"})
    searched = replace(whole, searches={("fifth", "Slow", "near_threshold"): "search it"})
    by_place = {
        (each["alert"], each["cell"]): each for each in coverage_document(searched)["cells"]
    }
    assert by_place["Slow", "resolves"] == {
        "alert": "Slow", "file": "rules.yaml", "line": 3, "cell": "resolves", "state": "proven",
        "proven_by": [{"scenario": "fifth", "shown": "fifth shows resolves"}],
        "not_held_in": [{"scenario": "fourth", "shown": "fourth shows resolves"}],
        "reason": None, "search": None,
    }  # fmt: skip
    assert by_place["Slow", "near_for"]["reason"] == "it never will"
    document = coverage_document(whole)
    assert document["score"] == 0.25
    assert coverage_document(coverage())["score"] == 0.166667
    assert document["failing"] == [{"scenario": "second", "alert": "Late", "reason": "fails"}]
    assert document["not_judged"] == []


def test_a_search_is_of_a_scenario_in_which_the_alert_itself_fires():
    """Held by an expectation or not; not one in which another alert does."""
    runs = [covered("first", (0, "fires", False)), covered("second", (1, "fires", True))]
    searches = {(name, alert, "near_threshold"): f"search {alert} in {name}"
                for name in ("first", "second") for alert in ("Slow", "Late")}  # fmt: skip
    whole = replace(coverage_of(rules(), runs, {}), searches=searches)
    commands = {
        each.rule.alert: search_command(whole, each)
        for each in whole.cells
        if each.cell == "near_threshold"
    }
    assert commands == {"Slow": "search Slow in first", "Late": "search Late in second"}
