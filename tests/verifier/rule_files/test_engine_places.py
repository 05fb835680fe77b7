"""The place of every form of what an engine says of a rule file, without an engine."""

from __future__ import annotations

import pytest

from documents.mistakes import Place
from documents.yaml_reader import parse
from verifier.pack.rule_sources import RuleUnit
from verifier.rule_files.engine_words import Refusal, refusals

TEXT = """\
# a remark
groups:
- name: first
  rules: 5
- name: first
  rules:
  -
  - record: r
    expr: up
    labels: {team: x}
  -
  - {alert: A, expr: up, labels: {team: y}, annotations: {note: z}}
- name: "q\\"\\x01"
  rules: [{alert: B, expr: up}]
"""
FIRST, SECOND, QUOTED = (
    ("groups", 1, "rules", 1), ("groups", 1, "rules", 3), ("groups", 2, "rules", 0),
)  # fmt: skip


def unit(steps=()):
    """Return the rules as a unit of its own, or as one that stands in a larger document."""
    text = TEXT if not steps else "spec:\n" + "".join(f"  {x}\n" for x in TEXT.splitlines())
    document = parse(text, "r.yml")
    data = document.data["spec"] if steps else document.data
    return RuleUnit(document, steps, data)


def said(words, *, as_it_stands=True, steps=()):
    """Return what is made of one thing that an engine said."""
    (refusal,) = refusals(unit(steps), [words], as_it_stands=as_it_stands)
    return refusal


@pytest.mark.parametrize(
    ("rule", "words", "place", "about"),
    [
        (1, 'label "team": it is wrong', (10, 20), FIRST),
        (2, 'label "team": it is wrong', (12, 41), SECOND),
        (2, 'annotation "note": it is wrong', (12, 65), SECOND),
        (2, 'annotation "none": it is wrong', (12, 58), SECOND),
        (1, "invalid label name: team", (10, 14), FIRST),
        (2, "invalid annotation name: note", (12, 59), SECOND),
        (1, "invalid recording rule name: r", (8, 13), FIRST),
        (1, "could not parse expression: 1:2: no", (9, 11), FIRST),
        (2, "invalid field 'alert' in rule", (12, 13), SECOND),
        (1, "field 'expr' must be set", (9, 11), FIRST),
        (1, "something else", (8, 5), FIRST),
        (2, "something else", (12, 5), SECOND),
    ],
)
@pytest.mark.parametrize("before", ["", "7:3: ", "7:3: 8:4: "])
def test_what_is_said_of_a_rule_stands_at_its_field(rule, words, place, about, before):
    """Whichever line the engine names: rules are counted without entries that are nothing."""
    refusal = said(f'{before}group "first", rule {rule}, "any \\" name": {words}')
    assert refusal == Refusal(words, Place("r.yml", *place), about)


def test_a_rule_of_a_unit_within_a_document_is_found_in_it():
    """Its steps begin with those of the unit."""
    refusal = said('group "first", rule 1, "r": could not parse expression: x', steps=("spec",))
    assert refusal.rule == ("spec", *FIRST)
    assert refusal.place == Place("r.yml", 10, 13)


def test_names_are_read_as_the_engine_quotes_them():
    """As Go does, which writes some letters otherwise than JSON."""
    assert said(r'group "q\"\u0001", rule 1, "B": x').rule == QUOTED
    rough = parse("groups: [{name: '\\x01', rules: [{alert: A, expr: up}]}]\n", "r.yml")
    (refusal,) = refusals(
        RuleUnit(rough, (), rough.data), [r'group "\x01", rule 1, "A": x'], as_it_stands=True
    )
    assert (refusal.words, refusal.rule) == ("x", ("groups", 0, "rules", 0))


@pytest.mark.parametrize(
    ("words", "kept", "place", "has_line"),
    [
        ("yaml: line 5: it is wrong", "it is wrong", (5, 3), True),
        ("yaml: unmarshal errors:\n  line 10: it is wrong", "it is wrong", (10, 5), True),
        ("line 7: it is wrong", "it is wrong", (7, 3), True),
        ("12:8: it is wrong", "it is wrong", (12, 5), True),
        ("12:8: 13:9: it is wrong", "it is wrong", (12, 5), True),
        ("1:1: it is wrong", "it is wrong", (1, None), True),
        ("0:0: it is wrong", "it is wrong", (2, 1), False),
        ("it is wrong", "it is wrong", (2, 1), False),
        ('group "first", rule 3, "x": wrong', 'group "first", rule 3, "x": wrong', (2, 1), False),
        ('9:3: group "none", rule 1, "x": no', 'group "none", rule 1, "x": no', (9, 5), True),
    ],
)
def test_what_is_said_of_no_rule_stands_at_its_line(words, kept, place, has_line):
    """At the first thing that stands there; without a line, at the whole."""
    assert said(words) == Refusal(kept, Place("r.yml", *place), None, has_line)


@pytest.mark.parametrize("words", ["yaml: line 5: it is wrong", "12:8: it is wrong"])
def test_a_line_of_what_the_engine_did_not_read_as_it_stands_is_left_out(words):
    """It counts those of another text: the unit stands for it."""
    refusal = said(words, as_it_stands=False, steps=("spec",))
    assert refusal == Refusal("it is wrong", Place("r.yml", 3, 3))


def test_each_line_of_several_mistakes_is_one_of_its_own():
    """A mistake of several lines stays whole; what is said of a rule too."""
    words = "yaml: unmarshal errors:\n  line 3: first\n  more of it\n  line 9: second"
    of_rule = 'group "first", rule 1, "r": x\n  line 3: y'
    made = list(refusals(unit(), [words, of_rule], as_it_stands=True))
    assert [(each.words, each.place.line) for each in made] == [
        ("first\n  more of it", 3), ("second", 9), ("x\n  line 3: y", 8),
    ]  # fmt: skip


def test_a_refusal_says_which_version_refuses():
    """In one sentence, at its place."""
    mistake = Refusal("no", Place("r.yml", 3, 4)).mistake("3.5.0")
    assert str(mistake) == "r.yml:3:4: Prometheus 3.5.0 refuses this: no"
