"""Healthy worlds: simulated once, shared by scenarios, and refused where there is none."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.cells.system import build_system
from simulator.load import Load
from simulator.plan import Plan
from tests.simulator.worlds import small
from tests.verifier.simulations import scenario_of
from verifier.errors import JudgeError
from verifier.seeds.naming import on_seed
from verifier.time_compression import TimeCompression
from verifier.virtual_time import healthy_world
from verifier.virtual_time.healthy_world import HealthyWorlds

SMALL = scenario_of("duration: 1m\nload: {rate: 1000}\n")
PATIENCE_S = 10.0


@pytest.fixture
def simulations(monkeypatch):
    """Return the rates that healthy worlds are simulated for; a rate of 13 does not settle."""
    rates = []

    def simulate(_topology, rate, _seed, _compression, **_):
        rates.append(rate)
        if rate == 13:
            raise JudgeError("planted")
        return object()

    monkeypatch.setattr(healthy_world, "simulate_healthy_world", simulate)
    return rates


def test_a_world_that_does_not_settle_has_no_past(monkeypatch):
    """No verdict on ever-growing queues."""
    monkeypatch.setattr(healthy_world, "WARM_UP_MINUTES_MAX", 2)
    scenario = scenario_of("duration: 1m\nload: {rate: 1234}\n")
    with pytest.raises(JudgeError, match=r"does not settle under 1234 tasks/s, .* load\.stages"):
        HealthyWorlds().start_of(scenario)


def test_scenarios_that_start_alike_share_a_world(simulations):
    """Faults and durations make no difference; all else does, and the time compression."""
    worlds = HealthyWorlds()
    world = worlds.start_of(SMALL)
    assert worlds.start_of(scenario_of("duration: 9m\nload: {rate: 1000}\n")) is world
    assert worlds.start_of(scenario_of("duration: 1m\nload: {rate: 1001}\n")) is not world
    assert worlds.start_of(SMALL, TimeCompression(2)) is not world
    assert worlds.start_of(replace(SMALL, seed=43)) is not world
    assert worlds.start_of(replace(SMALL, topology=small())) is not world
    assert simulations == [1000, 1001, 1000, 1000, 1000]


def test_a_world_is_simulated_for_what_its_scenario_says(monkeypatch):
    """Its topology, rate and seed, in its time; asked for alone or prepared."""
    asked = []
    monkeypatch.setattr(healthy_world, "simulate_healthy_world", lambda *of, **_: asked.append(of))
    scenario, compression = replace(SMALL, seed=43, topology=small()), TimeCompression(2)
    HealthyWorlds().start_of(scenario, compression)
    HealthyWorlds().prepare([scenario] * 2, compression)
    assert asked == [(small(), 1000.0, 43, compression)] * 2


def test_only_what_several_scenarios_share_is_prepared(simulations):
    """A world of one scenario is its worker's work; one that does not settle is no failure yet."""
    rates = (1000, 500, 1000, 13, 13)
    scenarios = [scenario_of(f"duration: 1m\nload: {{rate: {rate}}}\n") for rate in rates]
    worlds = HealthyWorlds()
    worlds.prepare(scenarios)
    assert simulations == [1000, 13]
    worlds.start_of(scenarios[0])
    assert simulations == [1000, 13]
    with pytest.raises(JudgeError, match="planted"):
        worlds.start_of(scenarios[3])


def test_the_dearest_world_is_prepared_first(simulations):
    """It would run alone at the end, beside idle cores: cells count as well as the rate."""
    cells = "topology: {cells: 4}\nload: {rate: 300}\n"
    loads = "load: {rate: 500}\n", "load: {rate: 1000}\n", cells
    HealthyWorlds().prepare([scenario_of("duration: 1m\n" + load) for load in loads] * 2)
    assert simulations == [300, 1000, 500]


def test_worlds_are_prepared_side_by_side(monkeypatch):
    """Two at once are the same bytes as one by one; no thread is left that a fork would lose."""
    small, large = (scenario_of(f"duration: 1m\nload: {{rate: {rate}}}\n") for rate in (200, 300))
    both_begun, rates = threading.Barrier(2), []
    simulate = healthy_world.simulate_healthy_world

    def simulate_beside(topology, rate, *rest, **options):
        rates.append(rate)
        both_begun.wait(PATIENCE_S)  # breaks where one waits for the other
        return simulate(topology, rate, *rest, **options)

    monkeypatch.setattr(healthy_world, "simulate_healthy_world", simulate_beside)
    threads = threading.active_count()
    worlds, alone = HealthyWorlds(), HealthyWorlds()
    worlds.prepare([small, large] * 2, jobs=2)
    assert threading.active_count() == threads
    assert sorted(rates) == [200, 300]
    monkeypatch.setattr(healthy_world, "simulate_healthy_world", simulate)
    for scenario in (small, large):
        beside, by_itself = worlds.start_of(scenario), alone.start_of(scenario)
        assert beside.world.fingerprint() == by_itself.world.fingerprint()
        assert pickle.dumps(beside.scrapes) == pickle.dumps(by_itself.scrapes)


