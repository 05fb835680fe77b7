"""Every rule with one edit: of its expression, its `for`, its labels, or its group's interval.

Called by `mutate` for the alerts of a run. Nothing that an engine would refuse is made on purpose,
and no two mutants of an alert are the same rule. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.mutation.edits import expression_edits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.labels import Labels
    from verifier.mutation.edits import MutantKind
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup

SEVERITIES: Final = {"critical": "warning", "page": "ticket"}
"""The severity that stands in place of another; of any other, `critical`."""
CHANGED: Final = "changed"
"""What stands in place of any other label."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """An alert with one edit, in its group: `before` and `after` are what was edited."""

    kind: MutantKind
    before: str
    after: str
    group: RuleGroup
    rule: AlertRule

    @property
    def change(self) -> str:
        """The edit as a person reads it."""
        return f"{self.before} -> {self.after}"


def mutants_of(rules: RuleFiles, alerts: Sequence[str] = ()) -> tuple[Mutant, ...]:
    """Return the mutants of every alert, or of those that are named, in the order of the rules."""
    return tuple(
        mutant
        for group, rule in rules.alerts
        if not alerts or rule.alert in alerts
        for mutant in _mutants(group, rule)
    )


def _mutants(group: RuleGroup, rule: AlertRule) -> Iterator[Mutant]:
    for edit in expression_edits(rule.expr):
        edited = replace(rule, expr=edit.expr)
        yield Mutant(edit.kind, edit.before, edit.after, group, edited)
    for for_s in _waits_s(rule.for_s, group.interval_s):
        before, after = (format_duration(each) for each in (rule.for_s, for_s))
        yield Mutant("for", before, after, group, replace(rule, for_s=for_s))
    for name, text in rule.labels:
        if "{{" in text:
            continue
        other = SEVERITIES.get(text, "critical") if name == "severity" else CHANGED
        for labels in (_relabelled(rule, name, other), _relabelled(rule, name, None)):
            after = f"{name}: {dict(labels)[name]}" if name in dict(labels) else "no such label"
            yield Mutant("label", f"{name}: {text}", after, group, replace(rule, labels=labels))
    for factor in (0.5, 2.0):
        interval_s = round(group.interval_s * factor, 3)
        before, after = (format_duration(each) for each in (group.interval_s, interval_s))
        yield Mutant("interval", before, after, replace(group, interval_s=interval_s), rule)


def _waits_s(for_s: float, interval_s: float) -> list[float]:
    """Return every other `for`: none, half, double, one evaluation less and one more."""
    waits_s = (0.0, for_s / 2, for_s * 2, for_s - interval_s, for_s + interval_s)
    rounded_s = dict.fromkeys(round(each, 3) for each in waits_s)
    return [each for each in rounded_s if each >= 0 and each != for_s]


def _relabelled(rule: AlertRule, name: str, text: str | None) -> Labels:
    """Return the labels of a rule with another text for one, or without it."""
    others = [pair for pair in rule.labels if pair[0] != name]
    return tuple(sorted([*others, *([] if text is None else [(name, text)])]))
