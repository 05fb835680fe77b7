"""Faults of the observability path change what a scrape gets, and nothing in the world."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.faults.kinds.scrape_path import (
    CardinalityBurst,
    CounterReset,
    ExporterDown,
    ScrapeOutcome,
    ScrapeSlow,
    ScrapeSums,
    ScrapeTruncated,
    SeriesVanish,
)
from simulator.faults.parameters import TimeScale
from simulator.snapshot import ScrapePath
from tests.simulator.faults.samples import ON_THE_PATH, SAMPLES
from tests.simulator.worlds import fault, make


def test_exporter_down_changes_nothing_in_the_world():
    """Every byte of the world is as without the fault; only the exporter's flag differs."""
    world, calm = make(fault("exporter_down", duration_s=4.0)), make()
    for instant_s, up in ((0.5, True), (1.0, False), (4.9, False), (5.0, True)):
        world.advance(instant_s)
        assert world.snapshot().exporter_up is up
        assert world.exporter_restarts == 0
    calm.advance(5.0)
    assert world.fingerprint() == calm.fingerprint()


def test_counter_reset_is_the_exporters_restart_not_the_worlds():
    """One restart is counted at the onset; the world's own counters go on."""
    world, calm = make(fault("counter_reset", duration_s=4.0)), make()
    world.advance(0.99)
    assert world.snapshot().exporter_restarts == 0
    for instant_s in (1.0, 3.0, 6.0):
        world.advance(instant_s)
        assert world.snapshot().exporter_restarts == 1
    calm.advance(6.0)
    assert world.fingerprint() == calm.fingerprint()
    world.inject(fault("counter_reset", name="again", start_s=6.5))
    world.advance(7.0)
    assert world.snapshot().exporter_restarts == 2


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("scrape_slow", ScrapePath(delay_s=3.0)),
        ("scrape_truncated", ScrapePath(cut_share=0.5)),
        ("series_vanish", ScrapePath(vanished_share=0.25)),
        ("cardinality_burst", ScrapePath(extra_series=100)),
    ],
)
def test_a_changed_scrape_path_is_shown_and_the_world_stays_the_same(kind, path):
    """Only the path between the world and its readers differs, while the fault lasts."""
    world, calm = make(fault(kind, **SAMPLES[kind], duration_s=4.0)), make()
    for instant_s, expected in ((0.5, ScrapePath()), (1.0, path), (4.9, path), (5.0, ScrapePath())):
        world.advance(instant_s)
        assert world.snapshot().scrape_path == expected
    calm.advance(5.0)
    assert world.fingerprint() == calm.fingerprint()


def test_faults_of_the_scrape_path_compose_within_their_bounds():
    """Delays and series add, shares are of what the other left."""
    world = make(*(fault(kind, name=f"{kind}-{n}", **SAMPLES[kind])
                   for kind in ON_THE_PATH[-4:] for n in range(2)))  # fmt: skip
    world.advance(1.0)
    assert world.snapshot().scrape_path == ScrapePath(6.0, 0.75, 1 - 0.75**2, 200)
    slow = (fault("scrape_slow", name=f"slow-{n}", delay_s=60.0) for n in range(3))
    burst = (fault("cardinality_burst", name=f"burst-{n}", series=9000) for n in range(3))
    world = make(*slow, *burst)
    world.advance(1.0)
    assert world.snapshot().scrape_path == ScrapePath(delay_s=60.0, extra_series=10_000)


RANKS = np.array([0.1, 0.2, 0.3, 0.6])


@pytest.mark.parametrize(
    ("kind", "outcome", "effect"),
    [
        (ScrapeSlow, ScrapeOutcome(late_s=3.0), (3.0, 5.0)),
        (ScrapeSlow, ScrapeOutcome(), (0.0, 5.0)),
        (ScrapeSlow, ScrapeOutcome(refused=True, late_s=3.0), (3.0, 5.0)),
        (ScrapeSlow, ScrapeOutcome(refused=True), None),
        (ScrapeTruncated, ScrapeOutcome(cut_share=0.4), (0.4, 5.0)),
        (ScrapeTruncated, ScrapeOutcome(), (0.0, 5.0)),
        (ScrapeTruncated, ScrapeOutcome(refused=True, cut_share=0.4), (0.4, 5.0)),
        (ScrapeTruncated, ScrapeOutcome(refused=True), None),
        (SeriesVanish, ScrapeOutcome(missing=2), (2.0, 4.0)),
        (SeriesVanish, ScrapeOutcome(refused=True, missing=2), None),
        (CardinalityBurst, ScrapeOutcome(further=7), (7.0, 5.0)),
        (CardinalityBurst, ScrapeOutcome(refused=True, further=7), None),
        (ExporterDown, ScrapeOutcome(refused=True), (1.0, 1.0)),
        (ExporterDown, ScrapeOutcome(), (0.0, 1.0)),
        (CounterReset, ScrapeOutcome(), None),
    ],
)
def test_a_scrape_counts_for_a_fault_as_far_as_it_can_tell(kind, outcome, effect):
    """One that brought nothing does where it is known to have been late, or cut, by that fault."""
    assert kind.count_scrape(outcome, 5.0, RANKS) == effect


@pytest.mark.parametrize(
    ("kind", "sums", "effect"),
    [
        (ScrapeSlow, ScrapeSums(), (0.0, 0.0)),
        (ScrapeSlow, ScrapeSums(scrapes=1, measured=3.0, expected=4.0), (3.0, 4.0)),
        (ScrapeSlow, ScrapeSums(scrapes=4, measured=6.0, expected=8.0), (1.5, 2.0)),
        (ExporterDown, ScrapeSums(scrapes=4, measured=3.0, expected=4.0), (3.0, 4.0)),
        (CounterReset, ScrapeSums(), (0.0, 0.0)),
        (CounterReset, ScrapeSums(scraped_since=True), (0.0, 1.0)),
        (CounterReset, ScrapeSums(restart_seen=True), (1.0, 1.0)),
        (CounterReset, ScrapeSums(restart_seen=True, scraped_since=True), (1.0, 1.0)),
    ],
)
def test_scrapes_are_summed_up_as_the_kind_says(kind, sums, effect):
    """The mean of all, their number, or whether a restart was seen once one could have been."""
    assert kind.sum_up(sums) == effect


def test_a_delay_in_compressed_time_is_the_same_part_of_the_timeout_and_at_most_the_most():
    """A timeout that shrinks to a fifth, and one that grows."""
    fifth, twice = (TimeScale(factor=60.0, scrape_timeout_share=share) for share in (0.2, 2.0))
    assert ScrapeSlow(delay_s=10.0).compressed(fifth) == ScrapeSlow(delay_s=2.0)
    assert ScrapeSlow(delay_s=40.0).compressed(twice) == ScrapeSlow(delay_s=60.0)


def test_a_series_whose_place_is_the_very_share_does_not_vanish():
    """Those below it do; a burst of series is rounded on its ramp."""
    assert SeriesVanish.count_scrape(ScrapeOutcome(missing=2), 0.3, RANKS) == (2.0, 2.0)
    world = make(fault("cardinality_burst", series=5, ramp_s=10.0))
    series = []
    for second in range(1, 12):
        world.advance(second)
        series.append(world.snapshot().scrape_path.extra_series)
    assert series == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
