"""Misspelt names of bundled scenarios, refused before anything heavy is imported.

Called with the words of a command line whose only arguments are scenarios. It decides nothing that
the command would not: where files are named as well, all mistakes are reported together, there.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from documents.mistakes import InputError, gather
from scenarios.library.files import library, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence


def refuse_unknown_scenarios(words: Sequence[str]) -> None:
    """Raise `InputError` for names that no bundled scenario has, where no file is named beside.

    A word after an option may be its value: it is left to the command, as is all after `--`.
    """
    bundled = {path.stem for path in library()}
    mistakes: list[InputError] = []
    for before, word in pairwise(words):
        if word.startswith("-") or word in bundled:
            continue
        if Path(word).suffix or Path(word).exists() or len(Path(word).parts) > 1:
            return
        if before.startswith("-"):
            continue
        try:
            resolve(word)
        except InputError as error:
            mistakes.append(error)
    if mistakes:
        raise gather(mistakes)