def test_preparation_that_is_interrupted_is_given_up(monkeypatch):
    """Ctrl-C in the middle of it: no thread goes on until its world has settled."""
    begun, given_up = threading.Event(), []

    def interrupted(_topology, rate, *_, abandoned, **__):
        if rate == 300:
            begun.wait(PATIENCE_S)
            raise KeyboardInterrupt
        begun.set()
        given_up.append(abandoned.wait(PATIENCE_S))
        raise JudgeError("given up")

    monkeypatch.setattr(healthy_world, "simulate_healthy_world", interrupted)
    some = [scenario_of(f"duration: 1m\nload: {{rate: {rate}}}\n") for rate in (200, 300)]
    with pytest.raises(KeyboardInterrupt):
        HealthyWorlds().prepare(some * 2, jobs=2)
    assert given_up == [True]


def test_a_world_that_is_given_up_is_none():
    """Its simulation ends at the next scrape."""
    abandoned = threading.Event()
    abandoned.set()
    with pytest.raises(JudgeError, match="given up"):
        healthy_world.simulate_healthy_world(SMALL.topology, 200, 1, abandoned=abandoned)


def test_a_settled_system_of_cells_has_no_threads(monkeypatch):
    """A process that is forked from here would lose them."""
    monkeypatch.setattr(healthy_world, "FURTHER_MINUTES", 0)
    monkeypatch.setattr(healthy_world, "find_pool", lambda rows, **_: SimpleNamespace(rows=rows))
    threads, begun = threading.active_count(), []

    def build(*of):
        begun.append(build_system(*of, workers=2))
        begun[0].advance(1.0)
        assert threading.active_count() > threads
        return begun[0]

    healthy = healthy_world.simulate_healthy_world(small(cells=2), 20.0, 1, build=build)
    assert healthy.world is begun[0]
    assert threading.active_count() == threads


def test_another_process_starts_with_no_worlds(simulations):
    """Where workers are not forked, a judge is pickled: its worlds are simulated again there."""
    worlds = HealthyWorlds()
    worlds.start_of(SMALL)
    pickle.loads(pickle.dumps(worlds)).start_of(SMALL)  # noqa: S301 - our own bytes
    assert simulations == [1000, 1000]


def test_so_many_worlds_are_held_and_those_that_were_asked_for_last(simulations, monkeypatch):
    """Of more, the one that was not asked for the longest is simulated anew."""
    monkeypatch.setattr(healthy_world, "WORLDS_MAX", 2)
    a, b, c = (scenario_of(f"duration: 1m\nload: {{rate: {rate}}}\n") for rate in (1, 2, 3))
    worlds = HealthyWorlds()
    for scenario in (a, b, a, c, a, b, c):
        worlds.start_of(scenario)
    assert simulations == [1, 2, 3, 2, 3]
    simulations.clear()
    HealthyWorlds().prepare([a, b, c] * 2)
    assert simulations == [2, 1], "the dearest first, of those that may be held"


def test_a_world_that_is_prepared_was_asked_for(simulations, monkeypatch):
    """One that is held already too: of more, another is given up."""
    monkeypatch.setattr(healthy_world, "WORLDS_MAX", 2)
    a, b, c = (scenario_of(f"duration: 1m\nload: {{rate: {rate}}}\n") for rate in (1, 2, 3))
    worlds = HealthyWorlds()
    for scenario in (a, b):
        worlds.start_of(scenario)
    worlds.prepare([a, a])
    for scenario in (c, a, b):
        worlds.start_of(scenario)
    assert simulations == [1, 2, 3, 2]


def test_worlds_of_many_seeds_are_not_prepared(simulations):
    """Nor are those that are there already."""
    worlds, one_seed = HealthyWorlds(), scenario_of("duration: 1m\nload: {rate: 7}\n")
    worlds.start_of(SMALL)
    worlds.prepare([on_seed(one_seed, 1)] * 2 + [SMALL] * 2)
    assert simulations == [1000]


def test_a_compressed_world_is_settled_and_drawn_from_for_as_long_in_its_own_time():
    """Its scrapes are as many times closer, and as many times more."""
    compression, begun = TimeCompression(2), []

    def build(*of):
        begun.append(of)
        return build_system(*of)

    healthy = healthy_world.simulate_healthy_world(
        SMALL.topology, 20.0, 1, compression, build=build
    )
    assert begun == [(compression.topology(SMALL.topology), Plan(load=Load(rate=20.0)), 1)]
    times_s = [each.now_ns / 1e9 for each in (healthy.before, *healthy.scrapes)]
    assert len(healthy.scrapes) == 2 * (4 + 4) * 4
    assert np.diff(times_s).tolist() == pytest.approx([7.5] * 64)
    assert times_s[0] == pytest.approx(60.0 + 7.5 * 2 * 4), "a minute of the scenario to settle"
    assert healthy.world.now_ns == round(times_s[-1] * 1e9)


def test_a_compressed_world_is_given_as_long_to_settle_in_its_own_time(monkeypatch):
    """Planted: it never does."""
    monkeypatch.setattr(healthy_world, "WARM_UP_MINUTES_MAX", 1)
    monkeypatch.setattr(healthy_world, "find_pool", lambda rows, **_: lengths.append(len(rows)))
    lengths = []
    with pytest.raises(JudgeError, match="does not settle"):
        healthy_world.simulate_healthy_world(SMALL.topology, 20.0, 1, TimeCompression(3))
    assert lengths == list(range(1, 13))


def test_pickled_worlds_are_as_many_workers_elsewhere():
    """The cells of a system are advanced by as many."""
    assert pickle.loads(pickle.dumps(HealthyWorlds(3))).workers == 3  # noqa: S301 - our own bytes
