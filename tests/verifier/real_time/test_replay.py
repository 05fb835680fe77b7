"""A run in real time, simulated again: what its scrapes must have brought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporter.history.samples import STALE_BITS
from exporter.metrics.catalogue import catalogue_world
from tests.verifier.real_time.replays import leaking_world, two_scrapes_a_second
from verifier.real_time.replay import replay_scrapes

START_S = 1_800_000_000.0


def test_what_prometheus_reports_of_a_scrape_is_replayed_as_it_was():
    """A rule that reads it must see the same in both clocks, and it is of the real scrape alone."""
    took_s = np.linspace(0.01, 0.02, 24)
    scrapes = replace(two_scrapes_a_second(START_S), reports={"scrape_duration_seconds": took_s})
    history = replay_scrapes(leaking_world(), scrapes)
    (block,) = history.blocks
    assert [dict(labels)["__name__"] for labels in history.series[-2:]] == [
        "up",
        "scrape_duration_seconds",
    ]
    assert block.values[-1].tolist() == took_s.tolist()


def test_a_replay_gives_the_very_samples():
    """Those that its own page would have shown at these instants, counters from 0."""
    history, world = replay_scrapes(leaking_world(), two_scrapes_a_second(START_S)), leaking_world()
    catalogue = catalogue_world(world.snapshot())
    base = catalogue.flatten(world.snapshot())
    (block,) = history.blocks
    world.advance_ns(5_000_000_000)
    values = catalogue.flatten(world.snapshot())
    counters = catalogue.kinds == "counter"
    assert (block.values[:-1, 9] == np.where(counters, values - base, values)).all()


def test_a_failed_scrape_ends_every_series_and_is_not_up():
    """A stale marker once, then nothing, as Prometheus itself would have stored."""
    (block,) = replay_scrapes(leaking_world(), two_scrapes_a_second(START_S)).blocks
    bits = block.values.view(np.uint64)
    assert block.values[-1].tolist() == [1.0] * 15 + [0.0] * 2 + [1.0] * 7
    assert (bits[:-1, 15] == STALE_BITS).all()
    assert np.isnan(block.values[:-1, 16]).all()
    assert not (bits[:-1, 16] == STALE_BITS).any()


def test_a_scrape_of_the_very_beginning_brought_something():
    """The world is there from its first nanosecond on; before that nothing was scraped."""
    scrapes = two_scrapes_a_second(START_S)
    at_once = replace(scrapes, world_ns=np.concatenate(([-1, 0], scrapes.world_ns[2:])))
    (block,) = replay_scrapes(leaking_world(), at_once).blocks
    assert block.values[-1, :3].tolist() == [0.0, 1.0, 1.0]
