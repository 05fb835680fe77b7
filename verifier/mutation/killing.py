"""Which mutants a scenario kills: those under which it would not pass.

Called by the suite once per scenario, in its worker. A scenario is simulated once, and evaluated
once without any edit; a mutant is then one query on the same history, judged by the expectations on
its alert. What is vacuous is no kill here: a mutant must fire when it must not, or not as it must.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verifier.evaluation.engine import evaluate_alerts, evaluate_copies
from verifier.judge.alert_verdicts import judge
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule, RuleFiles
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time.scenario_history import ScenarioHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.scenario import Scenario
    from verifier.evaluation.engine import SpreadSchedule
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import AlertVerdict, Progress
    from verifier.mutation.mutants import Mutant
    from verifier.pack.rules import RuleGroup
    from verifier.virtual_time.healthy_world import HealthyWorlds


@dataclass(frozen=True, slots=True, kw_only=True)
class MutatedScenario(ScenarioOutcome):
    """The outcome of a scenario, without any edit, and the numbers of the mutants that it kills.

    None is killed by an alert that fails without an edit.
    """

    killed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MutationJudge:
    """Judges one scenario without an edit, and with each of `mutants`, in virtual time."""

    rules: RuleFiles
    mutants: tuple[Mutant, ...]

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> MutatedScenario:
        """Judge `scenario` in this process; raise `JudgeError` and `InputError` as parts do."""
        mutated = tuple(
            group
            for each in self.mutants
            for group in each.copies or (replace(each.group, rules=each.rules),)
        )
        needed = depths(RuleFiles((*self.rules.groups, *mutated)))
        history = ScenarioHistory.simulate(
            scenario, self.rules, healthy_worlds, report, needed=needed
        )
        with Prometheus() as server:
            evaluation, verdicts = history.judge_on(server)
            killed = self._killed(scenario, verdicts, server, history.schedule)
        engine = Engine(name=server.name, version=evaluation.engine)
        return MutatedScenario(**history.facts(engine, evaluation, verdicts), killed=killed)

    def _killed(
        self,
        scenario: Scenario,
        verdicts: Sequence[AlertVerdict],
        server: Prometheus,
        schedule: SpreadSchedule,
    ) -> frozenset[int]:
        """Return the numbers of the mutants with which the scenario would not pass."""
        failing = {verdict.alert for verdict in verdicts if not verdict.ok}
        plain = evaluate_alerts(server, self.rules.alerts, schedule)
        by_rule = list(zip(self.rules.alerts, plain, strict=True))
        numbered = list(enumerate(self.mutants))
        pairs = [
            (number, mutant.group, rule)
            for number, mutant in numbered
            for rule in mutant.rules
            if isinstance(rule, AlertRule)
        ]
        edited = evaluate_alerts(server, [(group, rule) for _, group, rule in pairs], schedule)
        killed = {
            number
            for (number, _, rule), timelines in zip(pairs, edited, strict=True)
            if rule.alert not in failing and not _passes(scenario, [rule], timelines, by_rule)
        }
        # What copies record is there for no one else, but only after all others were evaluated.
        copied = [(number, mutant.copies) for number, mutant in numbered if mutant.copies]
        recorded = evaluate_copies(server, [copies for _, copies in copied], schedule)
        for (number, copies), timelines in zip(copied, recorded, strict=True):
            reached = [r for g in copies for r in g.rules if isinstance(r, AlertRule)]
            standing = [rule for rule in reached if rule.alert not in failing]
            if not _passes(scenario, standing, timelines, by_rule):
                killed.add(number)
        return frozenset(killed)


def _passes(
    scenario: Scenario,
    edited: Sequence[AlertRule],
    timelines: Sequence[Timeline],
    by_rule: Sequence[tuple[tuple[RuleGroup, AlertRule], tuple[Timeline, ...]]],
) -> bool:
    """Whether a scenario passes with edited rules in place of theirs, for alerts of those names.

    `timelines` are those of the edited rules, and may be of others.
    """
    alerts = {rule.alert for rule in edited}
    positions = {rule.position for rule in edited}
    others = [
        timeline
        for (_, rule), own in by_rule
        if rule.alert in alerts and rule.position not in positions
        for timeline in own
    ]
    own = [timeline for timeline in timelines if timeline.alert in alerts]
    expected = tuple(each for each in scenario.expectations if each.alert in alerts)
    about = replace(scenario, expectations=expected)
    return all(verdict.ok for verdict in judge(about, sorted(alerts), [*own, *others]))
