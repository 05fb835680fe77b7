"""Every rule with one edit, of its expression, `for` or labels; groups with another interval.

Called by `mutate` for the alerts of a run and the recording rules that they read. Nothing that an
engine would refuse is made on purpose, and no two mutants of a rule are the same rule. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from documents.durations import format_duration
from verifier.mutation.edits import expression_edits
from verifier.mutation.recordings import is_alone, reaching_recordings
from verifier.mutation.siblings import Siblings
from verifier.pack.rules import AlertRule, RecordingRule
from verifier.promql.reads import all_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.labels import Labels
    from verifier.mutation.edits import MutantKind
    from verifier.mutation.recordings import ReachingRecording
    from verifier.pack.rules import RuleFiles, RuleGroup

_Rule = TypeVar("_Rule", AlertRule, RecordingRule)
SEVERITIES: Final = {"critical": "warning", "page": "ticket"}
"""The severity that stands in place of another; of any other, `critical`."""
CHANGED: Final = "changed"
"""What stands in place of any other label."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one edit, in its group: `before` and `after` are what was edited.

    `rules` is that rule; of another interval, all alerts of the group that are edited at all. Of a
    recording rule `copies` are what is evaluated instead: the rules that its edit reaches, and what
    they record has names of its own.
    """

    kind: MutantKind
    before: str
    after: str
    group: RuleGroup
    rules: tuple[AlertRule | RecordingRule, ...]
    copies: tuple[RuleGroup, ...] = ()

    @property
    def rule(self) -> AlertRule | RecordingRule:
        """The rule, or the first of the group."""
        return self.rules[0]

    @property
    def alert(self) -> str | None:
        """The alert that is edited, None of a recording and of a group."""
        rule = self.rule
        return rule.alert if isinstance(rule, AlertRule) and self.kind != "interval" else None

    @property
    def record(self) -> str | None:
        """The recording that is edited, None of an alert and of a group."""
        return self.rule.record if isinstance(self.rule, RecordingRule) else None

    @property
    def subject(self) -> str:
        """What was edited, as a person reads it: an alert, a recording, or a group."""
        return self.alert or self.record or f"group {self.group.name}"

    @property
    def change(self) -> str:
        """The edit as a person reads it."""
        return f"{self.before} -> {self.after}"


def mutants_of(
    rules: RuleFiles, alerts: Sequence[str] = (), exported: Iterable[str] = ()
) -> tuple[Mutant, ...]:
    """Return the mutants of every alert, or of those that are named, in the order of the rules.

    Then those of the recording rules that these alerts read, be it through others. `exported` are
    the metrics that may be taken for another, beside those that the rules read. Alerts that read
    the states of alerts are not edited: no one of them stands by itself.
    """
    exported = tuple(exported)
    recorded = {rule.record for _, rule in rules.recordings}
    every = [rule for group in rules.groups for rule in group.rules]
    read = {r.exact for rule in every for r in all_reads(rule.expr) if r.exact}
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
    # What a recording reads of others decides when it is evaluated, so that stays as it is.
    siblings = Siblings({*read, *exported} - recorded)
    for recording in reaching_recordings(rules, alerts, exported):
        made += _of_recording(recording, siblings, len(made)) if not recording.obstacle else ()
    return tuple(made)


def unedited_recordings(
    rules: RuleFiles, alerts: Sequence[str] = (), exported: Iterable[str] = ()
) -> tuple[tuple[RecordingRule, str], ...]:
    """Return the recording rules that `mutants_of` leaves as they are, each with the reason."""
    return tuple(
        (recording.rule, recording.obstacle)
        for recording in reaching_recordings(rules, alerts, exported)
        if recording.obstacle
    )


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
    for before, after, edited in _relabelled_rules(rule):
        yield Mutant("label", before, after, group, (edited,))


def _of_recording(recording: ReachingRecording, siblings: Siblings, first: int) -> Iterator[Mutant]:
    """Yield the mutants of a recording rule, which are numbered from `first` on."""
    group, rule = recording.group, recording.rule
    edits: list[tuple[MutantKind, str, str, RecordingRule]] = [
        *(
            (edit.kind, edit.before, edit.after, replace(rule, expr=edit.expr))
            for edit in expression_edits(rule.expr, siblings)
        ),
        *(("label", *relabelled) for relabelled in _relabelled_rules(rule)),
    ]
    for number, (kind, before, after, edited) in enumerate(edits, first):
        copies = recording.with_edit(edited, f"mutant{number}:")
        yield Mutant(kind, before, after, group, (edited,), copies)


def _waits_s(for_s: float, interval_s: float) -> list[float]:
    """Return every other `for`: none, half, double, one evaluation less and one more."""
    waits_s = (0.0, for_s / 2, for_s * 2, for_s - interval_s, for_s + interval_s)
    rounded_s = dict.fromkeys(round(each, 3) for each in waits_s)
    return [each for each in rounded_s if each >= 0 and each != for_s]


def _relabelled_rules(rule: _Rule) -> Iterator[tuple[str, str, _Rule]]:
    """Yield a rule with each of its labels changed, and without it: before, after, the rule."""
    for name, text in rule.labels:
        if "{{" in text:
            continue
        others: Labels = tuple(pair for pair in rule.labels if pair[0] != name)
        other = SEVERITIES.get(text, "critical") if name == "severity" else CHANGED
        changed = tuple(sorted([*others, (name, other)]))
        yield f"{name}: {text}", f"{name}: {other}", replace(rule, labels=changed)
        yield f"{name}: {text}", "no such label", replace(rule, labels=others)
