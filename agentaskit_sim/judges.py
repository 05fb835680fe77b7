"""Who judges a scenario: the judge of virtual time, or that of real time with its own stack.

Built by `verify` and handed to the suite, whose worker processes call it. What a judge needs is
read and checked here, before any worker starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from agentaskit_sim.foreign.bundled_expectations import leave_out_bundled_receivers
from agentaskit_sim.front.mistake_collector import MistakeCollector
from agentaskit_sim.front.pack_files import BUNDLED_RULES, PACK_ROUTING
from agentaskit_sim.inputs import check_plan, read_inputs
from verifier.engines.choice import PROMETHEUS
from verifier.judge.notification_verdicts import check_receivers_exist
from verifier.judge.silence_verdicts import settle_not_judged
from verifier.run_record import ScenarioRecord
from verifier.time_compression import TimeCompression
from verifier.virtual_time.run import VirtualTimeSetup, verify_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agentaskit_sim.inputs import InputPaths, Inputs
    from scenarios.scenario import Scenario
    from verifier.engines.choice import EngineChoice
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.pack.routes.routing import Routing
    from verifier.real_time.run import Hosting
    from verifier.real_time.start import RunRequest
    from verifier.virtual_time.healthy_world import HealthyWorlds

LANES_PER_CORE: Final = 3
"""Runs in real time beside each other: each takes less than a third of a core."""


@dataclass(frozen=True, slots=True)
class VirtualTimeJudge:
    """Judges one scenario with these rules and dashboards, in virtual time."""

    inputs: Inputs
    exact: bool
    engine: EngineChoice = PROMETHEUS

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process, from the healthy world that it shares with others."""
        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        longest = _longest(self.inputs.scenarios)
        setup = VirtualTimeSetup(
            rules,
            panels,
            healthy_worlds,
            self.exact,
            longest,
            bundled=BUNDLED_RULES,
            left_out=self.inputs.dashboards.left_out,
            start_engine=partial(self.engine.server, scenario.name),
            truths=self.inputs.truths,
            sparing=self.engine.kind == "prometheus",
        )
        outcome = verify_scenario(scenario, setup, report)
        return _complete(outcome, scenario, self.inputs)


@dataclass(frozen=True, slots=True)
class RealTimeJudge:
    """Judges one scenario with these rules and dashboards, on a real stack in real time."""

    inputs: Inputs
    routing: Routing
    factor: float
    limit_s: float
    both: bool
    hosting: Hosting | None = None

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ScenarioOutcome:
        """Judge `scenario` in this process, with servers of its own."""
        from verifier.real_time.run import (  # noqa: PLC0415 - aiohttp takes its time
            RealTimeSetup,
            run_in_real_time,
        )

        rules, panels = self.inputs.rules, self.inputs.dashboards.panels
        setup = RealTimeSetup(
            rules,
            panels,
            self.routing,
            TimeCompression(self.factor),
            self.limit_s,
            both=self.both,
            longest=_longest(self.inputs.scenarios),
            healthy_worlds=healthy_worlds,
            bundled=BUNDLED_RULES,
            left_out=self.inputs.dashboards.left_out,
        )
        outcome = run_in_real_time(scenario, setup, report, hosting=self.hosting)
        return _complete(outcome, scenario, self.inputs)


def build_real_time_judge(
    inputs: Inputs, routing: Path, factor: float, limit_s: float, *, both: bool
) -> RealTimeJudge:
    """Return the judge; raise `InputError` for what cannot run in real time, or so compressed."""
    from verifier.pack.routes.routing import load_routing  # noqa: PLC0415 - in real time only
    from verifier.real_time import run  # noqa: F401, PLC0415 - once, not in each forked worker
    from verifier.real_time.rule_compression import (  # noqa: PLC0415 - as above
        check_compression,
    )

    routes, compression = load_routing(routing), TimeCompression(factor)
    if routing != PACK_ROUTING:
        scenarios, notes = leave_out_bundled_receivers(inputs.scenarios, routes.receivers)
        inputs = replace(inputs, scenarios=tuple(scenarios), notes=(*inputs.notes, *notes))
        routes = routes.for_rules(inputs.rules)
    collector = MistakeCollector()
    collector.read(check_compression, inputs.rules, factor, compression.scrape_s)
    for scenario in inputs.scenarios:
        collector.read(check_receivers_exist, scenario, routes.receivers)
        collector.read(check_plan, scenario, compression)
    collector.finish()
    return RealTimeJudge(inputs, routes, factor, limit_s, both)


def build_watched_judge(request: RunRequest, paths: InputPaths, routing: Path) -> RealTimeJudge:
    """Return the judge of a run that somebody watches; raise `InputError` as `verify` would."""
    chosen, inputs = request.scenario, read_inputs(paths)
    scenarios = tuple(
        replace(scenario, seed=chosen.seed, topology=chosen.topology)
        for scenario in inputs.scenarios
    )
    inputs = replace(inputs, scenarios=scenarios)
    factor = request.compression.factor
    return build_real_time_judge(inputs, routing, factor, math.inf, both=False)


def _complete(outcome: ScenarioOutcome, scenario: Scenario, inputs: Inputs) -> ScenarioOutcome:
    """Add to an outcome what is known of the files without a run."""
    not_judged = (*inputs.rules.not_judged, *inputs.dashboards.not_judged)
    whole = replace(
        outcome,
        findings=(*outcome.findings, *_findings(inputs)),
        not_judged=(*outcome.not_judged, *not_judged),
        record=ScenarioRecord.of(scenario),
    )
    alerts = [rule.alert for _, rule in inputs.rules.alerts]
    return settle_not_judged(whole, alerts, scenario.accepted)


def _longest(scenarios: Sequence[Scenario]) -> tuple[str, float]:
    """Return the name and duration of the longest scenario of a run."""
    scenario = max(scenarios, key=lambda scenario: scenario.duration_s)
    return scenario.name, scenario.duration_s


def _findings(inputs: Inputs) -> tuple[str, ...]:
    findings = (*inputs.rules.findings, *inputs.dashboards.findings)
    return (*inputs.notes, *(str(finding) for finding in findings))
