"""The scenario that a search saves: what it expects, what it explains, what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from scenarios.loader import parse_scenario
from tests.verifier.alerts import rule_files
from tests.verifier.near_miss.test_searching import SilentWatcher
from tests.verifier.outcomes import alert, fired, outcome
from verifier.errors import JudgeError, NotJudged
from verifier.near_miss.knobs import knobs_of
from verifier.near_miss.margin import SafeValue, SeedResult
from verifier.near_miss.probing import Nearness, ProbedScenario
from verifier.near_miss.search import Boundary, NoNearMissError, Probe
from verifier.near_miss.searching import NearMissSearch, SearchRequest
from verifier.pack.rules import RuleFiles, RuleGroup

TEXT = """\
name: drop
story: |
  Traffic is gone.
seed: 5
duration: 20m
faults:
  - {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.3}}
expectations:
  - {alert: Low, cause: gone, fires_within: 4m}
  - {alert: Lower, cause: gone, fires_within: 4m}
  - {alert: High, silent: true}
  - {alert: Foreign, silent: true}
"""
SAFE = SafeValue(0.2, 0.21, ())
NEAR = (SeedResult(3, ("near",)), SeedResult(4, ("near",)))
WHY = "it fires as well; this scenario is about Low"
LOW, LOWER, HIGH = (
    {"alert": "Low", "silent": True},
    {"alert": "Lower", "cause": "gone", "fires_within": "4m"},
    {"alert": "High", "silent": True},
)


def rules():
    """Return rules of four alerts, two of one name in groups of their own."""
    (low,) = rule_files("Low", expr="up < 400").groups[0].rules
    every = [replace(low, alert=name) for name in ("Low", "Lower", "High", "Extra")]
    return RuleFiles((
        RuleGroup("first", "a.yaml", 30.0, tuple(every)),
        RuleGroup("second", "a.yaml", 60.0, (low,)),
        RuleGroup("third", "a.yaml", 90.0, (every[1],)),
    ))  # fmt: skip


def search(parameter="share", cell="near_threshold"):
    """Return a search."""
    scenario, document = parse_scenario(TEXT, "drop.yaml"), parse(TEXT, "drop.yaml").data
    knob = next(k for k in knobs_of(scenario, document) if k.name == parameter)
    request = SearchRequest(
        scenario=scenario, document=document, target=Path("near.yaml"), schema="s.json",
        rules=rules(), routing=None, alert="Low", knob=knob, seeds=(3, 4), cell=cell,
    )  # fmt: skip
    return NearMissSearch(request, SilentWatcher(), 1)


def completed(monkeypatch, *rounds):
    """Return what is expected and explained at last, where each round shows these outcomes."""
    shown = iter(rounds)
    monkeypatch.setattr(NearMissSearch, "_on_seeds", lambda *_: (NEAR, next(shown)))
    text, results, explained = search()._complete(0.2)
    assert results == NEAR
    assert next(shown, None) is None
    return parse(text, "near.yaml").data["expectations"], explained


def test_expectations_of_other_alerts_stay_while_they_hold(monkeypatch):
    """Of alerts that the rules have; the searched one must be silent, whatever it did."""
    passing = outcome(alerts=(alert("Low", ok=False), fired("Lower")))
    assert completed(monkeypatch, [passing]) == ([LOW, LOWER, HIGH], ())


@pytest.mark.parametrize(
    ("alerts", "expectations", "names"),
    [
        ((alert("Lower", ok=False),), [LOW, HIGH], ()),
        ((fired("High", ok=False), alert("Extra", ok=False, firing_s=3.0)),
         [LOW, LOWER, {"alert": "Extra", "explained": WHY}, {"alert": "High", "explained": WHY}],
         ("Extra", "High")),
        ((fired("Lower", ok=False), alert("High", ok=False)),
         [LOW, {"alert": "Lower", "explained": WHY}], ("Lower",)),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_left_out_and_what_fires_is_explained(
    monkeypatch, alerts, expectations, names
):
    """On any of the seeds; it is judged once more without."""
    rounds = [[outcome(alerts=()), outcome(alerts=alerts)], [outcome()]]
    assert completed(monkeypatch, *rounds) == (expectations, names)


def test_what_fails_in_the_second_round_is_explained_too_and_the_search_goes_on(monkeypatch):
    """It is not judged a third time: the results say what is wrong."""
    first, second = outcome(alerts=(fired("Lower", ok=False),)), outcome(alerts=(
        fired("High", ok=False),))  # fmt: skip
    expectations, explained = completed(monkeypatch, [first], [second])
    assert expectations == [LOW, HIGH, {"alert": "Lower", "explained": WHY}]
    assert explained == ("High", "Lower")


def test_the_scenario_says_what_it_is_and_has_the_value(monkeypatch):
    """Under the name of its file, with the seed of the first, and where its form stands."""
    monkeypatch.setattr(NearMissSearch, "_on_seeds", lambda *_: (NEAR, [outcome(alerts=())]))
    asking = search()
    again = replace(asking.request.scenario, seed=9)
    text, _, _ = replace(asking, request=replace(asking.request, scenario=again))._complete(0.25)
    assert text.startswith("# yaml-language-server: $schema=s.json\nname: near\n")
    document = parse(text, "near.yaml").data
    assert (document["seed"], document["faults"][0]["parameters"]) == (9, {"share": 0.25})
    assert " ".join(document["story"].split()) == (
        "As drop, but with share of gone at 0.25: Low comes near to its threshold, and must not"
        " fire. The value was searched, not chosen, and holds on seeds 3, 4."
    )


@pytest.mark.parametrize(
    ("parameter", "cell", "step_s"),
    [
        ("share", "near_for", 0.0), ("duration", "near_threshold", 0.0),
        ("duration", "near_for", 30.0),
    ],
)  # fmt: skip
def test_half_an_evaluation_is_the_least_difference_of_a_wait(parameter, cell, step_s):
    """Of the slowest group of the alert."""
    assert search(parameter, cell)._step() == step_s


def run(monkeypatch, safe, *results):
    """Run a search whose boundary and margins are known."""
    boundary = Boundary(
        Probe(0.2, fired=False, held=True), Probe(0.3, fired=True), (Probe(0.2, fired=False),)
    )
    values, judged = iter(safe), iter(results)
    edges = []
    monkeypatch.setattr("verifier.near_miss.searching.BoundarySearch.between", lambda *_: boundary)
    monkeypatch.setattr(
        "verifier.near_miss.searching.BoundarySearch.never_held",
        lambda *_: Probe(0.15, fired=False),
    )
    monkeypatch.setattr("verifier.near_miss.searching.safe_value", lambda *_: next(values))
    monkeypatch.setattr(
        "verifier.near_miss.searching.margins",
        lambda _, edge, step, upwards: edges.append((edge, step, upwards)),
    )
    monkeypatch.setattr(
        NearMissSearch, "_complete", lambda _, value: ("text", next(judged), (str(value),))
    )
    return edges, judged


def probing(monkeypatch, shown, *kind):
    """Return a search whose runs show this."""
    asked = []

    def run_once(_, scenarios, judge):
        asked.append((scenarios, judge.alert))
        return [shown]

    monkeypatch.setattr(NearMissSearch, "_run", run_once)
    return search(*kind), asked


def probed_scenario(**changes):
    """Return the outcome of a probe."""
    plain = outcome(alerts=())
    fields = {each: getattr(plain, each) for each in plain.__dataclass_fields__}
    return ProbedScenario(**fields | changes)


def test_a_probe_is_the_scenario_with_the_value_and_without_expectations(monkeypatch):
    """On its own seed; what it came to is said."""
    nearness = Nearness(410.0, 400.0, 45.0, 60.0)
    asking, asked = probing(monkeypatch, probed_scenario(held=True, nearness=nearness))
    assert asking._probe(0.25) == Probe(0.25, fired=False, nearness=nearness, held=True)
    ((scenario,), name) = asked[0]
    assert (scenario.seed, scenario.expectations, name) == (5, (), "Low")
    assert scenario.plan.faults[0].parameters.share == 0.25
    assert asking.watcher.lines == [f"share of gone 0.25: silent: {nearness.words}"]
    fires, _ = probing(monkeypatch, probed_scenario(fired=True), "duration", "near_for")
    assert fires._probe(90.0) == Probe(90.0, fired=True)
    assert fires.watcher.lines == ["duration of gone 1m30s: fires"]


@pytest.mark.parametrize("nearness", [None, Nearness(None, None, 0.0, 60.0)])
def test_a_condition_without_a_value_has_nothing_near(monkeypatch, nearness):
    """Said with the value at which it had none."""
    asking, _ = probing(monkeypatch, probed_scenario(nearness=nearness))
    with pytest.raises(NoNearMissError) as caught:
        asking._probe(0.25)
    assert str(caught.value) == (
        "the condition of Low has no value at share of gone 0.25: nothing is near"
    )


UNREAD = NotJudged("alert Low", "no engine reads it", Place("a.yaml", 1, 1))


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (outcome(invalid=("killed", "gone")), "killed"),
        (probed_scenario(not_judged=(UNREAD,)), "no engine reads it"),
    ],
)
def test_a_probe_that_could_not_be_judged_ends_the_search(monkeypatch, shown, reason):
    """It says nothing of the value."""
    asking, _ = probing(monkeypatch, shown)
    with pytest.raises(JudgeError, match=reason):
        asking._probe(0.25)


def test_a_value_is_judged_alone_as_a_scenario_in_which_the_alert_is_silent(monkeypatch):
    """On every seed, with what is wrong in the first."""
    seen = []

    def on_seeds(_, scenario, rules):
        seen.append((scenario, rules))
        return (NEAR[0], SeedResult(4, (), "it fired")), []

    monkeypatch.setattr(NearMissSearch, "_on_seeds", on_seeds)
    asking, alone = search(), RuleFiles(())
    assert asking._judged_alone(alone, 0.25)[1].complaint == "it fired"
    ((scenario, judged_rules),) = seen
    assert [(each.alert, each.expected) for each in scenario.expectations] == [("Low", "silent")]
    assert judged_rules is alone
    assert asking.watcher.lines == [
        "share of gone 0.25: a near miss on 1 of 2 seeds: seed 4: it fired"
    ]


WRONG = (SeedResult(3, ("near",)), SeedResult(4, (), "it fired"))


def test_a_value_that_no_rule_objects_to_is_the_near_miss(monkeypatch):
    """The first of three; a threshold's margin begins where the condition never held."""
    second = SafeValue(0.1, 0.12, ())
    edges, _ = run(monkeypatch, [SAFE, second], WRONG, NEAR)
    miss = search().run()
    assert (miss.safe, miss.results, miss.explained) == (second, NEAR, ("0.1",))
    assert edges == [(0.15, 0.0, True)]
    edges, _ = run(monkeypatch, [SAFE], NEAR)
    assert search("duration", "near_for").run().safe == SAFE
    assert edges == [(0.2, 30.0, True)]


@pytest.mark.parametrize(
    ("safe", "results", "wrong"),
    [
        ([WRONG], [], ": seed 4: it fired"),
        ([SAFE, ()], [WRONG], ": seed 4: it fired"),
        ([()], [], ""),
        ([SAFE] * 3, [WRONG] * 3, ": seed 4: it fired"),
    ],
)
def test_where_no_margin_holds_it_is_said_between_what_and_why(monkeypatch, safe, results, wrong):
    """After three values that hold alone, it is given up."""
    _, judged = run(monkeypatch, safe, *results)
    with pytest.raises(NoNearMissError) as caught:
        search().run()
    assert str(caught.value) == (
        "share of gone is silent at 0.2 and fires at 0.3, but no value beside that is a near miss"
        f" of the threshold on every seed{wrong}; a longer fault keeps the value near for longer,"
        " --parameter duration searches the `for`"
    )
    assert next(judged, None) is None
