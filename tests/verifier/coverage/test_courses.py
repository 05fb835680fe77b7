"""What the alerts of each rule did: of rules of one name, by the labels that they set."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from documents.mistakes import Place
from tests.verifier.alerts import rule_files
from verifier.coverage.observing import _courses
from verifier.evaluation.timeline import Episode, Timeline
from verifier.pack.rules import RuleFiles

FIRED = (Episode(60.0, 120.0, 300.0),)


def courses(rules, timelines, answers=None):
    """Return the courses of rules, where a server answers each expression with its series."""
    asked = []

    def over(expr, span):
        asked.append((expr, span))
        return SimpleNamespace(
            series=[SimpleNamespace(labels=labels) for labels in (answers or {}).get(expr, ())]
        )

    run = SimpleNamespace(
        rules=rules, stock=SimpleNamespace(over=over), span=lambda group, rule: (group, rule)
    )
    return list(_courses(run, timelines)), asked


def rules_of(*labels, expr="x < 5"):
    """Return rules of the same name, each with labels of its own."""
    (group,) = rule_files("A", expr=expr).groups
    own = [
        replace(group.rules[0], labels=each, position=Place("r.yaml", number, 1))
        for number, each in enumerate(labels, 1)
    ]
    return RuleFiles((replace(group, rules=tuple(own)),))


def line(alert="A", **labels):
    """Return a timeline."""
    return Timeline(alert, tuple(sorted(labels.items())), FIRED)


def test_of_three_rules_of_one_name_each_has_the_timelines_with_its_labels():
    """A template fits any text; all others of that name are others."""
    page, ticket, made, foreign = (
        line(severity="page", pool="x"),
        line(severity="ticket", pool="x"),
        line(severity="info", team="t"),
        line("B", severity="page"),
    )
    rules = rules_of(
        (("severity", "page"),),
        (("severity", "ticket"),),
        (("severity", "{{ $value }}"), ("team", "t")),
    )
    every, _ = courses(rules, [page, ticket, made, foreign])
    assert [each.number for each in every] == [0, 1, 2]
    assert [each.rule.position.line for each in every] == [1, 2, 3]
    assert [each.own for each in every] == [(page,), (ticket,), (made,)]
    assert [each.others for each in every] == [(ticket, made), (page, made), (page, ticket)]


def test_the_only_rule_of_its_name_has_every_timeline_of_that_name():
    """Whatever labels it carries."""
    own, foreign = line(severity="other"), line("B")
    ([course], _) = courses(rules_of((("severity", "page"),)), [own, foreign])
    assert (course.own, course.others) == ((own,), ())


def test_an_alert_can_carry_the_labels_of_what_is_compared_and_those_of_its_rule():
    """Each set once, the rule's before those of a series; its own alone where nothing is there."""
    rules = rules_of((("severity", "page"), ("made", "{{ $value }}")))
    stored = [
        {"__name__": "x", "pool": "b", "severity": "of the series"},
        {"__name__": "y", "pool": "b"},
        {"pool": "a"},
    ]
    ([course], asked) = courses(rules, [], {"x": stored})
    assert course.label_sets == (
        (("pool", "b"), ("severity", "page")),
        (("pool", "a"), ("severity", "page")),
    )
    assert asked == [("x", (course.group, course.rule))]
    ([course], _) = courses(rules, [])
    assert course.label_sets == ((("severity", "page"),),)
    ([course], asked) = courses(rules_of((("severity", "page"),), expr="x <"), [])
    assert (course.label_sets, asked) == (((("severity", "page"),),), [])
