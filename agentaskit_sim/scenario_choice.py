"""Which scenario `serve` and `up` run: a bundled one, a file, or a healthy world without an end."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from documents.mistakes import InputError
from scenarios.library.files import resolve
from scenarios.loader import load_scenario
from scenarios.scenario import Scenario
from scenarios.topology_overlay import load_topology
from simulator.plan import Plan
from simulator.topology import Topology

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SEED: Final = 42


def choose_scenario(name: str | None, seed: int | None, topology: Path | None) -> Scenario:
    """Return what the arguments ask for; raises `InputError` for mistakes in the files.

    Without a name nothing happens in it, and it lasts for ever.
    """
    own = load_topology(topology) if topology else None
    if name is None:
        scenario = baseline(own or Topology())
    else:
        scenario = load_scenario(resolve(name))
        scenario = replace(scenario, topology=own or scenario.topology)
    return scenario if seed is None else replace(scenario, seed=seed)


def baseline(topology: Topology) -> Scenario:
    """Return the scenario in which nothing ever happens."""
    return Scenario(
        name="baseline", story="Nothing happens.", path="", seed=DEFAULT_SEED, duration_s=inf,
        topology=topology, plan=Plan(),
    )  # fmt: skip


def refuse_end_without_scenario(scenario: Scenario, *, exit_at_end: bool) -> None:
    """Raise `InputError` when a run shall end with a scenario that has no end."""
    if exit_at_end and scenario.duration_s == inf:
        raise InputError("--exit-at-end needs a scenario: the healthy world has no end")
