"""Who judges a scenario: the fast-forward judge, or the live one with a stack of its own.

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

LANES_PER_CORE = 3
"""Live runs beside each other: one takes less than a third of a core."""


@dataclass(frozen=True, slots=True)
class FastForward:
    """Judges one scenario with these rules and dashboards, in virtual time."""

    inputs: Inputs
    exact: bool

    def __call__(
        self, scenario: Scenario, report: Callable[[Progress], None], /
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process."""
        from verifier.virtual_time.run import verify_scenario  # noqa: PLC0415 - numba takes its time

        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        outcome = verify_scenario(scenario, rules, panels, exact=self.exact, report=report)
        found = (*rules.findings, *self.inputs.dashboards.findings)
        return replace(outcome, findings=tuple(str(finding) for finding in found))


@dataclass(frozen=True, slots=True)
class RealTime:
    """Judges one scenario with these rules and dashboards, on a real stack in real time."""

    inputs: Inputs
    routing: Routing
    factor: float
    limit_s: float
    both: bool

    def __call__(
        self, scenario: Scenario, report: Callable[[Progress], None], /
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process, with servers of its own."""
        from verifier.real_time.run import RealTimeSetup, run_in_real_time  # noqa: PLC0415 - numba takes its time
        from verifier.time_compression import TimeCompression  # noqa: PLC0415

        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        setup = RealTimeSetup(
            rules, panels, self.routing, TimeCompression(self.factor), self.limit_s, both=self.both
        )
        outcome = run_in_real_time(scenario, setup, report)
        found = (*rules.findings, *self.inputs.dashboards.findings)
        return replace(outcome, findings=tuple(str(finding) for finding in found))


def real_time(
    inputs: Inputs, routing: Path, factor: float, limit_s: float, *, both: bool
) -> RealTime:
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
    return RealTime(inputs, routes, factor, limit_s, both)


def _check_plan(scenario: Scenario, compression: TimeCompression) -> None:
    try:
        compression.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None
