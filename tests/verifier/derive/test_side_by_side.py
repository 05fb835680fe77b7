"""Several alerts solved at once: which tests each has, what is missing, what promtool is sent."""

from __future__ import annotations

import operator
from dataclasses import replace

import pytest

from tests.verifier.alerts import recording, rule_files
from tests.verifier.derive.test_timelines import samples
from verifier.derive import promtool, solving
from verifier.derive.problem import STEPS_MAX
from verifier.derive.solving import Solution, recorded, solve_alerts
from verifier.errors import JudgeError
from verifier.pack.rules import RuleFiles, RuleGroup

SIGNS = {">": operator.gt, "<": operator.lt, ">=": operator.ge}


def rules_of(*alerts):
    """Return rules, evaluated every minute; each alert as its expression and its `for`."""
    plain = rule_files().groups[0].rules[0]
    rules = tuple(
        replace(plain, alert=f"A{n}", expr=expr, for_s=for_s)
        for n, (expr, for_s) in enumerate(alerts)
    )
    return RuleFiles((RuleGroup("g", "rules.yaml", 60.0, rules),))


def holds(expr, values):
    """Return whether any of some comparisons of a metric with a number holds."""
    for part in expr.split(" or "):
        name, sign, limit = part.split()
        value = values.get(name)
        if value is not None and SIGNS[sign](value, float(limit)):
            return True
    return False


def engine(monkeypatch, changed=holds):
    """Answer in place of promtool; return what it was asked, round by round."""
    rounds = []

    def ask(questions, rules, evaluation_s):
        rounds.append((len(questions), rules, evaluation_s))
        answers = []
        for question in questions:
            series = {each.series.split("{")[0]: samples(each.values) for each in question.series}
            replies = []
            for expr, time_s in question.asks:
                step = round(time_s / question.timing.sample_s)
                values = {name: of[step] if step < len(of) else None for name, of in series.items()}
                vector = (((), 1.0),) if changed(expr, values) else ()
                replies.append(promtool.TestAnswer(vector))
            answers.append(tuple(replies))
        return answers

    monkeypatch.setattr(solving, "ask_promtool", ask)
    return rounds


def solved(monkeypatch, rules, progress=lambda _: None, **engines):
    """Return the solutions of all alerts, and the rounds."""
    rounds = engine(monkeypatch, **engines)
    return solve_alerts(rules, [rule for _, rule in rules.alerts], progress), rounds


def kinds(solution):
    """Return the tests of a solution without the alert's name."""
    return [f"{test.kind}: {test.name.partition(' ')[2]}" for test in solution.tests]


FIRES, SILENT = "fires: fires, then resolves", "threshold: stays silent at the threshold"
SHORT, ENDS = "for: is pending, one evaluation too short to fire", "absent: when its series end"


def test_every_alert_has_its_tests_in_order_whatever_is_solved_beside_it(monkeypatch):
    """A wait has one more; each other side of an `or` has its own, but for the series that end."""
    rules = rules_of(("a > 5", 120.0), ("b > 3 or c > 1", 0.0), ("d < 9", 0.0))
    said = []
    solutions, rounds = solved(monkeypatch, rules, said.append)
    assert [each.rule.alert for each in solutions] == ["A0", "A1", "A2"]
    assert [kinds(each) for each in solutions] == [
        [FIRES, SILENT, SHORT, ENDS],
        [FIRES, SILENT, ENDS, f"{FIRES}, way 2", f"{SILENT}, way 2"],
        [FIRES, SILENT, ENDS],
    ]  # fmt: skip
    assert all(each.solved and not each.error for each in solutions)
    assert said[0] == "0 of 3 alerts done, 3 questions ..."
    assert said[-1].startswith("2 of 3 alerts done, ")
    assert len(said) == len(rounds)
    assert {(rules == {}, step_s) for _, rules, step_s in rounds} == {(True, 60.0)}


@pytest.mark.parametrize(
    ("for_s", "changed", "tests", "unsolved"),
    [
        (0.0, lambda _, values: values["a"] == 0, [FIRES, SILENT, ENDS], ()),
        (60.0, lambda _, values: values["a"] is not None, [],
         ("nothing beside its threshold keeps it silent",)),
        (0.0, lambda *_: False, [], ("no values were found with which it fires",)),
        (60.0 * STEPS_MAX + 60, holds, [],
         ("its `for` is too long to be waited for in a test",)),
    ],
)  # fmt: skip
def test_what_could_not_be_solved_is_said(monkeypatch, for_s, changed, tests, unsolved):
    """With the tests that there are."""
    (solution,), _ = solved(monkeypatch, rules_of(("a > 5", for_s)), changed=changed)
    assert (kinds(solution), solution.unsolved) == (tests, unsolved)
    assert solution.solved is not bool(unsolved)


