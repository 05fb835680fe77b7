"""The same history judged by two engines: a scenario is simulated once, and evaluated by each.

Called by the suite once per scenario, in its worker. The outcome is that of the first engine, with
the timelines of both: what differs is the caller's to say. Why it does is explained here, while
both still hold the history.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.changes.timelines import compare
from verifier.engines.causes.explaining import EnginePair, explain, traits_of
from verifier.engines.causes.reckoning import Reckoning
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.virtual_time.scenario_history import ScenarioHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.scenario import Scenario
    from verifier.engines.causes.explaining import AlertExplanation
    from verifier.engines.causes.traits import Traits
    from verifier.engines.choice import EngineChoice
    from verifier.errors import NotJudged
    from verifier.evaluation.engine import Evaluation, SpreadSchedule
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
        history = ScenarioHistory.simulate(
            scenario, self.rules, healthy_worlds, report, exact=self.exact
        )
        judged, readings, servers = [], [], []
        with ExitStack() as running:
            for choice in self.engines:
                server = running.enter_context(choice.server(scenario.name))
                judged.append(history.judge_on(server))
                readings.append(_reading(server, *judged[-1]))
                servers.append(server)
            explanations = self._explained(readings, servers, history.schedule)
        return ComparedScenario(
            **history.facts(readings[0].engine, *judged[0]),
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
