"""Which mutants a scenario kills, from timelines that were made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import recording, rule_files
from tests.verifier.outcomes import alert
from tests.verifier.simulations import scenario_of
from verifier.evaluation.timeline import Episode, Timeline
from verifier.mutation import killing
from verifier.mutation.killing import MutationJudge
from verifier.mutation.mutants import Mutant
from verifier.pack.rules import RuleFiles, RuleGroup

SCENARIO = scenario_of(
    "duration: 20m\n"
    "faults:\n"
    "- {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}\n"
    "expectations:\n"
    "- {alert: Low, cause: gone, fires_within: 2m, resolves_within: 2m}\n"
    "- {alert: High, silent: true}\n"
)


def rule(name, line):
    """Return a rule at a line of its own."""
    return replace(rule_files(name).groups[0].rules[0], position=Place("a.yaml", line, 1))


LOW, TWIN, HIGH, FREE = rule("Low", 1), rule("Low", 2), rule("High", 3), rule("Free", 4)
RULES = RuleFiles((RuleGroup("g", "a.yaml", 30.0, (LOW, TWIN, HIGH, FREE)),))
(GROUP,) = RULES.groups
FIRES, LATE = Episode(70.0, 100.0, 270.0), Episode(70.0, 300.0, 330.0)
PLAIN = {1: FIRES}
"""What the rules do without any edit, by their lines."""


def timelines(each, episode):
    """Return what a rule does in one episode, or that it does nothing."""
    labels = (("line", str(each.position.line)),)
    return () if episode is None else (Timeline(each.alert, labels, (episode,)),)


def killed(monkeypatch, mutants, edited, copied=(), failing=()):
    """Return the killed of some mutants; `edited` says what each of their rules does."""
    answers = iter(edited)

    def evaluated(_server, pairs, _schedule):
        pairs = tuple(pairs)
        if pairs == RULES.alerts:
            return [timelines(each, PLAIN.get(each.position.line)) for _, each in pairs]
        return [timelines(each, next(answers)) for _, each in pairs]

    monkeypatch.setattr(killing, "evaluate_alerts", evaluated)
    monkeypatch.setattr(killing, "evaluate_copies", lambda *_: list(copied))
    verdicts = [alert(name, ok=name not in failing) for name in ("Low", "High", "Free")]
    return MutationJudge(RULES, tuple(mutants))._killed(SCENARIO, verdicts, None, None)


def mutant(*rules, **others):
    """Return a mutant of these rules."""
    return Mutant("for", "1m", "2m", GROUP, rules, **others)


@pytest.mark.parametrize(
    ("edited", "episode", "is_killed"),
    [
        (LOW, FIRES, False), (LOW, None, True), (LOW, LATE, True),
        (TWIN, None, False), (TWIN, Episode(400.0, 430.0, 460.0), True),
        (HIGH, None, False), (HIGH, FIRES, True),
        (FREE, None, False), (FREE, FIRES, True),
    ],
)  # fmt: skip
def test_a_mutant_is_killed_where_an_expectation_of_its_alert_no_longer_holds(
    monkeypatch, edited, episode, is_killed
):
    """Beside what other rules of its name do; whatever is not expected must stay silent."""
    assert killed(monkeypatch, [mutant(edited)], [episode]) == {0: set(), 1: {0}}[is_killed]


def test_of_a_group_any_of_its_rules_kills_and_none_by_an_alert_that_fails_anyway(monkeypatch):
    """Mutants are numbered in their order."""
    group = mutant(LOW, HIGH)
    mutants = [mutant(HIGH), group, mutant(LOW)]
    assert killed(monkeypatch, mutants, [None, FIRES, FIRES, None]) == {1, 2}
    assert killed(monkeypatch, mutants, [FIRES, FIRES, None, FIRES]) == {0}
    assert killed(monkeypatch, mutants, [FIRES, FIRES, FIRES, None], failing=("High",)) == {2}


def copied_mutant():
    """Return a mutant of a recording that an alert of each of two names reads."""
    record = replace(recording("r", "up"), position=Place("a.yaml", 9, 1))
    copy = RuleGroup("g", "a.yaml", 30.0, (record, LOW, HIGH))
    return mutant(record, copies=(copy,))


@pytest.mark.parametrize(
    ("low", "high", "failing", "is_killed"),
    [
        (FIRES, None, (), False), (None, None, (), True), (FIRES, FIRES, (), True),
        (None, None, ("Low",), False), (None, FIRES, ("Low",), True),
        (None, FIRES, ("Low", "High"), False),
    ],
)  # fmt: skip
def test_a_recording_kills_by_the_alerts_that_its_copies_reach(
    monkeypatch, low, high, failing, is_killed
):
    """Of those that pass without the edit; the numbers are those of all mutants."""
    copies = [[*timelines(LOW, low), *timelines(HIGH, high), *timelines(FREE, FIRES)]]
    dead = killed(monkeypatch, [mutant(FREE), copied_mutant()], [None], copies, failing)
    assert dead == ({1} if is_killed else set())
