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
from dataclasses import dataclass
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

    def offset_s(self, group: RuleGroup) -> float:
        """Return the offset of `group`, 0 of one that was not spread."""
        for spread_group in self.groups:
            if (spread_group.file, spread_group.group) == (group.file, group.name):
                return spread_group.offset_s
        return 0.0


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


def spread(seed: int, rules: RuleFiles) -> Spread:
    """Return when a scenario of `seed` is scraped, and each group of `rules` evaluated.

    Offsets are whole milliseconds. Two that would ever meet are moved apart where their intervals
    allow it: those of 30 s and 7 s and 1 ms meet whatever their offsets.
    """
    scrape_ms = _ms(SCRAPE_S)
    # Never at 0: no scrape falls on a change of the plan at a multiple of its interval.
    scrape = _Beat(scrape_ms, 1 + _hash(seed, f"scrape {JOB}") % (scrape_ms - 1))
    beats = [scrape]
    groups: list[GroupOffset] = []
    for group in rules.groups:
        interval_ms = max(1, _ms(group.interval_s))
        beat = _apart(_hash(seed, f"{Path(group.file).name} {group.name}"), interval_ms, beats)
        beats.append(beat)
        groups.append(GroupOffset(group.file, group.name, group.interval_s, beat.offset_ms / 1000))
    return Spread(scrape.offset_ms / 1000, tuple(groups))


def _apart(number: int, interval_ms: int, others: list[_Beat]) -> _Beat:
    """Return the first beat from `number` on that meets the fewest `others`, the scrape first."""
    first = number % interval_ms
    candidates = [
        _Beat(interval_ms, (first + shift) % interval_ms)
        for shift in range(min(interval_ms, SHIFTS_MAX))
    ]
    for candidate in candidates:
        if not any(candidate.meets(other) for other in others):
            return candidate
    # Nothing is free: groups may meet each other, which only their order then decides.
    return next((c for c in candidates if not c.meets(others[0])), candidates[0])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _hash(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest(), "big")
