"""What scrapes met on their way: the effect of faults that strike the observability path.

The world cannot know it, so the exporter counts, scrape by scrape, where a scrape meets the fault:
the live page what it sent, the recorder of virtual history what it recorded. Beside it stands what
the faults in effect had declared. It changes nothing in the world, and nothing on the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.faults import catalogue as f
from simulator.faults.catalogue import FAULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.snapshot import FaultEffect, FaultStatus, Snapshot

KEPT: Final = 1024
"""So many faults, and so many resets, are remembered; the oldest are forgotten."""
_KINDS = (
    f.ExporterDown,
    f.CounterReset,
    f.ScrapeSlow,
    f.ScrapeTruncated,
    f.SeriesVanish,
    f.CardinalityBurst,
)
PATH_FAULTS: Final = frozenset(name for name, kind in FAULTS.items() if kind in _KINDS)
"""The faults of the observability path, as the catalogue calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeOutcome:
    """What one scrape met: nothing at all, or a page late, cut short, lacking series or with more.

    `refused` is a scrape that brought nothing. Where it is not known why, it has what else hindered
    it, and what that took.
    """

    refused: bool = False
    late_s: float = 0.0
    cut_share: float = 0.0
    missing: int = 0
    further: int = 0


@dataclass(frozen=True, slots=True)
class _Sums:
    scrapes: int = 0
    measured: float = 0.0
    expected: float = 0.0


class ScrapeEffectCounter:
    """Counts of one exporter, by fault; a fault is known by its name and its beginning."""

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        """`ranks` are the places of the series in the order of vanishing."""
        self._ranks = np.sort(ranks)
        self._sums: dict[tuple[str, int], _Sums] = {}
        self._resets: list[tuple[int, int]] = []
        self._last_ns = -1
        self._counters: NDArray[np.float64] | None = None

    def note(self, snapshot: Snapshot, met: ScrapeOutcome, scrapes: int = 1) -> None:
        """Count `scrapes` that met the same, at the instant of `snapshot`."""
        for status in snapshot.faults:
            found = self._of(status, met)
            if found is None:
                continue
            key = status.name, status.began_ns
            old = self._sums.pop(key, _Sums())
            self._sums[key] = _Sums(
                old.scrapes + scrapes,
                old.measured + scrapes * found[0],
                old.expected + scrapes * found[1],
            )
        while len(self._sums) > KEPT:
            del self._sums[next(iter(self._sums))]

    def note_counters(self, at_ns: int, shown: NDArray[np.float64]) -> None:
        """Look whether counters, as they are shown at `at_ns`, have fallen: a reset was seen."""
        if self._counters is not None and bool((shown < self._counters).any()):
            # Another world's clock may stand earlier: then its whole past is meant.
            before_ns = self._last_ns if self._last_ns <= at_ns else -1
            self._resets = [*self._resets, (before_ns, at_ns)][-KEPT:]
        self._counters, self._last_ns = shown.copy(), at_ns

    def complete(self, effects: tuple[FaultEffect, ...]) -> tuple[FaultEffect, ...]:
        """Return what a world says of its faults, with what was seen here of those of the path."""
        return tuple(
            replace(one, measured=seen[0], expected=seen[1])
            if (seen := self._seen(one.fault, one.name, one.began_ns))
            else one
            for one in effects
        )

    def show(self, snapshot: Snapshot) -> Snapshot:
        """Return the reading with what was seen here of the faults in effect."""
        if not any(one.fault in PATH_FAULTS for one in snapshot.faults):
            return snapshot
        faults = tuple(
            replace(one, effect=seen[0], expected=seen[1])
            if (seen := self._seen(one.fault, one.name, one.began_ns))
            else one
            for one in snapshot.faults
        )
        return replace(snapshot, faults=faults)

    def _of(self, status: FaultStatus, met: ScrapeOutcome) -> tuple[float, float] | None:
        """What a scrape met of one fault, and what it ought to; None if it could not be met."""
        kind, declared = FAULTS[status.fault], status.magnitude
        if kind is f.ExporterDown:
            return float(met.refused), 1.0
        if kind is f.ScrapeSlow:
            return None if met.refused and not met.late_s else (met.late_s, declared)
        if kind is f.ScrapeTruncated:
            return None if met.refused and not met.cut_share else (met.cut_share, declared)
        if met.refused:
            return None
        if kind is f.SeriesVanish:
            return float(met.missing), float(np.searchsorted(self._ranks, declared))
        return (float(met.further), round(declared)) if kind is f.CardinalityBurst else None

    def _seen(self, fault: str, name: str, began_ns: int) -> tuple[float, float] | None:
        """What was seen of a fault, and what ought to have been; None if it is not of the path."""
        kind = FAULTS[fault]
        if fault not in PATH_FAULTS:
            return None
        if kind is f.CounterReset:
            seen = any(before <= began_ns <= at for before, at in self._resets)
            return float(seen), float(seen or self._last_ns > began_ns)
        sums = self._sums.get((name, began_ns), _Sums())
        per = 1 if kind is f.ExporterDown else max(sums.scrapes, 1)
        return sums.measured / per, sums.expected / per
