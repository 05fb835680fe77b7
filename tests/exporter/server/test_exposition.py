"""A paced world behind a page: what a scrape shows, and that it changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.page import TEXT
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.scrape_path.losses import rank_series
from exporter.server.exposition import Exposition, LoadReading
from simulator.faults.fault import Fault
from simulator.faults.kinds.scrape_path import ExporterDown, ScrapeOutcome
from simulator.faults.kinds.traffic import TrafficDrop
from simulator.load import Load, LoadChange, Stage
from simulator.pacer import STEP_LIMIT_S
from simulator.plan import Plan
from simulator.snapshot import ScrapePath
from simulator.world import World
from tests.fakes import FakeWorld, MockClock
from tests.simulator.worlds import small


@pytest.fixture
def clock():
    """Return a clock that stands still."""
    return MockClock()


@pytest.fixture
def world():
    """Return a world after a second."""
    world = FakeWorld()
    world.advance(1.0)
    return world


@pytest.fixture
def exposition(world, clock):
    """Return the world behind a page."""
    return Exposition(world, clock, version="1.2.3", scenario="calm")


def read(page, series):
    """Return the value of a series as the text page spells it, or None."""
    for line in page.body(TEXT, compressed=False).decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name == series:
            return float(value)
    return None


def test_a_scrape_sees_the_world_of_its_own_instant(exposition, clock):
    """No tick has passed, and yet the world has moved on."""
    clock.spend(0.03)
    assert read(exposition.scrape(), "agentaskit_sim_time_seconds") == pytest.approx(1.03)


def test_scrapes_at_one_instant_share_one_page(exposition, clock):
    """Two who ask at once cannot see two readings; the next tick makes a new page."""
    clock.spend(0.03)
    page = exposition.scrape()
    assert exposition.scrape() is page
    clock.spend(0.009)
    assert exposition.scrape() is page
    clock.spend(0.002)
    assert exposition.scrape() is not page


def test_a_page_stays_as_it_was_when_the_world_moves_on(exposition, clock, world):
    """A page that is still being sent must not tear."""
    page = exposition.scrape()
    text = page.body(TEXT, compressed=False)
    clock.spend(1.0)
    world.advance(2.0)
    assert page.body(TEXT, compressed=False) == text
    later = read(exposition.scrape(), "agentaskit_agents_started_total")
    assert later > read(page, "agentaskit_agents_started_total")


def test_a_world_behind_its_time_says_by_how_much(exposition, clock):
    """One scrape moves it by one step only; the drift is on the page."""
    clock.spend(5.0)
    page = exposition.scrape()
    assert read(page, "agentaskit_sim_time_seconds") == pytest.approx(1.0 + STEP_LIMIT_S)
    assert read(page, "agentaskit_sim_clock_drift_seconds") == pytest.approx(5.0 - STEP_LIMIT_S)


def test_while_the_exporter_is_down_scrapes_are_refused_and_counted(exposition, world):
    """The world goes on; afterwards the page counts how many were lost."""
    exposition.scrape()
    world.change(exporter_up=False)
    world.advance(1.01)
    assert exposition.is_up() is False
    assert exposition.scrape() is None
    assert exposition.scrape() is None
    world.change(exporter_up=True)
    world.advance(1.02)
    assert exposition.is_up() is True
    page = exposition.scrape()
    assert read(page, 'agentaskit_sim_scrapes_total{outcome="refused"}') == 2
    assert read(page, 'agentaskit_sim_scrapes_total{outcome="served"}') == 1


def test_a_restart_resets_the_counters_at_its_tick_and_not_at_the_next_scrape(
    exposition, world, clock
):
    """What happens between the restart and the scrape is shown, as by a real process."""
    before = read(exposition.scrape(), "agentaskit_agents_started_total")
    world.change(exporter_restarts=1)
    clock.spend(0.05)
    exposition.pacer.step()
    clock.spend(0.05)
    exposition.pacer.step()
    after = read(exposition.scrape(), "agentaskit_agents_started_total")
    assert 0 < after < before


def test_restarts_of_before_the_page_was_opened_reset_nothing(world, clock):
    """The first scrape shows what the world has counted, unless the exporter is fresh."""
    world.change(exporter_restarts=2)
    started = world.snapshot().agents_started
    for fresh, shown in ((False, started), (True, 0)):
        page = Exposition(world, clock, version="1", scenario="calm", fresh=fresh).scrape()
        assert read(page, "agentaskit_agents_started_total") == shown
    assert started > 0


def test_the_page_says_who_runs_and_what_replays_it(exposition):
    """Version, scenario and seed."""
    page = exposition.scrape()
    assert read(page, 'agentaskit_sim_run_info{scenario="calm",seed="42"}') == 1
    text = page.body(TEXT, compressed=False).decode()
    assert 'agentaskit_sim_build_info{python_version="' in text
    assert 'version="1.2.3"} 1.0' in text
    assert "process_cpu_seconds_total" in text


def test_facts_for_people_name_the_faults(exposition, world):
    """The landing page lists what is in effect."""
    assert dict(exposition.facts())["Faults in effect"] == "none"
    world.begin_fault("traffic_drop")
    facts = dict(exposition.facts())
    assert facts["Faults in effect"] == "traffic_drop-here"
    assert facts["Seed"] == "42"
    assert facts["Virtual time"] == "0:00:01"
    assert facts["Running for"] == "0:00:00"
    for now_s, shown in ((3725.9, "1:02:05"), (86_399, "23:59:59"), (86_400, "1d 0:00:00"),
                         (260_086.7, "3d 0:14:46")):  # fmt: skip
        world.change(now_ns=round(now_s * 1e9))
        exposition.show_change()
        assert dict(exposition.facts())["Virtual time"] == shown


class SlowPart:
    """A part of a page that takes a while to write."""

    def __init__(self, clock, seconds):
        """Let `clock` go on by `seconds` for each writing."""
        self._clock, self._seconds = clock, seconds

    def text(self, _):
        """Take the time."""
        self._clock.spend(self._seconds)
        return b""


def test_a_page_that_takes_long_to_make_stays_fresh_for_longer(exposition, clock, monkeypatch):
    """Those who asked while it was made get it, or the event loop would do nothing else."""
    monkeypatch.setattr(exposition, "_parts", lambda _: (SlowPart(clock, 0.007),))
    clock.spend(0.03)
    page = exposition.scrape()
    page.body(TEXT, compressed=False)
    clock.spend(0.010)
    assert exposition.scrape() is page
    clock.spend(0.010)
    assert exposition.scrape() is not page


def test_however_long_a_page_takes_it_is_never_older_than_half_a_tick(
    exposition, clock, monkeypatch
):
    """A reading of long ago is no reading of now."""
    monkeypatch.setattr(exposition, "_parts", lambda _: (SlowPart(clock, 0.020),))
    clock.spend(0.03)
    page = exposition.scrape()
    page.body(TEXT, compressed=False)
    assert exposition.scrape() is page
    clock.spend(0.006)
    assert exposition.scrape() is not page


def test_no_page_has_more_series_than_the_limit_and_it_says_what_was_dropped(world, clock):
    """A burst first, and nothing of the world while that is enough."""
    calm = Exposition(world, clock, version="1", scenario="calm").scrape()
    usual = sum(line[:1] != b"#" for line in calm.body(TEXT, compressed=False).splitlines())
    world.change(scrape_path=ScrapePath(extra_series=500))
    world.advance(1.1)
    limited = Exposition(world, clock, version="1", scenario="calm", series_limit=usual + 50)
    page = limited.scrape()
    lines = [line for line in page.body(TEXT, compressed=False).splitlines() if line[:1] != b"#"]
    assert len(lines) == usual + 50
    assert read(page, "agentaskit_sim_series_dropped_total") == 450
    assert read(page, 'agentaskit_sim_burst_series{value="49"}') == 1
    world.advance(1.2)
    assert read(limited.scrape(), "agentaskit_sim_series_dropped_total") == 900


def test_a_limit_below_the_world_leaves_out_whole_families(world, clock):
    """What rules read first stays."""
    page = Exposition(world, clock, version="1", scenario="calm", series_limit=100).scrape()
    lines = [line for line in page.body(TEXT, compressed=False).splitlines() if line[:1] != b"#"]
    assert len(lines) <= 100
    assert read(page, "agentaskit_sim_series_dropped_total") > 100
    assert read(page, 'http_requests_total{status="200"}') is not None


@pytest.mark.parametrize("limit", [100, 10_000])
def test_series_that_the_limit_leaves_off_have_not_vanished(world, clock, monkeypatch, limit):
    """A fault of vanishing series is measured by what it did, not by the limit."""
    outcomes = []
    monkeypatch.setattr(
        ScrapeEffectCounter, "note", lambda _, __, outcome: outcomes.append(outcome)
    )
    exposition = Exposition(world, clock, version="1", scenario="calm", series_limit=limit)
    world.change(scrape_path=ScrapePath(vanished_share=0.25))
    exposition.note_answer(exposition.scrape(), 0.0, 0.0)
    ranks = rank_series(catalogue_world(world.snapshot()))
    assert outcomes[-1].missing == (ranks < 0.25).sum() > 100


def test_faults_of_the_path_are_measured_by_what_became_of_each_scrape(world, clock, monkeypatch):
    """Refused, late, or cut, each by its own measure."""
    outcomes = []
    monkeypatch.setattr(
        ScrapeEffectCounter, "note", lambda _, __, outcome: outcomes.append(outcome)
    )
    exposition = Exposition(world, clock, version="1", scenario="calm")
    exposition.note_answer(exposition.scrape(), 0.5, 0.25)
    world.change(exporter_up=False)
    world.advance(1.01)
    assert exposition.scrape() is None
    assert outcomes == [ScrapeOutcome(late_s=0.5, cut_share=0.25), ScrapeOutcome(refused=True)]


def test_what_a_fault_of_the_path_did_is_counted_by_scrapes(clock):
    """The world knows of none: it says what was declared, the exporter how often it was asked."""
    down = Fault(name="down", parameters=ExporterDown(), start_s=0.0, duration_s=60.0)
    world = World(small(), Plan(load=Load(rate=400.0), faults=(down,)), 7)
    world.advance(1.0)
    exposition = Exposition(world, clock, version="1", scenario="calm")
    assert [exposition.scrape() for _ in range(3)] == [None] * 3
    (effect,) = exposition.effects()
    assert (effect.name, effect.measured, effect.expected) == ("down", 3.0, 3.0)


def test_a_series_is_on_the_page_up_to_its_rank(world, clock, monkeypatch):
    """A share that is a series' own rank leaves it."""
    outcomes = []
    monkeypatch.setattr(
        ScrapeEffectCounter, "note", lambda _, __, outcome: outcomes.append(outcome)
    )
    ranks = rank_series(catalogue_world(world.snapshot()))
    share = float(np.sort(ranks)[40])
    world.change(scrape_path=ScrapePath(vanished_share=share))
    exposition = Exposition(world, clock, version="1", scenario="calm")
    exposition.note_answer(exposition.scrape(), 0.0, 0.0)
    assert outcomes[-1].missing == (ranks < share).sum()


