"""Reads Prometheus rule files into plain values, refusing what Prometheus would refuse.

Called before anything is judged, on the pack's own files and on users' files alike. Every mistake
is an `InputError` with its place; what is unwise but can be judged is a `Finding`. The format is
that of Prometheus 2.42 plus group `labels` of 3.x; it never asks a running server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, InvalidSyntax, RepeatedName
from documents.mistakes import InputError, Mistake, gather
from documents.yaml_reader import load
from verifier.errors import Finding
from verifier.pack.walker import PackWalker, scalar_text
from verifier.promql.parsing import parse
from verifier.promql.reads import reads

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from documents.document import Document, Steps, Value
    from documents.mistakes import Place
    from verifier.errors import NotJudged
    from verifier.labels import Labels


DEFAULT_INTERVAL_S: Final = 60.0
"""Prometheus's own default of `evaluation_interval`, for groups that name none."""

_GROUP_KEYS: Final = ("name", "interval", "limit", "labels", "query_offset", "rules")
_ALERT_KEYS: Final = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_RECORD_KEYS: Final = ("record", "expr", "labels")
_METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """An alerting rule; `labels` and `annotations` may hold templates, labels sorted by name."""

    alert: str
    expr: str
    for_s: float
    keep_firing_for_s: float
    labels: Labels
    annotations: Labels
    position: Place


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A recording rule: the result of `expr` becomes the metric `record` with `labels` set."""

    record: str
    expr: str
    labels: Labels
    position: Place


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules evaluated together, in order, every `interval_s`."""

    name: str
    file: str
    interval_s: float
    rules: tuple[AlertRule | RecordingRule, ...]


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """All groups of some rule files, and what to know about them."""

    groups: tuple[RuleGroup, ...]
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def alerts(self) -> tuple[tuple[RuleGroup, AlertRule], ...]:
        """Every alerting rule with its group, in the order of the files."""
        return tuple((g, r) for g in self.groups for r in g.rules if isinstance(r, AlertRule))

    @property
    def recordings(self) -> tuple[tuple[RuleGroup, RecordingRule], ...]:
        """Every recording rule with its group, in the order of the files."""
        return tuple((g, r) for g in self.groups for r in g.rules if isinstance(r, RecordingRule))


def load_rules(
    paths: Iterable[str | Path], *, default_interval_s: float = DEFAULT_INTERVAL_S
) -> RuleFiles:
    """Read rule files; raise one `InputError` with every mistake in them."""
    groups: list[RuleGroup] = []
    mistakes: list[InputError | Mistake] = []
    findings: list[Finding] = []
    for path in paths:
        try:
            reader = _RuleReader(load(path), default_interval_s)
        except InputError as error:
            mistakes.append(error)
            continue
        groups += reader.groups()
        mistakes += reader.mistakes
        findings += reader.findings
    if mistakes:
        raise gather(mistakes)
    for group in groups:
        findings += _note_early_reads(group)
    return RuleFiles(tuple(groups), tuple(findings))


def _note_early_reads(group: RuleGroup) -> list[Finding]:
    """Return a finding for every rule that reads what its own group records only after it."""
    findings = []
    for index, rule in enumerate(group.rules):
        later = {r.record for r in group.rules[index:] if isinstance(r, RecordingRule)}
        for record in sorted(later):
            if any(read.matches(record) for read in reads(rule.expr)):
                message = (
                    f"{record} is recorded after this rule, which in Prometheus sees it one"
                    " evaluation late; judged as if it were recorded before"
                )
                findings.append(Finding(rule.position, message))
    return findings


