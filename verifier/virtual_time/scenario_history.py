"""A scenario's history, simulated once, for judges that ask more of it than `verify` does.

Used by the judges of mutants, of coverage and of two engines: each gives the history to one server
or several, evaluates the rules as they are, and says besides what it is there for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from verifier.evaluation.engine import SpreadSchedule, evaluate_rules
from verifier.judge.alert_verdicts import judge
from verifier.pack.history_depth import depths
from verifier.pack.spread import spread
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.run import epoch_s_of, simulate

if TYPE_CHECKING:
    from scenarios.scenario import Scenario
    from verifier.errors import NotJudged
    from verifier.evaluation.engine import Evaluation
    from verifier.judge.verdict import AlertVerdict, Engine
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.rules import RuleFiles
    from verifier.pack.spread import Spread
    from verifier.servers.prometheus import Prometheus
    from verifier.virtual_time.healthy_world import HealthyWorlds
    from verifier.virtual_time.progress import Report
    from verifier.virtual_time.run import SimulatedScenario


class OutcomeFacts(TypedDict):
    """The fields of `ScenarioOutcome` that every judge fills."""

    name: str
    seed: int
    engine: Engine
    duration_s: float
    exact_s: float
    resampled_s: float
    wall_s: float
    alerts: tuple[AlertVerdict, ...]
    invalid: tuple[str, ...]
    not_judged: tuple[NotJudged, ...]
    offsets: Spread


@dataclass(frozen=True, slots=True)
class ScenarioHistory:
    """What came of simulating a scenario, and when the rules are evaluated on it."""

    scenario: Scenario
    rules: RuleFiles
    simulated: SimulatedScenario
    schedule: SpreadSchedule
    started_s: float

    @classmethod
    def simulate(  # noqa: PLR0913 - what to simulate, and how
        cls,
        scenario: Scenario,
        rules: RuleFiles,
        healthy_worlds: HealthyWorlds,
        report: Report,
        *,
        needed: HistoryDepths | None = None,
        exact: bool = False,
    ) -> ScenarioHistory:
        """Simulate a scenario; `needed` is what is read of it, by default what the rules read."""
        started_s = time.monotonic()
        offsets, needed = spread(scenario.seed, rules), needed or depths(rules)
        simulated = simulate(
            scenario, needed, healthy_worlds, exact=exact, scrape_offset_s=offsets.scrape_s,
            mapping=rules.mapping, report=report,
        )  # fmt: skip
        ProgressReporter(scenario, report).judging(simulated.history.size)
        schedule = SpreadSchedule(
            start_s=0.0, end_s=scenario.duration_s, needed=needed, spread=offsets,
            epoch_s=epoch_s_of(scenario),
        )  # fmt: skip
        return cls(scenario, rules, simulated, schedule, started_s)

    def judge_on(self, server: Prometheus) -> tuple[Evaluation, tuple[AlertVerdict, ...]]:
        """Give the history to `server`, evaluate the rules there, and judge every alert."""
        server.push(self.simulated.history)
        evaluation = evaluate_rules(server, self.rules, self.schedule)
        names = [rule.alert for _, rule in self.rules.alerts]
        return evaluation, judge(self.scenario, names, evaluation.timelines)

    def facts(
        self, engine: Engine, evaluation: Evaluation, verdicts: tuple[AlertVerdict, ...]
    ) -> OutcomeFacts:
        """Return what is said of the scenario in any outcome; its wall time ends here."""
        return {
            "name": self.scenario.name,
            "seed": self.scenario.seed,
            "engine": engine,
            "duration_s": self.scenario.duration_s,
            "exact_s": self.simulated.exact_s,
            "resampled_s": self.simulated.resampled_s,
            "wall_s": time.monotonic() - self.started_s,
            "alerts": verdicts,
            "invalid": self.simulated.without_effect,
            "not_judged": evaluation.not_judged,
            "offsets": self.schedule.spread,
        }
