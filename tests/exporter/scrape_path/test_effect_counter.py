"""Scrapes meet the faults of their path, and are counted where they meet them: on the live page."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporter.metrics.restart_view import RestartView
from exporter.scrape_path import effect_counter as path
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.server import exposition as live
from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from simulator.faults.kinds.observability import ScrapeOutcome
from simulator.snapshot import ScrapePath
from tests.fakes import MockClock, make_snapshot
from tests.simulator.faults.injectors import disarm
from tests.simulator.worlds import fault, make

FAULTS = {
    "exporter_down": fault("exporter_down"),
    "counter_reset": fault("counter_reset"),
    "scrape_slow": fault("scrape_slow", delay_s=0.1),
    "scrape_truncated": fault("scrape_truncated", share=0.5),
    "series_vanish": fault("series_vanish", share=0.25),
    "cardinality_burst": fault("cardinality_burst", series=100),
}


@asynccontextmanager
async def served(*faults):
    """Serve a small world that will meet `faults`; give its page and a way to scrape at a time."""
    world = make(*faults)
    clock = MockClock()
    shown = Exposition(world, clock, version="1", scenario="calm")
    async with TestClient(TestServer(build_app(shown))) as client:

        async def scrape(at_s):
            clock.spend(max(0.0, at_s - world.now_s))
            while world.now_s < at_s:  # in ticks, as a pacer does
                world.advance(min(round(world.now_s + 0.1, 1), at_s))
                shown.show_change()
            with suppress(aiohttp.ClientPayloadError):
                await (await client.get("/metrics")).read()

        yield shown, world, scrape


async def effects_of(*faults, at_s=(0.5, 1.5, 2.5, 3.5)):
    """Return measured and expected effect of each fault, scraped at these instants."""
    async with served(*faults) as (shown, world, scrape):
        for instant_s in at_s:
            await scrape(instant_s)
        found = shown.path.complete(world.effects())
        statuses = shown.path.show(world.snapshot()).faults
        assert {(o.name, o.effect, o.expected) for o in statuses} <= {
            (o.name, o.measured, o.expected) for o in found
        }
    return [(one.measured, one.expected) for one in found]


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_scrape_meets_what_was_declared(kind):
    """Three scrapes of four came in its time."""
    ((measured, expected),) = await effects_of(FAULTS[kind])
    declared = {"exporter_down": 3, "counter_reset": 1, "scrape_slow": 0.1,
                "scrape_truncated": 0.5, "cardinality_burst": 100}  # fmt: skip
    assert expected == pytest.approx(declared.get(kind, expected))
    assert expected > 0
    assert expected * 0.99 <= measured <= expected * (5 if kind == "scrape_slow" else 1.01)


@pytest.mark.parametrize("kind", FAULTS)
async def test_without_its_injector_a_scrape_meets_nothing(kind, monkeypatch):
    """The world says that the fault is in effect, and the page shows none of it."""
    disarm(monkeypatch, kind)
    ((measured, expected),) = await effects_of(FAULTS[kind])
    assert expected > 0
    assert measured < expected / 10


def _ignore_burst(self, snapshot, true=Exposition._families):
    """Render a page as if no further series were asked for."""
    return true(self, replace(snapshot, scrape_path=ScrapePath()))


_sleep, _collect = asyncio.sleep, live.collect
IGNORED = {
    "counter_reset": (
        RestartView,
        "read",
        lambda self, snapshot: self._catalogue.flatten(snapshot),
    ),
    "scrape_slow": (asyncio, "sleep", lambda delay_s: _sleep(0 if delay_s == 0.1 else delay_s)),
    "series_vanish": (live, "collect", lambda *given: _collect(*given[:2])),
    "cardinality_burst": (Exposition, "_families", _ignore_burst),
}


@pytest.mark.parametrize("kind", IGNORED)
async def test_an_exporter_that_ignores_the_fault_is_found_out(kind, monkeypatch):
    """The world hinders the path, and the page goes out as ever."""
    monkeypatch.setattr(*IGNORED[kind])
    ((measured, expected),) = await effects_of(FAULTS[kind])
    assert expected > 0
    assert measured < expected / 10


async def test_nobody_can_say_anything_of_a_fault_between_two_scrapes():
    """Nothing is expected of it; a restart is seen by the next scrape whenever that comes."""
    down = fault("exporter_down", start_s=3.0, duration_s=1.0)
    reset = fault("counter_reset", start_s=3.0, duration_s=1.0)
    assert await effects_of(down, reset, at_s=(2.5, 4.5)) == [(0, 0), (1, 1)]
    assert await effects_of(down, reset, at_s=(2.5,)) == []


async def test_faults_that_overlap_each_see_what_all_of_them_did():
    """Two delays add up; while nothing is answered, nobody knows what else is missing."""
    twice = (fault("scrape_slow", name=name, delay_s=0.1) for name in "ab")
    found = await effects_of(*twice, at_s=(1.5,))
    assert all(measured >= 0.2 and expected == 0.1 for measured, expected in found)
    behind = await effects_of(FAULTS["series_vanish"], fault("exporter_down", start_s=2.0))
    assert behind[0][0] == behind[0][1] > 0
    assert behind[1] == (2, 2)


async def test_two_restarts_are_two_and_each_knows_its_own():
    """Each is between two other scrapes; one that nobody scraped after is not known of."""
    resets = [fault("counter_reset", name=f"{at}", start_s=at, duration_s=0.1) for at in (1, 2, 4)]
    found = await effects_of(*resets, at_s=(0.5, 1.5, 2.5, 4.0))
    assert found == [(1, 1), (1, 1), (1, 1)]


def test_only_so_much_is_remembered(monkeypatch):
    """The oldest faults and resets are forgotten."""
    monkeypatch.setattr(path, "COUNTED_MAX", 2)
    counts = ScrapeEffectCounter(np.zeros(1))
    world = make(*(fault("exporter_down", name=f"{n}", start_s=n, duration_s=0.5)
                   for n in range(5)))  # fmt: skip
    for n in range(5):
        world.advance(n + 0.2)
        counts.note(world.snapshot(), ScrapeOutcome(refused=True))
        counts.note_counters(n, np.array([float(n % 2)]))
    found = counts.complete(world.effects())
    assert [one.measured for one in found] == [0, 0, 0, 1, 1]
    assert counts.show(make_snapshot()).faults == ()
