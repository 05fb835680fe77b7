"""The same history judged by two engines: a scenario is simulated once, and evaluated by each.

Called by the suite once per scenario, in its worker. The outcome is that of the first engine, with
the timelines of both: what differs is the caller's to say.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.evaluation.engine import evaluate
from verifier.judge.alert_verdicts import judge
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.pack.spread import spread
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.run import epoch_s_of, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.scenario import Scenario
    from verifier.engines.choice import EngineChoice
    from verifier.errors import NotJudged
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import Progress
    from verifier.pack.rules import RuleFiles
    from verifier.virtual_time.healthy_world import HealthyWorlds


UNKNOWN: Final = "unknown"
"""The version of an engine that states none, as Debian's VictoriaMetrics."""


@dataclass(frozen=True, slots=True)
class EngineReading:
    """What one engine made of a history; `failing` are alerts that fail what is expected."""

    engine: Engine
    timelines: tuple[Timeline, ...]
    failing: tuple[str, ...]
    not_judged: tuple[NotJudged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedScenario(ScenarioOutcome):
    """The outcome of a scenario by the first engine, and the readings of both."""

    readings: tuple[EngineReading, ...] = ()


@dataclass(frozen=True, slots=True)
class EnginesJudge:
    """Judges one scenario by each of some engines, in virtual time."""

    rules: RuleFiles
    engines: tuple[EngineChoice, ...]
    exact: bool = False

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ComparedScenario:
        """Judge `scenario` in this process; raise `JudgeError` and `InputError` as parts do."""
        started_s = time.monotonic()
        needed, offsets = depths(self.rules), spread(scenario.seed, self.rules)
        simulated = simulate(
            scenario, needed, healthy_worlds, exact=self.exact, scrape_offset_s=offsets.scrape_s,
            mapping=self.rules.mapping, report=report,
        )  # fmt: skip
        ProgressReporter(scenario, report).judging(simulated.history.size)
        names = [rule.alert for _, rule in self.rules.alerts]
        readings, verdicts = [], []
        for choice in self.engines:
            with choice.server(scenario.name) as server:
                server.push(simulated.history)
                evaluation = evaluate(
                    server, self.rules, start_s=0.0, end_s=scenario.duration_s, spread=offsets,
                    needed=needed, epoch_s=epoch_s_of(scenario),
                )  # fmt: skip
                engine = Engine(name=server.name, version=server.version or UNKNOWN)
            verdicts.append(judge(scenario, names, evaluation.timelines))
            failing = dict.fromkeys(each.alert for each in verdicts[-1] if not each.ok)
            readings.append(
                EngineReading(engine, evaluation.timelines, tuple(failing), evaluation.not_judged)
            )
        return ComparedScenario(
            name=scenario.name,
            seed=scenario.seed,
            engine=readings[0].engine,
            duration_s=scenario.duration_s,
            exact_s=simulated.exact_s,
            resampled_s=simulated.resampled_s,
            wall_s=time.monotonic() - started_s,
            alerts=verdicts[0],
            invalid=simulated.without_effect,
            not_judged=readings[0].not_judged,
            offsets=offsets,
            readings=tuple(readings),
        )
