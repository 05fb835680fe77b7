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
    from collections.abc import Iterator

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
COMPARISONS_MAX: Final = 500_000
"""Comparisons of offsets in all, a quarter of a second: a thousand different intervals would take
minutes, and meet all the same. When they are spent, groups are kept from the scrape alone."""
WHOLE: Final = Spread()
"""Scrapes and evaluations at whole multiples of their intervals: where a test says when."""


class _Taken:
    """The offsets that are taken, the scrape's first: thousands, of few intervals.

    Two beats ever meet if their offsets leave the same rest when divided by what their intervals
    have in common.
    """

    def __init__(self, interval_ms: int, scrape_ms: int) -> None:
        self._scrape = interval_ms, scrape_ms
        self._offsets_ms: dict[int, list[int]] = {}
        self._rests: dict[int, dict[int, set[int]]] = {}
        self._comparisons_left = COMPARISONS_MAX
        self._take(interval_ms, scrape_ms)

    def place(self, number: int, interval_ms: int) -> int:
        """Take the first offset from `number` on that meets the fewest others, and return it."""
        offset_ms = self._free(number, interval_ms)
        if offset_ms is None:
            # Nothing is free: groups may meet each other, which only their order then decides.
            scrape_interval_ms, scrape_ms = self._scrape
            common_ms = math.gcd(scrape_interval_ms, interval_ms)
            offsets_ms = _from(number, interval_ms)
            apart = (each for each in offsets_ms if (each - scrape_ms) % common_ms)
            offset_ms = next(apart, number % interval_ms)
        self._take(interval_ms, offset_ms)
        return offset_ms

    def _take(self, interval_ms: int, offset_ms: int) -> None:
        self._offsets_ms.setdefault(interval_ms, []).append(offset_ms)
        for common_ms, rests in self._rests.setdefault(interval_ms, {}).items():
            rests.add(offset_ms % common_ms)

    def _free(self, number: int, interval_ms: int) -> int | None:
        """Return the first offset from `number` on that meets none, None if none is in sight."""
        met: list[tuple[int, set[int]]] = []
        for taken_ms in self._offsets_ms:
            common_ms = math.gcd(taken_ms, interval_ms)
            rests = self._rests_of(taken_ms, common_ms)
            if len(rests) == common_ms or self._comparisons_left <= 0:
                return None
            met.append((common_ms, rests))
        for offset_ms in _from(number, interval_ms):
            if self._comparisons_left <= 0:
                break
            self._comparisons_left -= len(met)
            if not any(offset_ms % common_ms in rests for common_ms, rests in met):
                return offset_ms
        return None

    def _rests_of(self, taken_ms: int, common_ms: int) -> set[int]:
        """Return what the offsets of an interval leave when divided by `common_ms`."""
        rests = self._rests[taken_ms].get(common_ms)
        if rests is None:
            rests = {offset_ms % common_ms for offset_ms in self._offsets_ms[taken_ms]}
            self._rests[taken_ms][common_ms] = rests
            self._comparisons_left -= len(self._offsets_ms[taken_ms])
        return rests


def spread(seed: int, rules: RuleFiles) -> Spread:
    """Return when a scenario of `seed` is scraped, and each group of `rules` evaluated.

    Offsets are whole milliseconds. Two that would ever meet are moved apart where their intervals
    allow it: those of 30 s and 7 s and 1 ms meet whatever their offsets.
    """
    scrape_ms = _ms(SCRAPE_S)
    # Never at 0: no scrape falls on a change of the plan at a multiple of its interval.
    first_scrape_ms = 1 + _hash(seed, f"scrape {JOB}") % (scrape_ms - 1)
    taken = _Taken(scrape_ms, first_scrape_ms)
    groups: list[GroupOffset] = []
    for group in rules.groups:
        interval_ms = max(1, _ms(group.interval_s))
        number = _hash(seed, f"{Path(group.file).name} {group.name}")
        offset_ms = taken.place(number, interval_ms)
        groups.append(GroupOffset(group.file, group.name, group.interval_s, offset_ms / 1000))
    return Spread(first_scrape_ms / 1000, tuple(groups))


def _from(number: int, interval_ms: int) -> Iterator[int]:
    """Yield the offsets from `number` on, millisecond by millisecond."""
    for shift in range(min(interval_ms, SHIFTS_MAX)):
        yield (number + shift) % interval_ms


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _hash(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest(), "big")
