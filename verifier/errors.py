"""What the judge says when it cannot judge, and what it notes without stopping.

`JudgeError` is raised anywhere in this room and turned into exit status 3 by the front door. A
mistake in a user's file is `scenarios.errors.InputError` instead, made by `Position.error` where
its place is known; a failed expectation is no error at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.errors import InputError


class JudgeError(RuntimeError):
    """No verdict is possible. The message says what happened and the way out."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a user's file; line and column count from 1."""

    path: str
    line: int
    column: int

    def error(self, message: str) -> InputError:
        """Return the error that names this place."""
        return InputError(message, path=self.path, line=self.line, column=self.column)

    def __str__(self) -> str:
        """Write `path:line:column`."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a user should know of a file that can be judged all the same."""

    position: Position
    message: str

    def __str__(self) -> str:
        """Write `path:line:column: message`."""
        return f"{self.position}: {self.message}"