class _RuleReader(PackWalker):
    """One walk over a rule file."""

    def __init__(self, document: Document, default_interval_s: float) -> None:
        super().__init__(document)
        self.default_interval_s = default_interval_s

    def groups(self) -> list[RuleGroup]:
        top = self.mapping(self.document.data, (), ("groups",))
        groups: list[RuleGroup] = []
        for index, raw in enumerate(self.sequence(top.get("groups"), ("groups",))):
            group = self.group(raw, ("groups", index))
            if group.name in [other.name for other in groups]:
                self.reject(RepeatedName("group name", group.name), ("groups", index, "name"))
            groups.append(group)
        return groups

    def group(self, raw: Value, steps: Steps) -> RuleGroup:
        keys = self.mapping(raw, steps, _GROUP_KEYS)
        for key in ("limit", "query_offset"):
            if keys.get(key) not in (None, 0, "0", "0s"):
                self.reject(BrokenRule(key, "be left out: it cannot be judged"), (*steps, key))
        interval_s = self.duration(keys.get("interval"), (*steps, "interval"))
        labels = self.labels(keys.get("labels"), (*steps, "labels"))
        rules = [
            self.rule(raw_rule, (*steps, "rules", index), dict(labels))
            for index, raw_rule in enumerate(self.sequence(keys.get("rules"), (*steps, "rules")))
        ]
        return RuleGroup(
            name=self.text(keys, "name", steps),
            file=self.document.path,
            interval_s=interval_s or self.default_interval_s,
            rules=tuple(rule for rule in rules if rule is not None),
        )

    def rule(
        self, raw: Value, steps: Steps, group_labels: dict[str, str]
    ) -> AlertRule | RecordingRule | None:
        if not isinstance(raw, dict) or ("alert" in raw) == ("record" in raw):
            self.reject(BrokenRule("a rule", "have either alert or record, and expr"), steps)
            return None
        recording = "record" in raw
        keys = self.mapping(raw, steps, _RECORD_KEYS if recording else _ALERT_KEYS)
        name = self.text(keys, "record" if recording else "alert", steps)
        expr = self.expression(keys, steps)
        labels = group_labels | dict(self.labels(keys.get("labels"), (*steps, "labels")))
        pairs = tuple(sorted(labels.items()))
        position = self.place((*steps, "expr"))
        if recording:
            if name and not _METRIC_NAME.fullmatch(name):
                self.reject(BrokenRule("record", "be a metric name", name), (*steps, "record"))
            return RecordingRule(name, expr, pairs, position)
        annotations = self.labels(keys.get("annotations"), (*steps, "annotations"))
        self.note_residue("labels", keys, steps)
        self.note_residue("annotations", keys, steps)
        return AlertRule(
            alert=name,
            expr=expr,
            for_s=self.duration(keys.get("for"), (*steps, "for")),
            keep_firing_for_s=self.duration(
                keys.get("keep_firing_for"), (*steps, "keep_firing_for")
            ),
            labels=pairs,
            annotations=annotations,
            position=position,
        )

    def expression(self, keys: dict[str, Value], steps: Steps) -> str:
        raw = keys.get("expr")
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return scalar_text(raw)  # `expr: 1` is PromQL, though YAML takes it for a number
        expr = self.text(keys, "expr", steps)
        if expr:
            try:
                parse(expr)
            except ValueError as error:
                self.reject(InvalidSyntax("expr", "PromQL", str(error)), (*steps, "expr"))
        return expr

    def labels(self, raw: Value, steps: Steps) -> Labels:
        """Return sorted (name, value) pairs of labels or annotations."""
        pairs = []
        for name, value in self.mapping(raw, steps).items():
            where = (*steps, name)
            self.check_label_name(name, where, metric_name=False)
            if isinstance(value, (dict, list)):
                self.reject(BrokenRule(name, "be text", value), where)
            elif value is not None:
                pairs.append((name, scalar_text(value)))
        return tuple(sorted(pairs))

    def note_residue(self, kind: str, keys: dict[str, Value], steps: Steps) -> None:
        """Note what a template engine of another time left in labels or annotations."""
        values = keys.get(kind)
        for name, value in (values if isinstance(values, dict) else {}).items():
            if "{%" in str(value):
                message = f"{kind[:-1]} {name} holds Jinja residue ({{% ... %}}): it is shown as is"
                self.note(message, (*steps, kind, name))
