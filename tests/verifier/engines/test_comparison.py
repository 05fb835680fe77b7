"""Two engines' readings of the same scenarios: what differs is said, by alert and scenario."""

from __future__ import annotations

import json
from dataclasses import fields

from documents.mistakes import Place
from tests.schemas.validation import validate
from tests.verifier.outcomes import outcome, unjudged
from verifier.engines.comparison import (
    SCHEMA,
    compare_engines,
    comparison_document,
    comparison_lines,
)
from verifier.engines.judge import ComparedScenario, EngineReading
from verifier.errors import NotJudged
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.verdict import Engine, ScenarioOutcome

FIRES = Timeline("High", (("job", "a"),), (Episode(0.0, 60.0, 300.0),))
LATER = Timeline("High", (("job", "a"),), (Episode(0.0, 75.0, 300.0),))
PENDS = Timeline("Low", (), (Episode(0.0, None, 30.0),))


def reading(version, *timelines, failing=(), not_judged=()):
    """Return what an engine of this version says."""
    return EngineReading(Engine(name="engine", version=version), timelines, failing, not_judged)


def compared(*readings):
    """Return the comparison of a scenario with these readings."""
    values = {field.name: getattr(outcome(), field.name) for field in fields(ScenarioOutcome)}
    return compare_engines([ComparedScenario(**values, readings=readings)])


def lines_of(comparison):
    """Return what is printed."""
    return list(comparison_lines(comparison))


def test_the_same_timelines_are_the_same():
    """In whatever order an engine gives them."""
    comparison = compared(reading("1", FIRES, PENDS), reading("2", PENDS, FIRES))
    assert comparison.is_same
    (line,) = lines_of(comparison)
    assert line == (
        "ENGINES: engine 1 and engine 2: 0 alerts of 2 that were ever active differ, in 1 scenario"
    )


def test_a_difference_is_named_with_its_scenario_and_engines():
    """When it fires later, and when it fires in one of them alone."""
    comparison = compared(reading("1", FIRES, PENDS), reading("2", LATER))
    assert not comparison.is_same
    first, _, second, unexplained, last = lines_of(comparison)
    assert unexplained.strip() == "NOT EXPLAINED: nothing was recomputed"
    assert first.endswith(': High{job="a"}: fires 15s later in engine 2')
    assert second.endswith(": Low{}: pending, without firing, only in engine 1")
    assert "2 alerts of 2" in last
    assert last.endswith("; 2 NOT EXPLAINED")
    alone = lines_of(compared(reading("1"), reading("2", FIRES)))
    assert alone[0].endswith(': High{job="a"}: 1 firing only in engine 2')


def test_series_that_differ_alike_stand_together():
    """Sixteen processors are one line, with how many there are more; each counts in the sum."""
    before = [Timeline("High", (("cpu", str(n)),), FIRES.episodes) for n in range(16)]
    after = [Timeline("High", (("cpu", str(n)),), LATER.episodes) for n in range(16)]
    first, _, last = lines_of(compared(reading("1", *before), reading("2", *after)))
    assert ': High{cpu="0"} and 15 more like it: fires 15s later in engine 2' in first
    assert "16 alerts of 16" in last


def test_what_fails_in_one_engine_alone_is_said_and_what_it_cannot_evaluate():
    """The latter is a difference, though no timeline shows it."""
    refused = NotJudged("alert High", "unknown function", Place("a.yaml", 3))
    comparison = compared(
        reading("1", FIRES, failing=("High",)), reading("2", FIRES, not_judged=(refused,))
    )
    assert not comparison.is_same
    lines = lines_of(comparison)
    assert any("engine 2: a.yaml:3: alert High is not judged: unknown" in line for line in lines)
    assert any(line.endswith("High fails what is expected in engine 1 alone") for line in lines)


def test_a_scenario_that_was_not_judged_is_no_agreement():
    """It is named; the document says so too, by its published schema."""
    comparison = compare_engines([unjudged()])
    assert comparison.unjudged
    assert "not compared" in lines_of(comparison)[0]
    for each in (comparison, compared(reading("1", FIRES, PENDS), reading("2", LATER))):
        validate(comparison_document(each), json.loads(SCHEMA.read_text()))