def test_the_load_of_a_recorded_trace_is_no_rate(clock):
    """Neither asked for nor after faults; the landing page says what it is."""
    trace = World(small(), Plan(load=Load(trace_s=(0.5, 1.5))), 7)
    exposition = Exposition(trace, clock, version="1", scenario="calm")
    load = exposition.load()
    assert (load.profile_per_s, load.after_faults_per_s, load.change) == (None, None, None)
    facts = dict(exposition.facts())
    assert facts["Load profile"] == facts["Load after faults"] == "recorded trace"


def test_the_load_says_what_is_asked_for_what_is_left_and_until_when(clock):
    """In seconds of the world's clock, whenever its plan began."""
    drop = Fault(name="half", parameters=TrafficDrop(share=0.5), start_s=0.0, duration_s=60.0)
    world = World(small(), Plan(load=Load(rate=400.0)), 7)
    world.advance(5.0)
    world = world.fork(Plan(load=Load(rate=400.0), faults=(drop,)))
    world.advance(7.0)
    world.change_load((Stage(duration_s=0.0, target=300.0), Stage(duration_s=20.0, target=300.0)))
    exposition = Exposition(world, clock, version="1", scenario="calm")
    load = exposition.load()
    assert (load.profile_per_s, load.after_faults_per_s) == (300.0, 150.0)
    assert (load.began_s, load.ends_s, load.now_s) == (7.0, 27.0, 7.0)
    assert load.change_name == "load 300 tasks/s"
    facts = dict(exposition.facts())
    assert (facts["Load profile"], facts["Load after faults"]) == ("300 tasks/s", "150 tasks/s")


