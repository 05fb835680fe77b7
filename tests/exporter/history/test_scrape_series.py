"""What Prometheus reports of each scrape: `up`, its duration, how many samples, how many new."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.scrape_series import (
    ANSWER_S,
    PROCESS_SAMPLES,
    SAMPLE_S,
    ScrapeReporter,
)
from simulator.snapshot import ScrapePath


def report(reporter, *, up=True, **path):
    """Return duration, samples, samples kept, series added and `up` of a scrape."""
    snapshot = SimpleNamespace(exporter_up=up, scrape_path=ScrapePath(**path))
    return reporter.report(snapshot).tolist()


@pytest.fixture
def reporter():
    """Return the reporter of four series, of which the first vanish first."""
    return ScrapeReporter(np.array([0.1, 0.3, 0.6, 0.9]))


def test_series_are_new_that_the_last_page_did_not_have(reporter):
    """None on the first page, whatever it has; then those that come back, and further ones."""
    added = [
        report(reporter, vanished_share=vanished, extra_series=extra)[3]
        for vanished, extra in (
            (0.5, 7), (0.0, 7), (0.7, 7), (0.2, 10), (0.2, 4), (0.2, 4), (0.0, 6),
        )
    ]  # fmt: skip
    assert added == [0, 2, 0, 2 + 3, 0, 0, 1 + 2]


def test_a_scrape_that_fails_reports_no_sample_and_forgets_nothing(reporter):
    """Refused at once, or given up after ten seconds; the page before it is still the last."""
    report(reporter, extra_series=5)
    assert report(reporter, up=False, extra_series=9) == [ANSWER_S, 0, 0, 0, 0]
    assert report(reporter, delay_s=30.0, extra_series=9) == [10 + ANSWER_S, 0, 0, 0, 0]
    samples = 4 + PROCESS_SAMPLES + 5
    took_s = 1.5 + ANSWER_S + SAMPLE_S * samples
    assert report(reporter, delay_s=1.5, extra_series=5) == [took_s, samples, samples, 0, 1]
