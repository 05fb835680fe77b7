"""The name of a metric that was meant: the nearest of all that there are.

Called for every name that no series has. Of ten thousand rules for another system each has such a
name, and their recordings are ten thousand names to compare it with: `difflib` alone takes 50 ms
for each. What it would answer is found here in one; it still decides which of the likely is near.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

NEAR_ENOUGH: Final = 0.6
"""The share of two names that must be alike, as `difflib.get_close_matches` has it."""
COMPARED_MAX: Final = 500
"""The likeliest names that are compared; where there are no more the answer is exact."""


class NearestNames:
    """Finds the nearest of many names, which are asked for when they are first needed."""

    def __init__(self, names: Callable[[], Collection[str]]) -> None:
        """Ask for no name yet."""
        self._names = names
        self._table: _LetterTable | None = None
        self._known: dict[str, str | None] = {}

    def nearest(self, word: str) -> str | None:
        """Return the name nearest to `word` that is not `word` itself, None when none is near."""
        if word not in self._known:
            if self._table is None:
                self._table = _letter_table(self._names())
            self._known[word] = _nearest(word, self._table)
        return self._known[word]


@dataclass(frozen=True, slots=True)
class _LetterTable:
    """How often each name (a row) has each letter (a column)."""

    names: Sequence[str]
    letters: Sequence[str]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.int64]


def _letter_table(names: Collection[str]) -> _LetterTable:
    ordered = sorted(names)
    letters = sorted(set().union(*ordered))
    column = {letter: number for number, letter in enumerate(letters)}
    counts = np.zeros((len(ordered), len(letters)), dtype=np.uint16)
    for row, name in enumerate(ordered):
        for letter, count in Counter(name).items():
            counts[row, column[letter]] = count
    lengths = np.array([len(name) for name in ordered], dtype=np.int64)
    return _LetterTable(ordered, letters, counts, lengths)


def _nearest(word: str, table: _LetterTable) -> str | None:
    """Return what `get_close_matches` would: the highest ratio, of equal ones the last name."""
    own = Counter(word)
    counts = np.array([own[letter] for letter in table.letters], dtype=np.uint16)
    shared = np.minimum(table.counts, counts).sum(axis=1, dtype=np.int64)
    # No two names are more alike than the letters that they share, in whatever order.
    bounds = 2.0 * shared / np.maximum(table.lengths + len(word), 1)
    likely = np.flatnonzero(bounds >= NEAR_ENOUGH)
    likely = likely[np.argsort(-bounds[likely], kind="stable")][:COMPARED_MAX]
    matcher = SequenceMatcher(b=word)
    best: tuple[float, str] = (NEAR_ENOUGH, "")
    for row in likely.tolist():
        if bounds[row] < best[0]:
            break
        if table.names[row] != word:
            matcher.set_seq1(table.names[row])
            best = max(best, (matcher.ratio(), table.names[row]))
    return best[1] or None
