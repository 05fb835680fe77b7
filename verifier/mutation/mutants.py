"""Every rule with one edit, of its expression, `for` or labels; groups with another interval.

Called by `mutate` for the alerts of a run. Nothing that an engine would refuse is made on purpose,
and no two mutants of an alert are the same rule. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.mutation.edits import expression_edits
from verifier.mutation.siblings import Siblings
from verifier.pack.history_depth import ALERT_STATES
from verifier.pack.rules import AlertRule
from verifier.promql.reads import all_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.labels import Labels
    from verifier.mutation.edits import MutantKind
    from verifier.pack.rules import RuleFiles, RuleGroup

SEVERITIES: Final = {"critical": "warning", "page": "ticket"}
"""The severity that stands in place of another; of any other, `critical`."""
CHANGED: Final = "changed"
"""What stands in place of any other label."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """An alert with one edit, in its group: `before` and `after` are what was edited.

    `rules` is that alert; of another interval, all alerts of the group that are edited at all.
    """

    kind: MutantKind
    before: str
    after: str
    group: RuleGroup
    rules: tuple[AlertRule, ...]

    @property
    def rule(self) -> AlertRule:
        """The alert, or the first of the group."""
        return self.rules[0]

    @property
    def subject(self) -> str:
        """What was edited, as a person reads it: an alert, or a group."""
        return f"group {self.group.name}" if self.kind == "interval" else self.rule.alert

    @property
    def change(self) -> str:
        """The edit as a person reads it."""
        return f"{self.before} -> {self.after}"


def mutants_of(
    rules: RuleFiles, alerts: Sequence[str] = (), exported: Iterable[str] = ()
) -> tuple[Mutant, ...]:
    """Return the mutants of every alert, or of those that are named, in the order of the rules.

    `exported` are the metrics that may be taken for another, beside those that the rules read.
    Alerts that read the states of alerts are not edited: no one of them stands by itself.
    """
    read = {r.exact for _, rule in rules.alerts for r in all_reads(rule.expr) if r.exact}
    siblings = Siblings({*read, *exported})
    made: list[Mutant] = []
    for group in rules.groups:
        edited = tuple(
            rule
            for rule in group.rules
            if isinstance(rule, AlertRule)
            and (not alerts or rule.alert in alerts)
            and is_alone(rule)
        )
        for rule in edited:
            made += _mutants(group, rule, siblings)
        if edited:
            made += _of_interval(group, edited)
    return tuple(made)


def is_alone(rule: AlertRule) -> bool:
    """Whether a rule reads no state of alerts, and so can be evaluated by itself."""
    return not any(read.matches(name) for read in all_reads(rule.expr) for name in ALERT_STATES)


def _of_interval(group: RuleGroup, rules: tuple[AlertRule, ...]) -> Iterator[Mutant]:
    """Yield the group evaluated twice as often, and half as often."""
    for factor in (0.5, 2.0):
        interval_s = round(group.interval_s * factor, 3)
        before, after = (format_duration(each) for each in (group.interval_s, interval_s))
        yield Mutant("interval", before, after, replace(group, interval_s=interval_s), rules)


def _mutants(group: RuleGroup, rule: AlertRule, siblings: Siblings) -> Iterator[Mutant]:
    for edit in expression_edits(rule.expr, siblings):
        edited = replace(rule, expr=edit.expr)
        yield Mutant(edit.kind, edit.before, edit.after, group, (edited,))
    for for_s in _waits_s(rule.for_s, group.interval_s):
        before, after = (format_duration(each) for each in (rule.for_s, for_s))
        yield Mutant("for", before, after, group, (replace(rule, for_s=for_s),))
    for name, text in rule.labels:
        if "{{" in text:
            continue
        other = SEVERITIES.get(text, "critical") if name == "severity" else CHANGED
        for labels in (_relabelled(rule, name, other), _relabelled(rule, name, None)):
            after = f"{name}: {dict(labels)[name]}" if name in dict(labels) else "no such label"
            edited = replace(rule, labels=labels)
            yield Mutant("label", f"{name}: {text}", after, group, (edited,))


def _waits_s(for_s: float, interval_s: float) -> list[float]:
    """Return every other `for`: none, half, double, one evaluation less and one more."""
    waits_s = (0.0, for_s / 2, for_s * 2, for_s - interval_s, for_s + interval_s)
    rounded_s = dict.fromkeys(round(each, 3) for each in waits_s)
    return [each for each in rounded_s if each >= 0 and each != for_s]


def _relabelled(rule: AlertRule, name: str, text: str | None) -> Labels:
    """Return the labels of a rule with another text for one, or without it."""
    others = [pair for pair in rule.labels if pair[0] != name]
    return tuple(sorted([*others, *([] if text is None else [(name, text)])]))