@pytest.mark.parametrize(
    ("targets", "name"),
    [
        ((5, 5, 6), "load 5, 6 tasks/s"),
        ((1, 2, 3), "load 1, 2, 3 tasks/s"),
        ((1, 2, 3, 4, 1000), "load 1, 2, 3 and 2 more tasks/s"),
    ],
)
def test_a_change_of_the_load_is_called_by_the_rates_that_it_reaches(targets, name):
    """Each once, three of them."""
    stages = tuple(Stage(duration_s=1.0, target=float(target)) for target in targets)
    change = LoadChange(stages=stages, start_s=0.0, from_per_s=0.0)
    assert LoadReading(None, None, change, 0.0, 0.0, 0.0).change_name == name


def test_facts_for_people_are_those_of_the_world_and_of_its_pace(
    exposition, world, clock, monkeypatch
):
    """Each beside its own heading."""
    exposition.scrape()
    world.change(exporter_up=False)
    world.advance(1.5)
    exposition.scrape()
    world.change(exporter_up=True)
    world.advance(2.0)
    exposition.scrape()
    exposition.scrape()
    clock.spend(world.now_s - 1.0 - exposition.pace().elapsed_s + 0.004)
    facts, snapshot = dict(exposition.facts()), world.snapshot()
    active, fleet = int(snapshot.active_agents.sum()), int(snapshot.agents.sum())
    assert facts["Agents active"] == f"{active:,} of {fleet:,}"
    assert facts["Tasks waiting"] == f"{int(snapshot.queue_depth.sum()):,}"
    assert facts["Scrapes"] == "3 served, 1 refused"
    assert facts["Behind real time"] == "4 ms"
    assert (facts["Scenario"], facts["Version"]) == ("calm", "1.2.3")
    pace = replace(exposition.pace(), times_real_time=1234.4)
    monkeypatch.setattr(exposition, "pace", lambda: pace)
    assert dict(exposition.facts())["Maximum speed"] == "1,234 times real time"
