"""Faults of the observability path: the world goes on, and its readers get less, or later, or more.

The world cannot know what came of them. The exporter reports each scrape as a `ScrapeOutcome`; how
it counts is for the kind to decide, and `exporter.scrape_path` keeps the sums.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

import numpy as np

from simulator.faults.effective_parameters import EXTRA_SERIES_MAX, SCRAPE_DELAY_MAX_S
from simulator.faults.measure import EffectEstimate, Measure
from simulator.faults.parameters import Bound, KindFacts, Parameters, Share, Uncompressed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.faults.declared_effect import DeclaredEffect
    from simulator.faults.effective_parameters import EffectiveParameters
    from simulator.faults.measure import Account, Interval
    from simulator.faults.parameters import TimeScale
    from simulator.faults.targets import FaultTargets, Onset

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeOutcome:
    """What one scrape got: nothing, or a page late, cut short, lacking series or with more.

    A `refused` scrape brought nothing. Where the reason is not known, the outcome holds what else
    was in its way, and what that took.
    """

    refused: bool = False
    late_s: float = 0.0
    cut_share: float = 0.0
    missing: int = 0
    further: int = 0


class ScrapeEffect(NamedTuple):
    """What was measured of a fault at the exporter, and what should have been."""

    measured: float
    expected: float


@dataclass(frozen=True, slots=True)
class ScrapeSums:
    """What the scrapes in a fault's time came to, and whether one saw its restart.

    `scraped_since` is whether a scrape came after the fault began.
    """

    scrapes: int = 0
    measured: float = 0.0
    expected: float = 0.0
    restart_seen: bool = False
    scraped_since: bool = False


class ScrapePathParameters(Parameters):
    """A kind that stands between the world and its scrapes; the exporter measures it."""

    __slots__ = ()

    def declare(self, declared: DeclaredEffect, targets: FaultTargets, strength: float) -> None:
        """Promise nothing of the world: what is expected of a scrape is up to `count_scrape`."""

    def measures(self) -> tuple[Measure, ...]:
        """One, which stays at nothing here."""
        return (Measure(self._measured_by_exporter, "no scrape came in its time"),)

    @staticmethod
    def _measured_by_exporter(_: Interval, __: Account) -> EffectEstimate:
        return EffectEstimate()

    @property
    def interrupts_series(self) -> bool:
        """As all that stands in the way of a scrape."""
        return True

    @classmethod
    @abstractmethod
    def count_scrape(
        cls, outcome: ScrapeOutcome, magnitude: float, ranks: Reals
    ) -> ScrapeEffect | None:
        """What one scrape adds for a fault at `magnitude`; None if it cannot tell.

        `ranks` are the places [0, 1) of the series in the order of vanishing, sorted.
        """

    @classmethod
    def sum_up(cls, sums: ScrapeSums) -> ScrapeEffect:
        """The effect of a fault by all scrapes in its time: the average, unless a kind differs."""
        scrapes = max(sums.scrapes, 1)
        return ScrapeEffect(sums.measured / scrapes, sums.expected / scrapes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterDown(ScrapePathParameters, Uncompressed):
    """Scrapes fail; the system keeps running, unobserved."""

    facts: ClassVar[KindFacts] = KindFacts(
        name="exporter_down",
        aims_at="nothing",
        effect_unit="failed scrapes",
        measured="scrapes refused",
        expected="all in its time",
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, _: FaultTargets, __: float) -> None:
        effective.exporter_up = False

    @classmethod
    def count_scrape(cls, outcome: ScrapeOutcome, _: float, __: Reals) -> ScrapeEffect:
        return ScrapeEffect(float(outcome.refused), 1.0)

    @classmethod
    def sum_up(cls, sums: ScrapeSums) -> ScrapeEffect:
        """All of them, not an average."""
        return ScrapeEffect(sums.measured, sums.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReset(ScrapePathParameters, Uncompressed):
    """The exporter restarts at the onset: every counter and bucket begins at 0 again."""

    facts: ClassVar[KindFacts] = KindFacts(
        name="counter_reset",
        aims_at="nothing",
        effect_unit="restarts seen",
        measured="whether a scrape saw counters fall",
        expected="once",
    )

    @property
    def magnitude(self) -> float:
        return 1.0

    def compose(self, effective: EffectiveParameters, _: FaultTargets, __: float) -> None:
        """Change nothing for longer than the onset."""

    def at_onset(self, onset: Onset) -> None:
        """Restart the exporter."""
        onset.exporter_restarts += 1

    @classmethod
    def count_scrape(cls, _: ScrapeOutcome, __: float, ___: Reals) -> None:
        """One page shows no restart: two pages, and counters that fell between, do."""

    @classmethod
    def sum_up(cls, sums: ScrapeSums) -> ScrapeEffect:
        """One restart, once anybody could have seen it."""
        visible = sums.restart_seen or sums.scraped_since
        return ScrapeEffect(float(sums.restart_seen), float(visible))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeSlow(ScrapePathParameters):
    """Every scrape is answered `delay_s` late; a client with a shorter timeout gets nothing."""

    delay_s: Annotated[
        float,
        Bound(above=0, most=SCRAPE_DELAY_MAX_S, unit="s"),
        "of every scrape; from 10s on scrapes fail",
    ]

    facts: ClassVar[KindFacts] = KindFacts(
        name="scrape_slow",
        aims_at="nothing",
        effect_unit="seconds, mean delay of a scrape",
        measured="mean delay of the scrapes in its time",
        expected="what was declared",
    )

    @property
    def magnitude(self) -> float:
        return self.delay_s

    def compressed(self, scale: TimeScale) -> ScrapeSlow:
        """As late for its timeout: a page that would come too late still does."""
        delay_s = self.delay_s * scale.scrape_timeout_share
        return replace(self, delay_s=min(delay_s, SCRAPE_DELAY_MAX_S))

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.scrape_delay_s += self.delay_s * strength

    @classmethod
    def count_scrape(
        cls, outcome: ScrapeOutcome, magnitude: float, _: Reals
    ) -> ScrapeEffect | None:
        if outcome.refused and not outcome.late_s:
            return None
        return ScrapeEffect(outcome.late_s, magnitude)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeTruncated(ScrapePathParameters, Uncompressed):
    """A `share` of every page is lost: the connection closes before the promised length."""

    share: Annotated[Share, "of every page that is cut off, so that scrapes fail"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="scrape_truncated",
        aims_at="nothing",
        effect_unit="share lost of a scrape, mean",
        measured="share lost of the scrapes in its time",
        expected="what was declared",
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.page_kept_share *= 1 - self.share * strength

    @classmethod
    def count_scrape(
        cls, outcome: ScrapeOutcome, magnitude: float, _: Reals
    ) -> ScrapeEffect | None:
        if outcome.refused and not outcome.cut_share:
            return None
        return ScrapeEffect(outcome.cut_share, magnitude)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesVanish(ScrapePathParameters, Uncompressed):
    """A `share` of the series is missing from every page, histograms as a whole."""

    share: Annotated[Share, "of the series that is missing, histograms as a whole"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="series_vanish",
        aims_at="nothing",
        effect_unit="series missing from a scrape, mean",
        measured="series missing from the scrapes in its time",
        expected="the share of all series",
        takes_series=True,
    )

    @property
    def magnitude(self) -> float:
        return self.share

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.series_kept_share *= 1 - self.share * strength

    @classmethod
    def count_scrape(
        cls, outcome: ScrapeOutcome, magnitude: float, ranks: Reals
    ) -> ScrapeEffect | None:
        if outcome.refused:
            return None
        return ScrapeEffect(float(outcome.missing), float(np.searchsorted(ranks, magnitude)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CardinalityBurst(ScrapePathParameters, Uncompressed):
    """Every page has `series` more series: a label whose values are not bounded."""

    series: Annotated[int, Bound(least=1, most=EXTRA_SERIES_MAX), "more on every page"]

    facts: ClassVar[KindFacts] = KindFacts(
        name="cardinality_burst",
        aims_at="nothing",
        effect_unit="further series in a scrape, mean",
        measured="further series in the scrapes in its time",
        expected="what was declared",
    )

    @property
    def magnitude(self) -> float:
        return float(self.series)

    def compose(self, effective: EffectiveParameters, _: FaultTargets, strength: float) -> None:
        effective.extra_series += round(self.series * strength)

    def further_series(self) -> int:
        """As declared."""
        return self.series

    @classmethod
    def count_scrape(
        cls, outcome: ScrapeOutcome, magnitude: float, _: Reals
    ) -> ScrapeEffect | None:
        if outcome.refused:
            return None
        return ScrapeEffect(float(outcome.further), round(magnitude))
