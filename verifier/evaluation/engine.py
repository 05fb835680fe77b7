"""Evaluates rules with a running Prometheus: when each alert was in which state.

Called once per scenario by the judge of virtual time, after its history was pushed; real time uses
`record` before a run, and the same evaluation to replay one. What a rule sees at an evaluation is
what a server would have seen then. It returns timelines; whether they are what was expected is
decided in `verifier.judge.alert_verdicts`, never here. Times are scenario seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from exporter.history.samples import EPOCH_S
from verifier.errors import Finding
from verifier.evaluation.refused_rules import not_evaluated, subject_of
from verifier.evaluation.rule_graph import RuleNode, rule_units, stored_names
from verifier.evaluation.rule_run import RuleRun
from verifier.evaluation.rule_samples import (
    after_known,
    last_samples_ms,
    without_repetition,
)
from verifier.evaluation.step_by_step import StoredHistory, evaluate_step_by_step
from verifier.evaluation.timeline import Grid
from verifier.pack.history_depth import depths
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles
from verifier.pack.spread import WHOLE
from verifier.promql.filters import number_filter
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import QueryError, RangeQuery, RefusedQueryError, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.history.samples import LabelSet
    from verifier.errors import NotJudged
    from verifier.evaluation.rule_graph import Rule
    from verifier.evaluation.timeline import Timeline
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.rules import RuleGroup
    from verifier.pack.spread import Spread
    from verifier.promql.filters import NumberFilter
    from verifier.servers.prometheus import Prometheus


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result for one scenario: the alerts that were ever active, from before its start on.

    `findings` name rules of which some evaluations failed, as they would have in a server;
    `not_judged` those of which all did. `engine` is the version of Prometheus that evaluated.
    """

    timelines: tuple[Timeline, ...]
    engine: str
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()


