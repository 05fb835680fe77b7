"""What a page of a result says: a word at its head, a sentence, tables and lists.

Made by the module of each result, written as HTML by `rendering`. Texts only: what a user's file
says stands here as it is, and becomes HTML in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.mistakes import Place

Mood: TypeAlias = Literal["", "good", "bad", "warn", "calm"]
"""What a cell is besides its text, which says it as well: a colour."""
BadgeStyle: TypeAlias = Literal["", "pass", "fail", "invalid"]
STYLES: Final[dict[int, BadgeStyle]] = {0: "pass", 1: "fail", 3: "invalid"}
"""The style of each exit status with a page."""


@dataclass(frozen=True, slots=True)
class ResultCell:
    """A text in a table; `code` is what a file or a query says, `below` a line under it."""

    text: str
    mood: Mood = ""
    code: bool = False
    below: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table; the first cell of a row names it. `folded` is opened by who wants to see it.

    `more` is how many rows were left out of `rows`.
    """

    heading: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[ResultCell | str]]
    hint: str = ""
    folded: bool = False
    more: int = 0


@dataclass(frozen=True, slots=True)
class ResultList:
    """Sentences; with `fails` they are why the result is not good."""

    heading: str
    items: Sequence[str]
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    """The word at the head of a page, and how it looks."""

    word: str
    style: BadgeStyle = ""


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The page of one command's result; a part without rows or items is left out."""

    command: str
    badge: Badge
    headline: str
    parts: tuple[ResultTable | ResultList, ...]


def score_badge(share: float, status: int, fail_under: float | None) -> Badge:
    """Return a score as the word of a page; it is good only beside a bound that it holds.

    Where something could not be judged there is no score.
    """
    if status not in (0, 1):
        return Badge("invalid", "invalid")
    style = STYLES[status] if fail_under is not None else ""
    return Badge(f"{share:.1%}", style)


def below(share: float, fail_under: float | None) -> str:
    """Return what a headline adds where a score is below the bound that was asked for."""
    if fail_under is None or 100 * share >= fail_under:
        return ""
    return f", below the {fail_under:g} % of --fail-under"


def placed(name: str, place: Place) -> ResultCell:
    """Return a name with its place, `file:line`, below it."""
    return ResultCell(name, below=f"{place.path}:{place.line}" if place.line else str(place.path))
