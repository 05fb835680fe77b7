"""The sentence of every kind of problem: the one place where a mistake becomes text.

Called when a mistake is printed or sent. Nothing reads these sentences back; who needs to know what
is wrong reads the problem itself.
"""

from __future__ import annotations

import re
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
    from collections.abc import Iterable, Sequence

    from documents.mistake_kinds import Problem

NEAR_ENOUGH = 0.6
"""difflib's own similarity from which a word is offered: two letters swapped in a short word."""

PART_LETTERS_MIN = 4
"""Letters of a word from which its being a part of another is no chance."""

CHOICES_LISTED_MAX = 6
"""More choices than these are counted, not listed, when one of them is near."""

VALUE_LETTERS_MAX = 60
WORD_LETTERS_MAX = 80
"""Of a name that stands in a sentence, and of a word that is compared with others."""
NAMES_LISTED_MAX = 12
"""Of names that would have been right."""
LINE_LETTERS_MAX = 500


def write_sentence(problem: Problem) -> str:  # noqa: C901 - one case for each kind
    """Return the sentence of a problem, without a full stop and without its place."""
    match problem:
        case BrokenRule(field, rule, value):
            words = show(value)
            sentence = f"{field} must {rule}{f', got {words}' if words else ''}"
        case UnknownWord(field, value, choices):
            sentence = _unknown_word(field, value, choices)
        case UnknownKey(key, known):
            keys = f", the keys are {_listed(known)}" if known else ", there are no keys here"
            sentence = f"unknown key {show(key)}{did_you_mean(key, known) or keys}"
        case RefusedKey(subject, keys, key, usable):
            but = f" but {', '.join(usable)}" if usable else ""
            sentence = f"{subject} takes no {keys}{but}, got {key}"
        case MissingKey(key, holder, hint):
            where = f" in {holder}" if holder else ""
            sentence = f"the key {show(key)} is missing{where}{hint}"
        case DuplicateKey(key, first_line):
            sentence = f"duplicate key {show(key)}, first given in line {first_line}"
        case UnknownName(kind, name, known, hint):
            names = f", the names are {_listed(known)}" if known else ", none is defined"
            near = did_you_mean(name, known)
            sentence = f"no {kind} is called {show(name)}{near or hint or names}"
        case RepeatedName(kind, name):
            sentence = f"the {kind} {show(name)} is given twice"
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
    """Return `, did you mean 'x'?` for the nearest known word, or nothing when none is near.

    Near is also what has the word in it, or is a part of it: `leak` for `sandbox-leak`.
    """
    if len(word) > WORD_LETTERS_MAX:
        return ""
    folded, choices = word.casefold(), {name.casefold(): name for name in known}
    near = get_close_matches(folded, list(choices), n=1, cutoff=NEAR_ENOUGH)
    if not near and len(folded) >= PART_LETTERS_MIN:
        parts = [
            name
            for name in choices
            if folded in name or (len(name) >= PART_LETTERS_MIN and name in folded)
        ]
        near = get_close_matches(folded, parts, n=1, cutoff=0.0)
    return f", did you mean {choices[near[0]]!r}?" if near else ""


def in_one_line(text: str) -> str:
    """Return `text` as one line that can be printed: control characters escaped, not too long."""
    if len(text) > LINE_LETTERS_MAX:
        # Its end may say what was expected, and the beginning where.
        text = f"{text[: LINE_LETTERS_MAX - 150]} ... {text[-145:]}"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in re.sub(r"\s*\n\s*", " ", text)
    )


def list_choices(choices: Iterable[str]) -> str:
    """Return `'a', 'b' or 'c'`."""
    *others, last = map(repr, choices)
    return f"{', '.join(others)} or {last}" if others else last


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMES_LISTED_MAX
    return ", ".join(names[:NAMES_LISTED_MAX]) + (f" and {more} more" if more > 0 else "")


def _unknown_word(field: str, value: object, choices: tuple[str, ...]) -> str:
    near = did_you_mean(value, choices) if isinstance(value, str) else ""
    rule = list_choices(choices)
    if near and len(choices) > CHOICES_LISTED_MAX:
        rule = "one of the known words"
    return f"{field} must be {rule}, got {show(value)}{near}"
