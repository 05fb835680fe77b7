"""Read JSON text with the line and column of every key and value.

Called by `documents.yaml_reader` only. The standard decoder does not say where a value stands, so
this walks the text once itself; strings and numbers are left to the standard scanner. Bounded in
depth and number of values; duplicate keys are refused; every mistake is an `InputError` with its
place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from math import isinf
from typing import TYPE_CHECKING

from documents.document import VALUES_MAX, WHOLE_MAX, check_scalar
from documents.mistake_kinds import BrokenRule, DuplicateKey, InvalidSyntax
from documents.mistakes import Place

if TYPE_CHECKING:
    from documents.document import Places, Steps, Value
    from documents.mistake_kinds import Problem
    from documents.mistakes import InputError

DEPTH_MAX = 128
"""Deeper than any dashboard; each level is a level of Python's own stack, which ends at 1000."""

STEPS_FREE = 16
"""A value this deep counts twice, and so on: each is kept with all the steps that lead to it."""

_SPACE = re.compile(r"[ \t\n\r]*")
_FIRST_LETTERS = frozenset('{["-tfn0123456789')
"""With what a JSON value may begin; the standard scanner would take NaN and Infinity as well."""


def read_json(text: str, path: str) -> tuple[Value, Places, Places]:
    """Return (data, places of values, places of keys); raise `InputError` on any mistake."""
    reader = _JsonReader(text, path)
    try:
        data, end = reader.value(reader.skip(0), ())
    except JSONDecodeError as error:
        raise reader.syntax_error(error.msg.lower(), error.pos) from None
    if reader.skip(end) != len(text):
        raise reader.syntax_error("the document has ended", reader.skip(end))
    return data, reader.values, reader.keys


class _JsonReader:
    """One walk over a text; every method takes an offset and returns (value, next offset)."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.values: Places = {}
        self.keys: Places = {}
        self.weight = 0
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.decode = JSONDecoder().raw_decode

    def position(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, at)
        return line, at - self.line_starts[line - 1] + 1

    def error(self, problem: Problem, at: int) -> InputError:
        return Place(self.path, *self.position(min(at, len(self.text)))).error(problem)

    def syntax_error(self, detail: str, at: int) -> InputError:
        return self.error(InvalidSyntax("this", "JSON", detail), at)

    def skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def value(self, at: int, steps: Steps) -> tuple[Value, int]:
        if len(steps) > DEPTH_MAX:
            raise self.error(BrokenRule("values", f"be nested at most {DEPTH_MAX} deep"), at)
        self.weight += 1 + len(steps) // STEPS_FREE
        if self.weight > VALUES_MAX:
            raise self.error(BrokenRule("the file", f"hold at most {VALUES_MAX} values"), at)
        self.values[steps] = self.position(at)
        opening = self.text[at : at + 1]
        if opening == "{":
            return self.mapping(self.skip(at + 1), steps)
        if opening == "[":
            return self.sequence(self.skip(at + 1), steps)
        if opening not in _FIRST_LETTERS:
            raise self.syntax_error(
                f"unexpected {opening!r}" if opening else "a value is missing", at
            )
        return self.scalar(at)

    def scalar(self, at: int) -> tuple[Value, int]:
        value: Value
        try:
            value, end = self.decode(self.text, at)
        except JSONDecodeError:
            raise
        except ValueError:  # a number of thousands of digits
            value, end = WHOLE_MAX + 1, at
        overflowed = isinstance(value, float) and isinf(value)
        if (broken := check_scalar(value, overflowed=overflowed)) is not None:
            raise self.error(broken, at)
        return value, end

    def mapping(self, at: int, steps: Steps) -> tuple[dict[str, Value], int]:
        values: dict[str, Value] = {}
        # `or values`: a mapping may be empty, but what follows a comma must be a key.
        while self.text[at : at + 1] != "}" or values:
            if self.text[at : at + 1] != '"':
                raise self.syntax_error("expected a key in double quotes", at)
            key, end = self.scalar(at)
            assert isinstance(key, str)  # noqa: S101 - it begins with a quote
            if key in values:
                raise self.error(DuplicateKey(key, self.keys[(*steps, key)][0]), at)
            self.keys[(*steps, key)] = self.position(at)
            at = self.expect(":", self.skip(end))
            values[key], end = self.value(self.skip(at), (*steps, key))
            at = self.skip(end)
            if self.text[at : at + 1] == "}":
                break
            at = self.skip(self.expect(",", at))
        return values, at + 1

    def sequence(self, at: int, steps: Steps) -> tuple[list[Value], int]:
        values: list[Value] = []
        while self.text[at : at + 1] != "]" or values:
            value, end = self.value(at, (*steps, len(values)))
            values.append(value)
            at = self.skip(end)
            if self.text[at : at + 1] == "]":
                break
            at = self.skip(self.expect(",", at))
        return values, at + 1

    def expect(self, mark: str, at: int) -> int:
        if self.text[at : at + 1] != mark:
            raise self.syntax_error(f"expected {mark!r}", at)
        return at + 1