def test_what_one_kind_of_test_lacks_is_named_and_the_others_stay(monkeypatch):
    """Of the first way in which it fires."""
    maker = solving.TestMaker

    class _Lacking(maker):
        def threshold(self, _):
            yield from ()

        def almost_long_enough(self):
            yield from ()

        def absent(self):
            yield from ()

    _Lacking.__test__ = False
    monkeypatch.setattr(solving, "TestMaker", _Lacking)
    (solution,), _ = solved(monkeypatch, rules_of(("a > 5 or b > 3", 60.0)))
    assert kinds(solution) == [FIRES, f"{FIRES}, way 2"]
    sentence = "no series were found that show it {}"
    assert solution.unsolved == tuple(
        sentence.format(what) for what in ("near its threshold", "near its `for`", "absent")
    )


def test_a_wait_of_as_many_evaluations_as_may_be_is_waited_for(monkeypatch):
    """Of half a minute each; one more is not."""
    monkeypatch.setattr(solving, "STEPS_MAX", 4)
    rules = rules_of(("a > 5", 120.0), ("a > 5", 180.0))
    solutions, _ = solved(monkeypatch, rules)
    assert [each.solved for each in solutions] == [True, False]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (JudgeError("the engine is gone"), "the engine is gone"),
        (ZeroDivisionError("planted"), "internal error: ZeroDivisionError: planted"),
    ],
)
def test_an_error_in_one_search_is_said_of_its_alert(monkeypatch, error, reason):
    """The others go on."""
    take_apart = solving.problem_leaves

    def broken(tree, recordings):
        if "odd" in str(tree):
            raise error
        return take_apart(tree, recordings)

    monkeypatch.setattr(solving, "problem_leaves", broken)
    rules = rules_of(("odd > 1", 0.0), ("a > 5", 0.0))
    (first, second), _ = solved(monkeypatch, rules)
    assert replace(first, unsolved=(), error="") == Solution(rules.alerts[0][1])
    assert len(first.unsolved) == 1
    assert first.unsolved == (first.error,)
    assert first.error.startswith(reason)
    assert second.solved


def test_rules_of_one_name_are_solved_each_with_the_other_beside_it(monkeypatch):
    """Its tests show the alerts of both."""
    rules = rules_of(("a > 5", 0.0), ("a > 9", 0.0))
    (group,) = rules.groups
    twins = tuple(
        replace(rule, alert="A", labels=(("n", str(n)),)) for n, rule in enumerate(group.rules)
    )
    solutions, _ = solved(monkeypatch, RuleFiles((replace(group, rules=twins),)))
    shown = [
        {dict(labels)["n"] for _, alerts in test.expected for labels in alerts}
        for each in solutions
        for test in each.tests
        if test.kind == "fires"
    ]
    assert shown == [{"0"}, {"0", "1"}]


def test_of_recordings_of_one_name_each_is_solved_by_its_labels(monkeypatch):
    """Not by the last of them alone."""
    rules = rules_of(('r{team="x"} > 5', 0.0), ('r{team="y"} > 5', 0.0))
    (group,) = rules.groups
    own = (recording("r", "a", team="x"), recording("r", "b", team="y"))
    rules = RuleFiles((replace(group, rules=(*own, *group.rules)),))
    solutions, _ = solved(
        monkeypatch, rules, changed=lambda _, values: (next(iter(values.values())) or 0) > 5
    )
    names = [each.tests[0].series[0].series.partition("{")[0] for each in solutions]
    assert names == ["a", "b"]


def test_recording_rules_alone_are_evaluated_beside_the_questions():
    """Each in its group, whose name is its own."""
    (alert,) = rule_files("A").groups[0].rules
    first, second = recording("r", "up", team="x"), recording("s", "r * 2")
    rules = RuleFiles(tuple(
        RuleGroup("same", "rules.yaml", 30.0, each)
        for each in ((alert, first), (alert,), (second, first))
    ))  # fmt: skip
    written = {"record": "r", "expr": "up", "labels": {"team": "x"}}
    assert recorded(rules) == {
        "groups": [
            {"name": "0 same", "rules": [written]},
            {"name": "2 same", "rules": [{"record": "s", "expr": "r * 2"}, written]},
        ]
    }
    assert recorded(RuleFiles((RuleGroup("g", "rules.yaml", 30.0, (alert,)),))) == {}
