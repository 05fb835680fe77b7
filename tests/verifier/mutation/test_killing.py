"""A mutant is killed by a scenario that would not pass with it, and by no other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.schemas.validation import validate
from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, scenario_of, simulate_for, verify
from verifier.mutation import killing
from verifier.mutation.killing import MutatedScenario, MutationJudge
from verifier.mutation.mutants import is_alone, mutants_of
from verifier.mutation.score import SCHEMA, score_document, score_lines, score_of
from verifier.pack.rules import AlertRule, RuleFiles
from verifier.virtual_time import scenario_history

SCENARIO = scenario_of(
    "duration: 6m\nload: {rate: 1000}\n"
    "faults:\n"
    "- {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}\n"
    "expectations:\n"
    "- {alert: Low, labels: {team: a}, cause: gone, fires_within: 2m15s, resolves_within: 1m}\n"
)
RATE = "sum(rate(agentaskit_tasks_processed_total[30s]))"


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return rules: one that must fire, one of its name that stays silent, one without a word."""
    return rules(
        tmp_path_factory.mktemp("rules"),
        {"alert": "Low", "expr": f"{RATE} < 900", "for": "1m", "labels": {"team": "a"}},
        {"alert": "Low", "expr": f"{RATE} < 100", "labels": {"team": "b"}},
        {"alert": "High", "expr": f"{RATE} > 5000"},
    )


@pytest.fixture(scope="module")
def judged(read):
    """Return all mutants of the rules, and the outcome of a scenario with the killed ones."""
    mutants = mutants_of(read)
    return mutants, MutationJudge(read, mutants)(HEALTHY, SCENARIO, lambda _: None)


def mutated(read, mutant):
    """Return the rules with a mutant in place of its rule."""
    return RuleFiles(tuple(
        replace(group, rules=tuple(mutant.rule if r.position == mutant.rule.position else r
                                   for r in group.rules))
        for group in read.groups
    ))  # fmt: skip


@pytest.mark.parametrize("kinds", [2, pytest.param(None, marks=pytest.mark.long)])
def test_what_is_killed_fails_the_scenario_as_a_whole_run_would(read, judged, kinds):
    """Verified with the edited rules themselves, for one mutant of each kind of both fates."""
    mutants, outcome = judged
    assert outcome.verdict == "pass"
    chosen = {}
    for number, mutant in enumerate(mutants):
        if mutant.kind != "interval":  # that of a whole group
            assert len(mutant.rules) == 1
            chosen.setdefault((mutant.kind, number in outcome.killed), mutant)
    some = {fate: [key for key in chosen if key[1] == fate][:kinds] for fate in (True, False)}
    assert all(some.values())
    for (_, dead), mutant in ((key, chosen[key]) for keys in some.values() for key in keys):
        verdicts = verify(SCENARIO, mutated(read, mutant)).alerts
        # That a silent alert could not have fired is no kill, only that one did not that must.
        fails = any(not v.ok and (v.vacuous is None or v.expected == "fires") for v in verdicts)
        assert fails == dead, (mutant.rule.alert, mutant.change)


def test_what_an_expectation_holds_is_killed(read, judged):
    """The comparator, the label it names, a `for` that is too long; not what it leaves open."""
    mutants, outcome = judged
    low = {
        (mutant.kind, mutant.after): number in outcome.killed
        for number, mutant in enumerate(mutants)
        if mutant.rule.position == read.alerts[0][1].position
    }
    assert low["comparator", "> 900"]
    assert low["label", "team: changed"]
    assert low["label", "no such label"]
    assert low["for", "2m"] != low["for", "45s"]
    assert not low["boundary", "<= 900"]


def test_an_alert_that_fails_without_an_edit_kills_nothing(read, judged):
    """It is named; the others go on. Planted: an expectation that nothing meets."""
    mutants, _ = judged
    (expected,) = SCENARIO.expectations
    failing = replace(SCENARIO, expectations=(replace(expected, fires_within_s=1.0),))
    outcome = MutationJudge(read, mutants)(HEALTHY, failing, lambda _: None)
    killed = {mutants[number].rule.alert for number in outcome.killed}
    assert killed == {"High"}
    score = score_of(mutants, [outcome])
    assert score.failing == ((failing.name, "Low"),)
    assert any("Low fails without any edit" in line for line in score_lines(score))


def test_a_judge_that_accepts_everything_kills_nothing(read, judged, monkeypatch):
    """Planted: so what is killed is the expectations' doing."""
    mutants, _ = judged
    monkeypatch.setattr(killing, "_passes", lambda *_: True)
    monkeypatch.setattr(scenario_history, "simulate", lambda *_, **__: simulate_for(SCENARIO, read))
    outcome = MutationJudge(read, mutants[:3])(HEALTHY, SCENARIO, lambda _: None)
    assert outcome.killed == frozenset()


def test_a_proof_that_a_scenario_disproves_does_not_count(judged):
    """Were every mutant proven equivalent: those that are killed count as killed all the same."""
    mutants, outcome = judged
    score = score_of(mutants, [outcome])
    assert 0 < score.killed < len(mutants)
    proven = replace(score, proofs=("it is its rule",) * len(mutants))
    assert proven.survivors == ()
    assert len(proven.equivalent) == len(mutants) - score.killed
    assert sum(killed for killed, _ in proven.by_kind().values()) == score.killed
    assert sum(of for _, of in proven.by_kind().values()) == score.killed
    assert proven.share == 1.0


def test_a_rule_that_reads_alerts_is_not_evaluated_by_itself():
    """Whatever it calls them."""
    for expr, alone in (("up == 0", True), ('ALERTS{a="b"}', False), ('{__name__=~"A.*"}', False)):
        assert is_alone(AlertRule("A", expr, 0.0, 0.0, (), (), Place("a.yaml", 1, 1))) == alone


def test_the_score_counts_each_mutant_once_and_is_a_document(judged):
    """Killed in two scenarios, in none, or not judged at all; by the published schema."""
    mutants, outcome = judged
    twice = replace(outcome, name="again")
    unjudged = replace(outcome, name="odd", invalid=("no engine",))
    score = score_of(mutants, [outcome, twice, unjudged])
    assert score.killed == len(outcome.killed)
    assert score.killed + len(score.survivors) == len(mutants)
    assert sum(of for _, of in score.by_kind().values()) == len(mutants)
    assert score.unjudged == (("odd", "no engine"),)
    document = score_document(score)
    validate(document, json.loads(SCHEMA.read_text()))
    assert document["mutants"][min(outcome.killed)]["killed_by"] == ["written", "again"]
    *_, last = score_lines(score)
    assert last.startswith(f"SCORE: {score.share:.1%}: {score.killed} of {len(mutants)} mutants")
    assert isinstance(outcome, MutatedScenario)
    assert score_of((), []).share == 1.0
