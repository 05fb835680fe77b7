"""A mistake in a user's file or argument, as data: what is wrong and where.

Raised as `InputError` by every reader of user input, printed by the front door (exit status 2). Its
line is made only when it is printed: `path:line:column: sentence`, see `documents.sentences`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.mistake_kinds import Remark
from documents.sentences import in_one_line, write_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documents.mistake_kinds import Problem

FILES_NAMED_MAX: Final = 30
"""Of files whose mistakes are not shown."""
MISTAKES_MAX: Final = 200
"""Mistakes that a walk over a document notes: a megabyte of them says no more."""
SHOWN_MAX: Final = 30
"""Mistakes that are printed of one error: whoever has more mends these first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a user's file; line and column count from 1.

    Both are None when the whole file is meant.
    """

    path: str
    line: int | None = None
    column: int | None = None

    def error(self, problem: Problem | str) -> InputError:
        """Return an `InputError` that points here; a text is a sentence without a full stop."""
        return InputError(self.mistake(problem))

    def mistake(self, problem: Problem | str) -> Mistake:
        """Return a mistake that stands here."""
        return Mistake(Remark(problem) if isinstance(problem, str) else problem, self)

    def __str__(self) -> str:
        """Write `path:line:column`, with the parts that are known."""
        parts = (self.path, self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where; `place` is None for an argument."""

    problem: Problem
    place: Place | None = None

    @property
    def sentence(self) -> str:
        """What is wrong in one sentence, without its place and without a full stop."""
        return write_sentence(self.problem)

    def __str__(self) -> str:
        """Write `path:line:column: sentence`, in one line."""
        return in_one_line(
            self.sentence if self.place is None else f"{self.place}: {self.sentence}"
        )


class InputError(ValueError):
    """One or more mistakes in what a user wrote; `str()` is one line for each."""

    def __init__(self, *mistakes: Mistake | str, path: str | None = None) -> None:
        """Keep the mistakes, at least one; a text is a sentence about an argument or `path`."""
        place = None if path is None else Place(path)
        self.mistakes = tuple(
            Mistake(Remark(mistake), place) if isinstance(mistake, str) else mistake
            for mistake in mistakes
        )
        super().__init__(*self.mistakes)

    def without_places(self) -> InputError:
        """Return the same mistakes, each sentence once, for a reader who never saw the file."""
        unique = {mistake.sentence: replace(mistake, place=None) for mistake in self.mistakes}
        return InputError(*unique.values())

    def __str__(self) -> str:
        """One line for each mistake, up to `SHOWN_MAX`, and how many more there are."""
        lines = list(map(str, self.mistakes[:SHOWN_MAX]))
        if (more := len(self.mistakes) - SHOWN_MAX) > 0:
            many = len(self.mistakes) >= MISTAKES_MAX
            count = "many mistakes" if many else amount(more, "mistakes")
            lines += _left_out(count, self.mistakes[SHOWN_MAX:])
        return "\n".join(lines)


def _left_out(count: str, mistakes: Iterable[Mistake]) -> list[str]:
    """Return the last lines of many mistakes: how many are not shown, and in which files."""
    paths = list(dict.fromkeys(each.place.path for each in mistakes if each.place))
    if len(paths) <= 1:
        return [in_one_line("".join(f"{path}: " for path in paths) + f"and {count} more")]
    rest = [f"and {amount(n, 'files')} more"] if (n := len(paths) - FILES_NAMED_MAX) > 0 else []
    return [f"and {count} more, in:", *map(in_one_line, paths[:FILES_NAMED_MAX]), *rest]


def gather(mistakes: Iterable[InputError | Mistake]) -> InputError:
    """Join mistakes, at least one, into a single error: each once, in the order of their places."""
    # By the sentence, not the problem: a wrong value may be a mapping, which has no hash.
    unique = {_order(mistake): mistake for mistake in _flatten(mistakes)}
    return InputError(*(unique[order] for order in sorted(unique)))


def _flatten(mistakes: Iterable[InputError | Mistake]) -> Iterator[Mistake]:
    for mistake in mistakes:
        if isinstance(mistake, InputError):
            yield from mistake.mistakes
        else:
            yield mistake


def _order(mistake: Mistake) -> tuple[str, int, int, str]:
    place = mistake.place
    if place is None:
        return "", 0, 0, mistake.sentence
    return place.path, place.line or 0, place.column or 0, mistake.sentence
