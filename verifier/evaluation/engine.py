"""Evaluates rules with a running Prometheus: when each alert was in which state.

Called once per scenario by the judge of virtual time, after its history was pushed; real time uses
`record`. Panels are asked by `verifier.panels`. Times are scenario seconds unless a function says
Unix seconds. It returns timelines; whether they are what was expected is decided in
`verifier.judge.alert_verdicts`, never here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import EPOCH_S, STALE, Block, History
from verifier.evaluation.timeline import Grid, Timeline, timelines
from verifier.pack.history_depth import depths, in_dependency_order
from verifier.pack.spread import WHOLE
from verifier.promql.reads import fixed_time, reads
from verifier.servers.prometheus import QueryError, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.history.samples import LabelSet
    from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles
    from verifier.pack.spread import Spread
    from verifier.servers.prometheus import Prometheus, Series


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result for one scenario: the alerts that were ever active.

    `engine` is the version of Prometheus that evaluated.
    """

    timelines: tuple[Timeline, ...]
    engine: str


def evaluate(
    server: Prometheus,
    rules: RuleFiles,
    *,
    start_s: float,
    end_s: float,
    spread: Spread = WHOLE,
) -> Evaluation:
    """Evaluate every rule from `start_s` to `end_s` on the pushed history.

    Each group is evaluated at its own offset of `spread`, counted from `start_s`. Recording rules
    are evaluated first and their results pushed to `server`. An alert that was never active has no
    timeline. Raises InputError for a rule the engine cannot evaluate.
    """
    record(server, rules, start_s, end_s, spread=spread)
    alerts = rules.alerts
    grids = [Grid(start_s + spread.offset_s(group), end_s, group.interval_s) for group, _ in alerts]
    queries = [_on_grid(rule.expr, grid) for (_, rule), grid in zip(alerts, grids, strict=True)]
    answers = server.query_ranges(queries)
    active: list[Timeline] = []
    for (_, rule), grid, answer in zip(alerts, grids, answers, strict=True):
        active += timelines(rule, _accepted(rule, answer, server), grid, epoch_s=EPOCH_S)
    return Evaluation(tuple(active), server.version)


def record(  # noqa: PLR0913 - what is evaluated, and when
    server: Prometheus,
    rules: RuleFiles,
    start_s: float,
    end_s: float,
    *,
    epoch_s: float = EPOCH_S,
    spread: Spread = WHOLE,
) -> None:
    """Evaluate the recording rules, each after those it reads, and push their results.

    Each is evaluated from as far before `start_s` as any rule reads it. `epoch_s` is the Unix time
    of second 0.
    """
    needed = depths(rules)
    groups = {id(rule): group for group, rule in rules.recordings}
    for rule in in_dependency_order(rules):
        group = groups[id(rule)]
        # The last evaluation before the start shows until the first after it.
        before = math.ceil(needed.depth_s(rule.record) / group.interval_s) + 1
        first_s = start_s + spread.offset_s(group) - before * group.interval_s
        grid = Grid(first_s, end_s, group.interval_s)
        [answer] = server.query_ranges([_on_grid(rule.expr, grid, epoch_s)])
        series = _accepted(rule, answer, server)
        if series:
            server.push(recorded(rule, series, grid, epoch_s=epoch_s))


def recorded(
    rule: RecordingRule, answer: Sequence[Series], grid: Grid, *, epoch_s: float = EPOCH_S
) -> History:
    """Return what a recording rule writes: its result, and a stale marker wherever a series ends.

    Prometheus's rule manager writes the markers too; without them a series would live on for the
    five minutes of its lookback. Raises InputError when two series end up with the same labels.
    """
    labels: dict[LabelSet, int] = {}
    values = np.full((len(answer), grid.count), np.nan)
    for index, series in enumerate(answer):
        named = dict(series.labels) | dict(rule.labels) | {"__name__": rule.record}
        label_set = tuple(sorted((name, text) for name, text in named.items() if text))
        if labels.setdefault(label_set, index) != index:
            raise rule.position.error(
                f"recording rule {rule.record} must give each series its own labels, got"
                f" {dict(label_set)} twice"
            )
        steps = np.rint((series.times_s - epoch_s - grid.start_s) / grid.interval_s)
        present = np.zeros(grid.count, dtype=np.bool_)
        present[steps.astype(np.int64)] = True
        values[index, present] = series.values
        values[index, 1:][present[:-1] & ~present[1:]] = STALE
    timestamps_ms = np.rint((epoch_s + grid.times_s) * 1000).astype(np.int64)
    return History(list(labels), [Block(timestamps_ms, np.arange(len(answer)), values)])


def _on_grid(expr: str, grid: Grid, epoch_s: float = EPOCH_S) -> RangeQuery:
    return RangeQuery(expr, epoch_s + grid.start_s, epoch_s + grid.end_s, grid.interval_s)


def _accepted(
    rule: AlertRule | RecordingRule, answer: list[Series] | QueryError, server: Prometheus
) -> list[Series]:
    """Return a rule's answer; raise InputError for a rule that was refused or cannot be judged."""
    if _reads_alerts(rule.expr):
        raise rule.position.error(
            "a rule that reads ALERTS cannot be judged: virtual time stores no alert states"
        )
    if fixed_time(rule.expr):
        raise rule.position.error(
            "a rule must not fix its time with @: a simulated history has no such time"
        )
    if isinstance(answer, QueryError):
        raise rule.position.error(f"Prometheus {server.version} cannot evaluate expr: {answer}")
    return answer


def _reads_alerts(expr: str) -> bool:
    return any(read.exact in ("ALERTS", "ALERTS_FOR_STATE") for read in reads(expr))
