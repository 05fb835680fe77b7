"""A number with its noun, and a list of names: `1 scrape`, `2 scrapes`, `A, B and C`.

Used wherever a count is printed, so that one thing is never called by its plural. It knows the
nouns of this program, not English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def amount(figure: int | str, nouns: str) -> str:
    """Return a figure and its nouns, which are in the plural: the first of them agrees with it.

    A number is written with separators of thousands; text stands as it is.
    """
    text = f"{figure:,}" if isinstance(figure, int) else figure
    return f"{text} {_singular(nouns) if text == '1' else nouns}"


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them, each once: `A`, `A and B`, `A, B and C`."""
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last


def _singular(nouns: str) -> str:
    """Return `lost message` for `lost messages`, and `restart seen` for `restarts seen`."""
    words = nouns.split(" ")
    for index, word in enumerate(words):
        noun = word.rstrip(",")
        if noun.endswith("s") and noun != "series":
            end = -2 if noun.endswith("shes") else -1
            words[index] = noun[:end] + word[len(noun) :]
            break
    return " ".join(words)
