"""The same history judged by two engines: a scenario is simulated once, and evaluated by each.

Called by the suite once per scenario, in its worker. The outcome is that of the first engine, with
the timelines of both: what differs is the caller's to say. Why it does is explained here, while
both still hold the history.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.changes.timelines import compare
from verifier.engines.causes.explaining import EnginePair, explain, traits_of
from verifier.engines.causes.reckoning import Reckoning
from verifier.evaluation.engine import SpreadSchedule, evaluate_rules
from verifier.judge.alert_verdicts import judge
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.pack.spread import spread
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.run import epoch_s_of, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.scenario import Scenario
    from verifier.engines.causes.explaining import AlertExplanation
    from verifier.engines.causes.traits import Traits
    from verifier.engines.choice import EngineChoice
    from verifier.errors import NotJudged
    from verifier.evaluation.engine import Evaluation
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import AlertVerdict, Progress
    from verifier.pack.rules import RuleFiles
    from verifier.servers.prometheus import Prometheus
    from verifier.virtual_time.healthy_world import HealthyWorlds


UNKNOWN: Final = "unknown"
"""The version of an engine that states none, as Debian's VictoriaMetrics."""
PAIR: Final = 2
"""Engines that are compared."""


@dataclass(frozen=True, slots=True)
class EngineReading:
    """What one engine made of a history; `failing` are alerts that fail what is expected."""

    engine: Engine
    timelines: tuple[Timeline, ...]
    failing: tuple[str, ...]
    not_judged: tuple[NotJudged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedScenario(ScenarioOutcome):
    """The outcome of a scenario by the first engine, and the readings of both.

    `explanations` are those of the alerts that differ.
    """

    readings: tuple[EngineReading, ...] = ()
    explanations: tuple[AlertExplanation, ...] = ()


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
        schedule = SpreadSchedule(
            start_s=0.0, end_s=scenario.duration_s, spread=offsets, needed=needed,
            epoch_s=epoch_s_of(scenario),
        )  # fmt: skip
        names = [rule.alert for _, rule in self.rules.alerts]
        readings, verdicts, servers = [], [], []
        with ExitStack() as running:
            for choice in self.engines:
                server = running.enter_context(choice.server(scenario.name))
                server.push(simulated.history)
                evaluation = evaluate_rules(server, self.rules, schedule)
                verdicts.append(judge(scenario, names, evaluation.timelines))
                readings.append(_reading(server, evaluation, verdicts[-1]))
                servers.append(server)
            explanations = self._explained(readings, servers, schedule)
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
            explanations=explanations,
        )

    def _explained(
        self,
        readings: Sequence[EngineReading],
        servers: Sequence[Prometheus],
        schedule: SpreadSchedule,
    ) -> tuple[AlertExplanation, ...]:
        """Return why alerts differ, while the servers run."""
        if len(readings) != PAIR:
            return ()
        first, second = readings
        changes = [
            change for change in compare(first.timelines, second.timelines) if not change.is_same
        ]
        if not changes:
            return ()
        pair = EnginePair(
            (first.engine.name, second.engine.name),
            (servers[0], servers[1]),
            (_traits(first.engine), _traits(second.engine)),
            self.rules,
            schedule,
        )
        with Reckoning((tuple(servers[0].histories), tuple(servers[1].histories))) as reckoning:
            return explain(pair, reckoning, changes)


def _traits(engine: Engine) -> tuple[Traits, ...]:
    return traits_of(engine.name, engine.version)


def _reading(
    server: Prometheus, evaluation: Evaluation, verdicts: Sequence[AlertVerdict]
) -> EngineReading:
    failing = dict.fromkeys(each.alert for each in verdicts if not each.ok)
    engine = Engine(name=server.name, version=server.version or UNKNOWN)
    return EngineReading(engine, evaluation.timelines, tuple(failing), evaluation.not_judged)
