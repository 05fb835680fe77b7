"""Every bundled scenario and its history as hashes: what the recorded hashes are compared with.

`scenario` is a hash of all that its file comes to but its prose: each number, limit and label. The
others are hashes of every column of every snapshot. `start` simulates the first seconds with all
faults of the scenario in effect at once, quick enough for every run of the tests; `long` the
scenario as it is, for twenty minutes at most.
A change that is not meant to change any world must leave all of them; one that is renews them with
`make golden`, and says so. The blocks of drawn numbers are left out: numpy's exponential differs in
the last bit between processors, by far less than the nanosecond to which times are rounded.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from documents.mistakes import Place
from scenarios.library.files import library
from scenarios.loader import load_scenario
from simulator.cells.system import SimulatedSystem, build_system
from simulator.plan import Plan
from tests.swarm.run import add_to

GOLDEN = Path(__file__).parent / "golden.json"
START_S, FAULTS_AT_S, FAULTS_UNTIL_S, STEP_S = 6.0, 1.0, 4.0, 0.25
LONG_S, LONG_STEP_S = 1200.0, 15.0


def names() -> list[str]:
    """Return the names of the bundled scenarios."""
    return [path.stem for path in library()]


def scenario_of(path: Path) -> str:
    """Return the hash of a scenario as it is read, without its prose and its places."""
    scenario = load_scenario(path)
    expectations = tuple(
        replace(expectation, place=Place(""), why="") for expectation in scenario.expectations
    )
    plain = replace(scenario, story="", path="", expectations=expectations)
    return sha256(repr(plain).encode()).hexdigest()


def start_of(name: str) -> str:
    """Return the hash of a scenario's first seconds, its faults moved to the start."""
    scenario = load_scenario(path_of(name))
    length_s = FAULTS_UNTIL_S - FAULTS_AT_S
    faults = tuple(
        replace(
            fault,
            start_s=FAULTS_AT_S,
            duration_s=min(fault.duration_s, length_s),
            ramp_s=min(fault.ramp_s, length_s / 2),
        )
        for fault in scenario.plan.faults
    )
    plan = Plan(load=scenario.plan.load, faults=faults)
    return history(build_system(scenario.topology, plan, scenario.seed), START_S, STEP_S)


def long_of(name: str) -> str:
    """Return the hash of a scenario as it is, of its first twenty minutes at most."""
    scenario = load_scenario(path_of(name))
    world = build_system(scenario.topology, scenario.plan, scenario.seed)
    return history(world, min(scenario.duration_s, LONG_S), LONG_STEP_S)


def history(world: SimulatedSystem, until_s: float, step_s: float) -> str:
    """Return the hash of every column of every snapshot, one each `step_s`."""
    digest = sha256()
    for step in range(round(until_s / step_s) + 1):
        world.advance(step * step_s)
        add_to(digest, world.snapshot())
    return digest.hexdigest()


def recorded() -> dict[str, dict[str, str]]:
    """Return the hashes that were recorded, by scenario."""
    hashes: dict[str, dict[str, str]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return hashes


def path_of(name: str) -> Path:
    """Return the file of a bundled scenario."""
    return next(path for path in library() if path.stem == name)
