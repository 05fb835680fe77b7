"""Two engines' readings of the same scenarios: what differs is said, by alert and scenario."""

from __future__ import annotations

import json
from dataclasses import fields, replace

from documents.mistakes import Place
from tests.schemas.validation import validate
from tests.verifier.outcomes import outcome, unjudged
from verifier.engines.causes.explaining import ActingTrait, AlertExplanation, DifferenceReason
from verifier.engines.causes.sentences import explanation_document
from verifier.engines.causes.traits import Trait, sentence
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


def compared(*readings, explanations=()):
    """Return the comparison of a scenario with these readings."""
    values = {field.name: getattr(outcome(), field.name) for field in fields(ScenarioOutcome)}
    return compare_engines(
        [ComparedScenario(**values, readings=readings, explanations=explanations)]
    )


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


RUNS_ON = Timeline("High", (("job", "b"),), (Episode(0.0, 60.0, None),))
REASON = DifferenceReason((60.0,), None, (None, None), (ActingTrait(Trait.SAMPLE_BEFORE, 1),))
KNOWN = AlertExplanation("High", (("job", "a"),), (REASON,))


def test_the_document_has_every_alert_whole():
    """Those that are the same too; what is explained, and when each fires in either."""
    comparison = compared(
        reading("1", FIRES, RUNS_ON, failing=("High",)), reading("unknown", LATER, RUNS_ON, PENDS),
        explanations=(KNOWN,),
    )  # fmt: skip
    document = comparison_document(comparison)
    same, pends, later = (
        {"alert": "High", "labels": {"job": "b"}}, {"alert": "Low", "labels": {}},
        {"alert": "High", "labels": {"job": "a"}},
    )  # fmt: skip
    (scenario,) = document["scenarios"]
    by_name = {(each["alert"], *each["labels"].items()): each for each in scenario["alerts"]}
    fires = {"pending": 0.0, "firing": 60.0, "resolved": 300.0}
    assert by_name["High", ("job", "a")] == later | {
        "same": False, "explained": True, "reasons": explanation_document(KNOWN),
        "only_first": 0, "only_second": 0, "fires_later_s": [15.0], "resolves_later_s": [],
        "episodes": [[fires, fires | {"firing": 75.0}]],
    }  # fmt: skip
    assert by_name["High", ("job", "b")] == same | {
        "same": True, "explained": None, "reasons": [],
        "only_first": 0, "only_second": 0, "fires_later_s": [], "resolves_later_s": [],
        "episodes": [[fires | {"resolved": None}] * 2],
    }  # fmt: skip
    assert by_name["Low",] == pends | {
        "same": False, "explained": False, "reasons": [],
        "only_first": 0, "only_second": 0, "fires_later_s": [], "resolves_later_s": [],
        "episodes": [[None, {"pending": 0.0, "firing": None, "resolved": 30.0}]],
    }  # fmt: skip
    assert (document["version"], document["same"], document["unexplained"]) == (2, False, 1)
    assert document["engines"] == ["engine 1", "engine"]
    assert (scenario["failing"], scenario["not_evaluated"]) == ([["High"], []], [[], []])
    assert document["not_judged"] == []


def test_why_an_alert_differs_stands_below_it_and_its_cause_in_the_sum():
    """Without the versions, where the names differ without; series for other reasons apart."""
    other = Timeline("High", (("job", "z"),), FIRES.episodes)
    moved = replace(other, episodes=LATER.episodes)
    first, second = Engine(name="one", version="1"), Engine(name="two", version="2")
    readings = (
        EngineReading(first, (FIRES, other), ()),
        EngineReading(second, (LATER, moved), ("Low", "High")),
    )
    comparison = compared(*readings, explanations=(KNOWN,))
    said, name = sentence(Trait.SAMPLE_BEFORE), comparison.scenarios[0].scenario
    assert lines_of(comparison) == [
        f'{name}: High{{job="a"}}: fires 15s later in two 2',
        f"    at 1m: two {said}",
        f'{name}: High{{job="z"}}: fires 15s later in two 2',
        "    NOT EXPLAINED: nothing was recomputed",
        f"{name}: High fails what is expected in two 2 alone",
        f"{name}: Low fails what is expected in two 2 alone",
        f"BECAUSE 1 alert: two {said}",
        (
            "ENGINES: one 1 and two 2: 2 alerts of 2 that were ever active differ, in 1 scenario;"
            " 1 NOT EXPLAINED"
        ),
    ]
    explained = compared(*(replace(r, timelines=r.timelines[:1]) for r in readings),
                         explanations=(KNOWN,))  # fmt: skip
    assert lines_of(explained)[-1].endswith("differ, in 1 scenario; why is said of each")


