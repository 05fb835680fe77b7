"""Who judges a scenario: the judge of virtual time, or that of real time with its own stack.

What they need comes in and is checked here, before any worker process begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from documents.mistakes import InputError, gather

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentaskit_sim.inputs import Inputs
    from scenarios.scenario import Scenario
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.pack.routing import Routing
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.healthy_world import HealthyWorlds

LANES_PER_CORE = 3
"""Live runs beside each other: one takes less than a third of a core."""


@dataclass(frozen=True, slots=True)
class VirtualTimeJudge:
    """Judges one scenario with these rules and dashboards, in virtual time."""

    inputs: Inputs
    exact: bool

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process, from the healthy world that it shares with others."""
        from verifier.virtual_time.run import (  # noqa: PLC0415 - numba takes its time
            VirtualTimeSetup,
            verify_scenario,
        )

        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        setup = VirtualTimeSetup(rules, panels, healthy_worlds, self.exact)
        outcome = verify_scenario(scenario, setup, report)
        found = (*rules.findings, *self.inputs.dashboards.findings)
        return replace(outcome, findings=tuple(str(finding) for finding in found))


@dataclass(frozen=True, slots=True)
class RealTimeJudge:
    """Judges one scenario with these rules and dashboards, on a real stack in real time."""

    inputs: Inputs
    routing: Routing
    factor: float
    limit_s: float
    both: bool

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process, with servers of its own."""
        from verifier.real_time.run import RealTimeSetup, run_in_real_time  # noqa: PLC0415 - numba takes its time
        from verifier.time_compression import TimeCompression  # noqa: PLC0415

        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        setup = RealTimeSetup(
            rules,
            panels,
            self.routing,
            TimeCompression(self.factor),
            self.limit_s,
            both=self.both,
            healthy_worlds=healthy_worlds,
        )
        outcome = run_in_real_time(scenario, setup, report)
        found = (*rules.findings, *self.inputs.dashboards.findings)
        return replace(outcome, findings=tuple(str(finding) for finding in found))


def real_time(
    inputs: Inputs, routing: Path, factor: float, limit_s: float, *, both: bool
) -> RealTimeJudge:
    """Return the live judge; raise `InputError` for what cannot be run live, or not so fast."""
    from verifier.judge.deliveries import check_receivers_exist  # noqa: PLC0415
    from verifier.pack.routing import load_routing  # noqa: PLC0415
    from verifier.real_time.compression import check_compression  # noqa: PLC0415
    from verifier.time_compression import TimeCompression  # noqa: PLC0415 - numba takes its time

    routes, compression = load_routing(routing), TimeCompression(factor)
    checks = [partial(check_compression, inputs.rules, factor, compression.scrape_s)]
    for one in inputs.scenarios:
        checks += [partial(check_receivers_exist, one, routes.receivers)]
        checks += [partial(_check_plan, one, compression)]
    mistakes: list[InputError] = []
    for check in checks:
        try:
            check()
        except InputError as error:
            mistakes.append(error)
    if mistakes:
        raise gather(mistakes)
    return RealTimeJudge(inputs, routes, factor, limit_s, both)


def _check_plan(scenario: Scenario, compression: TimeCompression) -> None:
    try:
        compression.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None
