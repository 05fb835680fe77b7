"""Read JSON text with the line and column of every key and value.

Called by `documents.yaml_reader` only. The standard decoder does not say where a value stood, so
this walks the text once itself; strings and numbers are left to the standard scanner. Bounded in
depth; duplicate keys are refused; every mistake is an `InputError` with its place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from typing import Any

from documents.mistakes import InputError

DEPTH_MAX = 128
_SPACE = re.compile(r"[ \t\n\r]*")
Places = dict[tuple[str | int, ...], tuple[int, int]]


def read_json(text: str, path: str) -> tuple[Any, Places, Places]:
    """Return (data, places of values, places of keys); places are (line, column) from 1."""
    reader = _JsonReader(text, path)
    try:
        data, end = reader.value(reader.skip(0), ())
    except JSONDecodeError as error:
        raise reader.error(f"this is not JSON: {error.msg.lower()}", error.pos) from None
    if reader.skip(end) != len(text):
        raise reader.error("this is not JSON: the document has ended", reader.skip(end))
    return data, reader.values, reader.keys


class _JsonReader:
    """One walk over a text; every method takes an offset and returns (value, next offset)."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.values: Places = {}
        self.keys: Places = {}
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.decode = JSONDecoder().raw_decode

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, at)
        return line, at - self.line_starts[line - 1] + 1

    def error(self, message: str, at: int) -> InputError:
        line, column = self.place(min(at, len(self.text)))
        return InputError(message, path=self.path, line=line, column=column)

    def skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def value(self, at: int, steps: tuple[str | int, ...]) -> tuple[Any, int]:
        if len(steps) > DEPTH_MAX:
            raise self.error(f"values must be nested at most {DEPTH_MAX} deep", at)
        self.values[steps] = self.place(at)
        opening = self.text[at : at + 1]
        if opening == "{":
            return self.mapping(self.skip(at + 1), steps)
        if opening == "[":
            return self.sequence(self.skip(at + 1), steps)
        if opening not in '"-tfn0123456789' or not opening:
            message = f"unexpected {opening!r}" if opening else "a value is missing"
            raise self.error(f"this is not JSON: {message}", at)
        return self.decode(self.text, at)

    def mapping(self, at: int, steps: tuple[str | int, ...]) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while self.text[at : at + 1] != "}" or found:
            if self.text[at : at + 1] != '"':
                raise self.error("this is not JSON: expected a key in double quotes", at)
            key, end = self.decode(self.text, at)
            if key in found:
                first = self.keys[(*steps, key)][0]
                raise self.error(f"duplicate key {key!r}, first given in line {first}", at)
            self.keys[(*steps, key)] = self.place(at)
            at = self.expect(":", self.skip(end))
            found[key], end = self.value(self.skip(at), (*steps, key))
            at = self.skip(end)
            if self.text[at : at + 1] == "}":
                break
            at = self.skip(self.expect(",", at))
        return found, at + 1

    def sequence(self, at: int, steps: tuple[str | int, ...]) -> tuple[list[Any], int]:
        found: list[Any] = []
        while self.text[at : at + 1] != "]" or found:
            value, end = self.value(at, (*steps, len(found)))
            found.append(value)
            at = self.skip(end)
            if self.text[at : at + 1] == "]":
                break
            at = self.skip(self.expect(",", at))
        return found, at + 1

    def expect(self, mark: str, at: int) -> int:
        if self.text[at : at + 1] != mark:
            raise self.error(f"this is not JSON: expected {mark!r}", at)
        return at + 1