def test_what_was_never_judged_has_no_names():
    """Nor is it the same as what an engine says."""
    comparison = compare_engines([unjudged(), outcome()])
    assert lines_of(comparison)[-1] == (
        "ENGINES: the first engine and the second: 0 alerts of 0 that were ever active differ,"
        " in 0 scenarios"
    )
    assert [name for name, _ in comparison.unjudged] == [unjudged().name, outcome().name]


def test_of_engines_that_have_the_same_name_the_versions_tell_which_is_meant():
    """In every sentence."""
    comparison = compared(reading("1", FIRES), reading("2", LATER), explanations=(KNOWN,))
    said = sentence(Trait.SAMPLE_BEFORE)
    assert lines_of(comparison)[1:3] == [
        f"    at 1m: engine 2 {said}", f"BECAUSE 1 alert: engine 2 {said}",
    ]  # fmt: skip


def test_what_fails_in_both_engines_is_no_difference():
    """Of what fails in one alone each is said, by name."""
    comparison = compared(
        reading("1", FIRES, failing=("High", "B", "A")), reading("2", FIRES, failing=("High", "C"))
    )
    name = comparison.scenarios[0].scenario
    assert lines_of(comparison)[:-1] == [
        f"{name}: A fails what is expected in engine 1 alone",
        f"{name}: B fails what is expected in engine 1 alone",
        f"{name}: C fails what is expected in engine 2 alone",
    ]


def test_engines_are_called_as_in_the_first_scenario_and_a_firing_is_of_one_of_them():
    """In the document too."""
    values = {field.name: getattr(outcome(), field.name) for field in fields(ScenarioOutcome)}
    both = reading("1", FIRES), reading("2")
    later = reading("unknown", PENDS), reading("unknown", PENDS, FIRES)
    broken = values | {"name": "broken", "invalid": ("no history", "no engine")}
    comparison = compare_engines(
        [
            ComparedScenario(**values, readings=both),
            ComparedScenario(**broken, readings=both),
            ComparedScenario(**values | {"name": "later"}, readings=later),
        ]
    )
    document = comparison_document(comparison)
    assert document["engines"] == ["engine 1", "engine 2"]
    first, second = document["scenarios"]
    assert [(e["only_first"], e["only_second"]) for e in first["alerts"]] == [(1, 0)]
    assert [(e["only_first"], e["only_second"]) for e in second["alerts"]] == [(0, 1), (0, 0)]
    assert document["not_judged"] == [{"scenario": "broken", "reason": "no history; no engine"}]


def test_an_alert_is_explained_where_every_reason_of_it_is_and_each_cause_is_summed():
    """One that is not known leaves it open; a cause counts once for each alert."""
    other = replace(REASON, causes=(ActingTrait(Trait.UNEXTENDED, 0),))
    unknown = replace(REASON, causes=(), unexplained="nobody knows")
    known = replace(KNOWN, reasons=(REASON, other, REASON))
    for explanation, count in ((known, 0), (replace(KNOWN, reasons=(REASON, unknown)), 1)):
        comparison = compared(reading("1", FIRES), reading("2", LATER), explanations=(explanation,))
        assert comparison_document(comparison)["unexplained"] == count
        (alert,) = comparison_document(comparison)["scenarios"][0]["alerts"]
        assert alert["explained"] is not bool(count)
    sums = [line for line in lines_of(compared(reading("1", FIRES), reading("2", LATER),
            explanations=(known,))) if line.startswith("BECAUSE")]  # fmt: skip
    assert sums == [
        f"BECAUSE 1 alert: engine 1 {sentence(Trait.UNEXTENDED)}",
        f"BECAUSE 1 alert: engine 2 {sentence(Trait.SAMPLE_BEFORE)}",
    ]
