"""In which order rules are evaluated: each after those it reads, and which of them step by step.

Called by the engine. Most rules read nothing that comes later: one range query answers all their
evaluations at once, and gives the same. The others must be evaluated as a server does, evaluation
after evaluation: rules that read themselves, be it through others; a rule that reads a later one of
its own group, whose last result it sees; and whatever names an instant that may lie ahead. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from verifier.pack.circles import circles
from verifier.pack.history_depth import ALERT_STATES
from verifier.pack.rules import AlertRule, RecordingRule
from verifier.promql.reads import all_reads, reads_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.pack.rules import RuleFiles, RuleGroup
    from verifier.promql.reads import Read

Rule: TypeAlias = AlertRule | RecordingRule


@dataclass(frozen=True, slots=True)
class RuleNode:
    """A rule in its group; `position` (number of the group, number in the group) is its order."""

    position: tuple[int, int]
    group: RuleGroup
    rule: Rule
    reads: tuple[Read, ...]

    def may_read(self, names: Iterable[str]) -> bool:
        """Return whether the rule may read any metric of these names."""
        return any(read.matches(name) for name in names for read in self.reads)


@dataclass(frozen=True, slots=True)
class EvaluationUnit:
    """Rules that are evaluated together, in order; `ahead_of` the units that read them.

    Step by step, or, if not `stepwise`, the only one of them by range queries.
    """

    nodes: tuple[RuleNode, ...]
    stepwise: bool
    level: int


def stored_names(rule: Rule) -> tuple[str, ...]:
    """Return the metrics that evaluating `rule` stores."""
    return ALERT_STATES if isinstance(rule, AlertRule) else (rule.record,)


def rule_units(rules: RuleFiles) -> list[EvaluationUnit]:
    """Return all rules in units, each after the units that it reads.

    A unit's `level` is higher than that of any unit that it reads.
    """
    nodes = [
        RuleNode((number, index), group, rule, all_reads(rule.expr))
        for number, group in enumerate(rules.groups)
        for index, rule in enumerate(group.rules)
    ]
    edges = _edges(nodes)
    components = circles(edges)
    unit_of = {number: unit for unit, circle in enumerate(components) for number in circle}
    levels: list[int] = []
    units: list[EvaluationUnit] = []
    for circle in components:  # writers come first
        below = {unit_of[other] for number in circle for other in edges[number]}
        levels.append(1 + max((levels[u] for u in below if u < len(levels)), default=-1))
        members = tuple(nodes[number] for number in sorted(circle))
        units.append(EvaluationUnit(members, _is_stepwise(members), levels[-1]))
    return sorted(units, key=lambda unit: (unit.level, unit.nodes[0].position))


def _edges(nodes: Sequence[RuleNode]) -> list[set[int]]:
    """Return for each node the nodes that it must not be evaluated before.

    A rule that reads a later one of its own group sees that one's last result: both are then in a
    circle, which is evaluated in the group's order.
    """
    writers: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        for name in stored_names(node.rule):
            writers.setdefault(name, []).append(number)
    edges: list[set[int]] = [set() for _ in nodes]
    for number, node in enumerate(nodes):
        for read in node.reads:
            names = [read.exact] if read.exact else filter(read.matches, writers)
            edges[number].update(other for name in names for other in writers.get(name, ()))
    for number, node in enumerate(nodes):
        for other in list(edges[number]):
            if nodes[other].position[0] == node.position[0] and other > number:
                edges[other].add(number)
    return edges


def _is_stepwise(nodes: Sequence[RuleNode]) -> bool:
    if len(nodes) > 1:
        return True
    [node] = nodes
    return node.may_read(stored_names(node.rule)) or reads_ahead(node.rule.expr)
