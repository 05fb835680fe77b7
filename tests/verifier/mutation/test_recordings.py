"""Recording rules are edited, too: what is killed through them is what a whole run would notice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.schemas.validation import validate
from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, scenario_of, verify
from verifier.mutation import recordings
from verifier.mutation.killing import MutationJudge
from verifier.mutation.mutants import mutants_of, unedited_recordings
from verifier.mutation.recordings import BY_PATTERN, EXPORTED, OF_STATES, UNREAD
from verifier.mutation.score import SCHEMA, score_document, score_lines, score_of
from verifier.pack.rules import RuleFiles

SCENARIO = scenario_of(
    "duration: 6m\nload: {rate: 1000}\n"
    "faults:\n"
    "- {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}\n"
    "expectations:\n"
    "- {alert: Low, labels: {team: a}, cause: gone, fires_within: 2m30s, resolves_within: 1m30s}\n"
    "- {alert: Early, cause: gone, fires_within: 2m30s, resolves_within: 1m30s}\n"
)
RULES = (
    # Reads a later rule of its own group: the result of the evaluation before.
    {"alert": "Early", "expr": "tasks:thousands < 0.9", "for": "1m"},
    {"record": "tasks:rate", "expr": "sum(rate(agentaskit_tasks_processed_total[30s]))",
     "labels": {"team": "a", "note": "x"}},
    {"record": "tasks:rate", "expr": "vector(1000)", "labels": {"team": "b"}},
    {"record": "tasks:thousands", "expr": 'tasks:rate{team="a"} / 1000'},
    {"alert": "Low", "expr": "tasks:rate < 900", "for": "1m"},
    {"alert": "High", "expr": "sum(agentaskit_active_agents) > 5000"},
    {"record": "unread", "expr": "up"},
)  # fmt: skip


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return rules with recordings of recordings, two of one name, and one that nobody reads."""
    return rules(tmp_path_factory.mktemp("rules"), *RULES, interval="30s")


@pytest.fixture(scope="module")
def judged(read):
    """Return the mutants of the recordings by their number, and the scenario with the killed."""
    mutants = mutants_of(read)
    outcome = MutationJudge(read, mutants)(HEALTHY, SCENARIO, lambda _: None)
    return {n: mutant for n, mutant in enumerate(mutants) if mutant.record}, outcome


def fails(read, mutant):
    """Return whether a whole run of the scenario fails with a mutant in place of its rule."""
    edited = RuleFiles(tuple(
        replace(group, rules=tuple(mutant.rule if r.position == mutant.rule.position else r
                                   for r in group.rules))
        for group in read.groups
    ))  # fmt: skip
    verdicts = verify(SCENARIO, edited).alerts
    # That a silent alert could not have fired is no kill, only that one did not that must.
    return any(not v.ok and (v.vacuous is None or v.expected == "fires") for v in verdicts)


def chosen(judged, *, by_kind=False):
    """Return a mutant of each recording and fate, or also of each kind of edit: whether killed."""
    mutants, outcome = judged
    return {
        (mutant.rule.position, mutant.kind if by_kind else "", number in outcome.killed): mutant
        for number, mutant in mutants.items()
    }


@pytest.mark.sampled(1)
@pytest.mark.parametrize("by_kind", [False, pytest.param(True, marks=pytest.mark.long)])
def test_what_is_killed_through_a_recording_fails_the_scenario_as_a_whole_run_would(
    read, judged, by_kind
):
    """In order and against it, through one recording and through two of the same name."""
    assert judged[1].verdict == "pass"
    compared = chosen(judged, by_kind=by_kind)
    if not by_kind:  # one of each fate through each name, not each recording
        names = {(mutant.record, key[-1]): key for key, mutant in compared.items()}
        compared = {key: compared[key] for key in names.values()}
    assert {dead for *_, dead in compared} == {True, False}
    assert {mutant.record for mutant in compared.values()} == {"tasks:rate", "tasks:thousands"}
    for (*_, dead), mutant in compared.items():
        assert fails(read, mutant) == dead, (mutant.subject, mutant.change)


def test_the_edit_reaches_the_alerts_or_the_comparison_with_whole_runs_would_say_so(
    read, judged, monkeypatch
):
    """Planted: readers that go on reading the rule itself, so that no edit kills anything."""
    dead = [mutant for (*_, killed), mutant in chosen(judged).items() if killed]
    renamed = recordings._renamed
    monkeypatch.setattr(
        recordings, "_renamed",
        lambda rule, names, prefix: replace(renamed(rule, names, prefix), expr=rule.expr),
    )  # fmt: skip
    planted = mutants_of(read)
    outcome = MutationJudge(read, planted)(HEALTHY, SCENARIO, lambda _: None)
    wrongly_alive = [
        mutant
        for number, mutant in enumerate(planted)
        if number not in outcome.killed and any(mutant.rules == each.rules for each in dead)
    ]
    assert wrongly_alive


def test_each_mutant_counts_once_and_says_which_recording_it_is_of(read, judged):
    """In the document by its schema, and among the survivors by name and place."""
    mutants, outcome = judged
    score = score_of(mutants_of(read), [outcome])
    score = replace(score, unedited=unedited_recordings(read))
    document = score_document(score)
    validate(document, json.loads(SCHEMA.read_text()))
    own = [each for each in document["mutants"] if each["record"]]
    assert len(own) == len(mutants)
    assert {each["alert"] for each in own} == {None}
    assert [each["record"] for each in document["not_edited"]] == ["unread"]
    lines = [*score_lines(score)]
    assert any(line.startswith("tasks:rate (") for line in lines)
    assert any(line.startswith("not edited: unread (") for line in lines)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (({"record": "r", "expr": "up"}, {"alert": "A", "expr": "up"}), UNREAD),
        (({"record": "r", "expr": "up"}, {"alert": "A", "expr": '{__name__=~"r|s"}'}), BY_PATTERN),
        (({"record": "r", "expr": "up"}, {"alert": "A", "expr": '{__name__="r"}'}), BY_PATTERN),
        (({"record": "r", "expr": "ALERTS"}, {"alert": "A", "expr": "r"}), OF_STATES),
        (({"record": "r", "expr": "up"}, {"alert": "A", "expr": "r and ALERTS"}), UNREAD),
        (({"record": "up", "expr": "x"}, {"alert": "A", "expr": "up"}), EXPORTED),
        (({"record": "r", "expr": "sum(up)"}, {"alert": "A", "expr": "r"}), None),
    ],
)
def test_a_recording_that_cannot_be_edited_by_itself_is_named_with_why(tmp_path, written, reason):
    """Never left out in silence."""
    read = rules(tmp_path, *written)
    assert [why for _, why in unedited_recordings(read, (), ["up"])] == [reason] * bool(reason)
    assert any(mutant.record for mutant in mutants_of(read, (), ["up"])) == (reason is None)


def test_only_recordings_of_the_alerts_that_are_edited_are(read):
    """Of the others it is said that no alert that is edited reads them."""
    assert not any(mutant.record for mutant in mutants_of(read, ["High"]))
    assert {why for _, why in unedited_recordings(read, ["High"])} == {UNREAD}
    low = {mutant.record for mutant in mutants_of(read, ["Low"])}
    assert low == {"tasks:rate", None}
