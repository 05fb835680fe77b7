"""The bundled scenarios that can be begun in a world in real time, by a button of its page.

The server asks for them through its `ScenarioLibrary`; `world` passes one in. Offered are those
whose faults alone make them: with the built-in load, and the system that is served. Their past and
their expectations are for `verify`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.server.plan_api.scenario_control import OfferedScenario
from scenarios.library.files import library
from scenarios.loader import load_scenario
from simulator.load import Load
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from scenarios.scenario import Scenario
    from simulator.topology import Topology


class BundledScenarios:
    """The library as what can be begun, its times divided by the compression of the run."""

    def __init__(self, topology: Topology, compression: TimeCompression | None = None) -> None:
        """Offer what fits `topology`."""
        self._topology = topology
        self._compression = compression or TimeCompression()

    def scenarios(self) -> tuple[OfferedScenario, ...]:
        """Return the scenarios, sorted by name."""
        return tuple(
            OfferedScenario(
                name=scenario.name,
                story=scenario.story,
                faults=self._compression.plan(scenario.plan).faults,
            )
            for scenario in map(load_scenario, library())
            if self._fits(scenario)
        )

    def _fits(self, scenario: Scenario) -> bool:
        plan = scenario.plan
        same = self._compression.topology(scenario.topology) == self._topology
        return bool(plan.faults) and plan.load == Load() and same
