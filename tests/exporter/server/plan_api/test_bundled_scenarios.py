"""The bundled scenarios that a world can begin: those that fit it, at its compression."""

from __future__ import annotations

import pytest

from scenarios.library.files import library
from scenarios.loader import load_scenario
from simulator.topology import Topology
from tests.simulator.worlds import small
from verifier.real_time import bundled_scenarios
from verifier.real_time.bundled_scenarios import BundledScenarios
from verifier.time_compression import TimeCompression


def test_every_scenario_of_the_library_with_faults_can_be_begun():
    """On the built-in system and load; a day on which nothing happens has nothing to begin."""
    names = [each.name for each in BundledScenarios(Topology()).scenarios()]
    others = {"near-thresholds", "short-faults", "hung-agents", "small-troubles"}
    others |= {"memory-leak", "slow-start", "slow-dependency", "slow-burn", "bad-promotion"}
    others |= {"budget-spent", "crash-loop", "fast-burn", "message-flood", "noisy-neighbour"}
    others |= {"slow-consumers", "slow-minority"}
    scenarios = {path.stem: load_scenario(path) for path in library()}
    rates = {scenarios[name].plan.load.rate for name in others}
    assert rates == {500.0, 600.0, 1000.0, 2000.0}
    cells = {name for name, scenario in scenarios.items() if scenario.topology.cells > 1}
    assert len(cells) == 4
    assert names == sorted(scenarios.keys() - {"healthy-day"} - others - cells)


def test_its_times_are_those_of_the_run():
    """Ten times compressed a scenario takes a tenth of the time."""
    plain = {each.name: each for each in BundledScenarios(Topology()).scenarios()}
    compression = TimeCompression(10.0)
    scenarios = BundledScenarios(compression.topology(Topology()), compression).scenarios()
    for scenario in scenarios:
        assert scenario.duration_s == pytest.approx(plain[scenario.name].duration_s / 10)
    assert len(scenarios) == len(plain)


def test_what_does_not_fit_the_system_is_not_offered(monkeypatch):
    """Another topology; and a load of its own, which faults alone do not make."""
    assert BundledScenarios(small()).scenarios() == ()
    (drop,) = (path for path in library() if path.stem == "traffic-drop")
    scenario = load_scenario(drop)
    monkeypatch.setattr(bundled_scenarios, "library", lambda: (drop,))
    assert len(BundledScenarios(scenario.topology).scenarios()) == 1
    other = bundled_scenarios.Load(rate=50.0)
    monkeypatch.setattr(bundled_scenarios, "Load", lambda: other)
    assert BundledScenarios(scenario.topology).scenarios() == ()
