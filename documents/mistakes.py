"""A mistake in a user's file or argument, told in one line with its place.

Raised by whoever reads user input, printed by the front door (exit status 2). It never carries a
traceback's worth of detail: path, line, column and one sentence, with a "did you mean" where one
is near.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class InputError(ValueError):
    """A mistake in a user's file or argument; `line` and `column` count from 1.

    `str()` is `path:line:col: message` with the parts that are known, and one such line for each
    of `others`, the further mistakes found with it.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        """Keep one mistake; `message` is one sentence without a full stop."""
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.others: tuple[InputError, ...] = ()

    @property
    def all(self) -> tuple[InputError, ...]:
        """The mistake itself and those found with it."""
        return (self, *self.others)

    def __str__(self) -> str:
        """One line for each mistake."""
        return "\n".join(_line(mistake) for mistake in self.all)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a user's file; line and column count from 1."""

    path: str
    line: int
    column: int

    def error(self, message: str) -> InputError:
        """Return an `InputError` that points here."""
        return InputError(message, path=self.path, line=self.line, column=self.column)

    def __str__(self) -> str:
        """Write `path:line:column`."""
        return f"{self.path}:{self.line}:{self.column}"


def gather(mistakes: Sequence[InputError]) -> InputError:
    """Join mistakes, at least one, into a single error: each once, in the order of their places."""
    lines = {(one.path, one.line, one.column, one.message) for all_ in mistakes for one in all_.all}
    in_order = sorted(lines, key=lambda at: (at[0] or "", at[1] or 0, at[2] or 0, at[3]))
    first, *rest = [
        InputError(message, path=path, line=line, column=column)
        for path, line, column, message in in_order
    ]
    first.others = tuple(rest)
    return first


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` for the nearest known word, or nothing when none is near."""
    choices = {str(one).casefold(): str(one) for one in known}
    near = get_close_matches(word.casefold(), list(choices), n=1, cutoff=0.6)
    return f", did you mean {choices[near[0]]!r}?" if near else ""


def _line(mistake: InputError) -> str:
    place = [str(part) for part in (mistake.path, mistake.line, mistake.column) if part is not None]
    return ": ".join([":".join(place), mistake.message]) if place else mistake.message
