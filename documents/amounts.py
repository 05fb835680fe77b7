"""A number with its noun, and a list of names: `1 scrape`, `2 scrapes`, `A, B and C`.

Used wherever a count is printed, so that one thing is never called by its plural. It knows the
nouns of this program, not English.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN_FROM: Final = 1e-7
"""Numbers below are written with an exponent."""


def amount(number: int | str, nouns: str) -> str:
    """Return a figure and its nouns, which are in the plural: the first of them agrees with it.

    A number is written with separators of thousands; text stands as it is.
    """
    text = f"{number:,}" if isinstance(number, int) else number
    return f"{text} {_singular(nouns) if text == '1' else nouns}"


def figure(value: float) -> str:
    """Write a measured number for people: whole from a thousand on, else four digits.

    What is below a thousandth has three, and an exponent only where it would be all zeros.
    """
    if not math.isfinite(value):
        return f"{value:+}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if PLAIN_FROM <= abs(value) < 0.001:
        return f"{Decimal(f'{value:.3g}'):f}"
    return f"{value:.4g}"


def measured_figures(measured: float, declared: float, nouns: str) -> str:
    """Say what was measured and what was declared of it: `3 crashes measured, 4 declared`.

    Of nouns such as `seconds, mean task` the part behind the comma says of what.
    """
    unit, _, of_what = nouns.partition(", ")
    if not of_what:
        return f"{amount(figure(measured), unit)} measured, {figure(declared)} declared"
    if unit == "seconds":
        return f"{of_what} {figure(measured)} s measured, {figure(declared)} s declared"
    return f"{nouns}: {figure(measured)} measured, {figure(declared)} declared"


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
            words[index] = _singular_of(noun) + word[len(noun) :]
            break
    return " ".join(words)


def _singular_of(noun: str) -> str:
    """Return `query` for `queries`, `crash` for `crashes`, `agent` for `agents`."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun[:-2] if noun.endswith("shes") else noun[:-1]
