"""The name of a scenario's run on one of many seeds: `traffic-drop@7`.

Read by suite and reports, which tell the runs of one scenario apart by it. No scenario's own name
has the mark in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenarios.scenario import Scenario

MARK: Final = "@"


class Named(Protocol):
    """A scenario, or what came of it."""

    @property
    def name(self) -> str:
        """Its name, with its seed in it where it is one of many."""

    @property
    def seed(self) -> int:
        """Its seed."""


def on_seed(scenario: Scenario, seed: int) -> Scenario:
    """Return a scenario with a seed that is one of many."""
    return replace(scenario, name=f"{scenario.name}{MARK}{seed}", seed=seed)


def base_name(run: Named) -> str:
    """Return the name of the scenario of which something is a run."""
    return run.name.removesuffix(f"{MARK}{run.seed}")


def is_of_seeds(run: Named) -> bool:
    """Whether something is a run on one of many seeds."""
    return base_name(run) != run.name


def seeds_text(seeds: Iterable[int]) -> str:
    """Return seeds as a command line takes them: `1..5,9`."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ",".join(f"{a}" if a == b else f"{a}{',' if b == a + 1 else '..'}{b}" for a, b in spans)
