"""Several files after one option: `--rules a b` is `--rules a --rules b`, scenarios stay apart.

A word after such an option belongs to it as long as it is a file or a folder and no scenario, or
could be a file whose name is misspelt. Names decide nothing: the look into a file does. The list
ends at the next option, at a scenario, and at `--`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS: Final = ("--rules", "--dashboards", "--against")
"""The options that take several files."""


def repeat_options(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command line with each of several files after an option of its own."""
    repeated: list[str] = []
    option: str | None = None
    for position, word in enumerate(arguments):
        if word == "--":
            return [*repeated, *arguments[position:]]
        if word.startswith("-") and word != "-":
            option = word if word in LISTS else None
        elif option and repeated[-1] != option:
            if _belongs(word):
                repeated.append(option)
            else:
                option = None
        repeated.append(word)
    return repeated


def _belongs(word: str) -> bool:
    """Return whether a further word is one more file of the option before it."""
    from agentaskit_sim.front.file_kinds import kind_of  # noqa: PLC0415 - seldom needed
    from scenarios.library.files import library  # noqa: PLC0415 - seldom needed

    if any(word == bundled.stem for bundled in library()):
        return False
    path = Path(word)
    if path.exists():
        return kind_of(path) != "scenario"
    # A misspelt file is reported as one; a bare word can only be a misspelt scenario.
    return bool(path.suffix) or len(path.parts) > 1
