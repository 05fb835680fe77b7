"""The forms in which rules are kept: rule files, and resources of the Prometheus Operator.

Called by whoever reads rules. A rule file is the first document of a YAML file, as Prometheus reads
it; resources may be many, in lists and in several documents, and each is a rule file of its own,
for that is what the operator makes of it. Every scalar is the text that stands there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistakes import InputError
from documents.yaml_reader import load_texts
from verifier.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from documents.document import Document, Steps, Value

RULE_RESOURCE: Final = "PrometheusRule"
IGNORED_KEYS: Final = ("partial_response_strategy",)
"""Keys of a group in a resource that are for Thanos: the operator leaves them out."""
FOREIGN_KEYS: Final = {
    "source_tenants": "Mimir",
    "align_evaluation_time_on_interval": "Mimir",
    "evaluation_delay": "Mimir",
    "namespace": "Mimir",
    "remote_write": "Loki",
    "partial_response_strategy": "Thanos",
    "concurrency": "VictoriaMetrics",
    "params": "VictoriaMetrics",
    "headers": "VictoriaMetrics",
    "eval_offset": "VictoriaMetrics",
    "eval_delay": "VictoriaMetrics",
    "eval_alignment": "VictoriaMetrics",
    "extra_filter_labels": "VictoriaMetrics",
    "debug": "VictoriaMetrics",
    "update_entries_limit": "VictoriaMetrics",
}
"""Keys of rule files of other systems, for which Prometheus refuses a file."""
_DEPTH_MAX: Final = 4
"""Lists of resources within lists."""


@dataclass(frozen=True, slots=True)
class RuleUnit:
    """What Prometheus loads as one rule file; `data` stands at `steps` of the document.

    Groups of the same name may be in several units, but once in each.
    """

    document: Document
    steps: Steps
    data: Value
    is_resource: bool = False

    def groups(self) -> Iterator[tuple[Steps, dict[str, Value]]]:
        """Yield every group that is a mapping, with where it stands."""
        raw = self.data.get("groups") if isinstance(self.data, dict) else None
        for index, group in enumerate(raw if isinstance(raw, list) else []):
            if isinstance(group, dict):
                yield (*self.steps, "groups", index), group


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A file with rules, as it is written: its units, and what to know of the rest of it."""

    path: str
    units: tuple[RuleUnit, ...]
    findings: tuple[Finding, ...] = ()


def read_source(path: str | Path) -> RuleSource:
    """Read the file; raise `InputError` for one that cannot be read, or is no YAML."""
    documents = load_texts(path)
    first = next(documents)
    if first.data is None:
        # What writes resources may begin with a document that is empty.
        after = _next_with_data(documents)
        if after is None or not _is_resource(after.data):
            return RuleSource(str(path), (RuleUnit(first, (), None),))
        first = after
    if not _is_resource(first.data):
        return RuleSource(
            str(path), (RuleUnit(first, (), first.data),), _other_documents(documents)
        )
    parts = [part for each in (first, *documents) for part in _resources(each, (), each.data)]
    units = tuple(part for part in parts if isinstance(part, RuleUnit))
    findings = tuple(part for part in parts if isinstance(part, Finding))
    if not units:
        empty = Finding(first.place(()), f"the file holds no {RULE_RESOURCE}: there are no rules")
        findings = (*findings, empty)
    return RuleSource(str(path), units, findings)


def _next_with_data(documents: Iterator[Document]) -> Document | None:
    """Return the next document that holds anything, None from one on that is no YAML."""
    while True:
        try:
            document = next(documents, None)
        except InputError:  # Prometheus never reads it
            return None
        if document is None or document.data is not None:
            return document


def _other_documents(documents: Iterator[Document]) -> tuple[Finding, ...]:
    """Return a finding for the documents that Prometheus does not read."""
    second = _next_with_data(documents)
    if second is None:
        return ()
    message = "Prometheus reads the first document of a file only: what stands from here is not"
    return (Finding(second.place(()), message),)


def _is_resource(data: Value) -> bool:
    return isinstance(data, dict) and "kind" in data and "apiVersion" in data


def _resources(document: Document, steps: Steps, data: Value) -> Iterator[RuleUnit | Finding]:
    """Yield the rules of a resource, or of all in a list; a finding for one of another kind."""
    if not isinstance(data, dict):
        return
    kind = str(data.get("kind"))
    items = data.get("items")
    if kind == RULE_RESOURCE:
        yield RuleUnit(document, (*steps, "spec"), data.get("spec"), is_resource=True)
    elif kind.endswith("List") and isinstance(items, list) and len(steps) < _DEPTH_MAX:
        for index, item in enumerate(items):
            yield from _resources(document, (*steps, "items", index), item)
    else:
        message = f"this is a {kind}, not a {RULE_RESOURCE}: left out"
        yield Finding(document.place(steps), message)
