"""The series that a scraping Prometheus writes itself, beside those of the page that it scrapes.

They follow `scrapeLoop.report` of Prometheus 2.42 (scrape/scrape.go), and a test compares them with
what a real one stored. The recorder of history asks for them, scrape by scrape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

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

PROCESS_SAMPLES: Final = 18
"""Samples on a page that are not of the world: the run's own, and those of its process on Linux."""
ANSWER_S: Final = 0.002
"""What a scrape takes at least: a connection, and an answer without a page."""
SAMPLE_S: Final = 1e-5
"""What each sample of a page adds: it is rendered, sent and read. Of a page of 300 samples,
scraped over loopback."""


class ScrapeReporter:
    """What Prometheus reports of each scrape of one target."""

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        """`ranks` are the places of all series of the world in the order of vanishing."""
        self._ranks = ranks
        self._known: NDArray[np.bool_] | None = None
        self._known_extra = 0

    def report(self, snapshot: Snapshot) -> NDArray[np.float64]:
        """Return the report of a scrape at `snapshot`, in the order of `SCRAPE_SERIES`.

        A scrape that fails reports no sample, however much of the page had come. Series are new
        that the last page did not have; before the first page all are known, as to a server that
        has run for long.
        """
        path = snapshot.scrape_path
        if not snapshot.exporter_up:
            return self._report(0, 0, ANSWER_S, up=False)
        took_s = min(path.delay_s, SCRAPE_TIMEOUT_S) + ANSWER_S
        if not arrives(snapshot):
            return self._report(0, 0, took_s, up=False)
        shown = self._ranks >= path.vanished_share
        known = shown if self._known is None else self._known
        added = int((shown & ~known).sum())
        if self._known is not None:
            added += max(0, path.extra_series - self._known_extra)
        self._known, self._known_extra = shown, path.extra_series
        samples = int(shown.sum()) + PROCESS_SAMPLES + path.extra_series
        return self._report(samples, added, took_s + SAMPLE_S * samples, up=True)

    @staticmethod
    def _report(samples: int, added: int, took_s: float, *, up: bool) -> NDArray[np.float64]:
        return np.array([took_s, samples, samples, added, float(up)])
