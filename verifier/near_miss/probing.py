"""One probe: a scenario simulated in virtual time, and what a real Prometheus makes of one alert.

Called once for each value that is tried. Only what the alert reads is recorded and evaluated, at
the instants at which the whole rule set would be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Final

import numpy as np

from documents.durations import format_duration
from exporter.target import SCRAPE_S
from verifier.coverage.value_cells import threshold_comparison, tree_of
from verifier.evaluation.engine import evaluate
from verifier.evidence.firing_bounds import ABOVE
from verifier.evidence.silence import WatchedRun
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule, RuleFiles
from verifier.pack.spread import spread
from verifier.servers.prometheus import Prometheus
from verifier.virtual_time.progress import ProgressReporter
from verifier.virtual_time.run import epoch_s_of, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.judge.verdict import Progress
    from verifier.pack.rules import RuleGroup
    from verifier.virtual_time.healthy_world import HealthyWorlds

PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near an alert came to firing: to its threshold, and to its `for`.

    `value` is the one nearest to `threshold`, at any evaluation of the scenario, or beyond it;
    both None where the condition is not one comparison with a number. The condition held for
    `held_s` of `for_s` at the most.
    """

    value: float | None
    threshold: float | None
    held_s: float
    for_s: float

    @property
    def share(self) -> float:
        """The value as a share of the threshold; 0 where there is none."""
        if self.value is None or not self.threshold:
            return 0.0
        return self.value / self.threshold

    @property
    def distance(self) -> float:
        """How far the value is from its threshold, as a share; infinite where none is known."""
        return abs(1.0 - self.share) if self.share else inf

    @property
    def words(self) -> str:
        """How near it came, as a person reads it."""
        parts = []
        if self.value is not None and self.threshold is not None:
            share = f"{PERCENT * self.share:.1f} % of " if self.threshold else ""
            parts.append(f"{self.value:.6g}, {share}the threshold {self.threshold:.6g}")
        if self.for_s:
            parts.append(
                f"held for {format_duration(self.held_s)} of {format_duration(self.for_s)}"
            )
        return ", ".join(parts) or "no number is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedScenario(ScenarioOutcome):
    """The outcome of a scenario, whether the alert fired in it, and how near it came.

    `held` is whether its condition was true at any evaluation.
    """

    fired: bool = False
    held: bool = False
    nearness: Nearness | None = None


def rules_of(rules: RuleFiles, alert: str) -> RuleFiles:
    """Return the rules of one alert, and the recordings, which it may read."""
    groups = (
        replace(
            group,
            rules=tuple(
                rule
                for rule in group.rules
                if not isinstance(rule, AlertRule) or rule.alert == alert
            ),
        )
        for group in rules.groups
    )
    return replace(rules, groups=tuple(group for group in groups if group.rules))


@dataclass(frozen=True, slots=True)
class ProbeJudge:
    """Judges whether one alert of `rules` fires, in virtual time."""

    rules: RuleFiles
    alert: str

    def __call__(
        self,
        healthy_worlds: HealthyWorlds,
        scenario: Scenario,
        report: Callable[[Progress], None],
        /,
    ) -> ProbedScenario:
        """Judge `scenario` in this process; raise `JudgeError` and `InputError` as parts do."""
        started_s = time.monotonic()
        offsets = spread(scenario.seed, self.rules)
        rules = rules_of(self.rules, self.alert)
        needed = depths(rules)
        simulated = simulate(
            scenario, needed, healthy_worlds, scrape_offset_s=offsets.scrape_s,
            mapping=rules.mapping, report=report,
        )  # fmt: skip
        ProgressReporter(scenario, report).judging(simulated.history.size)
        epoch_s, end_s = epoch_s_of(scenario), scenario.duration_s
        with Prometheus() as server:
            server.push(simulated.history)
            evaluation = evaluate(
                server, rules, start_s=0.0, end_s=end_s, spread=offsets, needed=needed,
                epoch_s=epoch_s,
            )  # fmt: skip
            run = WatchedRun(server, rules, epoch_s, end_s, spread=offsets, scrape_s=SCRAPE_S)
            nearness = _nearness(run, evaluation.timelines)
        return ProbedScenario(
            name=scenario.name,
            seed=scenario.seed,
            engine=Engine(name="prometheus", version=evaluation.engine),
            duration_s=scenario.duration_s,
            exact_s=simulated.exact_s,
            resampled_s=simulated.resampled_s,
            wall_s=time.monotonic() - started_s,
            not_judged=evaluation.not_judged,
            offsets=offsets,
            fired=has_fired(evaluation.timelines),
            held=any(map(_is_of_scenario, _episodes(evaluation.timelines))),
            nearness=nearness,
        )


def has_fired(timelines: Sequence[Timeline]) -> bool:
    """Whether an alert fired in the scenario itself."""
    return any(each.firing_s is not None and _is_of_scenario(each) for each in _episodes(timelines))


def _episodes(timelines: Sequence[Timeline]) -> Iterator[Episode]:
    for timeline in timelines:
        yield from timeline.episodes


def _is_of_scenario(episode: Episode) -> bool:
    """Whether an episode is part of the scenario: what resolved before its start is past."""
    return episode.resolved_s is None or episode.resolved_s > 0


def has_fired_in(outcome: ScenarioOutcome, alert: str) -> bool:
    """Whether an alert fired in a scenario that was judged."""
    return any(each.alert == alert and each.firing_s is not None for each in outcome.alerts)


def _nearness(run: WatchedRun, timelines: Sequence[Timeline]) -> Nearness | None:
    """Return how near any rule of the alert came."""
    every = [_of_rule(run, group, rule, timelines) for group, rule in run.rules.alerts]
    return min(every, key=lambda each: each.distance, default=None)


def _of_rule(
    run: WatchedRun, group: RuleGroup, rule: AlertRule, timelines: Sequence[Timeline]
) -> Nearness:
    held_s = [
        each.resolved_s - group.interval_s - each.pending_s
        if each.resolved_s is not None
        else run.end_s - each.pending_s
        for each in _episodes(timelines)
        if _is_of_scenario(each)
    ]
    longest_s = min(max(held_s, default=0.0), rule.for_s)
    nearest = _nearest_value(run, group, rule)
    value, threshold = nearest or (None, None)
    return Nearness(value, threshold, max(longest_s, 0.0), rule.for_s)


def _nearest_value(
    run: WatchedRun, group: RuleGroup, rule: AlertRule
) -> tuple[float, float] | None:
    """Return the value nearest to the threshold, or furthest beyond it, and the threshold."""
    tree = tree_of(rule.expr)
    open_ = None if tree is None else threshold_comparison(tree)
    if open_ is None or open_.literal is None:
        return None
    series = run.stock.over(open_.expr, run.span(group, rule)).series
    values: list[NDArray[np.float64]] = [
        each.values[(each.times_s >= run.epoch_s) & np.isfinite(each.values)] for each in series
    ]
    joined = np.concatenate(values) if values else np.array([])
    if not len(joined):
        return None
    nearest = joined.max() if open_.operator in ABOVE else joined.min()
    return float(nearest), open_.literal
