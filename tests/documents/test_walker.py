"""A configuration document is walked to its end: what is wrong is noted and reads as left out."""

from __future__ import annotations

import pytest

from documents.mistake_kinds import BrokenRule, Remark
from documents.mistakes import MISTAKES_MAX, InputError, Mistake
from documents.walker import Walker, dotted
from documents.yaml_reader import parse

TEXT = """\
groups:
  - name: a
    intervall: 30s
rules: 7
title: ""
count: 3
"""


@pytest.fixture
def walker():
    """Return a walk over a document with a mistake of each sort."""
    return Walker(parse(TEXT, "f.yaml"))


def lines(walker):
    """Return the mistakes that were noted."""
    return [str(mistake) for mistake in walker.mistakes]


def test_an_unknown_key_is_noted_at_the_key_and_the_others_are_read(walker):
    """The walk goes on beside it."""
    raw = walker.document.data["groups"][0]
    assert walker.mapping(raw, ("groups", 0), ("name", "interval"))["name"] == "a"
    assert lines(walker) == ["f.yaml:3:5: unknown key 'intervall', did you mean 'interval'?"]


def test_a_mapping_without_known_keys_has_any_or_none(walker):
    """None of them known is another thing than any."""
    raw = walker.document.data["groups"][0]
    assert walker.mapping(raw, ("groups", 0)) == raw
    assert lines(walker) == []
    assert walker.mapping(raw, ("groups", 0), ()) == raw
    assert lines(walker) == [
        "f.yaml:2:5: unknown key 'name', there are no keys here",
        "f.yaml:3:5: unknown key 'intervall', there are no keys here",
    ]


def test_what_has_the_wrong_shape_reads_as_left_out(walker):
    """Its path stands in the sentence, its line before it."""
    assert walker.sequence(walker.document.data["rules"], ("rules",)) == ()
    assert walker.mapping(walker.document.data["groups"], ("groups",)) == {}
    assert lines(walker) == [
        "f.yaml:4:8: rules must be a list, got 7",
        "f.yaml:2:3: groups must be a mapping, got a list",
    ]


def test_what_is_left_out_is_no_mistake(walker):
    """Whether it may be is for its reader to decide."""
    assert walker.mapping(None, ("nothing",), ("name",)) == {}
    assert walker.sequence(None, ("nothing",)) == ()
    walker.raise_mistakes()


@pytest.mark.parametrize("wrong", [0, False, ""])
def test_what_counts_as_nothing_elsewhere_has_the_wrong_shape_all_the_same(walker, wrong):
    """Only what is left out may be left out."""
    assert (walker.mapping(wrong, ("x",)), walker.sequence(wrong, ("x",))) == ({}, ())
    assert len(walker.mistakes) == 2


def test_a_walk_notes_so_many_mistakes_and_no_more(walker):
    """Whoever has more mends these first."""
    for number in range(MISTAKES_MAX + 5):
        walker.reject(f"wrong {number}", ("count",))
    assert len(walker.mistakes) == MISTAKES_MAX == 200


def test_a_text_must_be_there_and_not_empty(walker):
    """Unless it may be empty; a number is no text."""
    top = walker.document.data
    assert [walker.text(top, key, ()) for key in ("title", "count", "none")] == ["", "", ""]
    assert lines(walker) == [
        "f.yaml:5:8: title must be text that is not empty, got ''",
        "f.yaml:6:8: count must be text that is not empty, got 3",
        "f.yaml:1:1: none must be text that is not empty, got nothing",
    ]
    walker.mistakes.clear()
    assert walker.text(top, "title", (), empty=True) == ""
    assert lines(walker) == []
    assert walker.text(top, "count", (), empty=True) == ""
    assert walker.text({"title": " "}, "title", ()) == ""
    assert lines(walker) == [
        "f.yaml:6:8: count must be text, got 3",
        "f.yaml:5:8: title must be text that is not empty, got ' '",
    ]


def test_a_refusal_without_a_place_is_given_one(walker):
    """A parser of values knows no file."""

    def refuse():
        raise InputError(Mistake(BrokenRule("count", "be even", 3)), "and small")

    assert walker.attempt(refuse, ("count",)) is None
    assert walker.attempt(lambda: 4, ("count",)) == 4
    assert [mistake.problem for mistake in walker.mistakes] == [
        BrokenRule("count", "be even", 3),
        Remark("and small"),
    ]
    with pytest.raises(InputError, match=r"^f.yaml:6:8: and small\nf.yaml:6:8: count must be even"):
        walker.raise_mistakes()


@pytest.mark.parametrize(
    ("steps", "text"),
    [((), "the file"), (("a",), "a"), (("load", "stages", 0, "target"), "load.stages[0].target")],
)
def test_steps_are_written_with_dots_and_indices(steps, text):
    """As in jq."""
    assert dotted(steps) == text


def test_a_walk_is_finished_with_its_result_or_all_its_mistakes(walker):
    """A result beside a mistake is not handed on."""
    assert walker.finish("result") == "result"
    walker.reject("wrong", ("count",))
    walker.reject("wrong as well", ("title",))
    with pytest.raises(InputError, match=r"^f.yaml:5:8: wrong as well\nf.yaml:6:8: wrong$"):
        walker.finish("result")
