"""When scrapes and evaluations happen: each at an offset of its own, as Prometheus spreads them.

A server never scrapes and evaluates on the same millisecond: targets and groups are spread over
their intervals by a hash of their names. So does virtual time, by a hash of the seed as well.
Called by the judge of virtual time for each scenario, by the recorder for its scrapes, by the
engine for its evaluations. Pure: the same seed and names give the same offsets, wherever the files
lie.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exporter.target import JOB, SCRAPE_S

if TYPE_CHECKING:
    from verifier.pack.rules import RuleFiles, RuleGroup


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """Evaluation k of a group comes at `interval_s` * k + `offset_s` of the scenario's seconds."""

    file: str
    group: str
    interval_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Scrape k comes at 15 k + `scrape_s` of the scenario's seconds; `groups` are evaluated so."""

    scrape_s: float = 0.0
    groups: tuple[GroupOffset, ...] = ()
    _offsets: dict[tuple[str, str], float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the groups; of two that are called the same the first one counts."""
        offsets = {(each.file, each.group): each.offset_s for each in reversed(self.groups)}
        object.__setattr__(self, "_offsets", offsets)

    def offset_s(self, group: RuleGroup) -> float:
        """Return the offset of `group`, 0 of one that was not spread."""
        return self._offsets.get((group.file, group.name), 0.0)


SHIFTS_MAX: Final = 1000
"""Milliseconds by which a group is moved at the most, to meet nothing else."""
WHOLE: Final = Spread()
"""Scrapes and evaluations at whole multiples of their intervals: where a test says when."""


@dataclass(frozen=True, slots=True)
class _Beat:
    """What happens every `interval_ms`, the first time at `offset_ms`."""

    interval_ms: int
    offset_ms: int

    def meets(self, other: _Beat) -> bool:
        """Whether both ever fall on the same millisecond."""
        common_ms = math.gcd(self.interval_ms, other.interval_ms)
        return (self.offset_ms - other.offset_ms) % common_ms == 0


class _Beats:
    """All beats so far, the scrape first: thousands, of few intervals."""

    def __init__(self, scrape: _Beat) -> None:
        self.scrape = scrape
        self._offsets_ms: dict[int, list[int]] = {}
        # What is left of the offsets of an interval when divided by what it shares with another.
        self._rests: dict[tuple[int, int], set[int]] = {}
        self.add(scrape)

    def add(self, beat: _Beat) -> None:
        self._offsets_ms.setdefault(beat.interval_ms, []).append(beat.offset_ms)
        for (interval_ms, common_ms), rests in self._rests.items():
            if interval_ms == beat.interval_ms:
                rests.add(beat.offset_ms % common_ms)

    def meet(self, beat: _Beat) -> bool:
        """Whether `beat` meets any of them."""
        for interval_ms, offsets_ms in self._offsets_ms.items():
            common_ms = math.gcd(interval_ms, beat.interval_ms)
            rests = self._rests.get((interval_ms, common_ms))
            if rests is None:
                rests = {offset_ms % common_ms for offset_ms in offsets_ms}
                self._rests[interval_ms, common_ms] = rests
            if beat.offset_ms % common_ms in rests:
                return True
        return False


def spread(seed: int, rules: RuleFiles) -> Spread:
    """Return when a scenario of `seed` is scraped, and each group of `rules` evaluated.

    Offsets are whole milliseconds. Two that would ever meet are moved apart where their intervals
    allow it: those of 30 s and 7 s and 1 ms meet whatever their offsets.
    """
    scrape_ms = _ms(SCRAPE_S)
    # Never at 0: no scrape falls on a change of the plan at a multiple of its interval.
    scrape = _Beat(scrape_ms, 1 + _hash(seed, f"scrape {JOB}") % (scrape_ms - 1))
    beats = _Beats(scrape)
    groups: list[GroupOffset] = []
    for group in rules.groups:
        interval_ms = max(1, _ms(group.interval_s))
        beat = _apart(_hash(seed, f"{Path(group.file).name} {group.name}"), interval_ms, beats)
        beats.add(beat)
        groups.append(GroupOffset(group.file, group.name, group.interval_s, beat.offset_ms / 1000))
    return Spread(scrape.offset_ms / 1000, tuple(groups))


def _apart(number: int, interval_ms: int, others: _Beats) -> _Beat:
    """Return the first beat from `number` on that meets the fewest `others`, the scrape first."""
    first = number % interval_ms
    shifts = range(min(interval_ms, SHIFTS_MAX))
    for shift in shifts:
        candidate = _Beat(interval_ms, (first + shift) % interval_ms)
        if not others.meet(candidate):
            return candidate
    # Nothing is free: groups may meet each other, which only their order then decides.
    candidates = (_Beat(interval_ms, (first + shift) % interval_ms) for shift in shifts)
    free = (each for each in candidates if not each.meets(others.scrape))
    return next(free, _Beat(interval_ms, first))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _hash(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest(), "big")
