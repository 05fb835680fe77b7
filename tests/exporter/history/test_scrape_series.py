"""What Prometheus reports of each scrape: `up`, its duration, how many samples, how many new."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from exporter.history.samples import STALE_BITS
from exporter.history.scrape_series import (
    ANSWER_S,
    PROCESS_SAMPLES,
    SAMPLE_S,
    SAMPLES,
    SCRAPE_SERIES,
    SERIES_ADDED,
    ScrapeReporter,
    repeated,
)
from simulator.snapshot import ScrapePath

ADDED = SCRAPE_SERIES.index(SERIES_ADDED)


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


def ends(values):
    """Return 'end' for a mark of a series' end, None for no sample, else the number."""
    stale = np.ascontiguousarray(values).view(np.uint64) == STALE_BITS
    return [
        "end" if mark else None if np.isnan(value) else value
        for mark, value in zip(stale, values, strict=True)
    ]


def test_further_series_are_there_while_the_burst_lasts_and_end_once():
    """Each with its mark, also when the whole scrape fails; a scrape alike marks nothing again."""
    reporter = ScrapeReporter(np.array([0.1]), further=3)
    seen = []
    for up, extra in ((True, 0), (True, 3), (True, 1), (False, 3), (True, 2), (True, 2)):
        path = ScrapePath(extra_series=extra)
        report = reporter.report(SimpleNamespace(exporter_up=up, scrape_path=path))
        seen.append(ends(report[len(SCRAPE_SERIES) :]))
    assert seen == [
        [None, None, None], [1.0, 1.0, 1.0], [1.0, "end", "end"], ["end", None, None],
        [1.0, 1.0, None], [1.0, 1.0, None],
    ]  # fmt: skip
    path = ScrapePath(extra_series=1)
    last = reporter.report(SimpleNamespace(exporter_up=True, scrape_path=path))
    assert ends(last[len(SCRAPE_SERIES) :]) == [1.0, "end", None]
    assert ends(repeated(last)[len(SCRAPE_SERIES) :]) == [1.0, None, None]


@pytest.mark.parametrize("vanished", [0.0, 0.5])
def test_further_samples_are_counted_from_the_report(reporter, vanished):
    """Whatever is missing of the world's own."""
    path = ScrapePath(vanished_share=vanished, extra_series=7)
    report = reporter.report(SimpleNamespace(exporter_up=True, scrape_path=path))
    assert reporter.further(report, vanished) == 7
    failed = reporter.report(SimpleNamespace(exporter_up=False, scrape_path=path))
    assert reporter.further(failed, vanished) == 0


def test_a_series_is_shown_up_to_its_rank_and_counted_so(reporter):
    """A share that is a series' rank leaves it; what is further is counted beside it."""
    path = ScrapePath(vanished_share=0.3, extra_series=2)
    report = reporter.report(SimpleNamespace(exporter_up=True, scrape_path=path))
    assert report[SAMPLES] == 3 + PROCESS_SAMPLES + 2
    assert reporter.further(report, 0.3) == 2


def test_nothing_is_new_to_a_further_scrape_that_is_like_the_one_before(reporter):
    """All else that Prometheus says of it is the same."""
    report(reporter, vanished_share=0.5)
    path = ScrapePath(vanished_share=0.0)
    first = reporter.report(SimpleNamespace(exporter_up=True, scrape_path=path))
    assert first[ADDED] == 2
    assert repeated(first)[ADDED] == 0
    assert np.delete(repeated(first), ADDED).tolist() == np.delete(first, ADDED).tolist()
