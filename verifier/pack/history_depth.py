"""How far back in time rules and panels read, metric by metric, and how long rules remember.

Called before a run to decide how deep each series' history must be, and by the engine to decide
since when each rule is evaluated. What a single expression reads is decided in
`verifier.promql.reads`; this module knows no metric of the world by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from exporter.history.retention import Need
from verifier.pack.circles import circles
from verifier.pack.rules import AlertRule
from verifier.promql.reads import Read, ReadIndex, all_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.pack.panels import Panel
    from verifier.pack.rules import RecordingRule, RuleFiles, RuleGroup

ALERT_STATES: Final = ("ALERTS", "ALERTS_FOR_STATE")
"""What Prometheus stores of every alert: every alerting rule records them."""
SELF_READ_S: Final = 3600.0
"""A rule that reads itself, be it through others, remembers for ever; it is evaluated at least so
long before anything reads it, and twice as far back as its own windows reach."""


@dataclass(frozen=True, slots=True)
class HistoryDepths:
    """The history that rules and panels need."""

    reads: tuple[Read, ...]
    _index: ReadIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the reads, which are asked for by name for every rule."""
        object.__setattr__(self, "_index", ReadIndex(self.reads))

    def matching(self, metric: str) -> list[Read]:
        """Return the reads that may read `metric`."""
        return self._index.matching(metric)

    def depth_s(self, metric: str) -> float:
        """Return how many seconds before the start `metric` is read; 0 when it never is.

        A metric that a rule records must be evaluated at least so long before the start.
        """
        return max((read.depth_s for read in self.matching(metric)), default=0.0)

    @property
    def longest_s(self) -> float:
        """The longest depth of all."""
        return max((read.depth_s for read in self.reads), default=0.0)

    def need(self, metric: str, duration_s: float) -> Need:
        """Return how deep a history must hold `metric`, and where every scrape of it.

        For evaluations from the start on, `duration_s` long.
        """
        fine = {interval for read in self.matching(metric) for interval in read.fine(duration_s)}
        return Need(self.depth_s(metric), tuple(sorted(fine)))

    def before_s(self, group: RuleGroup, rule: AlertRule | RecordingRule) -> float:
        """Return how long before the start `rule` must be evaluated, whoever reads it."""
        return memory_s(group, rule) + max(map(self.depth_s, _records(rule)))


def memory_s(group: RuleGroup, rule: AlertRule | RecordingRule) -> float:
    """Return how long before the start `rule` must be evaluated for its own state then to be right.

    An alert remembers its `for` and its `keep_firing_for`; a recording rule nothing, unless it
    reads itself. As far as others read what a rule records comes on top: `HistoryDepths.before_s`.
    """
    own_s = 2 * group.interval_s
    if isinstance(rule, AlertRule):
        own_s += rule.for_s + rule.keep_firing_for_s
    inner = [read for read in all_reads(rule.expr) if any(map(read.matches, _records(rule)))]
    return max(own_s, _circle_s(inner))


def depths(
    rules: RuleFiles, panels: Iterable[Panel] = (), *, remembered: bool = True
) -> HistoryDepths:
    """Return how deep every metric is read by any rule or panel, through other rules too.

    An alert is evaluated before the start for as long as it remembers, and so reads further back;
    without `remembered`, windows, offsets and subqueries alone count.
    """
    shown = [read for panel in panels for expr in panel.reads for read in all_reads(expr)]
    graph = _RuleGraph(rules, remembered=remembered)
    return HistoryDepths((*shown, *graph.reads_from_start(shown)))


class _RuleGraph:
    """Which rule reads what which other rule records; rules by their number."""

    def __init__(self, rules: RuleFiles, *, remembered: bool) -> None:
        self.rules = [(group, rule) for group in rules.groups for rule in group.rules]
        self.reads = [all_reads(rule.expr) for _, rule in self.rules]
        # The first evaluations lie up to two intervals earlier, by where a group's grid falls.
        self.memory_s = [
            (memory_s(group, rule) + 2 * group.interval_s) * remembered
            for group, rule in self.rules
        ]
        by_name: dict[str, list[int]] = {}
        for number, (_, rule) in enumerate(self.rules):
            for name in _records(rule):
                by_name.setdefault(name, []).append(number)
        # What each rule reads of others: the number of the one that records, and the read.
        self.inner = [
            [
                (number, read)
                for read in own
                for name in ([read.exact] if read.exact else filter(read.matches, by_name))
                for number in by_name.get(name, ())
            ]
            for own in self.reads
        ]

    def reads_from_start(self, shown: Sequence[Read]) -> list[Read]:
        """Return what all rules read, counted from the start, when panels read `shown`."""
        by_panels = HistoryDepths(tuple(shown))
        before_s = [
            own_s + max(map(by_panels.depth_s, _records(rule)))
            for own_s, (_, rule) in zip(self.memory_s, self.rules, strict=True)
        ]
        # A circle comes after those that it reads, so that in reverse the readers are first.
        for members in reversed(circles([{other for other, _ in own} for own in self.inner])):
            circle = frozenset(members)
            # Rules in a circle remember each other; each is evaluated as early as all of them.
            inside = [read for n in circle for other, read in self.inner[n] if other in circle]
            start_s = max(before_s[n] for n in circle) + _circle_s(inside)
            for number in circle:
                before_s[number] = start_s if inside else before_s[number]
                for other, read in self.inner[number]:
                    if other not in circle:
                        earlier_s = before_s[number] + read.depth_s + self.memory_s[other]
                        before_s[other] = max(before_s[other], earlier_s)
        return [
            replace(read, depth_s=read.depth_s + before_s[number])
            for number, own in enumerate(self.reads)
            for read in own
        ]


def _records(rule: AlertRule | RecordingRule) -> tuple[str, ...]:
    """Return the metrics that `rule` stores."""
    return ALERT_STATES if isinstance(rule, AlertRule) else (rule.record,)


def _circle_s(inside: Sequence[Read]) -> float:
    """Return how long rules that read each other by `inside` remember; 0 when nothing is inside."""
    if not inside:
        return 0.0
    return max(SELF_READ_S, 2 * max(read.depth_s for read in inside))
