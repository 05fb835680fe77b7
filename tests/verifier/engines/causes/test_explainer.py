"""Of the traits that differ the fewest are named, of rules those that an alert may be of."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.verifier.alerts import recording, rule_files
from verifier.changes.timelines import AlertChange
from verifier.engines.causes import explaining
from verifier.engines.causes.explaining import (
    ActingTrait,
    AlertExplanation,
    DifferenceReason,
    _Explainer,
    _is_same,
    traits_of,
)
from verifier.engines.causes.traits import (
    KNOWN,
    PROMETHEUS_2,
    PROMETHEUS_3,
    VICTORIA_METRICS,
    Trait,
)
from verifier.pack.rules import RuleFiles

FIRST, SECOND, THIRD, FOURTH = [*Trait][:4]
RECORDED = Trait.RECORDED


@pytest.mark.parametrize(
    ("own", "other", "is_recorded", "enough", "fewest"),
    [
        ({FIRST}, {SECOND, THIRD}, False, [{SECOND}], (SECOND,)),
        ({FIRST}, {SECOND, THIRD}, False, [{FIRST}], (FIRST,)),
        ({FIRST}, {SECOND, THIRD}, False, [{THIRD}, {FIRST, SECOND}], (THIRD,)),
        ({FIRST}, {SECOND, THIRD}, False, [{SECOND, THIRD}, {FIRST, THIRD}], (FIRST, THIRD)),
        ({FIRST}, {SECOND, THIRD}, False, [], (FIRST, SECOND, THIRD)),
        ({FIRST, FOURTH}, {SECOND, FOURTH}, False, [{SECOND}], (SECOND,)),
        ({FIRST, FOURTH}, {SECOND, FOURTH}, False, [], (FIRST, SECOND)),
        ({FIRST}, {FIRST, SECOND}, True, [{RECORDED}], (RECORDED,)),
        ({FIRST}, {FIRST, SECOND}, True, [{SECOND}, {RECORDED}], (SECOND,)),
        ({FIRST}, {FIRST, SECOND}, True, [], (SECOND, RECORDED)),
        ({FIRST}, {FIRST}, True, [], (RECORDED,)),
        (set(), {FIRST, SECOND, THIRD, FOURTH}, False, [{FIRST, THIRD, FOURTH}],
         (FIRST, THIRD, FOURTH)),
    ],
)  # fmt: skip
def test_the_fewest_traits_with_which_a_value_comes_out_are_named(
    own, other, is_recorded, enough, fewest
):
    """The first of several as few, in the order in which traits are listed; else all."""
    explainer = _Explainer(None, None)

    def comes_out(_value, engine, traits, held_by):
        assert engine == 1
        changed = {*(traits ^ frozenset(own))} | ({RECORDED} if held_by else set())
        return changed in enough

    explainer._comes_out = comes_out
    assert (
        explainer._fewest(None, frozenset(own), frozenset(other), is_recorded=is_recorded) == fewest
    )


REASON = DifferenceReason((60.0,), None, (1.0, 2.0), (ActingTrait(FIRST, 0),))
SAME = "its condition has the same values in both"


@pytest.mark.parametrize(
    ("labels", "of_rules", "said"),
    [
        ({"sev": "a"}, [[REASON], [], [REASON]], [""]),
        ({"sev": "a", "x": "y"}, [[REASON, REASON], [], []], ["", ""]),
        ({"sev": "b"}, [[REASON], [], []], [SAME]),
        ({}, [[REASON], [REASON], []], [SAME]),
        ({"sev": "b"}, [[], ValueError("no"), []], ["a part of it cannot be asked for: no"]),
    ],
)
def test_an_alert_is_explained_by_every_rule_that_may_make_it(labels, of_rules, said):
    """By its name and its own labels; where none of them differs, that is said once."""
    (group,) = rule_files("High").groups
    (plain,) = group.rules
    rules = (
        replace(plain, labels=(("sev", "a"),)),
        replace(plain, labels=(("sev", "b"), ("v", "{{ $value }}"))),
        replace(plain, alert="Other"),
    )
    files = RuleFiles((replace(group, rules=rules),))
    explainer = _Explainer(SimpleNamespace(rules=files), None)

    def of_rule(number, _):
        if isinstance(of_rules[number], Exception):
            raise of_rules[number]
        return of_rules[number]

    explainer._of_rule = of_rule
    reasons = explainer.reasons(AlertChange("High", tuple(sorted(labels.items())), ()))
    assert [each.unexplained for each in reasons] == said


def test_a_rule_without_a_difference_is_none_where_another_of_its_name_differs():
    """In either order."""
    (group,) = rule_files("High").groups
    files = RuleFiles((replace(group, rules=group.rules * 2),))
    for of_rules in ([[REASON], []], [[], [REASON]]):
        explainer = _Explainer(SimpleNamespace(rules=files), None)
        explainer._of_rule = lambda number, _, own=of_rules: own[number]
        assert list(explainer.reasons(AlertChange("High", (), ()))) == [REASON]


def test_what_is_recorded_otherwise_is_explained_by_the_rules_that_record_it(monkeypatch):
    """Of that name alone, each cause once; what is not known of one of them is said of all."""
    (group,) = rule_files("High").groups
    rules = (recording("a", "x"), recording("b", "y"), recording("a", "z"))
    files = RuleFiles((replace(group, rules=rules),))
    causes = {"x": ((ActingTrait(FIRST, 0),), ""), "y": ((), "nobody knows"),
              "z": ((ActingTrait(FIRST, 0), ActingTrait(SECOND, 1)), "")}  # fmt: skip
    monkeypatch.setattr(
        explaining,
        "RuleInBoth",
        lambda _servers, _group, rule, _schedule: SimpleNamespace(
            differing_values=lambda most: [rule.expr] * most
        ),
    )
    explainer = _Explainer(SimpleNamespace(rules=files, servers=None, schedule=None), None)
    explainer._causes = causes.__getitem__
    both = (ActingTrait(FIRST, 0), ActingTrait(SECOND, 1))
    own = (ActingTrait(RECORDED, 1),)
    assert explainer._with_recorded(own, ("a",)) == ((*own, *both), "")
    assert explainer._with_recorded(own, ("a", "b")) == ((), "b differs: nobody knows")
    assert explainer._with_recorded(both, ("b",)) == (both, "")


@pytest.mark.parametrize(
    ("reckoned", "answer", "other", "is_same"),
    [
        (1.0, 1.0, 2.0, True), (None, None, 2.0, True), (None, 1.0, 2.0, False),
        (1.0, None, 2.0, False), (float("nan"), 1.0, 2.0, False),
        (1.0, float("nan"), 2.0, False), (float("nan"), float("nan"), 2.0, True),
        (1.5, 1.0, 2.0, False), (2.0, 1.0, 2.0, False), (1.1, 1.0, None, False),
        # Far apart, each is known as nearly as its own last digits.
        (5e-7, 0.0, 1e6, True), (5e-6, 0.0, 1e6, False),
    ],
)  # fmt: skip
def test_a_value_comes_out_where_it_is_told_from_the_other_engines(
    reckoned, answer, other, is_same
):
    """Which may have none."""
    assert _is_same(reckoned, answer, other) is is_same


@pytest.mark.parametrize(
    ("name", "version", "traits"),
    [
        ("victoria-metrics", "1.93", (VICTORIA_METRICS,)),
        ("prometheus", "2.42.0", (PROMETHEUS_2, PROMETHEUS_2 | {Trait.LATE_ZERO})),
        ("prometheus", "3.5.0", (PROMETHEUS_3, PROMETHEUS_3 - {Trait.LATE_ZERO})),
        ("prometheus", "unknown", (PROMETHEUS_3, PROMETHEUS_3 - {Trait.LATE_ZERO})),
        ("http://a", "2.42.0", KNOWN),
    ],
)
def test_what_an_engine_may_be_follows_from_its_name_and_version(name, version, traits):
    """The likeliest first; at a URL it may be any."""
    assert traits_of(name, version) == traits


def test_an_alert_is_explained_where_a_cause_is_known_of_every_evaluation():
    """And there is one at all."""
    unknown = replace(REASON, unexplained="why")
    for reasons, is_explained in (
        ((), False), ((REASON,), True), ((unknown,), False), ((REASON, unknown), False),
    ):  # fmt: skip
        assert AlertExplanation("High", (), reasons).is_explained is is_explained
