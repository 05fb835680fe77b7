"""Where the parts of a rule stand that are no expression: its labels, annotations and its `for`.

Read from the rule files anew, once, and looked up by the place of a rule's expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents.mistakes import InputError
from verifier.check.findings.expressions import rule_subject
from verifier.check.findings.finding import CheckFinding
from verifier.pack.rule_sources import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from documents.document import Document, Steps, Value
    from documents.mistakes import Place
    from verifier.pack.rules import AlertRule, RuleFiles

RESIDUE = "{%"
"""What begins a statement of Jinja."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as it stands in its file."""

    document: Document
    steps: Steps
    raw: Mapping[str, Value]

    def place(self, *keys: str) -> Place:
        """Return where a part of it stands."""
        return self.document.place((*self.steps, *keys))


def files_to_read(rules: RuleFiles) -> set[str]:
    """Return the files that hold an alert of whose text more is asked than its rule says."""
    return {
        group.file
        for group, rule in rules.alerts
        if not rule.for_s or any(RESIDUE in text for _, text in (*rule.labels, *rule.annotations))
    }


def rule_texts(paths: Iterable[str | Path]) -> dict[Place, RuleText]:
    """Return the rules of files by the places of their expressions, as far as they can be read."""
    texts: dict[Place, RuleText] = {}
    for path in paths:
        try:
            units = read_source(path).units
        except InputError:
            continue
        for unit in units:
            for steps, group in unit.groups():
                rules = group.get("rules")
                for index, raw in enumerate(rules if isinstance(rules, list) else ()):
                    if isinstance(raw, dict):
                        text = RuleText(unit.document, (*steps, "rules", index), raw)
                        texts[text.place("expr")] = text
    return texts


def template_residue(rules: RuleFiles, texts: Mapping[Place, RuleText]) -> Iterator[CheckFinding]:
    """Yield each label and annotation that holds what another template engine left."""
    for _, rule in rules.alerts:
        for kind, pairs in (("labels", rule.labels), ("annotations", rule.annotations)):
            for name, value in pairs:
                if RESIDUE in value:
                    reason = f"{kind[:-1]} {name} holds {{% ... %}}: it is shown as it stands"
                    place = _place(rule, texts, kind, name)
                    yield CheckFinding("template-residue", place, rule_subject(rule), reason)


def _place(rule: AlertRule, texts: Mapping[Place, RuleText], *keys: str) -> Place:
    text = texts.get(rule.position)
    return rule.position if text is None else text.place(*keys)
