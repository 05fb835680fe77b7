"""A file that was read: its plain values, and the line and column of every value and key.

Made by `documents.yaml_reader`; every check of what a file holds points into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from documents.mistakes import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.mistake_kinds import Problem
    from documents.mistakes import InputError

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
"""What a YAML or JSON file can hold; dates are text."""

Step: TypeAlias = str | int
"""One step from a mapping or a list to a value in it: a key or an index from 0."""

Steps: TypeAlias = tuple[Step, ...]

Places: TypeAlias = dict[Steps, tuple[int, int]]
"""Line and column, from 1, by the steps from the top of the file."""


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
