"""A run in real time, simulated again: what its scrapes must have brought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporter.history.samples import STALE_BITS
from exporter.metrics.catalogue import WORLD_TIME, catalogue_world
from simulator.faults.fault import Fault
from simulator.faults.kinds.sandboxes import SandboxLeak
from simulator.faults.kinds.scrape_path import (
    CounterReset,
    ExporterDown,
    ScrapeSlow,
    SeriesVanish,
)
from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from verifier.real_time import replay as replay_module
from verifier.real_time.replay import Scrapes, read_scrapes, replay_scrapes
from verifier.servers.prometheus import Series

START_S = 1_800_000_000.0


def leaking_world():
    """Return a world with a leak at 4 s, and without its exporter from 8 to 9 s."""
    faults = (
        Fault(name="leak", parameters=SandboxLeak(share=0.95), start_s=4.0, duration_s=3.0),
        Fault(name="gone", parameters=ExporterDown(), start_s=8.0, duration_s=1.0),
    )
    return World(Topology(), Plan(faults=faults), 7)


def two_scrapes_a_second(start_s):
    """Twelve seconds of scrapes, two a second, those failed that the exporter refused."""
    at_ns = (np.arange(1, 25) * 500_000_000).astype(np.int64)
    refused = (at_ns >= 8_000_000_000) & (at_ns < 9_000_000_000)
    return Scrapes(start_s + at_ns / 1e9, np.where(refused, -1, at_ns), np.full(24, 0.01))


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


def test_a_world_that_has_run_before_counts_from_the_start_of_its_exporter():
    """As a page does that is served anew; times are rounded to whole milliseconds."""
    world, later = leaking_world(), leaking_world()
    world.advance_ns(2_000_000_000)
    later.advance_ns(2_000_000_000)
    catalogue = catalogue_world(later.snapshot())
    base = catalogue.flatten(later.snapshot())
    scrapes = two_scrapes_a_second(START_S)
    late = replace(scrapes, at_s=scrapes.at_s[5:] + 0.0006, world_ns=scrapes.world_ns[5:],
                   took_s=scrapes.took_s[5:])  # fmt: skip
    (block,) = replay_scrapes(world, late).blocks
    later.advance_ns(3_000_000_000)
    values = catalogue.flatten(later.snapshot())
    counters = catalogue.kinds == "counter"
    assert base[counters].any()
    assert (block.values[:-1, 0] == np.where(counters, values - base, values)).all()
    assert block.timestamps_ms[0] == START_S * 1000 + 3001


def test_a_scrape_that_failed_has_no_time_of_the_world():
    """What it took and brought is read beside it, none where nothing was stored."""
    at_s = np.array([1.0, 2.0, 3.0])
    stored = {
        "up": Series({}, at_s, np.array([1.0, 0.0, 1.0])),
        "scrape_duration_seconds": Series({}, at_s[1:], np.array([0.5, 0.25])),
        WORLD_TIME: Series({}, at_s[::2], np.array([0.0, 2.5])),
    }

    class Stored:
        def stored(self, name, *_):
            return [stored[name]] if name in stored else []

    scrapes = read_scrapes(Stored(), 0.0, 9.0)
    assert scrapes.at_s.tolist() == at_s.tolist()
    assert scrapes.world_ns.tolist() == [0, -1, 2_500_000_000]
    assert scrapes.took_s.tolist() == [0.0, 0.5, 0.25]
    assert list(scrapes.reports) == ["scrape_duration_seconds"]


def test_a_restart_at_the_instant_of_a_scrape_that_brings_nothing_begins_there():
    """The counters of the next one begin at the restart itself."""
    faults = (
        Fault(name="slow", parameters=ScrapeSlow(delay_s=30.0), start_s=3.75, duration_s=0.5),
        Fault(name="new", parameters=CounterReset(), start_s=4.0, duration_s=1.0),
    )
    world, later = (World(Topology(), Plan(faults=faults), 7) for _ in range(2))
    (block,) = replay_scrapes(world, two_scrapes_a_second(START_S)).blocks
    assert block.values[-1, 6:9].tolist() == [1.0, 0.0, 1.0]
    catalogue = catalogue_world(later.snapshot())
    later.advance_ns(4_000_000_000)
    base = catalogue.flatten(later.snapshot())
    later.advance_ns(4_500_000_000)
    values = catalogue.flatten(later.snapshot())
    counters = catalogue.kinds == "counter"
    assert (values != base)[counters].any()
    assert (block.values[:-1, 8] == np.where(counters, values - base, values)).all()


def test_of_series_that_vanish_the_rank_at_the_share_itself_is_still_there(monkeypatch):
    """As on a page: those below it are gone."""
    fault = Fault(name="half", parameters=SeriesVanish(share=0.5), start_s=2.0, duration_s=3.0)
    world = World(Topology(), Plan(faults=(fault,)), 7)
    ranks = np.linspace(0.0, 1.0, len(catalogue_world(world.snapshot()).series))
    ranks[len(ranks) // 2] = 0.5
    monkeypatch.setattr(replay_module, "rank_series", lambda _: ranks)
    (block,) = replay_scrapes(world, two_scrapes_a_second(START_S)).blocks
    at_s = 6
    assert (~np.isnan(block.values[:-1, at_s]) == (ranks >= 0.5)).all()
    assert not np.isnan(block.values[:-1, 1]).any()
