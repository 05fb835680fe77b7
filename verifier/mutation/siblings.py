"""Metrics that may be taken for one another: alike in type and in the words of their names.

Called by `mutants` with the metrics that a run exports and those that its rules read. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SIBLINGS_MAX: Final = 2
"""How many of them one metric is edited into, the nearest first."""
_SUFFIX: Final = re.compile(r"_(bucket|sum|count|total)$")


class Siblings:
    """The metrics near each metric: called with a name, returns the names of the nearest."""

    def __init__(self, names: Iterable[str]) -> None:
        """Know these metrics, by the names that queries use."""
        words = {name: words_of(name) for name in sorted(set(names))}
        counts = Counter(word for each in words.values() for word in each)
        # The prefix of an application says nothing of what its metrics have in common.
        self._common = {word for word, count in counts.items() if 2 * count > len(words) > 2}
        self._words = {name: each - self._common for name, each in words.items()}

    def __call__(self, name: str) -> list[str]:
        """Return at most `SIBLINGS_MAX` names of the same kind that share a word, nearest first.

        Nearest is who shares the largest part of all words of both (Jaccard); then by name.
        """
        own, suffix = words_of(name) - self._common, suffix_of(name)
        shares = {
            other: len(own & words) / len(own | words)
            for other, words in self._words.items()
            if other != name and suffix_of(other) == suffix
        }
        near = sorted((-share, other) for other, share in shares.items() if share > 0)
        return [other for _, other in near[:SIBLINGS_MAX]]


def words_of(name: str) -> frozenset[str]:
    """Return the words of a metric's name, without the suffix of its kind."""
    return frozenset(_SUFFIX.sub("", name).split("_"))


def suffix_of(name: str) -> str:
    """Return what a name ends with by its kind: `total`, `bucket`, `sum`, `count`, or ""."""
    match = _SUFFIX.search(name)
    return match[1] if match else ""
