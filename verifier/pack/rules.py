"""Reads Prometheus rule files into plain values, refusing what Prometheus would refuse.

Called before anything is judged, on the pack's own files and on users' files alike. Every mistake
is an `InputError` with its place; what is unwise but can be judged is a `Finding`. What is valid is
the engine's to say (`verifier.rule_files` asks it): of what it has accepted nothing is refused.
Where it was not asked, the format is that of Prometheus 2.42 plus the keys of 3.x.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, InvalidSyntax, RepeatedName
from documents.mistakes import InputError, Mistake, gather
from exporter.target import OURS
from verifier.pack.rule_sources import FOREIGN_KEYS, IGNORED_KEYS, read_source
from verifier.pack.walker import PackWalker
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from documents.document import Steps, Value
    from documents.mistakes import Place
    from exporter.mapping.metric_mapping import MetricMapping
    from exporter.metrics.series import Metric
    from exporter.target import Target
    from simulator.snapshot import Snapshot
    from verifier.errors import Finding, NotJudged
    from verifier.labels import Labels
    from verifier.pack.rule_sources import RuleUnit


DEFAULT_INTERVAL_S: Final = 60.0
"""Prometheus's own default of `evaluation_interval`, for groups that name none."""

_GROUP_KEYS: Final = ("name", "interval", "limit", "labels", "query_offset", "rules")
_ALERT_KEYS: Final = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_RECORD_KEYS: Final = ("record", "expr", "labels")
_EXPONENT: Final = re.compile(r"[0-9]+[eE][-+]?[0-9]+")
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
    """Rules evaluated together, in order, every `interval_s`, as of `query_offset_s` before.

    A rule with more than `limit` alerts or series fails, unless it is 0.
    """

    name: str
    file: str
    interval_s: float
    rules: tuple[AlertRule | RecordingRule, ...]
    limit: int = 0
    query_offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """All groups of some rule files, and what to know about them.

    With a `mapping` they are written against the metrics that it makes, not against our own.
    """

    groups: tuple[RuleGroup, ...]
    findings: tuple[Finding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    mapping: MetricMapping | None = None

    @property
    def metrics(self) -> tuple[Metric[Snapshot], ...]:
        """What the exporter shows that they are written against."""
        from exporter.mapping.mapped_metrics import (  # noqa: PLC0415 - `slo check` asks for none
            exported_metrics,
        )

        return exported_metrics(self.mapping)

    @property
    def target(self) -> Target:
        """The job and the instance of that exporter."""
        return OURS if self.mapping is None else self.mapping.target

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
    """Read rule files without asking an engine; raise one `InputError` with every mistake."""
    mistakes: list[InputError | Mistake] = []
    readings: list[RuleFiles] = []
    for path in paths:
        try:
            source = read_source(path)
        except InputError as error:
            mistakes.append(error)
            continue
        for unit in source.units:
            reading = read_unit(unit, default_interval_s)
            mistakes += reading.mistakes
            readings.append(reading.rules)
        readings.append(RuleFiles((), source.findings))
    if mistakes:
        raise gather(mistakes)
    return join(readings)


@dataclass(frozen=True, slots=True)
class UnitReading:
    """What a unit holds, and what is wrong with it; with mistakes, rules may be missing."""

    rules: RuleFiles
    mistakes: tuple[Mistake, ...]


def read_unit(
    unit: RuleUnit, default_interval_s: float = DEFAULT_INTERVAL_S, *, accepted: bool = False
) -> UnitReading:
    """Read the groups of a rule file, or of a resource.

    With `accepted`, by the engine that judges, only what cannot be read at all is a mistake.
    """
    reader = _RuleReader(unit, default_interval_s, accepted=accepted)
    rules = RuleFiles(tuple(reader.groups()), tuple(reader.findings))
    return UnitReading(rules, tuple(reader.mistakes))


def join(parts: Sequence[RuleFiles]) -> RuleFiles:
    """Return all rules, findings and what is not judged, in their order."""
    return RuleFiles(
        tuple(group for part in parts for group in part.groups),
        tuple(finding for part in parts for finding in part.findings),
        tuple(item for part in parts for item in part.not_judged),
    )


class _RuleReader(PackWalker):
    """One walk over a rule file, or over a resource."""

    def __init__(self, unit: RuleUnit, default_interval_s: float, *, accepted: bool) -> None:
        super().__init__(unit.document)
        self.unit = unit
        self.default_interval_s = default_interval_s
        self.accepted = accepted

    def groups(self) -> list[RuleGroup]:
        top = self.mapping(self.unit.data, self.unit.steps, ("groups",))
        where = (*self.unit.steps, "groups")
        groups: list[RuleGroup] = []
        names: set[str] = set()
        for index, raw in enumerate(self.sequence(top.get("groups"), where)):
            if raw is None:  # as Go's reader, which passes over what is nothing
                continue
            group = self.group(raw, (*where, index))
            if group.name in names:
                self.reject(RepeatedName("group name", group.name), (*where, index, "name"))
            names.add(group.name)
            groups.append(group)
        return groups

    def group(self, raw: Value, steps: Steps) -> RuleGroup:
        ignored = IGNORED_KEYS if self.unit.is_resource else ()
        keys = self.mapping(raw, steps, (*_GROUP_KEYS, *ignored, *FOREIGN_KEYS))
        for key in keys:
            if key in ignored:
                self.note(f"{key} is {FOREIGN_KEYS[key]}'s: without meaning here", (*steps, key))
            elif key in FOREIGN_KEYS:
                sentence = f"the key {key!r} is {FOREIGN_KEYS[key]}'s, no Prometheus loads it"
                self.reject(sentence, (*steps, key), at_key=True)
        interval_s = self.duration(keys.get("interval"), (*steps, "interval"))
        labels = self.labels(keys.get("labels"), (*steps, "labels"))
        rules = [
            self.rule(raw_rule, (*steps, "rules", index), dict(labels))
            for index, raw_rule in enumerate(self.sequence(keys.get("rules"), (*steps, "rules")))
            if raw_rule is not None
        ]
        return RuleGroup(
            name=self.text(keys, "name", steps),
            file=self.document.path,
            interval_s=interval_s or self.default_interval_s,
            rules=tuple(rule for rule in rules if rule is not None),
            limit=self.attempt(lambda: whole_number(keys.get("limit")), (*steps, "limit")) or 0,
            query_offset_s=self.duration(keys.get("query_offset"), (*steps, "query_offset")),
        )

    def rule(
        self, raw: Value, steps: Steps, group_labels: dict[str, str]
    ) -> AlertRule | RecordingRule | None:
        named = [key for key in ("alert", "record") if isinstance(raw, dict) and raw.get(key)]
        if not isinstance(raw, dict) or len(named) != 1:
            self.reject(BrokenRule("a rule", "have either alert or record, and expr"), steps)
            return None
        [kind] = named
        recording = kind == "record"
        known = _RECORD_KEYS if recording else _ALERT_KEYS
        # A key without a value, or with 0, is as none to the engine, of which kind it may be.
        keys = self.mapping(raw, steps, None if self.accepted else known)
        name = self.text(keys, kind, steps)
        expr = self.expression(keys, steps)
        labels = group_labels | dict(self.labels(keys.get("labels"), (*steps, "labels")))
        pairs = tuple(sorted(labels.items()))
        position = self.place((*steps, "expr"))
        if recording:
            if name and not self.accepted and not _METRIC_NAME.fullmatch(name):
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
        expr = self.text(keys, "expr", steps)
        if expr and not self.accepted:
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
            if not self.accepted:
                self.check_label_name(name, where, metric_name=False)
            if isinstance(value, (dict, list)):
                self.reject(BrokenRule(name, "be text", value), where)
            elif value is not None:
                pairs.append((name, str(value)))
        return tuple(sorted(pairs))

    def note_residue(self, kind: str, keys: dict[str, Value], steps: Steps) -> None:
        """Note what a template engine of another time left in labels or annotations."""
        values = keys.get(kind)
        for name, value in (values if isinstance(values, dict) else {}).items():
            if "{%" in str(value):
                message = f"{kind[:-1]} {name} holds Jinja residue ({{% ... %}}): it is shown as is"
                self.note(message, (*steps, kind, name))


def whole_number(raw: Value) -> int:
    """Return a whole number as Go reads it, or 0: `10`, `0x10`, `1_0`, `010`, `1.0`, `1e1`.

    Raises `InputError` for what is no number.
    """
    text = str(raw or "0").replace("_", "")
    digits = text.lstrip("+-")
    try:
        if digits[:1] == "0" and digits.isdecimal():
            return int(text, 8)
        if "." in digits or _EXPONENT.fullmatch(digits):
            return int(float(text))
        return int(text, 0)
    except (ValueError, OverflowError):
        raise InputError(Mistake(BrokenRule("limit", "be a whole number", raw))) from None
