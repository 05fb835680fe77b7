"""The sentence of every kind of problem: the one place where a mistake becomes text.

Called when a mistake is printed or sent. Nothing reads these sentences back; who needs to know what
is wrong reads the problem itself.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, assert_never

from documents.mistake_kinds import (
    BrokenRule,
    DuplicateKey,
    InvalidSyntax,
    MissingKey,
    RefusedKey,
    Remark,
    RepeatedName,
    Shown,
    UnknownKey,
    UnknownName,
    UnknownWord,
    UnreadableFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documents.mistake_kinds import Problem

NEAR_ENOUGH = 0.6
"""difflib's own similarity from which a word is offered: two letters swapped in a short word."""

CHOICES_LISTED_MAX = 6
"""More choices than these are counted, not listed, when one of them is near."""

VALUE_LETTERS_MAX = 60


def write_sentence(problem: Problem) -> str:  # noqa: C901 - one case for each kind
    """Return the sentence of a problem, without a full stop and without its place."""
    match problem:
        case BrokenRule(field, rule, value):
            words = show(value)
            sentence = f"{field} must {rule}{f', got {words}' if words else ''}"
        case UnknownWord(field, value, choices):
            sentence = _unknown_word(field, value, choices)
        case UnknownKey(key, known):
            keys = f", the keys are {', '.join(known)}" if known else ", there are no keys here"
            sentence = f"unknown key {key!r}{did_you_mean(key, known) or keys}"
        case RefusedKey(subject, keys, key, usable):
            but = f" but {', '.join(usable)}" if usable else ""
            sentence = f"{subject} takes no {keys}{but}, got {key}"
        case MissingKey(key, holder, hint):
            where = f" in {holder}" if holder else ""
            sentence = f"the key {key!r} is missing{where}{hint}"
        case DuplicateKey(key, first_line):
            sentence = f"duplicate key {key!r}, first given in line {first_line}"
        case UnknownName(kind, name, known, hint):
            names = f", the names are {', '.join(known)}" if known else ", none is defined"
            sentence = f"no {kind} is called {name!r}{did_you_mean(name, known) or hint or names}"
        case RepeatedName(kind, name):
            sentence = f"the {kind} {name!r} is given twice"
        case InvalidSyntax(subject, language, detail):
            sentence = f"{subject} is not {language}: {detail}"
        case UnreadableFile(reason, subject):
            sentence = f"{subject}: {reason}" if subject else reason
        case Remark():
            sentence = problem.sentence
        case _:
            assert_never(problem)
    return sentence


def show(value: object) -> str:
    """Return a value in the words of a YAML file: text in quotes, `true`, `nothing`, `a list`."""
    if isinstance(value, Shown):
        return value.words
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= VALUE_LETTERS_MAX else f"{text[: VALUE_LETTERS_MAX - 3]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the nearest known word, or nothing when none is near."""
    choices = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), list(choices), n=1, cutoff=NEAR_ENOUGH)
    return f", did you mean {choices[near[0]]!r}?" if near else ""


def list_choices(choices: Iterable[str]) -> str:
    """Return `'a', 'b' or 'c'`."""
    *others, last = map(repr, choices)
    return f"{', '.join(others)} or {last}" if others else last


def _unknown_word(field: str, value: object, choices: tuple[str, ...]) -> str:
    near = did_you_mean(value, choices) if isinstance(value, str) else ""
    rule = list_choices(choices)
    if near and len(choices) > CHOICES_LISTED_MAX:
        rule = f"one of {len(choices)} known words"
    return f"{field} must be {rule}, got {show(value)}{near}"
