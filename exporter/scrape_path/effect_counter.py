"""The effect of faults of the observability path, counted scrape by scrape.

The world cannot know it, so the exporter counts it where a scrape is answered: the exposition what
it sent, the recorder of simulated history what it recorded. How a scrape counts is up to the
fault's kind, see `simulator.faults.kinds.scrape_path`; this module keeps the sums. It changes
nothing in the world, and nothing on the page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.faults.kinds.catalogue import SCRAPE_PATH_FAULTS
from simulator.faults.kinds.scrape_path import ScrapeSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.kinds.scrape_path import ScrapeEffect, ScrapeOutcome
    from simulator.snapshot import FaultEffect, Snapshot

COUNTED_MAX: Final = 1024
"""So many faults, and so many resets, are counted; the oldest are forgotten."""


class ScrapeEffectCounter:
    """Counts of one exporter, by fault; a fault is known by its name and its beginning."""

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        """`ranks` are the places of the series in the order of vanishing."""
        self._ranks = np.sort(ranks)
        self._sums: dict[tuple[str, int], ScrapeSums] = {}
        self._resets: list[tuple[int, int]] = []
        self._last_ns = -1
        self._counters: NDArray[np.float64] | None = None

    def note(self, snapshot: Snapshot, outcome: ScrapeOutcome, scrapes: int = 1) -> None:
        """Count `scrapes` of one outcome, at the instant of `snapshot`."""
        for status in snapshot.faults:
            kind = SCRAPE_PATH_FAULTS.get(status.fault)
            if kind is None:
                continue
            effect = kind.count_scrape(outcome, status.magnitude, self._ranks)
            if effect is None:
                continue
            # Taken out and put back, so that the fault counted last is forgotten last.
            key = status.name, status.began_ns
            sums = self._sums.pop(key, ScrapeSums())
            self._sums[key] = replace(
                sums,
                scrapes=sums.scrapes + scrapes,
                measured=sums.measured + scrapes * effect.measured,
                expected=sums.expected + scrapes * effect.expected,
            )
        while len(self._sums) > COUNTED_MAX:
            del self._sums[next(iter(self._sums))]

    def note_counters(self, at_ns: int, counters: NDArray[np.float64]) -> None:
        """Note the values of all counters on a page of `at_ns`: if one fell, a reset was seen."""
        if self._counters is not None and bool((counters < self._counters).any()):
            # Another world's clock may stand earlier: then its whole past is meant.
            before_ns = self._last_ns if self._last_ns <= at_ns else -1
            self._resets = [*self._resets, (before_ns, at_ns)][-COUNTED_MAX:]
        self._counters, self._last_ns = counters.copy(), at_ns

    def complete(self, effects: tuple[FaultEffect, ...]) -> tuple[FaultEffect, ...]:
        """Return a world's effects with what was counted here of those of the path."""
        return tuple(
            replace(effect, measured=counted.measured, expected=counted.expected)
            if (counted := self._effect(effect.fault, effect.name, effect.began_ns))
            else effect
            for effect in effects
        )

    def show(self, snapshot: Snapshot) -> Snapshot:
        """Return the reading with what was counted here of the faults in effect."""
        if not any(status.fault in SCRAPE_PATH_FAULTS for status in snapshot.faults):
            return snapshot
        faults = tuple(
            replace(status, effect=counted.measured, expected=counted.expected)
            if (counted := self._effect(status.fault, status.name, status.began_ns))
            else status
            for status in snapshot.faults
        )
        return replace(snapshot, faults=faults)

    def _effect(self, fault: str, name: str, began_ns: int) -> ScrapeEffect | None:
        """The effect of a fault by the scrapes so far; None if it is not of the path."""
        kind = SCRAPE_PATH_FAULTS.get(fault)
        if kind is None:
            return None
        sums = self._sums.get((name, began_ns), ScrapeSums())
        restart_seen = any(before <= began_ns <= at for before, at in self._resets)
        scraped_since = self._last_ns > began_ns
        return kind.sum_up(replace(sums, restart_seen=restart_seen, scraped_since=scraped_since))
