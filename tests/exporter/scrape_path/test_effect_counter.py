"""The effects of faults of the scrape path, counted scrape by scrape on the served page."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import aiohttp
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporter.metrics.restart_view import RestartView
from exporter.scrape_path import effect_counter
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.server import exposition as exposition_module
from exporter.server.app import build_app
from exporter.server.exposition import Exposition
from simulator.faults.kinds.scrape_path import ScrapeOutcome
from simulator.snapshot import ScrapePath
from tests.fakes import MockClock, make_snapshot
from tests.simulator.faults.injectors import disarm
from tests.simulator.worlds import fault, make

FAULTS = {
    "exporter_down": fault("exporter_down"),
    "counter_reset": fault("counter_reset"),
    "scrape_slow": fault("scrape_slow", delay_s=0.1),
    "scrape_truncated": fault("scrape_truncated", share=0.25),
    "series_vanish": fault("series_vanish", share=0.25),
    "cardinality_burst": fault("cardinality_burst", series=100),
}


@asynccontextmanager
async def served(*faults):
    """Serve a small world with `faults`; give exposition, world and a function that scrapes."""
    world = make(*faults)
    clock = MockClock()
    exposition = Exposition(world, clock, version="1", scenario="calm")
    async with TestClient(TestServer(build_app(exposition))) as client:

        async def scrape(at_s):
            clock.spend(max(0.0, at_s - world.now_s))
            while world.now_s < at_s:  # in ticks, as a pacer does
                world.advance(min(round(world.now_s + 0.1, 1), at_s))
                exposition.show_change()
            with suppress(aiohttp.ClientPayloadError):
                await (await client.get("/metrics")).read()

        yield exposition, world, scrape


async def effects_of(*faults, at_s=(0.5, 1.5, 2.5, 3.5)):
    """Return measured and expected effect of each fault, scraped at these instants."""
    async with served(*faults) as (exposition, world, scrape):
        for instant_s in at_s:
            await scrape(instant_s)
        effects = exposition.scrape_effects.complete(world.effects())
        statuses = exposition.scrape_effects.show(world.snapshot()).faults
        assert {(o.name, o.effect, o.expected) for o in statuses} <= {
            (o.name, o.measured, o.expected) for o in effects
        }
    return [(effect.measured, effect.expected) for effect in effects]


@pytest.mark.parametrize("kind", FAULTS)
async def test_the_measured_effect_is_the_declared_effect(kind):
    """Three of four scrapes came while it was in effect."""
    ((measured, expected),) = await effects_of(FAULTS[kind])
    declared = {"exporter_down": 3, "counter_reset": 1, "scrape_slow": 0.1,
                "scrape_truncated": 0.25, "cardinality_burst": 100}  # fmt: skip
    assert expected == pytest.approx(declared.get(kind, expected))
    assert expected > 0
    assert expected * 0.99 <= measured <= expected * (5 if kind == "scrape_slow" else 1.01)


@pytest.mark.parametrize("kind", FAULTS)
async def test_without_its_injector_a_fault_has_no_measured_effect(kind, monkeypatch):
    """The world reports the fault in effect, and the page shows nothing of it."""
    disarm(monkeypatch, kind)
    ((measured, expected),) = await effects_of(FAULTS[kind])
    assert expected > 0
    assert measured < expected / 10


def _ignore_burst(self, snapshot, true=Exposition._parts):
    """Render a page as if no further series were due."""
    return true(self, replace(snapshot, scrape_path=ScrapePath()))


_sleep, _reading = asyncio.sleep, exposition_module.SeriesReading
IGNORED = {
    "counter_reset": (
        RestartView,
        "read",
        lambda self, snapshot: self._catalogue.flatten(snapshot),
    ),
    "scrape_slow": (asyncio, "sleep", lambda delay_s: _sleep(0 if delay_s == 0.1 else delay_s)),
    "series_vanish": (
        exposition_module,
        "SeriesReading",
        lambda *arguments: _reading(*arguments[:2]),
    ),
    "cardinality_burst": (Exposition, "_parts", _ignore_burst),
}


@pytest.mark.parametrize("kind", IGNORED)
async def test_an_exporter_that_ignores_the_fault_is_detected(kind, monkeypatch):
    """The world affects the path, and the page is as usual."""
    monkeypatch.setattr(*IGNORED[kind])
    ((measured, expected),) = await effects_of(FAULTS[kind])
    assert expected > 0
    assert measured < expected / 10


async def test_a_fault_between_two_scrapes_has_no_expected_effect():
    """But a restart shows at the next scrape, whenever that comes."""
    down = fault("exporter_down", start_s=3.0, duration_s=1.0)
    reset = fault("counter_reset", start_s=3.0, duration_s=1.0)
    assert await effects_of(down, reset, at_s=(2.5, 4.5)) == [(0, 0), (1, 1)]
    assert await effects_of(down, reset, at_s=(2.5,)) == []


async def test_overlapping_faults_are_measured_together():
    """Two delays add up; a refused scrape does not count for the series that vanished."""
    twice = (fault("scrape_slow", name=name, delay_s=0.1) for name in "ab")
    effects = await effects_of(*twice, at_s=(1.5,))
    assert all(measured >= 0.2 and expected == 0.1 for measured, expected in effects)
    behind = await effects_of(FAULTS["series_vanish"], fault("exporter_down", start_s=2.0))
    assert behind[0][0] == behind[0][1] > 0
    assert behind[1] == (2, 2)


async def test_each_of_two_restarts_is_counted_by_itself():
    """Each is between two other scrapes."""
    resets = [fault("counter_reset", name=f"{at}", start_s=at, duration_s=0.1) for at in (1, 2, 4)]
    effects = await effects_of(*resets, at_s=(0.5, 1.5, 2.5, 4.0))
    assert effects == [(1, 1), (1, 1), (1, 1)]


@pytest.mark.parametrize("kind", ["exporter_down", "scrape_slow", "series_vanish"])
def test_several_scrapes_counted_at_once_count_as_one_by_one(kind):
    """Resampled stretches are noted so."""
    world = make(FAULTS[kind])
    world.advance(2.5)
    outcome = ScrapeOutcome(refused=kind == "exporter_down", late_s=0.1, missing=2)
    at_once, in_turn = ScrapeEffectCounter(np.zeros(8)), ScrapeEffectCounter(np.zeros(8))
    at_once.note(world.snapshot(), outcome, 3)
    for _ in range(3):
        in_turn.note(world.snapshot(), outcome)
    (effect,) = at_once.complete(world.effects())
    assert (effect,) == in_turn.complete(world.effects())
    assert effect.measured > 0


def test_the_number_of_counted_faults_and_resets_is_limited(monkeypatch):
    """The oldest faults and resets are forgotten."""
    monkeypatch.setattr(effect_counter, "COUNTED_MAX", 2)
    counts = ScrapeEffectCounter(np.zeros(1))
    world = make(*(fault("exporter_down", name=f"{n}", start_s=n, duration_s=0.5)
                   for n in range(5)))  # fmt: skip
    for n in range(5):
        world.advance(n + 0.2)
        counts.note(world.snapshot(), ScrapeOutcome(refused=True))
        counts.note_counters(n, np.array([float(n % 2)]))
    effects = counts.complete(world.effects())
    assert [effect.measured for effect in effects] == [0, 0, 0, 1, 1]
    assert counts.show(make_snapshot()).faults == ()


def test_a_scrape_counts_for_a_fault_of_its_path_whatever_else_is_in_effect():
    """A fault of the load before it, and one of the path that a refused scrape says nothing of."""
    faults = (fault("traffic_drop", name="load", share=0.5), FAULTS["cardinality_burst"],
              FAULTS["exporter_down"])  # fmt: skip
    world = make(*faults)
    world.advance(2.5)
    counts = ScrapeEffectCounter(np.zeros(8))
    counts.note(world.snapshot(), ScrapeOutcome(refused=True))
    down = {effect.fault: effect for effect in counts.complete(world.effects())}["exporter_down"]
    assert (down.measured, down.expected) == (1.0, 1.0)
    shown = {status.fault: status for status in counts.show(world.snapshot()).faults}
    assert (shown["exporter_down"].effect, shown["exporter_down"].expected) == (1.0, 1.0)


def test_a_restart_at_the_instant_of_a_page_lies_after_it():
    """Of a fault that begins with the last whole page, its next page shows the restart."""
    world = make(fault("counter_reset", start_s=1.0, duration_s=1.0))
    world.advance(1.5)
    for first_ns, seen in ((10**9, 1.0), (10**9 + 1, 0.0)):
        counts = ScrapeEffectCounter(np.zeros(1))
        counts.note_counters(first_ns, np.array([5.0]))
        counts.note_counters(2 * 10**9, np.array([0.0]))
        (effect,) = counts.complete(world.effects())
        assert effect.measured == seen


def test_another_worlds_clock_may_stand_earlier_or_where_the_last_one_stood():
    """Earlier, and its whole past is meant; at the same instant, nothing before it is."""
    world = make(fault("counter_reset", start_s=1.0, duration_s=1.0))
    world.advance(1.5)
    for last_s, seen in ((3, 1.0), (2, 0.0)):
        counts = ScrapeEffectCounter(np.zeros(1))
        counts.note_counters(last_s * 10**9, np.array([5.0]))
        counts.note_counters(2 * 10**9, np.array([0.0]))
        (effect,) = counts.complete(world.effects())
        assert effect.measured == seen


def test_of_counted_faults_the_one_counted_longest_ago_is_forgotten(monkeypatch):
    """Not the one that was the first to be counted: it may last for long."""
    assert effect_counter.COUNTED_MAX == 1024
    monkeypatch.setattr(effect_counter, "COUNTED_MAX", 2)
    counts = ScrapeEffectCounter(np.zeros(1))
    faults = [("long", 1.0, 9.0), ("short", 1.0, 1.0), ("late", 4.0, 1.0)]
    world = make(*(fault("exporter_down", name=name, start_s=start_s, duration_s=duration_s)
                   for name, start_s, duration_s in faults))  # fmt: skip
    for at_s in (1.5, 3.0, 4.5):
        world.advance(at_s)
        counts.note(world.snapshot(), ScrapeOutcome(refused=True))
    measured = {effect.name: effect.measured for effect in counts.complete(world.effects())}
    assert measured == {"long": 3, "short": 0, "late": 1}


def test_of_resets_the_last_are_kept(monkeypatch):
    """Three were seen and two are kept: of the first fault nothing is known any more."""
    monkeypatch.setattr(effect_counter, "COUNTED_MAX", 2)
    counts = ScrapeEffectCounter(np.zeros(1))
    resets = [fault("counter_reset", name=f"{at}", start_s=at, duration_s=0.1) for at in (1, 2, 3)]
    world = make(*resets)
    world.advance(4.0)
    page = np.array([5.0])
    for at_s in (0.5, 1.5, 2.5, 3.5):
        counts.note_counters(int(at_s * 1e9), page)
        page -= 1.0
    assert [effect.measured for effect in counts.complete(world.effects())] == [0, 1, 1]


@pytest.mark.parametrize(("last_ns", "expected"), [(10**9, 0.0), (10**9 + 1, 1.0)])
def test_a_restart_is_expected_once_a_page_came_after_it(last_ns, expected):
    """One of the very instant at which it began came before it."""
    world = make(fault("counter_reset", start_s=1.0, duration_s=1.0))
    world.advance(1.5)
    counts = ScrapeEffectCounter(np.zeros(1))
    counts.note_counters(last_ns, np.array([5.0]))
    (effect,) = counts.complete(world.effects())
    assert effect.expected == expected
