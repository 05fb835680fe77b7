"""The replay: every alert of one or two rule files, evaluated over a history that is streamed.

Called by the command. One expression after another is read slice after slice, and Prometheus's
state machine goes over each slice as over all: what is active is carried from one to the next, so
that memory stays in bounds. Alerts that ask the same are evaluated on the same answer. What
recording rules record is not evaluated anew: alerts read what is stored under that name.
Times are seconds from the start of the replay.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from verifier.backtest.noise import RuleRecord, labels_of
from verifier.backtest.slices import GivenUp, SlicedQuery
from verifier.evaluation.alert_states import OpenAlert
from verifier.evaluation.engine import SpreadSchedule
from verifier.evaluation.rule_graph import RuleNode
from verifier.evaluation.rule_run import RuleRun
from verifier.pack.history_depth import depths
from verifier.pack.spread import WHOLE
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import RefusedQueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from verifier.backtest.history_server import HistoryServer
    from verifier.backtest.slices import Slice
    from verifier.evaluation.timeline import Grid
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
    from verifier.pack.spread import Spread

Version: TypeAlias = Literal["rules", "against"]
"""Which of two rule files an alert is from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What is replayed: from `from_s` to `to_s` of Unix time; `against` is the other version.

    Each group is evaluated at its offset of `spread` from `from_s`.
    """

    rules: RuleFiles
    against: RuleFiles | None
    from_s: float
    to_s: float
    spread: Spread = WHOLE

    @property
    def duration_s(self) -> float:
        """How long the replayed history is."""
        return self.to_s - self.from_s

    @property
    def versions(self) -> tuple[tuple[Version, RuleFiles], ...]:
        """The rule files, each with what it is called."""
        if self.against is None:
            return (("rules", self.rules),)
        return ("rules", self.rules), ("against", self.against)


@dataclass(slots=True)
class ReplayedAlert:
    """An alerting rule in the course of its replay; `refused` says why it could not go on."""

    version: Version
    group: RuleGroup
    rule: AlertRule
    run: RuleRun
    record: RuleRecord
    refused: str = ""

    def finish(self) -> None:
        """Take over what is still active at the end."""
        ended = {line.labels: line.episodes for line in self.run.timelines()}
        self.record.add(ended)


@dataclass(slots=True)
class Stream:
    """The alerts that ask the same expression on the same grid, and how far they are.

    `grid` is the longest of theirs; `ahead` of an alert is how many evaluations later it begins.
    """

    expr: str
    grid: Grid
    shift_s: float
    alerts: list[ReplayedAlert] = field(default_factory=list)
    ahead: list[int] = field(default_factory=list)
    done: int = 0

    @property
    def left(self) -> int:
        """How many evaluations are still to come."""
        return self.grid.count - self.done


class Replay:
    """A replay on its way. `run` goes on from where it is; `saved` may be asked for at any time."""

    def __init__(self, server: HistoryServer, request: ReplayRequest) -> None:
        """Ask nothing yet."""
        self._server, self.request = server, request
        self.streams = _streams(request)

    @property
    def alerts(self) -> list[ReplayedAlert]:
        """Every alert, in the order of the files: of the rules first."""
        every = [alert for stream in self.streams for alert in stream.alerts]
        return sorted(every, key=lambda each: (each.version != "rules", each.run.node.position))

    def run(self, watch: Callable[[Stream], None] = lambda _: None) -> None:
        """Go on to the end; `watch` is called after each slice, and may raise.

        Raises JudgeError when the server gives no history.
        """
        for stream in self.streams:
            if not stream.left:
                continue
            query = SlicedQuery(
                self._server, stream.expr, stream.grid, epoch_s=self.request.from_s - stream.shift_s
            )
            try:
                for part in query.slices(stream.done):
                    _go_through(stream, part)
                    watch(stream)
            except (RefusedQueryError, GivenUp) as error:
                for alert in stream.alerts:
                    alert.refused = str(error)
                stream.done = stream.grid.count
                watch(stream)

    def saved(self) -> list[dict[str, Any]]:
        """Return how far everything is, as a JSON value."""
        return [
            {"done": stream.done, "alerts": [_saved(alert) for alert in stream.alerts]}
            for stream in self.streams
        ]

    def resume(self, saved: list[Mapping[str, Any]]) -> None:
        """Go back to what `saved` gave; raises KeyError, TypeError or ValueError for another."""
        for stream, of_stream in zip(self.streams, saved, strict=True):
            stream.done = int(of_stream["done"])
            for alert, of_alert in zip(stream.alerts, of_stream["alerts"], strict=True):
                _restore(alert, of_alert)

    def finish(self) -> None:
        """Take over what is still active; to be called once, when all is done."""
        for alert in self.alerts:
            alert.finish()


def _go_through(stream: Stream, part: Slice) -> None:
    """Let every alert of a stream go through a slice."""
    steps = part.steps
    for alert, ahead in zip(stream.alerts, stream.ahead, strict=True):
        own = range(max(steps.start - ahead, 0), max(steps.stop - ahead, 0))
        own_failed = {step - ahead: reason for step, reason in part.failed.items()}
        alert.record.count_states(alert.run.evaluate_part(own, part.answer, own_failed))
        if alert.run.states is not None:
            alert.record.add(alert.run.states.take_ended())
    stream.done = steps.stop


def _streams(request: ReplayRequest) -> list[Stream]:
    streams: dict[tuple[str, float, float, float], Stream] = {}
    for version, rules in request.versions:
        schedule = SpreadSchedule(
            start_s=0.0, end_s=request.duration_s, needed=depths(rules), spread=request.spread,
            epoch_s=request.from_s,
        )  # fmt: skip
        for number, (group, rule) in enumerate(rules.alerts):
            grid = schedule.grid(group, rule)
            node = RuleNode((0, number), group, rule, all_reads(rule.expr))
            run = RuleRun(node, grid, epoch_s=request.from_s, start_s=0.0, stores=False)
            shift_s = group.query_offset_s
            phase_s = grid.start_s % grid.interval_s
            key = (rule.expr, grid.interval_s, shift_s, round(phase_s, 3))
            stream = streams.setdefault(key, Stream(rule.expr, grid, shift_s))
            if grid.start_s < stream.grid.start_s:
                stream.grid = grid
            record = RuleRecord(request.duration_s)
            stream.alerts.append(ReplayedAlert(version, group, rule, run, record))
    for stream in streams.values():
        stream.ahead = [
            round((alert.run.grid.start_s - stream.grid.start_s) / stream.grid.interval_s)
            for alert in stream.alerts
        ]
    return list(streams.values())


def _saved(alert: ReplayedAlert) -> dict[str, Any]:
    states = alert.run.states
    return {
        "record": alert.record.saved(),
        "open": [asdict(each) for each in states.open_alerts()] if states else [],
        "refused": alert.refused,
        "failed": [alert.run.failures.count, alert.run.failures.reason],
    }


def _restore(alert: ReplayedAlert, saved: Mapping[str, Any]) -> None:
    alert.record = RuleRecord.restored(alert.record.duration_s, saved["record"])
    alert.refused = str(saved["refused"])
    count, reason = saved["failed"]
    alert.run.go_on_from(int(count), str(reason))
    if alert.run.states is not None:
        alert.run.states.resume(
            OpenAlert(
                labels_of(each["labels"]),
                each["pending_ms"],
                each["firing_ms"],
                each["absent_ms"],
            )
            for each in saved["open"]
        )
