"""The series that a scraping Prometheus writes itself, and the further ones of a cardinality burst.

The former follow `scrapeLoop.report` of Prometheus 2.42 (scrape/scrape.go), and a test compares
them with what a real one stored. The recorder of history asks for both, scrape by scrape: neither
is among the world's own series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from exporter.history.samples import STALE
from exporter.metrics.catalogue import catalogue_burst
from exporter.scrape_path.losses import arrives
from exporter.target import SCRAPE_TIMEOUT_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.snapshot import Snapshot

UP: Final = "up"
SCRAPE_DURATION: Final = "scrape_duration_seconds"
SERIES_ADDED: Final = "scrape_series_added"
SCRAPE_SERIES: Final = (
    SCRAPE_DURATION,
    "scrape_samples_post_metric_relabeling",
    "scrape_samples_scraped",
    SERIES_ADDED,
    UP,
)
"""In the order of the reports."""
SAMPLES: Final = SCRAPE_SERIES.index("scrape_samples_scraped")

PROCESS_SAMPLES: Final = 18
"""Samples on a page that are not of the world: the run's own, and those of its process on Linux."""
ANSWER_S: Final = 0.002
"""What a scrape takes at least: a connection, and an answer without a page."""
SAMPLE_S: Final = 1e-5
"""What each sample of a page adds: it is rendered, sent and read. Of a page of 300 samples,
scraped over loopback."""


class ScrapeReporter:
    """What Prometheus stores of each scrape of one target, beside the world's series."""

    def __init__(self, ranks: NDArray[np.float64], further: int = 0) -> None:
        """`ranks` are the places of all series of the world in the order of vanishing.

        `further` series of bursts are reported too, as many as there are ever on a page.
        """
        self._ranks = ranks
        self._known: NDArray[np.bool_] | None = None
        self._known_extra = 0
        self._further = catalogue_burst(further).flatten(further)
        self._shown = 0

    def report(self, snapshot: Snapshot) -> NDArray[np.float64]:
        """Return the report of a scrape at `snapshot`, in the order of `SCRAPE_SERIES`.

        After it come the further series of bursts: NaN for those that are not on the page, the mark
        of a series' end for those that were on the one before. A scrape that fails reports no
        sample, however much of the page had come. Series are new that the last page did not have;
        before the first page all are known, as to a server that has run for long.
        """
        path = snapshot.scrape_path
        if not snapshot.exporter_up:
            return self._report(0, 0, ANSWER_S, further=None)
        took_s = min(path.delay_s, SCRAPE_TIMEOUT_S) + ANSWER_S
        if not arrives(snapshot):
            return self._report(0, 0, took_s, further=None)
        shown = self._ranks >= path.vanished_share
        known = shown if self._known is None else self._known
        added = int((shown & ~known).sum())
        if self._known is not None:
            added += max(0, path.extra_series - self._known_extra)
        self._known, self._known_extra = shown, path.extra_series
        samples = int(shown.sum()) + PROCESS_SAMPLES + path.extra_series
        took_s += SAMPLE_S * samples
        return self._report(samples, added, took_s, further=path.extra_series)

    def further(self, report: NDArray[np.float64], vanished_share: float) -> int:
        """Return how many samples of a report were neither of the world nor of the process."""
        of_world = int((self._ranks >= vanished_share).sum())
        return max(0, int(report[SAMPLES]) - of_world - PROCESS_SAMPLES)

    def _report(
        self, samples: int, added: int, took_s: float, *, further: int | None
    ) -> NDArray[np.float64]:
        """Return a report with so many further series; None: the scrape failed."""
        up = further is not None
        burst = self._further.copy()
        burst[further or 0 :] = np.nan
        burst[further or 0 : self._shown] = STALE
        self._shown = min(further or 0, len(burst))
        return np.array([took_s, samples, samples, added, float(up), *burst])


def repeated(report: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the report of a further scrape that is like this one: nothing is new, nothing ends."""
    again = report.copy()
    again[SCRAPE_SERIES.index(SERIES_ADDED)] = 0.0
    again[np.isnan(again)] = np.nan
    return again
