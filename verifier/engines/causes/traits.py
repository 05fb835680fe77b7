"""What engines make of the same samples in different ways, and which engine does what.

Prometheus 2.x is the ground from which the others depart: each departure is a trait. A trait is a
statement about an engine that its own documentation or source makes; that it holds is seen each
time, since with its traits an engine's very answer must come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Trait(Enum):
    """One way to depart from Prometheus 2.x; the value is its id in documents."""

    OPEN_WINDOW = "open-window"
    LATE_ZERO = "late-zero"
    UNEXTENDED = "unextended"
    SAMPLE_BEFORE = "sample-before"
    EMPTY_IS_ZERO = "empty-is-zero"
    SMALL_STEP_BACK = "small-step-back"
    STARTS_FROM_ZERO = "starts-from-zero"
    FIRST_IS_CHANGE = "first-is-change"
    ONE_IS_FLAT = "one-is-flat"
    SHORT_LOOKBACK = "short-lookback"
    NAN_IS_MISSING = "nan-is-missing"
    ROUNDING = "rounding"
    RECORDED = "recorded"


Traits: TypeAlias = frozenset[Trait]

PROMETHEUS_2: Final[Traits] = frozenset()
PROMETHEUS_3: Final[Traits] = frozenset({Trait.OPEN_WINDOW, Trait.LATE_ZERO})
VICTORIA_METRICS: Final[Traits] = frozenset(Trait) - {
    Trait.LATE_ZERO,
    Trait.ROUNDING,
    Trait.RECORDED,
}
KNOWN: Final = (PROMETHEUS_2, PROMETHEUS_3, VICTORIA_METRICS)
"""What an engine whose kind is not known may be."""

_CHANGES: Final = ("rate", "increase", "irate", "delta", "changes", "resets")
_COUNTERS: Final = ("rate", "increase", "irate")
INSTANT: Final = "instant"
"""Stands for an instant selector among names of functions."""


@dataclass(frozen=True, slots=True)
class TraitWords:
    """A trait in words that follow an engine's name; `acts_on` are the functions it can change."""

    has: str
    acts_on: Callable[[str], bool]


_WORDS: Final = {
    Trait.OPEN_WINDOW: TraitWords(
        "leaves out a sample that lies exactly at the left end of a window",
        lambda _: True,
    ),
    Trait.LATE_ZERO: TraitWords(
        "extends a counter that began in mid-window by half an interval at the most",
        lambda function: function in ("rate", "increase"),
    ),
    Trait.UNEXTENDED: TraitWords(
        "does not extend a rate beyond its first and last sample to the ends of the window",
        lambda function: function in ("rate", "increase", "delta"),
    ),
    Trait.SAMPLE_BEFORE: TraitWords(
        "begins a rate at the last sample before the window, and extends nothing",
        lambda function: function in _CHANGES,
    ),
    Trait.EMPTY_IS_ZERO: TraitWords(
        "takes a window without a sample for a rate of 0 as long as there is one shortly before",
        lambda function: function in _CHANGES,
    ),
    Trait.SMALL_STEP_BACK: TraitWords(
        "takes a counter that loses less than an eighth for one that stands still",
        lambda function: function in _COUNTERS,
    ),
    Trait.STARTS_FROM_ZERO: TraitWords(
        "takes a series that begins with a small value to have begun at 0",
        lambda function: function in ("increase", "delta"),
    ),
    Trait.FIRST_IS_CHANGE: TraitWords(
        "counts the first sample of a series as a change, and one after a gap if it is another than"
        " before the gap",
        lambda function: function == "changes",
    ),
    Trait.ONE_IS_FLAT: TraitWords(
        "lays a flat line through a single sample",
        lambda function: function in ("deriv", "predict_linear"),
    ),
    Trait.SHORT_LOOKBACK: TraitWords(
        "knows a series for one step of the evaluations, or one and a half scrapes, after its last"
        " sample, not for 5 minutes",
        lambda function: function == INSTANT,
    ),
    Trait.NAN_IS_MISSING: TraitWords(
        "takes a value that is not a number, such as 0 / 0, for none", lambda _: True
    ),
    Trait.ROUNDING: TraitWords(
        "adds up in another order, and rounds the last digits otherwise", lambda _: False
    ),
    Trait.RECORDED: TraitWords("records otherwise what the rule reads", lambda _: False),
}


def sentence(trait: Trait) -> str:
    """Return what an engine with this trait does, to follow its name."""
    return _WORDS[trait].has


def acting(traits: Traits, functions: Iterable[str]) -> Traits:
    """Return those of `traits` that can change a value made by these functions."""
    names = tuple(functions)
    return frozenset(trait for trait in traits if any(map(_WORDS[trait].acts_on, names)))
