"""How far a recording rule reaches: which alerts read it, be it through others, and their copies.

Called by `mutants`. An edited recording is not written in place of its rule: it and whatever reads
it are copied, and what the copies record has names of their own. So all of them can be evaluated
on the same server, each as a server would evaluate the rules themselves. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from verifier.evaluation.rule_graph import rule_units
from verifier.pack.history_depth import ALERT_STATES
from verifier.pack.rules import AlertRule, RecordingRule
from verifier.promql.parsing import parse
from verifier.promql.printing import Printer
from verifier.promql.reads import all_reads
from verifier.promql.walker import nodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from verifier.evaluation.rule_graph import Rule, RuleNode
    from verifier.pack.rules import RuleFiles, RuleGroup

UNREAD: Final = "no alert that is edited reads it"
BY_PATTERN: Final = "it is read together with a rule that names its metrics by a pattern"
EXPORTED: Final = "the exporter shows a metric of its name, too"
OF_STATES: Final = "it is read together with a recording of the states of alerts"


@dataclass(frozen=True, slots=True)
class ReachingRecording:
    """A recording rule in its group, and the rules that must be evaluated anew when it changes.

    Those are what reads it, be it through others, and what must be evaluated together with that.
    `obstacle` says why it is not edited.
    """

    group: RuleGroup
    rule: RecordingRule
    nodes: tuple[RuleNode, ...]
    obstacle: str | None

    def with_edit(self, edited: RecordingRule, prefix: str) -> tuple[RuleGroup, ...]:
        """Return copies of these rules, `edited` among them, that record below `prefix`."""
        renamed = frozenset(
            node.rule.record for node in self.nodes if isinstance(node.rule, RecordingRule)
        )
        copies: dict[int, tuple[RuleGroup, list[Rule]]] = {}
        for node in self.nodes:
            rule = edited if node.rule is self.rule else node.rule
            copies.setdefault(node.position[0], (node.group, []))[1].append(
                _renamed(rule, renamed, prefix)
            )
        return tuple(replace(group, rules=tuple(rules)) for group, rules in copies.values())


def reaching_recordings(
    rules: RuleFiles, alerts: Sequence[str], exported: Iterable[str]
) -> Iterator[ReachingRecording]:
    """Yield every recording rule with what it reaches.

    `alerts` are those that are edited, or all if there are none named;
    `exported` are the metrics that are there without any rule.
    """
    if not rules.recordings:
        return
    graph = _Graph(rules)
    names = frozenset(exported)
    alerts = alerts or [rule.alert for _, rule in rules.alerts]
    for node in graph.nodes.values():
        if isinstance(node.rule, RecordingRule):
            reached = graph.reached_from(node)
            obstacle = _obstacle(reached, alerts, names)
            yield ReachingRecording(node.group, node.rule, reached, obstacle)


def is_alone(rule: Rule) -> bool:
    """Whether a rule reads no state of alerts, and so can be evaluated without them."""
    return not any(read.matches(name) for read in all_reads(rule.expr) for name in ALERT_STATES)


class _Graph:
    """Which rule reads what others record; rules by their position."""

    def __init__(self, rules: RuleFiles) -> None:
        units = [unit.nodes for unit in rule_units(rules)]
        self.nodes = dict(sorted((node.position, node) for nodes in units for node in nodes))
        self._unit = {node.position: nodes for nodes in units for node in nodes}
        self._writers: dict[str, list[RuleNode]] = {}
        for node in self.nodes.values():
            for name in _recorded(node):
                self._writers.setdefault(name, []).append(node)
        self._readers: dict[str, list[RuleNode]] = {name: [] for name in self._writers}
        for node in self.nodes.values():
            for name in {
                name
                for read in node.reads
                for name in ([read.exact] if read.exact else filter(read.matches, self._writers))
            }:
                self._readers.get(name, []).append(node)

    def reached_from(self, start: RuleNode) -> tuple[RuleNode, ...]:
        """Return what reads `start`, be it through others, and what belongs to that, in order.

        Rules of a unit are evaluated together, and rules that record the same name are read so.
        Of alerts only those that read it are there, and that read no states of alerts.
        """
        reading = self._closed([start], lambda node: self._by_name(self._readers, node))
        together = self._closed(
            reading.values(),
            lambda node: (*self._unit[node.position], *self._by_name(self._writers, node)),
        )
        return tuple(
            node
            for position, node in sorted(together.items())
            if isinstance(node.rule, RecordingRule) or (position in reading and is_alone(node.rule))
        )

    def _by_name(
        self, index: Mapping[str, Sequence[RuleNode]], node: RuleNode
    ) -> Iterator[RuleNode]:
        for name in _recorded(node):
            yield from index[name]

    @staticmethod
    def _closed(
        start: Iterable[RuleNode], following: Callable[[RuleNode], Iterable[RuleNode]]
    ) -> dict[tuple[int, int], RuleNode]:
        """Return `start` and all that follows, by position."""
        waiting = list(start)
        reached = {node.position: node for node in waiting}
        while waiting:
            for node in following(waiting.pop()):
                if node.position not in reached:
                    reached[node.position] = node
                    waiting.append(node)
        return reached


def _recorded(node: RuleNode) -> tuple[str, ...]:
    return (node.rule.record,) if isinstance(node.rule, RecordingRule) else ()


def _obstacle(
    reached: Sequence[RuleNode], alerts: Sequence[str], exported: AbstractSet[str]
) -> str | None:
    """Return why a recording with this reach is not edited, None if nothing speaks against it."""
    read_by = {node.rule.alert for node in reached if isinstance(node.rule, AlertRule)}
    if not read_by.intersection(alerts):
        return UNREAD
    if any(_names_by_pattern(node) for node in reached):
        return BY_PATTERN
    if any(not is_alone(node.rule) for node in reached):
        return OF_STATES
    if any(name in exported for node in reached for name in _recorded(node)):
        return EXPORTED
    return None


def _names_by_pattern(node: RuleNode) -> bool:
    """Whether a rule has a selector without a plain name, or may have one: it cannot be renamed."""
    try:
        selectors = nodes_of(parse(node.rule.expr), promql.VectorSelector)
        return not all(selector.name for selector in selectors)
    except ValueError:
        return True


class _Renaming(Printer):
    """Prints a tree in which some metrics have a prefix."""

    def __init__(self, renamed: AbstractSet[str], prefix: str) -> None:
        super().__init__(1.0)
        self.renamed, self.prefix = renamed, prefix

    def selector(self, node: promql.VectorSelector) -> str:
        return self.prefix * (node.name in self.renamed) + super().selector(node)


def _renamed(rule: Rule, renamed: AbstractSet[str], prefix: str) -> Rule:
    """Return a rule that reads, and records, the metrics `renamed` below `prefix`."""
    expr = _Renaming(renamed, prefix).text(parse(rule.expr))
    if isinstance(rule, RecordingRule):
        return replace(rule, record=prefix + rule.record, expr=expr)
    return replace(rule, expr=expr)
