"""Mistakes are values with a place; an error carries them, a person is shown one line for each."""

from __future__ import annotations

import pickle

import pytest

from documents.mistake_kinds import BrokenRule, Remark, UnknownKey
from documents.mistakes import MISTAKES_MAX, InputError, Mistake, Place, gather

PLACE = Place("f.yaml", 3, 7)
WRONG = BrokenRule("seed", "be at least 0", -1)


def test_a_mistake_says_where_what_and_which_rule():
    """Whoever wants to know reads its parts, never its line."""
    (mistake,) = PLACE.error(WRONG).mistakes
    assert (mistake.problem, mistake.place) == (WRONG, PLACE)
    assert str(mistake) == "f.yaml:3:7: seed must be at least 0, got -1"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (Place("f.yaml", 3, 7), "f.yaml:3:7: wrong"),
        (Place("f.yaml"), "f.yaml: wrong"),
        (None, "wrong"),
    ],
)
def test_the_line_has_as_much_of_the_place_as_is_known(place, line):
    """A whole file has no line, an argument no file."""
    assert str(Mistake(Remark("wrong"), place)) == line


def test_a_sentence_about_an_argument_or_a_file_is_a_mistake_too():
    """The front door's own: there is nothing in it to compare."""
    assert InputError("wrong").mistakes == (Mistake(Remark("wrong")),)
    assert str(InputError("wrong", path="f.yaml")) == "f.yaml: wrong"


def test_an_error_is_one_line_for_each_mistake_and_survives_another_process():
    """Scenarios are judged in processes of their own."""
    error = InputError(PLACE.mistake(WRONG), PLACE.mistake("wrong"))
    assert str(error).splitlines() == [
        "f.yaml:3:7: seed must be at least 0, got -1",
        "f.yaml:3:7: wrong",
    ]
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (copy.mistakes, str(copy)) == (error.mistakes, str(error))


def test_so_many_mistakes_are_shown_and_how_many_more_there_are():
    """Of one file with its name; thirty are shown, and none is counted for nothing."""
    error = InputError(*(Place("f.yaml", n).mistake("wrong") for n in range(1, 33)))
    assert str(error).splitlines()[29:] == ["f.yaml:30: wrong", "f.yaml: and 2 mistakes more"]
    error = InputError(*(Place("f.yaml", n).mistake("wrong") for n in range(1, 32)))
    assert str(error).splitlines()[30:] == ["f.yaml: and 1 mistake more"]
    error = InputError(*(Place("f.yaml", n).mistake("wrong") for n in range(1, 31)))
    assert str(error).count("more") == 0


def test_a_walk_that_may_not_have_noted_all_says_many():
    """From as many on as a walk notes."""
    some = [Place("f.yaml", n).mistake("wrong") for n in range(1, MISTAKES_MAX + 1)]
    assert str(InputError(*some)).endswith("and many mistakes more")
    assert str(InputError(*some[1:])).endswith(f"and {MISTAKES_MAX - 31} mistakes more")


def test_the_files_of_what_is_not_shown_are_named_up_to_a_number():
    """Those of what is shown stand there already."""
    shown = [Place("a", n).mistake("wrong") for n in range(30)]
    rest = [Place(f"f{n}").mistake("wrong") for n in range(31)]
    lines = str(InputError(*shown, *rest)).splitlines()[30:]
    files = [f"f{n}" for n in range(30)]
    assert lines == ["and 31 mistakes more, in:", *files, "and 1 file more"]
    lines = str(InputError(*shown, *rest[:30])).splitlines()[30:]
    assert lines == ["and 30 mistakes more, in:", *files]
    lines = str(InputError(*shown, *rest[:2])).splitlines()[30:]
    assert lines == ["and 2 mistakes more, in:", "f0", "f1"]


def test_arguments_come_before_files_and_columns_count():
    """A person reads what was typed first, and each line from left to right."""
    late, early = Place("f", 1, 10).mistake("a"), Place("f", 1, 9).mistake("b")
    assert gather([late, Mistake(Remark("z")), early]).mistakes == (
        Mistake(Remark("z")), early, late,
    )  # fmt: skip


def test_places_can_be_left_out():
    """For a document that was sent and has no name."""
    error = InputError(PLACE.mistake(WRONG), PLACE.mistake("wrong")).without_places()
    assert str(error) == "seed must be at least 0, got -1\nwrong"
    twice = InputError(PLACE.mistake("wrong"), Place("f.yaml", 4).mistake("wrong"))
    assert twice.without_places().mistakes == (Mistake(Remark("wrong")),)


def test_mistakes_are_gathered_in_the_order_of_the_file():
    """Whatever the order of the checks, a person reads them from top to bottom, each once."""
    late = Place("f.yaml", 10, 1).error("late")
    early = Place("f.yaml", 9, 30).error("early")
    assert str(gather([late, early])) == "f.yaml:9:30: early\nf.yaml:10:1: late"
    assert str(gather([gather([late, early]), early])).count("\n") == 1


def test_mistakes_at_one_place_are_in_the_order_of_their_sentences():
    """So that the same file gives the same lines, in whatever order they were noted."""
    keys = [PLACE.mistake(UnknownKey(key, ("seed",))) for key in ("sedd", "b", "a")]
    assert gather(keys).mistakes == gather(reversed(keys)).mistakes == tuple(sorted(keys, key=str))


def test_a_wrong_value_that_has_no_hash_is_gathered_all_the_same():
    """A mapping where a number is expected."""
    mistakes = [PLACE.mistake(BrokenRule("seed", "be a whole number", {"a": []})) for _ in "ab"]
    assert str(gather(mistakes)) == "f.yaml:3:7: seed must be a whole number, got a mapping"
