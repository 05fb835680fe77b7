"""What one scenario shows of every alert, cell by cell.

Called by the suite once per scenario, in its worker. The scenario is simulated and evaluated once,
as `verify` does it; an alert that the scenario does not accept as it is proves nothing there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exporter.target import SCRAPE_S
from verifier.coverage.cells import AlertCourse, Observation
from verifier.coverage.counterfactuals import is_accepted
from verifier.coverage.episode_cells import episode_cells, misrouted, routed
from verifier.coverage.value_cells import NO_TRAFFIC, ValueCells, tree_of
from verifier.evidence.relaxed import relax
from verifier.evidence.silence import WatchedRun, static_labels
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time.scenario_history import ScenarioHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.verdict import Progress
    from verifier.labels import Labels
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
    from verifier.virtual_time.healthy_world import HealthyWorlds


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredScenario(ScenarioOutcome):
    """The outcome of a scenario, and what it showed of each cell.

    `failing` are alerts that it does not accept, or that go to others than it names, with why.
    """

    observations: tuple[Observation, ...] = ()
    failing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CoverageJudge:
    """Observes one scenario under `rules`, whose alerts take the routes of `routing`."""

    rules: RuleFiles
    routing: Routing

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> CoveredScenario:
        """Observe `scenario` in this process; raise `JudgeError` and `InputError` as parts do."""
        rules = self.rules
        history = ScenarioHistory.simulate(
            scenario, rules, healthy_worlds, report, needed=_needed(rules)
        )
        epoch_s, offsets = history.schedule.epoch_s, history.schedule.spread
        with Prometheus() as server:
            evaluation, verdicts = history.judge_on(server)
            run = WatchedRun(
                server, rules, epoch_s, scenario.duration_s, spread=offsets, scrape_s=SCRAPE_S
            )
            observations, failing = self._observe(run, scenario, evaluation.timelines)
        engine = Engine(name=server.name, version=evaluation.engine)
        return CoveredScenario(
            **history.facts(engine, evaluation, verdicts),
            observations=observations,
            failing=failing,
        )

    def _observe(
        self, run: WatchedRun, scenario: Scenario, timelines: Sequence[Timeline]
    ) -> tuple[tuple[Observation, ...], tuple[tuple[str, str], ...]]:
        """Return what each alert showed, and which are not accepted, with why."""
        observations: list[Observation] = []
        failing: dict[str, str] = {}
        for course in _courses(run, timelines):
            if not is_accepted(scenario, course):
                failing.setdefault(course.rule.alert, "fails its expectations")
                continue
            observations += episode_cells(scenario, course)
            observations += ValueCells(run, scenario, course).observe()
            notified = list(routed(scenario, course, self.routing, run.epoch_s))
            observations += notified
            wrong = misrouted(notified, scenario, course.rule.alert)
            if wrong is not None:
                failing.setdefault(course.rule.alert, wrong)
        return tuple(observations), tuple(failing.items())


def _needed(rules: RuleFiles) -> HistoryDepths:
    """Return what is read of a scenario: what the rules read, and whether there was traffic."""
    needed = depths(rules)
    return replace(needed, reads=(*needed.reads, *all_reads(NO_TRAFFIC)))


def _courses(run: WatchedRun, timelines: Sequence[Timeline]) -> Iterator[AlertCourse]:
    """Yield what the alerts of each rule did.

    Of rules of one name, a timeline is that of the one whose own labels it carries.
    """
    alerts = run.rules.alerts
    of_name = Counter(rule.alert for _, rule in alerts)
    for number, (group, rule) in enumerate(alerts):
        named = [each for each in timelines if each.alert == rule.alert]
        own = named
        if of_name[rule.alert] > 1:
            own = [each for each in named if set(static_labels(rule)) <= set(each.labels)]
        others = tuple(each for each in named if each not in own)
        yield AlertCourse(number, group, rule, tuple(own), others, _label_sets(run, group, rule))


def _label_sets(run: WatchedRun, group: RuleGroup, rule: AlertRule) -> tuple[Labels, ...]:
    """Return the labels that alerts of a rule can carry: those of what it compares, and its own."""
    static = dict(static_labels(rule))
    tree = tree_of(rule.expr)
    if tree is None:
        return (static_labels(rule),)
    series = run.stock.over(relax(tree).roots[0].query, run.span(group, rule)).series
    sets = ({k: v for k, v in each.labels.items() if k != "__name__"} | static for each in series)
    known = dict.fromkeys(tuple(sorted(labels.items())) for labels in sets)
    return tuple(known) or (static_labels(rule),)