class Schedule(Protocol):
    """When each rule is evaluated, and which of what rules store is read."""

    @property
    def start_s(self) -> float:
        """When the scenario starts."""

    @property
    def epoch_s(self) -> float:
        """The Unix time of second 0."""

    @property
    def needed(self) -> HistoryDepths:
        """What rules and panels read."""

    def grid(self, group: RuleGroup, rule: Rule, /) -> Grid:
        """Return the evaluations of `rule`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadSchedule:
    """Evaluations up to `end_s`, those of each group at its own offset from `start_s`.

    They begin so long before the start as a rule remembers, or is read.
    """

    start_s: float
    end_s: float
    needed: HistoryDepths
    spread: Spread = WHOLE
    epoch_s: float = EPOCH_S

    def grid(self, group: RuleGroup, rule: Rule, /) -> Grid:
        """Return the evaluations of `rule`."""
        offset_s = self.spread.offset_s(group)
        # The last evaluation before that shows until the first after it.
        before_s = self.needed.before_s(group, rule) + offset_s
        steps = math.ceil(before_s / group.interval_s)
        first_s = self.start_s + offset_s - steps * group.interval_s
        return Grid(first_s, self.end_s, group.interval_s)


def evaluate(  # noqa: PLR0913 - what is evaluated, and when
    server: Prometheus,
    rules: RuleFiles,
    *,
    start_s: float,
    end_s: float,
    spread: Spread = WHOLE,
    needed: HistoryDepths | None = None,
    epoch_s: float = EPOCH_S,
) -> Evaluation:
    """Evaluate every rule on the pushed history, from before `start_s` to `end_s`.

    `epoch_s` is the Unix time of second 0.

    Each group is evaluated at its own offset of `spread`, counted from `start_s`; before the start
    as far back as rules remember, and as rules, or panels by `needed`, read what they record. What
    is read is pushed to `server`. An alert that was never active has no timeline.
    """
    schedule = SpreadSchedule(
        start_s=start_s, end_s=end_s, spread=spread, needed=needed or depths(rules),
        epoch_s=epoch_s,
    )  # fmt: skip
    return evaluate_rules(server, rules, schedule)


def record(server: Prometheus, rules: RuleFiles, *, epoch_s: float) -> None:
    """Push what the recording rules stored up to `epoch_s` of Unix time, as far back as it is read.

    Alerts begin with the run: a server that starts knows no alert of before.
    """
    kept = RuleFiles(
        tuple(
            replace(group, rules=tuple(r for r in group.rules if isinstance(r, RecordingRule)))
            for group in rules.groups
        )
    )
    schedule = SpreadSchedule(start_s=0.0, end_s=0.0, needed=depths(rules), epoch_s=epoch_s)
    evaluate_rules(server, kept, schedule)


def evaluate_rules(server: Prometheus, rules: RuleFiles, schedule: Schedule) -> Evaluation:
    """Evaluate every rule by `schedule` on what was pushed to `server`, and push what is read."""
    runs = _run(server, rules, schedule)
    findings, not_judged = _failures(runs)
    return Evaluation(
        tuple(line for run in runs for line in run.timelines()),
        server.version,
        findings,
        not_judged,
    )


def evaluate_copies(
    server: Prometheus, copies: Sequence[Sequence[RuleGroup]], schedule: Schedule
) -> list[tuple[Timeline, ...]]:
    """Return the timelines of each of several sets of groups, all evaluated on the same server.

    No set may record a metric that another one, or a rule that was evaluated before, records.
    """
    groups = [(number, group) for number, copy in enumerate(copies) for group in copy]
    runs = _run(server, RuleFiles(tuple(group for _, group in groups)), schedule)
    timelines: list[list[Timeline]] = [[] for _ in copies]
    for run in runs:
        timelines[groups[run.node.position[0]][0]] += run.timelines()
    return [tuple(lines) for lines in timelines]


def _run(server: Prometheus, rules: RuleFiles, schedule: Schedule) -> list[RuleRun]:
    """Evaluate every rule, and push what is read; return their runs in the order of the rules."""
    stored = [StoredHistory(history) for history in server.histories]
    known: dict[LabelSet, int] = {}
    runs: list[RuleRun] = []
    for _, level in groupby(rule_units(rules), key=lambda unit: unit.level):
        same_level = tuple(level)
        at_once = [_start(unit.nodes[0], schedule) for unit in same_level if not unit.stepwise]
        in_steps = [
            _start(node, schedule) for unit in same_level if unit.stepwise for node in unit.nodes
        ]
        _answer_at_once(server, at_once)
        if in_steps:
            in_steps.sort(key=lambda run: run.node.position)
            evaluate_step_by_step(in_steps, stored, server.fresh())
        stored += _store(server, (*at_once, *in_steps), known)
        runs += (*at_once, *in_steps)
    runs.sort(key=lambda run: run.node.position)
    return runs


def evaluate_alerts(
    server: Prometheus, alerts: Sequence[tuple[RuleGroup, AlertRule]], schedule: Schedule
) -> list[tuple[Timeline, ...]]:
    """Return the timelines of each alert, evaluated by itself on what was pushed to `server`.

    Nothing is stored. It is for alerts that read no state of alerts: each is one range query, asked
    once for all that ask the same, or the same but for the number that they compare it with.
    """
    runs = [
        RuleRun(
            RuleNode((0, number), group, rule, all_reads(rule.expr)),
            schedule.grid(group, rule),
            epoch_s=schedule.epoch_s,
            start_s=schedule.start_s,
            stores=False,
        )
        for number, (group, rule) in enumerate(alerts)
    ]
    _answer_at_once(server, _answer_filtered(server, runs))
    return [tuple(run.timelines()) for run in runs]


def _store(
    server: Prometheus, runs: Sequence[RuleRun], known: dict[LabelSet, int]
) -> list[StoredHistory]:
    """Push what `runs` stored, but for what is there already; return what was pushed.

    `known` is when the last sample lies of every stored series, filled and kept here.
    """
    stored: list[StoredHistory] = []
    if not known and any(run.history for run in runs):
        known |= last_samples_ms(server.histories)
    for offset_ms in sorted({run.offset_ms for run in runs}):
        histories = without_repetition(
            [
                after_known(run.history, known)
                for run in runs
                if run.offset_ms == offset_ms and run.history is not None
            ]
        )
        if histories:
            server.push(*histories)
        stored += [StoredHistory(history, offset_ms) for history in histories]
        known |= last_samples_ms(histories)
    return stored


def _start(node: RuleNode, schedule: Schedule) -> RuleRun:
    return RuleRun(
        node,
        schedule.grid(node.group, node.rule),
        epoch_s=schedule.epoch_s,
        start_s=schedule.start_s,
        stores=_is_stored(node.rule, schedule.needed),
    )


def _is_stored(rule: Rule, needed: HistoryDepths) -> bool:
    """Whether what `rule` stores must be kept: alert states only where something reads them."""
    return not isinstance(rule, AlertRule) or any(map(needed.matching, stored_names(rule)))


def _answer_at_once(server: Prometheus, runs: Sequence[RuleRun]) -> None:
    """Evaluate rules that need nothing but what is pushed, each by one range query."""
    queries = [_on_grid(run, 0, run.grid.count) for run in runs]
    distinct = list(dict.fromkeys(queries))
    answers = dict(zip(distinct, server.query_ranges(distinct), strict=True))
    for run, query in zip(runs, queries, strict=True):
        answer = answers[query]
        if isinstance(answer, RefusedQueryError):
            run.evaluate_all([], dict.fromkeys(range(run.grid.count), str(answer)))
        elif isinstance(answer, QueryError):
            run.evaluate_all(*_answer_in_parts(server, run))
        else:
            run.evaluate_all(answer, {})


def _answer_filtered(server: Prometheus, runs: Sequence[RuleRun]) -> list[RuleRun]:
    """Evaluate the rules that compare the same with a number each; return the others.

    What they compare is asked once, and the comparison made here. Where the engine does not answer
    that, its word on each rule counts.
    """
    filters = [number_filter(run.node.rule.expr) for run in runs]
    queries = [
        replace(_on_grid(run, 0, run.grid.count), expr=each.compared) if each else None
        for run, each in zip(runs, filters, strict=True)
    ]
    shared = [query for query, count in Counter(queries).items() if query and count > 1]
    answers = dict(zip(shared, server.query_ranges(shared), strict=True))
    others: list[RuleRun] = []
    for run, each, query in zip(runs, filters, queries, strict=True):
        answer = answers.get(query) if query else None
        if each is None or answer is None or isinstance(answer, QueryError):
            others.append(run)
        else:
            run.evaluate_all(_passing(answer, each), {})
    return others


def _passing(answer: Sequence[Series], by: NumberFilter) -> list[Series]:
    """Return what a filter lets through of an answer: no series without a value."""
    passing = [(series, by.passes(series.values)) for series in answer]
    return [
        Series(series.labels, series.times_s[where], series.values[where])
        for series, where in passing
        if where.any()
    ]


def _answer_in_parts(server: Prometheus, run: RuleRun) -> tuple[list[Series], dict[int, str]]:
    """Return the answers at those steps at which the query succeeds, and why it fails at others.

    A range query fails as a whole when it fails at one step; a server goes on with the next.
    """
    answers: list[Series] = []
    failed: dict[int, str] = {}
    parts = [(0, run.grid.count)]
    while parts:
        first, end = parts.pop()
        try:
            answers += server.query_range(_on_grid(run, first, end))
        except QueryError as error:
            if end - first == 1:
                failed[first] = str(error)
            else:
                middle = (first + end) // 2
                parts += [(first, middle), (middle, end)]
    return answers, failed


def _on_grid(run: RuleRun, first: int, end: int) -> RangeQuery:
    """Return the rule's query at the steps from `first` to before `end`."""
    grid = run.grid
    start_s = run.query_s(0) + grid.start_s + first * grid.interval_s
    end_s = start_s + (end - first - 1) * grid.interval_s
    return RangeQuery(run.node.rule.expr, start_s, end_s, grid.interval_s)


def _failures(runs: Sequence[RuleRun]) -> tuple[tuple[Finding, ...], tuple[NotJudged, ...]]:
    """Return what to say of evaluations that failed: of some, and of all of a rule."""
    findings: list[Finding] = []
    not_judged: list[NotJudged] = []
    for run in runs:
        rule, failures = run.node.rule, run.failures
        if not failures.count:
            continue
        if failures.count == failures.of:
            not_judged.append(not_evaluated(rule, failures.reason))
        else:
            some = f"{failures.count} of {failures.of} evaluations fail"
            as_there = "as they would on a server, and change nothing"
            message = f"{subject_of(rule)}: {some}, {as_there}: {failures.reason}"
            findings.append(Finding(rule.position, message))
    return tuple(findings), tuple(not_judged)
