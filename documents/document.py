"""A file that was read: its plain values, and the line and column of every value and key.

Made by `documents.yaml_reader`; every check of what a file holds points into it. What a value can
be is bounded here, once for all readers: numbers that 64 bits hold, text that can be written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from ruamel.yaml.nodes import MappingNode, SequenceNode

from documents.mistake_kinds import BrokenRule, Shown
from documents.mistakes import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ruamel.yaml.nodes import Node

    from documents.mistake_kinds import Problem
    from documents.mistakes import InputError

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
"""What a YAML or JSON file can hold; dates are text."""

Step: TypeAlias = str | int
"""One step from a mapping or a list to a value in it: a key or an index from 0."""

Steps: TypeAlias = tuple[Step, ...]

Places: TypeAlias = dict[Steps, tuple[int, int]]
"""Line and column, from 1, by the steps from the top of the file."""


VALUES_MAX: Final = 200_000
"""Nine lines of aliases to aliases are a billion values; the longest rule files have thousands."""

WHOLE_MIN: Final = -(1 << 63)
WHOLE_MAX: Final = (1 << 64) - 1
"""Of a whole number: as 64 bits hold it, with a sign or without."""

_DECIMAL: Final = re.compile("[0-9]{1,18}")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def first_too_large(node: Node, counts: dict[int, int]) -> Node | None:
    """Return the first YAML node that stands for more than `VALUES_MAX`; None where none does.

    Each use of an alias counts. `counts`, by the `id` of the nodes within, is filled. Nothing is
    built: to build so many values before they are too many takes a second.
    """
    counts[id(node)] = 0  # for an alias within itself, which is refused for its depth
    children: list[Node] = []
    if isinstance(node, MappingNode):
        children = [child for _, child in node.value]
    elif isinstance(node, SequenceNode):
        children = node.value
    for child in children:
        if id(child) not in counts and (large := first_too_large(child, counts)) is not None:
            return large
    counts[id(node)] = 1 + sum(counts[id(child)] for child in children)
    return node if counts[id(node)] > VALUES_MAX else None


def check_scalar(value: Value, *, overflowed: bool = False) -> BrokenRule | None:
    """Return the rule that a single value breaks, None for one that every reader can use.

    `overflowed` says that a number was written too large to be one.
    """
    if overflowed or (isinstance(value, int) and not WHOLE_MIN <= value <= WHOLE_MAX):
        subject = "a number" if isinstance(value, float) else "a whole number"
        rule = "be one that 64 bits can hold"
        return BrokenRule(subject, rule, Shown(value, "a larger one"))
    if isinstance(value, str) and not value.isascii() and (lone := _LONE_SURROGATE.search(value)):
        rule = "be Unicode"
        return BrokenRule("text", rule, Shown(value, f"half a letter, \\u{ord(lone.group()):04x}"))
    return None


def decimal(text: str) -> int | None:
    """Return the whole number that a text is, of at most 18 plain digits; None for any other."""
    return int(text) if _DECIMAL.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: plain `data`, and the place of every value and key in it."""

    path: str
    data: Value
    values: Places = field(repr=False)
    keys: Places = field(repr=False)

    def place(self, steps: Sequence[Step]) -> Place:
        """Return the place of the value at `steps`, else of its nearest parent."""
        return Place(self.path, *self.position(steps))

    def key_place(self, steps: Sequence[Step]) -> Place:
        """Return the place of the key at `steps`, else as `place`."""
        return Place(self.path, *self.key_position(steps))

    def position(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Return (line, column), from 1, of the value at `steps`, else of its nearest parent."""
        for length in range(len(steps), -1, -1):
            position = self.values.get(tuple(steps[:length]))
            if position is not None:
                return position
        return 1, 1

    def key_position(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Return (line, column), from 1, of the key at `steps`, else as `position`."""
        return self.keys.get(tuple(steps)) or self.position(steps)

    def error(
        self, problem: Problem | str, steps: Sequence[Step], *, at_key: bool = False
    ) -> InputError:
        """Return an `InputError` that points at the value (or the key) at `steps`."""
        return (self.key_place(steps) if at_key else self.place(steps)).error(problem)
